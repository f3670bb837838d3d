"""A run without references is freed at once, with everything that it held."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

import flytenb
from flytenb.runner.record import Record
from flytenb.runner.step import Scope, Step
from tests.flows import FLOWS, Flow
from tests.notebook_cells import NotebookCells
from tests.waiting import PATIENCE, is_soon

IN_CYCLES = {
    "eager_in_workflow": "asyncio's tasks and their exceptions hold each other",
    "eager_nested": "as above",
    "eager_simple": "as above",
    "gate_sleep": "the clock's thread holds the step that it has just ended a moment longer",
    "map_ratio": "the exception of an element holds the frames that it went through",
}
QUIET = [flow for flow in FLOWS.values() if not flow.needs and flow.raises is None]


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What is made from now on stays in the youngest generation, where it is found quickly."""
    gc.collect(0)
    gc.disable()
    yield
    gc.enable()


def parts() -> set[int]:
    """The ids of the parts of runs; a run of an earlier test that was given up may still make some."""
    return {id(made) for made in gc.get_objects(generation=0) if isinstance(made, Record | Scope | Step)}


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("flow", [flow for flow in QUIET if flow.name not in IN_CYCLES], ids=repr)
def test_a_run_that_nobody_holds_is_gone_without_the_garbage_collector(flow: Flow) -> None:
    run = flytenb.options(cache=False).run(flow.entity, **flow.inputs)
    assert list(run.nodes)
    assert run.graph.nodes
    own = parts()
    assert own
    held = weakref.ref(run)
    del run
    # The thread that ended the run may not have returned from it yet.
    assert is_soon(lambda: held() is None, PATIENCE)
    assert is_soon(lambda: not own & parts(), PATIENCE)


@pytest.mark.parametrize("name", IN_CYCLES)
def test_what_cycles_hold_is_gone_with_it(name: str) -> None:
    flow = FLOWS[name]
    held = weakref.ref(flytenb.options(cache=False).run(flow.entity, **flow.inputs))
    # As above.
    assert is_soon(lambda: gc.collect() is not None and held() is None, PATIENCE)


def chain(length: int, name: str) -> NotebookCells:
    """A chain whose last task notes how many objects of the youngest generation there are."""
    cells = NotebookCells(name)
    tasks = "".join(f"@task\ndef t{n}(x: int) -> int:\n    return x + 1\n" for n in range(length))
    last = "@task\ndef last(x: int) -> int:\n    note(len(gc.get_objects(generation=0)))\n    return x\n"
    calls = "".join(f"    x = t{n}(x=x)\n" for n in range(length))
    cells.run(f"import gc\n{tasks}{last}@workflow\ndef wf(x: int) -> int:\n{calls}    return last(x=x)\n")
    return cells


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("is_resumed", [False, True], ids=["run", "resumed"])
def test_a_run_makes_few_objects_per_node_for_the_collector_to_visit(is_resumed: bool) -> None:
    made = []
    for length in (20, 220):
        cells = chain(length, f"chain_of_{length}")
        before = flytenb.run(cells.module.wf, x=1)
        options = flytenb.options(resume=before, from_node="last") if is_resumed else flytenb
        gc.collect(0)
        options.run(cells.module.wf, x=1)
        made.append(cells.module.ran[-1])
        del sys.modules[cells.module.__name__]
    assert (made[1] - made[0]) / 200 < 30  # all generations are collected each time so many have been made
