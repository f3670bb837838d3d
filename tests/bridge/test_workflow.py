"""The reading of compiled workflows: moved inside a node it is as if read there, and a graph draws what it holds."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flytekit import FlyteContext, conditional, map_task, task, workflow
from flytekit.core.base_task import TaskMetadata
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal

import flytenb
from flytenb.bridge.entities.interface import inner_workflow, is_stub, kind_of
from flytenb.bridge.execution.branch import is_met
from flytenb.bridge.workflow.graph import hold_graph, read_graph
from flytenb.bridge.workflow.reader import read_built, read_workflow
from flytenb.model import Kind
from flytenb.model.workflow import (
    ComparisonExpression,
    ConjunctionExpression,
    Operand,
    Promise,
    Workflow,
    WorkflowNode,
)
from tests.flows import FLOWS, Flow

with_inside = pytest.mark.parametrize(
    "flow",
    [
        flow
        for flow in FLOWS.values()
        if kind_of(flow.entity) is not Kind.MAP and inner_workflow(flow.entity) and not is_stub(flow.entity)
    ],
    ids=str,
)


@task(cache=True, cache_version="1", cache_ignore_input_vars=("y",), retries=2, interruptible=True)
def add(x: int, y: int = 1) -> int:
    return x + y


@task(cache=True, cache_version="1")
def double(x: int) -> int:
    return 2 * x


def nodes_of(workflow: Workflow) -> Iterator[WorkflowNode]:
    yield from workflow.walk()
    if workflow.failure is not None:
        yield workflow.failure


@pytest.mark.sampled(5)
@with_inside
def test_a_reading_that_is_moved_is_the_reading_at_that_place(flow: Flow) -> None:
    inner = inner_workflow(flow.entity)
    assert inner is not None
    top = read_workflow(inner)
    assert top.at("") is top
    assert top.at("a/b") == read_built(inner, "a/b")
    assert [n.path for n in nodes_of(top.at("a/b"))] == [f"a/b/{n.path}" for n in nodes_of(top)]


@pytest.mark.sampled(5)
@with_inside
def test_a_graph_has_the_nodes_and_the_policies_of_the_reading(flow: Flow) -> None:
    inner = inner_workflow(flow.entity)
    assert inner is not None
    graph = read_graph(flow.entity)
    assert hold_graph(flow.entity)() == graph
    for node in nodes_of(read_workflow(inner)):
        settings = graph.nodes[node.path].settings
        assert settings.get("cache") == node.policy.cache_version
        assert bool(settings.get("cache_serialize")) == node.policy.cache_serialize
        if node.kind is not Kind.GATE:
            assert settings.get("retries", 0) == node.policy.retries
            assert settings.get("timeout") == node.policy.timeout
    tops = [p for p, n in graph.nodes.items() if n.parent == "" and not n.is_pseudo]
    assert tops == [n.path for n in nodes_of(read_workflow(inner)) if "/" not in n.path]


@with_inside
def test_a_reading_is_kept_until_something_is_compiled(flow: Flow) -> None:
    inner = inner_workflow(flow.entity)
    is_kept = read_workflow(inner) is read_workflow(inner)
    assert is_kept == (type(inner).__name__ == "PythonFunctionWorkflow")


def test_a_node_s_overrides_go_before_its_task_s_settings_one_by_one() -> None:
    @workflow
    def overridden() -> None:
        add(x=1)
        add(x=1).with_overrides(retries=5, timeout=timedelta(seconds=9), interruptible=False)
        add(x=1).with_overrides(cache=False)
        add(x=1).with_overrides(cache_version="2")
        add(x=1).with_overrides(cache=True, cache_version="3", cache_serialize=True)

    plain, more, uncached, newer, serialised = (n.policy for n in read_workflow(overridden).nodes)
    assert (plain.retries, plain.timeout, plain.cache_version, plain.interruptible) == (2, None, "1", True)
    assert plain.cache_ignore == ("y",)
    assert more == dataclasses.replace(plain, retries=5, timeout=9.0, interruptible=False)
    assert uncached == dataclasses.replace(plain, cache_version=None)
    assert newer == dataclasses.replace(plain, cache_version="2")
    assert serialised == dataclasses.replace(plain, cache_version="3", cache_serialize=True)


def test_a_map_with_metadata_of_its_own_is_cached_as_that_says() -> None:
    @workflow
    def mapped(xs: list[int]) -> list[int]:
        return map_task(double, metadata=TaskMetadata(retries=1))(x=xs)

    policy = read_workflow(mapped).nodes[0].policy
    assert (policy.retries, policy.cache_version) == (1, None)
    assert "cache" not in read_graph(mapped).nodes["n0"].settings


def test_a_case_that_passes_on_an_earlier_promise_names_its_node_and_the_branch_its_outputs() -> None:
    @workflow
    def passed_on(x: int) -> int:
        before = add(x=x)
        return conditional("c").if_((x > 3) & (before == 2)).then(before).else_().then(before)

    branch = read_workflow(passed_on).nodes[1]
    assert [(case.then, case.nodes) for case in branch.cases] == [("n0", ()), ("n0", ())]
    assert branch.outputs == ("o0",)
    (first, second) = branch.bindings.items()
    assert [first[1], second[1]] == [Promise("@inputs", "x", (), int), Promise("n0", "o0", (), int)]
    assert branch.cases[0].condition == ConjunctionExpression(
        "and",
        ComparisonExpression(">", Operand(first[0]), Operand(value=3)),
        ComparisonExpression("==", Operand(second[0]), Operand(value=2)),
    )
    assert branch.cases[1].condition is None


@pytest.mark.parametrize("x", [5, 2, 1])
def test_a_branch_that_passes_on_an_earlier_promise_waits_for_it_and_has_its_output(x: int) -> None:
    @workflow
    def passed_on(x: int) -> int:
        before = add(x=add(x=add(x=x)))
        inner = conditional("inner").if_(x > 1).then(before).else_().then(double(x=x))
        return double(x=conditional("c").if_(x > 3).then(before).else_().then(inner))

    expected = x + 3 if x > 1 else 2 * x
    assert flytenb.run(passed_on, x=x).result == 2 * expected


def test_a_condition_reads_as_plain_data_and_is_met_as_in_python() -> None:
    operands = {name: to_literal(value) for name, value in {"a": 3, "b": 2.5, "c": None}.items()}
    a, b, c = Operand("a"), Operand("b"), Operand("c")
    three = ComparisonExpression("==", a, Operand(value=3))
    less = ComparisonExpression("<", a, b)
    assert is_met(None, operands)
    assert is_met(three, operands)
    assert not is_met(less, operands)
    assert is_met(ConjunctionExpression("or", less, three), operands)
    assert not is_met(ConjunctionExpression("and", three, less), operands)
    assert is_met(ComparisonExpression("!=", a, c), operands)
    assert is_met(ComparisonExpression("==", c, Operand()), operands)
    assert not is_met(ComparisonExpression(">=", c, Operand()), operands)  # None has no order


def to_literal(value: Any) -> Literal:
    declared = type(value)
    return TypeEngine.to_literal(FlyteContext.current_context(), value, declared, TypeEngine.to_literal_type(declared))


def test_the_model_of_a_workflow_needs_no_flytekit() -> None:
    code = "import sys, flytenb.model.workflow; print([m for m in sys.modules if m.startswith('flytekit')])"
    found: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
