"""Logging in to a cluster from a kernel, in a browser and with a device code: interrupted, completed, expired."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.cluster.cluster import Cluster, start_cluster
from tests.cluster.settings import Settings
from tests.kernel import Kernel, Outcome
from tests.waiting import wait_for

pytestmark = pytest.mark.kernel

PREPARE = """
%load_ext flytenb
import os
import flytenb
from flytekit.configuration import Config, PlatformConfig

def cluster(how):
    return flytenb.cluster(Config(platform=PlatformConfig(endpoint={endpoint!r}, insecure=True, auth_mode=how)))

in_browser, by_device = cluster("Pkce"), cluster("DeviceFlow")
"""
BROWSER = """
import pathlib, sys, urllib.request
folder, address = pathlib.Path(sys.argv[1]), sys.argv[2]
(folder / "opened").touch()
if (folder / "person").exists():
    urllib.request.urlopen(address).read()
"""
"""A browser, in which a person logs in if there is one."""
NOTHING = "no launch plan is active or has a schedule"


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), Settings(needs_token=True)) as cluster:
        # Below the ports that the system gives out, and another one for each worker.
        cluster.storage.redirect_uri = f"http://localhost:{20000 + os.getpid() % 12000}/callback"
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the browser: whether it was opened, and whether there is a person."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def kernel(double: Cluster, folder: Path) -> Iterator[Kernel]:
    (folder / "browser.py").write_text(BROWSER)
    with Kernel() as kernel:
        kernel.run(PREPARE.format(endpoint=double.endpoint)).ok()
        # Python reads it once.
        kernel.run(f"os.environ['BROWSER'] = '{sys.executable} {folder}/browser.py {folder} %s &'").ok()
        yield kernel


@pytest.fixture
def browser(folder: Path, double: Cluster) -> Path:
    """The folder of a browser that wasn't opened and has no person, who doesn't approve a device either."""
    double.storage.is_login_approved = False
    for name in ("opened", "person"):
        (folder / name).unlink(missing_ok=True)
    return folder


def interrupted(kernel: Kernel, cell: str, is_waiting: Any) -> Outcome:
    """Interrupt a cell when it waits for the login."""
    outcomes: list[Outcome] = []
    thread = Thread(target=lambda: outcomes.append(kernel.run(cell)))
    thread.start()
    wait_for(is_waiting)
    kernel.interrupt()
    thread.join()
    return outcomes[0]


def check_renewal(kernel: Kernel, double: Cluster, name: str) -> None:
    """Check that a token which expires is renewed without another login."""
    double.expire_tokens()
    double.storage.grants.clear()
    assert kernel.run(f"{name}.plans()").ok().result == NOTHING
    assert double.storage.grants == ["refresh_token"]


def test_a_login_in_the_browser_is_interrupted_and_the_next_one_works(
    kernel: Kernel, double: Cluster, browser: Path
) -> None:
    outcome = interrupted(kernel, "in_browser.plans()", (browser / "opened").exists)
    assert outcome.fails().ename == "KeyboardInterrupt"
    (browser / "person").touch()
    assert kernel.run("in_browser.plans()").ok().result == NOTHING
    check_renewal(kernel, double, "in_browser")


def test_a_login_with_a_device_code_is_interrupted_and_the_next_one_works(
    kernel: Kernel, double: Cluster, browser: Path
) -> None:
    outcome = interrupted(kernel, "by_device.plans()", lambda: "device_code" in double.storage.grants)
    assert outcome.fails().ename == "KeyboardInterrupt"
    assert "/device" in outcome.text + outcome.stderr
    double.storage.is_login_approved = True
    assert kernel.run("by_device.plans()").ok().result == NOTHING
    check_renewal(kernel, double, "by_device")


DROP = """
import signal
from unittest import mock
from flytekit.clients.auth import token_client

class Connection:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def pending(*args, **kwargs):
    Connection()
    raise token_client.AuthenticationPending("not yet")

with mock.patch.object(token_client, "get_token", pending):
    by_device.plans()
"""


def test_an_interrupt_in_a_finalizer_ends_a_login(kernel: Kernel, double: Cluster, browser: Path) -> None:
    """Each answer to `is it approved?` closes a connection, in a finalizer, whose exceptions are dropped."""
    double.expire_tokens(for_good=True)
    assert kernel.run(FORGET + DROP).fails().ename == "KeyboardInterrupt"


PIPELINE = """
from datetime import timedelta
from flytekit import approve, task, workflow

@task
def add(x: int) -> int:
    return x + 1

@workflow
def asking(x: int) -> int:
    return add(x=approve(add(x=x), "ok", timeout=timedelta(hours=1)))
"""
FORGET = """
import gc
from flytekit.clients.auth.auth_client import AuthorizationClient

for client in [each for each in gc.get_objects() if type(each) is AuthorizationClient]:
    client._cached_credentials = None
"""
"""A minute passes, in which flytekit gives the token of the last login again."""
WARNINGS = """
import logging
warned = []
logging.getLogger().addFilter(lambda record: "refresh token" not in record.getMessage() or not warned.append(record))
"""
NOTICES = "[e.text for e in run.events if e.kind == 'notice']"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in_browser", "by_device"])
def test_a_login_that_a_launched_run_needs_waits_for_a_cell(
    name: str, kernel: Kernel, double: Cluster, browser: Path
) -> None:
    """The view's thread can't be interrupted: it renews tokens, and says what to do if that isn't enough."""
    (browser / "person").touch()
    double.storage.is_login_approved = True
    kernel.run(PIPELINE).ok()
    kernel.run(f"run = {name}.launch(asking, x=1)").ok()
    wait_for(lambda: kernel.run("bool(run.waiting)").ok().result == "True")
    (browser / "person").unlink()
    (browser / "opened").unlink(missing_ok=True)
    double.storage.is_login_approved = False
    double.storage.grants.clear()
    kernel.run(FORGET + WARNINGS).ok()
    double.expire_tokens(for_good=True)
    wait_for(lambda: kernel.run(f"any('log in by .read()' in text for text in {NOTICES})").ok().result == "True")
    assert kernel.run("warned").ok().result == "[]"  # the notice says it once, flytekit would at each look
    assert not (browser / "opened").exists()
    assert "device_code" not in double.storage.grants
    waits = (browser / "opened").exists if name == "in_browser" else lambda: "device_code" in double.storage.grants
    assert interrupted(kernel, "run.read()", waits).fails().ename == "KeyboardInterrupt"
    double.storage.is_login_approved = True
    (browser / "person").touch()
    kernel.run("run.read()").ok()
    wait_for(lambda: kernel.run(f"{NOTICES}[-1]").ok().result == "''")
    kernel.run("run.approve('ok')").ok()
    assert kernel.run("run.wait().result").ok().result == "3"
