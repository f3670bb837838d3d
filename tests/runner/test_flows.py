"""Every flow, run every way: the answer, its exact types and the verdict on errors are always the cluster's."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

import flytenb
from flytenb.bridge.workflow.graph import read_graph
from flytenb.errors import StubError
from flytenb.model import Kind, Phase
from flytenb.runner.run import Run
from tests.crossing import difference
from tests.flow_events import check_events
from tests.flows import FLOWS, Flow

WAYS: dict[str, dict[str, Any]] = {
    "native": {},
    "strict": {"strict": True},
    "one worker": {"workers": 1},
    "processes": {"processes": True},
}
RUNNABLE = [flow for flow in FLOWS.values() if "docker" not in flow.needs]
FLYTEKIT = [flow for flow in RUNNABLE if not flow.flytekit_local and not flow.needs]


def run(flow: Flow, **settings: Any) -> Run:
    stand_ins = {entity.name: function for entity, function in flow.stand_ins}
    options = flytenb.options(answers=flow.answers, stand_ins=stand_ins, **settings)
    return options.start(flow.entity, **flow.inputs).wait()


def plain(result: Any) -> Any:
    """A result with several outputs is a named tuple made for it, of which only the values count."""
    return tuple(result) if isinstance(result, tuple) else result


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that caches must not find what another test stored."""
    monkeypatch.setenv("FLYTE_LOCAL_CACHE_OVERWRITE", "1")


CASES = [
    pytest.param(flow, way, id=f"{flow.name}-{way}")
    for flow in RUNNABLE
    for way in WAYS
    if not (way == "processes" and "one_process" in flow.needs)
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("flow", "way"), CASES)
def test_a_flow_gives_the_answer_of_a_cluster(flow: Flow, way: str) -> None:
    done = run(flow, **WAYS[way])
    if flow.raises is not None:
        kind, words = flow.raises
        assert done.phase is Phase.FAILED
        assert done.error is not None
        assert isinstance(done.error.exception, kind)
        assert words in str(done.error.exception)
        with pytest.raises(kind):
            _ = done.result
        return
    assert done.error is None, done.error.full()
    assert done.phase is Phase.SUCCEEDED
    assert difference(plain(done.result), flow.expected) == ""


@pytest.mark.sampled(5)
@pytest.mark.usefixtures("no_pip_in_decks")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # flytekit leaves directories behind
@pytest.mark.parametrize("flow", FLYTEKIT, ids=repr)
def test_flytekit_itself_gives_that_answer_where_it_gets_it_right(flow: Flow) -> None:
    def call() -> Any:
        result = flow.entity(**flow.inputs)
        return asyncio.run(result) if inspect.iscoroutine(result) else result

    if flow.raises is not None:
        kind, words = flow.raises
        # Without the patches a stub's own `raise NotImplementedError` is what flytekit lets through.
        with pytest.raises(NotImplementedError if kind is StubError else kind, match=words or None):
            call()
        return
    assert difference(plain(call()), flow.expected) == ""


@pytest.mark.sampled(5)
@pytest.mark.parametrize("flow", RUNNABLE, ids=repr)
def test_what_ran_is_what_is_drawn(flow: Flow) -> None:
    """Every node of the picture that can run has a record, and nothing else ran (elements of maps aside)."""
    done = run(flow)
    graph = done.graph
    maps = {path for path, node in graph.nodes.items() if node.kind is Kind.MAP}

    def is_in_map(path: str) -> bool:
        return any(path.startswith(f"{m}/") for m in maps)

    handlers = {path for path, node in graph.nodes.items() if node.kind is Kind.FAILURE}
    drawn = {path for path, node in graph.nodes.items() if not node.is_pseudo and not is_in_map(path)}
    ran = {path for path in done.nodes if not is_in_map(path)}
    not_needed = {path for path in drawn if any(path.startswith(f"{h}/") for h in handlers)}
    assert ran <= drawn
    assert drawn - ran <= not_needed


@pytest.mark.sampled(5)
@pytest.mark.parametrize("flow", RUNNABLE, ids=repr)
def test_the_events_tell_the_run_from_start_to_end(flow: Flow) -> None:
    done = run(flow)
    check_events(done)
    assert read_graph(flow.entity).name == done.name


def test_a_run_and_its_picture_agree_after_flytekit_compiled_the_workflow_alone() -> None:
    """flytekit names the nodes inside of a failure handler after where it first compiled it."""
    flow = FLOWS["failure_workflow"]
    for workflow in (flow.entity, flow.module.handle):
        workflow.compiled = False
    flow.entity(**flow.inputs)
    assert {"fn0", "fn0/n0", "fn0/n1"} <= set(run(flow).nodes) & set(run(flow).graph.nodes)
