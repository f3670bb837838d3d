"""The calls of an eager task on the double of a cluster, in the run that shows its execution.

flytekit itself looks every two seconds at what an eager task has called, so one execution serves all tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import flytenb
from flytenb.model import Kind, Phase
from flytenb.session.host import host
from tests.cluster.cluster import Cluster
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import PATIENCE

pytestmark = [
    pytest.mark.slow,  # pods are processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = """
import asyncio
from flytekit import eager, task, workflow

@task
def add(x: int, by: int = 1) -> int:
    return x + by

@task
async def fails(x: int) -> int:
    if x:
        raise ValueError(f"no {x}")
    return x

@workflow
def twice(x: int) -> int:
    return add(x=add(x=x, by=1), by=1)

@eager
async def inner_eager(x: int) -> int:
    return add(x=x, by=3)

@eager
async def outer_eager(x: int) -> int:
    called = inner_eager(x=x), asyncio.to_thread(twice, x=x), fails(x=x)
    first, *_ = await asyncio.gather(*called, return_exceptions=True)
    return first
"""


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(CELLS)
        watchers = host.watchers[:]
        host.watchers.clear()  # nothing is shown
        yield opened
        host.watchers[:] = watchers


@pytest.fixture(scope="module")
def launched(notebook: Notebook, double: Cluster) -> Any:
    return flytenb.cluster(double.config()).launch(notebook.names["outer_eager"], x=3).wait(PATIENCE)


def names(run: Any) -> dict[str, str]:
    """Return where each node is, by the names of the nodes around it."""
    nodes = run.graph.nodes
    parts = {path: path.split("/") for path in run.nodes}
    return {
        "/".join(nodes["/".join(part[: n + 1])].name for n in range(len(part))) + f" {part[-1]}": path
        for path, part in parts.items()
    }


def test_calls_are_nodes_inside_with_their_phases_and_values(notebook: Notebook, launched: Any) -> None:
    assert launched.result == 6
    at = {name.partition(" ")[0] if "twice/" not in name else name: path for name, path in names(launched).items()}
    phases = {name: launched.nodes[path].phase for name, path in at.items()}
    assert phases == {
        "outer_eager": Phase.SUCCEEDED,
        "outer_eager/inner_eager": Phase.SUCCEEDED,
        "outer_eager/inner_eager/add": Phase.SUCCEEDED,
        "outer_eager/twice": Phase.SUCCEEDED,
        "outer_eager/twice/add n0": Phase.SUCCEEDED,
        "outer_eager/twice/add n1": Phase.SUCCEEDED,
        "outer_eager/fails": Phase.FAILED,
    }
    added = launched.nodes[at["outer_eager/inner_eager/add"]]
    assert (added.inputs, added.outputs) == ({"x": 3, "by": 3}, {"o0": 6})
    assert added.entity is notebook.names["add"]
    assert launched.nodes[at["outer_eager/twice"]].outputs == {"o0": 5}
    assert launched.nodes[at["outer_eager/fails"]].error.message == "ValueError: no 3"
    assert launched.graph.nodes["n0"].kind is Kind.EAGER
    assert [event for event in launched.events if event.kind == "notice"] == []


def test_calls_are_shown_without_the_cells(double: Cluster, launched: Any) -> None:
    kept = dict(host.session.definitions)
    host.session.definitions.clear()
    try:
        attached = flytenb.cluster(double.config()).attach(launched.execution).wait(PATIENCE)
    finally:
        host.session.definitions.update(kept)
    assert names(attached) == names(launched)
    phases = {path: node.phase for path, node in launched.nodes.items()}
    assert {path: node.phase for path, node in attached.nodes.items()} == phases


def test_an_eager_node_of_a_run_here_is_executed_with_its_calls(notebook: Notebook, double: Cluster) -> None:
    choice = flytenb.cluster(double.config())
    run = flytenb.options(on_cluster={"n0": choice}).run(notebook.names["inner_eager"], x=4)
    assert run.result == 7
    assert names(run) == {"inner_eager n0": "n0", "inner_eager/add e0": "n0/e0"}
    assert run.nodes["n0/e0"].outputs == {"o0": 7}
