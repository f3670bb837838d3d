"""What no flow shows, since a cluster would refuse it or flytekit loses it: a reading must neither lose nor hang."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flytekit import Workflow, conditional, dynamic, map_task, task, workflow
from flytekit.core.context_manager import CompilationState, FlyteContextManager
from flytekit.core.workflow import (
    PythonFunctionWorkflow,
    WorkflowFailurePolicy,
    WorkflowMetadata,
    WorkflowMetadataDefaults,
)

from flytenb.bridge.workflow.compiler import ensure_compiled
from flytenb.bridge.workflow.graph import read_graph, read_inner
from flytenb.errors import NotAnEntityError
from flytenb.model import Edge, EdgeKind, Graph, Kind


class Pair(NamedTuple):
    left: int
    right: int


@task
def inc(x: int) -> int:
    return x + 1


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def split(x: int) -> Pair:
    return Pair(x, x + 1)


@task
def nothing() -> None:
    print("nothing")


def arrows(graph: Graph, kind: EdgeKind | None = None) -> set[str]:
    return {f"{e.source}>{e.target}" for e in graph.edges if kind is None or e.kind is kind}


def test_an_operand_that_is_made_inside_the_conditional_stands_beside_it() -> None:
    @workflow
    def hidden(x: int) -> int:
        first = inc(x=x)
        return conditional("c").if_(inc(x=inc(x=first)) > 3).then(inc(x=x)).else_().then(inc(x=first))

    graph = read_graph(hidden)
    # flytekit numbers them within the conditional: n0 and n1 for the operand, n2 and n3 for the cases
    assert list(graph.nodes) == ["@inputs", "n0", "n0~2", "n1~2", "n1", "n1/n2", "n1/n3", "@outputs"]
    assert {"n0>n0~2", "n0~2>n1~2", "n1~2>n1"} <= arrows(graph)
    assert graph.edges_into("n1/n2")[1].label == "inc > 3"
    assert graph.topological(graph.top) == ("@inputs", "n0", "n0~2", "n1~2", "n1", "@outputs")


def test_what_two_cases_need_stands_there_once() -> None:
    @workflow
    def shared(x: int) -> int:
        section = conditional("c")
        common = inc(x=x)
        diamond = add(x=inc(x=common), y=common)
        return section.if_(x > 3).then(inc(x=diamond)).else_().then(add(x=diamond, y=common))

    graph = read_graph(shared)
    names = {p: n.name for p, n in graph.nodes.items() if n.parent == "n0"}
    assert names == {"n0/n0": "inc", "n0/n1": "inc", "n0/n2": "add", "n0/n3": "inc", "n0/n4": "add"}
    assert {"n0/n0>n0/n1", "n0/n1>n0/n2", "n0/n0>n0/n2", "n0/n2>n0/n3", "n0/n2>n0/n4", "n0/n0>n0/n4"} <= arrows(graph)
    assert arrows(graph, EdgeKind.CASE) == {"n0>n0/n3", "n0>n0/n4"}


def test_a_case_that_hands_on_what_was_there_before_has_a_node_of_its_own() -> None:
    @workflow
    def handed(x: int) -> int:
        before = inc(x=x)
        after = conditional("c").if_(x > 3).then(before).elif_(x > 2).then(inc(x=before)).else_().then(before)
        return inc(x=after)

    graph = read_graph(handed)
    assert graph.nodes["n1"].children == ("n1/n0", "n1/@case0", "n1/@else")
    assert graph.nodes["n1/@case0"].kind is Kind.CASE
    assert arrows(graph, EdgeKind.CASE) == {"n1>n1/@case0", "n1>n1/n0", "n1>n1/@else"}
    assert {"n0>n1/@case0", "n0>n1/@else", "n0>n1/n0"} <= arrows(graph, EdgeKind.DATA)


def test_a_case_of_several_promises_is_a_case_though_flytekit_forgets_its_nodes() -> None:
    @workflow
    def several(x: int) -> int:
        pair = split(x=x)
        found = conditional("c").if_(x > 3).then((pair.left, pair.right)).else_().then((pair.left, pair.right))
        return add(x=found.left, y=found.right)

    graph = read_graph(several)
    assert graph.nodes["n1"].children == ("n1/@case0", "n1/@else")
    assert arrows(graph, EdgeKind.CASE) == {"n1>n1/@case0", "n1>n1/@else"}


def test_a_workflow_that_fails_to_compile_fails_each_time_with_its_own_error() -> None:
    error = KeyError("mine")
    calls = []

    @workflow
    def broken(x: int) -> int:
        calls.append(1)
        if calls:
            raise error
        return inc(x=x)

    for _ in range(2):
        with pytest.raises(KeyError) as caught:
            read_graph(broken)
        assert caught.value is error
    assert len(calls) == 2


def test_a_workflow_that_failed_when_it_was_called_is_compiled_again() -> None:
    fail = [True]

    @workflow
    def moody(x: int) -> int:
        if fail:
            raise RuntimeError("not now")
        return inc(x=x)

    @workflow
    def around(x: int) -> int:
        return moody(x=x)

    with pytest.raises(RuntimeError):
        around(x=1)
    with pytest.raises(RuntimeError):
        read_graph(around)
    fail.clear()
    assert "n0/n0" in read_graph(around).nodes


def test_a_workflow_that_is_compiled_is_left_as_it_is() -> None:
    @workflow
    def once(x: int) -> int:
        return inc(x=x)

    ensure_compiled(once)
    nodes = once.nodes
    ensure_compiled(once)
    read_graph(once)
    assert once.nodes is nodes


def test_a_workflow_inside_itself_ends() -> None:
    @workflow
    def again(x: int) -> int:
        return add(x=inc(x=x), y=again(x=x))

    graph = read_graph(again)
    assert graph.nodes["n1"].settings == {"recursive": True}
    assert graph.nodes["n1"].children == ()


def test_a_constant_may_be_all_that_a_workflow_returns() -> None:
    @workflow
    def fixed() -> tuple[int, list[int]]:
        return 5, [1, inc(x=1)]

    graph = read_graph(fixed)
    assert [(n.path, n.name) for n in graph.nodes.values() if n.kind is Kind.CONSTANT] == [
        *(("@n0.x", "1"), ("@outputs.o0", "5"), ("@outputs.o1[0]", "1")),
    ]
    assert Edge("n0", "@outputs", EdgeKind.DATA, "o0", "o1[1]") in graph.edges


def test_an_empty_imperative_workflow_is_empty() -> None:
    graph = read_graph(Workflow(name="empty"))
    assert (graph.name, graph.kind, dict(graph.nodes), graph.edges) == ("empty", Kind.SUBWORKFLOW, {}, ())


def test_a_map_task_by_itself_is_one_node() -> None:
    graph = read_graph(map_task(inc, concurrency=4))
    assert graph.nodes["n0"].kind is Kind.MAP
    assert graph.nodes["n0"].settings == {"of": "inc", "concurrency": 4}
    assert arrows(graph) == {"@inputs>n0", "n0>@outputs"}


@pytest.mark.parametrize("obj", [None, 3, "wf", inc.task_function, {"a": 1}])
def test_what_is_no_entity_has_no_graph(obj: Any) -> None:
    with pytest.raises(NotAnEntityError, match=type(obj).__name__):
        read_graph(obj)


@dynamic
def spread(n: int, start: int) -> int:
    x = start
    for i in range(n):
        x = add(x=inc(x=i), y=x)
    nothing()
    return x


def compile_at_run_time(function: Callable[..., Any], values: dict[str, Any]) -> PythonFunctionWorkflow:
    """Compile a dynamic task's function with its inputs, as a cluster does."""
    policy = WorkflowMetadata(WorkflowFailurePolicy.FAIL_IMMEDIATELY)
    made = PythonFunctionWorkflow(function, policy, WorkflowMetadataDefaults(interruptible=False))
    context = FlyteContextManager.current_context()
    with FlyteContextManager.with_context(context.with_compilation_state(CompilationState(prefix="d"))):
        made.compile(**values)
    return made


def test_what_a_dynamic_task_made_is_read_under_its_node() -> None:
    graph = read_inner(compile_at_run_time(spread.task_function, {"n": 2, "start": 7}), "n1/n0")
    assert [p for p, n in graph.nodes.items() if n.kind is Kind.TASK] == [f"n1/n0/dn{i}" for i in range(5)]
    assert all(p.startswith("n1/n0/") for p in graph.nodes)
    assert "n1/n0/@inputs" not in graph.nodes, "its inputs are values by then"
    assert graph.nodes["n1/n0/@dn1.y"].name == "7"
    assert {"n1/n0/dn1>n1/n0/dn3", "n1/n0/dn3>n1/n0/@outputs"} <= arrows(graph)


def test_what_a_dynamic_task_made_can_be_merged_into_the_graph_it_stands_in() -> None:
    @workflow
    def outer(n: int) -> int:
        return inc(x=spread(n=n, start=1))

    graph = read_graph(outer)
    assert graph.nodes["n0"].children == ()
    merged = graph.merged(read_inner(compile_at_run_time(spread.task_function, {"n": 1, "start": 1}), "n0"), "n0")
    assert set(merged.nodes["n0"].children) == {"n0/@dn0.x", "n0/dn0", "n0/@dn1.y", "n0/dn1", "n0/dn2", "n0/@outputs"}
    assert "n0/dn1" in merged.upstream("n1")


def test_a_dynamic_task_that_made_nothing_is_not_compiled_again() -> None:
    seen = []

    def function(n: int) -> None:
        seen.append(n)
        return

    made = compile_at_run_time(function, {"n": 3})
    assert read_inner(made, "n0").nodes == {}
    assert seen == [3]


def test_an_input_that_a_dynamic_task_still_takes_from_keeps_its_door() -> None:
    @workflow
    def plain(x: int) -> int:
        return inc(x=x)

    assert list(read_inner(plain, "n3").nodes) == ["n3/@inputs", "n3/n0", "n3/@outputs"]
