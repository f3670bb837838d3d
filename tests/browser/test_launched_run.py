"""A run on a cluster, launched from a cell of a real JupyterLab and followed in its live view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook
from tests.cluster.cluster import Cluster, start_cluster

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONNECT = """
%load_ext flytenb
import os
os.environ |= {environment!r}
GATES = {gates!r}
"""
DEFINE = """
import pathlib, time
from flytekit import conditional, dynamic, map_task, task, workflow

def hold(name):
    "Wait until a test has looked."
    for _ in range(12_000):
        if pathlib.Path(GATES, name).exists():
            return
        time.sleep(.05)

@task
def load(n: int) -> list[int]:
    return [*range(n)]

@task
def square(x: int) -> int:
    if x:
        hold("elements")
    return x * x

@task
def add(x: int, y: int) -> int:
    hold("dynamic")
    return x + y

@dynamic
def total(xs: list[int]) -> int:
    found = 0
    for x in range(len(xs)):
        found = add(x=found, y=xs[x])
    return found

@task
def large(x: int) -> str:
    hold("branch")
    return f"{x} is large"

@task
def small(x: int) -> str:
    return f"{x} is small"

@workflow
def pipeline(n: int = 3) -> str:
    found = total(xs=map_task(square)(x=load(n=n)))
    return conditional("size").if_(found > 4).then(large(x=found)).else_().then(small(x=found))
"""


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Cluster]:
    with start_cluster(tmp_path / "cluster") as cluster:
        yield cluster


@pytest.fixture
def notebook(lab: Lab, browser: Browser, double: Cluster, tmp_path: Path) -> Iterator[Notebook]:
    cells = [CONNECT.format(environment=double.environment(), gates=str(tmp_path)), DEFINE]
    path = lab.write("launched", *cells, "run = %flyte launch pipeline(n=3)", "run.wait().result")
    notebook = Notebook(lab, browser.new_page(viewport={"width": 1300, "height": 1100}), path).open()
    yield notebook
    for gate in ("elements", "dynamic", "branch"):
        (tmp_path / gate).touch()
    notebook.shut_down()


def test_a_launched_run_is_followed_to_its_end(notebook: Notebook, tmp_path: Path) -> None:
    def phase(path: str, expected: str) -> None:
        expect(live.node(path)).to_have_attribute("data-phase", expected)

    notebook.run_all()
    live: Any = notebook.live(2)
    phase("n0", "SUCCEEDED")
    phase("n1", "RUNNING")
    phase("n2", "QUEUED")
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_text("running")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("running · 1/3")
    shoot(notebook, tmp_path, "elements")
    (tmp_path / "elements").touch()
    phase("n1", "SUCCEEDED")
    phase("n2", "RUNNING")
    phase("n2/dn0", "RUNNING")
    phase("n2/dn2", "QUEUED")
    (tmp_path / "dynamic").touch()
    phase("n2/dn2", "SUCCEEDED")
    phase("n3/n0", "RUNNING")
    shoot(notebook, tmp_path, "branch")
    (tmp_path / "branch").touch()
    phase("n3/n0", "SUCCEEDED")
    phase("n3/n1", "SKIPPED")
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_text("succeeded")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("[0, 1, 4]")
    live.node("n3/n0").click()
    expect(live.inspector).to_contain_text("5 is large")
    notebook.wait_until_idle()
    expect(notebook.output(3)).to_contain_text("5 is large")
    shoot(notebook, tmp_path, "end")
    notebook.theme("JupyterLab Dark")
    shoot(notebook, tmp_path, "dark")
    notebook.theme("JupyterLab Light")
    assert not [line for line in notebook.said if line.startswith("error:")]


def shoot(notebook: Notebook, folder: Path, name: str) -> None:
    notebook.output(2).screenshot(path=folder / f"{name}.png")
