"""The flows themselves: what they claim of flytekit is so, and together they hold every construct."""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import Any

import pytest

from flytenb.bridge.workflow.graph import read_graph
from flytenb.model import EdgeKind, Kind
from tests.flows import FLOWS, Flow


def call(flow: Flow) -> Any:
    result = flow.entity(**flow.inputs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


@pytest.mark.sampled(4)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("flow", [f for f in FLOWS.values() if f.flytekit_local], ids=repr)
def test_flytekit_itself_gets_wrong_what_a_flow_says_it_does(flow: Flow) -> None:
    try:
        result = call(flow)
    except Exception as error:
        assert flow.raises is None or not isinstance(error, flow.raises[0])
    else:
        assert result != flow.expected
    gc.collect()  # what flytekit leaves open when it fails warns here, not in whatever test comes next


@pytest.mark.parametrize("flow", FLOWS.values(), ids=repr)
def test_a_flow_says_what_it_is_for_and_what_it_needs(flow: Flow) -> None:
    assert inspect.getdoc(flow.module)
    assert flow.needs <= {"docker", "one_process", "answer", "stand_in"}
    assert bool(flow.answers) == ("answer" in flow.needs)
    assert bool(flow.stand_ins) == ("stand_in" in flow.needs)
    assert set(flow.answers) <= set(read_graph(flow.entity).nodes)


def test_the_flows_hold_every_kind_of_node_and_edge() -> None:
    graphs = [read_graph(flow.entity) for flow in FLOWS.values()]
    assert {n.kind for g in graphs for n in g.nodes.values()} == set(Kind)
    assert {e.kind for g in graphs for e in g.edges} == set(EdgeKind)
