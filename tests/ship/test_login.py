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
def kernel(double: Cluster) -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(PREPARE.format(endpoint=double.endpoint)).ok()
        yield kernel


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
    kernel: Kernel, double: Cluster, tmp_path: Path
) -> None:
    script = tmp_path / "browser.py"
    script.write_text(BROWSER)
    kernel.run(f"os.environ['BROWSER'] = '{sys.executable} {script} {tmp_path} %s &'").ok()
    outcome = interrupted(kernel, "in_browser.plans()", (tmp_path / "opened").exists)
    assert outcome.fails().ename == "KeyboardInterrupt"
    (tmp_path / "person").touch()
    assert kernel.run("in_browser.plans()").ok().result == NOTHING
    check_renewal(kernel, double, "in_browser")


def test_a_login_with_a_device_code_is_interrupted_and_the_next_one_works(kernel: Kernel, double: Cluster) -> None:
    outcome = interrupted(kernel, "by_device.plans()", lambda: "device_code" in double.storage.grants)
    assert outcome.fails().ename == "KeyboardInterrupt"
    assert "/device" in outcome.text + outcome.stderr
    double.storage.is_login_approved = True
    assert kernel.run("by_device.plans()").ok().result == NOTHING
    check_renewal(kernel, double, "by_device")
