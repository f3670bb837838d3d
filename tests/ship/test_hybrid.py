"""Runs here with some nodes on the double of a cluster: equal results, phases, failures, aborts, lost connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import flytenb
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from tests.cluster.cluster import Cluster, start_cluster
from tests.ship.notebooks import Notebook, open_notebook

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CELLS = [
    """
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from flytekit import FlyteDirectory, LaunchPlan, StructuredDataset, conditional, dynamic, map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.file import FlyteFile

HERE = []  # changed by tasks that run in the kernel
""",
    """
@dataclass
class Pair:
    left: int
    right: list[str]

@task
def add(x: int, by: int = 1) -> int:
    return x + by

@task
def here(x: int) -> int:
    HERE.append(x)
    return x

@task
def pair(x: int) -> Pair:
    return Pair(x, ["a"])

@task
def widen(p: Pair) -> Pair:
    p.right.append("b")
    return p

@task
def left(p: Pair, q: Pair) -> list[str]:
    return [*p.right, "|", *q.right]
""",
    """
@workflow
def twice(x: int) -> int:
    return add(x=add(x=x, by=1), by=1)

twice_plan = LaunchPlan.get_or_create(twice, "hybrid_plan", fixed_inputs={"x": 7})

@dynamic
def chain(n: int) -> int:
    x = here(x=n)
    for _ in range(2):
        x = add(x=x, by=n)
    return x

@workflow
def constructs(x: int) -> tuple[int, int, int, list[int], list[int], list[str]]:
    h = here(x=x)
    s = twice(x=h)
    c = conditional("big").if_(s > 100).then(add(x=s, by=2)).else_().then(twice(x=s))
    p = pair(x=c)
    ones = map_task(add)(x=[s, c, h], by=[1, 2, 3])
    tens = map_task(partial(add, by=10), concurrency=1)(x=[s, c])
    return s, twice_plan(), chain(n=c), ones, tens, left(p=p, q=widen(p=p))
""",
    """
@task
def write(text: str) -> tuple[FlyteFile, FlyteDirectory, pd.DataFrame, StructuredDataset]:
    Path("made").mkdir(exist_ok=True)
    for name in ("one.txt", "made/two.txt"):
        Path(name).write_text(text)
    frame = pd.DataFrame({"n": [1, 2], "t": [text, text]})
    return FlyteFile("one.txt"), FlyteDirectory("made"), frame, StructuredDataset(dataframe=frame)

@task
def extend(
    file: FlyteFile, folder: FlyteDirectory, frame: pd.DataFrame, rows: StructuredDataset
) -> tuple[FlyteFile, FlyteDirectory, pd.DataFrame, StructuredDataset]:
    text = Path(file).read_text() + (Path(folder) / "two.txt").read_text() + "!"
    made = pd.concat([frame, rows.open(pd.DataFrame).all()])
    Path("out").mkdir(exist_ok=True)
    for name in ("longer.txt", "out/two.txt"):
        Path(name).write_text(text)
    return FlyteFile("longer.txt"), FlyteDirectory("out"), made, StructuredDataset(dataframe=made)

@task
def read(file: FlyteFile, folder: FlyteDirectory, frame: pd.DataFrame, rows: StructuredDataset) -> list[str]:
    texts = [Path(file).read_text(), (Path(folder) / "two.txt").read_text()]
    return [*texts, *frame["t"], *rows.open(pd.DataFrame).all()["t"]]

@workflow
def files(text: str) -> list[str]:
    a, b, c, d = write(text=text)
    e, f, g, h = extend(file=a, folder=b, frame=c, rows=d)
    return read(file=e, folder=f, frame=g, rows=h)
""",
    """
@task(retries=2)
def flaky(x: int, counter: str) -> int:
    with open(counter, "a") as file:
        file.write("x")
    if len(Path(counter).read_text()) < x:
        raise FlyteRecoverableException("not yet")
    return x

@workflow
def again(x: int, counter: str) -> int:
    return here(x=flaky(x=x, counter=counter))

@task
def fails(x: int) -> int:
    y = x + 1
    if y:
        raise ValueError(f"no {y}")
    return y

@workflow
def failing_inside(x: int) -> int:
    return fails(x=add(x=x, by=1))

@workflow
def failing(x: int) -> int:
    return here(x=failing_inside(x=here(x=x)))
""",
    """
@task
def hold(name: str, wait_for: str) -> str:
    import time
    Path(name).touch()
    while not Path(wait_for).exists():
        time.sleep(0.01)
    return name

@workflow
def both(folder: str) -> tuple[str, str]:
    return hold(name=folder + "/a", wait_for=folder + "/b"), hold(name=folder + "/b", wait_for=folder + "/a")

@workflow
def waiting(folder: str) -> str:
    return hold(name=folder + "/begun", wait_for=folder + "/go")
""",
    "from os import getpid\nSTATE = [getpid()]",
    "@task\ndef kept(x: int) -> int:\n    return x + STATE[0]",
    "@workflow\ndef uses_state(x: int) -> int:\n    return add(x=kept(x=here(x=x)), by=1)",
]


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened:
        opened.run(*CELLS)
        watchers = host.watchers[:]
        host.watchers.clear()  # nothing is shown
        yield opened
        host.watchers[:] = watchers


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def choice(double: Cluster) -> Iterator[Choice]:
    double.faults.calls.clear()
    yield flytenb.cluster(double.config())
    double.faults.clear()


def place(choice: Choice, *nodes: Any) -> Any:
    return flytenb.options(on_cluster=dict.fromkeys(nodes, choice))


def executions(double: Cluster) -> list[str]:
    return [name for name in double.faults.calls if name == "CreateExecution"]


PLACED: dict[str, tuple[list[str], set[str]]] = {
    "a task wherever it is: in a branch, a subworkflow, a dynamic, a launch plan, a map": (
        ["add"],
        {"n1/n0", "n1/n1", "n2/n1/n0", "n2/n1/n1", "n4", "n5", "n6/n0", "n6/n1", "n7/dn1", "n7/dn2"},
    ),
    "what contains nodes, as a whole, and a node by its path": (
        ["twice", "hybrid_plan", "chain", "n8"],
        {"n1", "n2/n1", "n6", "n7", "n8"},
    ),
    "elements of a map": (["n4/0", "n4/2"], {"n4/0", "n4/2"}),
}


def _runs(graph: Any) -> set[str]:
    return {path for path, node in graph.nodes.items() if not node.is_pseudo}


@pytest.mark.parametrize("case", PLACED)
def test_the_result_is_that_of_a_local_run(notebook: Notebook, double: Cluster, choice: Choice, case: str) -> None:
    chosen, placed = PLACED[case]
    local = flytenb.run(notebook.names["constructs"], x=3)
    run = place(choice, *chosen).run(notebook.names["constructs"], x=3)
    assert run.result == local.result
    assert not run.compare(local)
    assert {path for path, node in run.nodes.items() if node.place} == placed
    assert double.faults.calls.count("CreateExecution") == len(placed)
    assert _runs(run.graph) == _runs(local.graph)
    inside = {path: node.phase for path, node in run.nodes.items() if not path.startswith("n7/")}
    assert inside == {path: node.phase for path, node in local.nodes.items() if not path.startswith("n7/")}
    assert [event for event in run.events if event.kind == "notice"] == []
