"""Random workflows, built and described side by side: every binding is one edge, every node stands there once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from flytekit import conditional, task, workflow
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.bridge.workflow.graph import read_graph
from flytenb.model import EdgeKind, Graph, Kind
from tests.examples import examples
from tests.idl_graph import read_idl

INPUTS = ("a", "b")


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def tally(table: dict[str, list[int]]) -> int:
    return sum(sum(v) for v in table.values())


@workflow
def inner(x: int, y: int = 2) -> int:
    return add(x=add(x=x, y=1), y=y)


@dataclass(frozen=True)
class Operand:
    """What fills an input: `input` and `step` are promises, `const` is a number."""

    kind: str
    number: int

    def where(self) -> tuple[str, str]:
        """The source and its output."""
        return ("@inputs", INPUTS[self.number]) if self.kind == "input" else (f"n{self.number}", "o0")


@dataclass(frozen=True)
class Step:
    """One node: what it is, what it takes, and which steps it only waits for."""

    kind: str
    operands: tuple[Operand, ...]
    after: tuple[int, ...]


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    steps: list[Step] = []
    for i in range(draw(st.integers(1, 9))):
        sources = [st.builds(Operand, st.just("input"), st.integers(0, len(INPUTS) - 1))]
        if i:
            sources.append(st.builds(Operand, st.just("step"), st.integers(0, i - 1)))
        promise = st.one_of(*sources)
        operand = promise | st.builds(Operand, st.just("const"), st.integers(-9, 9))
        kind = draw(st.sampled_from(["add", "total", "tally", "inner", "branch"]))
        count = {"add": 2, "inner": 2, "branch": 3}.get(kind) or draw(st.integers(0, 4))
        operands = tuple(draw(promise if kind == "branch" and k == 0 else operand) for k in range(count))
        after = tuple(draw(st.sets(st.integers(0, i - 1), max_size=2))) if i else ()
        steps.append(Step(kind, operands, after))
    return steps


def build(steps: list[Step]) -> Any:
    def random_workflow(a: int, b: int) -> int:
        inputs, made = {"a": a, "b": b}, []

        def value(operand: Operand) -> Any:
            if operand.kind == "const":
                return operand.number
            return made[operand.number] if operand.kind == "step" else inputs[INPUTS[operand.number]]

        for step in steps:
            values = [value(o) for o in step.operands]
            if step.kind == "add":
                result = add(x=values[0], y=values[1])
            elif step.kind == "total":
                result = total(xs=values)
            elif step.kind == "tally":
                result = tally(table={"k": values[:2], "a/b": values[2:]})
            elif step.kind == "inner":
                result = inner(x=values[0], y=values[1])
            else:
                cases = conditional("c").if_(values[0] > 0).then(add(x=values[1], y=1))
                result = cases.else_().then(inner(x=values[2]))
            for source in step.after:
                made[source] >> result
            made.append(result)
        return made[-1]

    return workflow(random_workflow)


def expected_edges(steps: list[Step]) -> Counter[tuple[str, str, str, str, str]]:
    """Every edge as (source, target, kind, output, input), without what is inside the subworkflows."""
    edges: Counter[tuple[str, str, str, str, str]] = Counter()
    for i, step in enumerate(steps):
        path = f"n{i}"
        for target, place, operand in fills(step, path):
            if isinstance(operand, Operand) and operand.kind != "const":
                source, output = operand.where()
            else:
                level, _, node = target.rpartition("/")
                source = f"{level}/@{node}.{place}" if level else f"@{node}.{place}"
                source, output = source.replace("a/b", "a∕b"), ""
            edges[source, target, "data", output, place] += 1
        if step.kind == "branch":
            edges[path, f"{path}/n0", "case", "", ""] += 1
            edges[path, f"{path}/n1", "case", "", ""] += 1
        given = {source for source, target, *_ in edges if target == path}
        for source in step.after:
            if f"n{source}" not in given:
                edges[f"n{source}", path, "order", "", ""] += 1
    edges[f"n{len(steps) - 1}", "@outputs", "data", "o0", "o0"] += 1
    return edges


def fills(step: Step, path: str) -> list[tuple[str, str, Operand | None]]:
    """What is filled: target, place, operand (None for a constant that is a list or dict)."""
    ops = step.operands
    if step.kind in ("add", "inner"):
        return [(path, "x", ops[0]), (path, "y", ops[1])]
    if step.kind == "branch":
        default = Operand("const", 2)
        inside = [(f"{path}/n0", "x", ops[1]), (f"{path}/n0", "y", Operand("const", 1))]
        return [(path, name_of(ops[0]), ops[0]), *inside, (f"{path}/n1", "x", ops[2]), (f"{path}/n1", "y", default)]
    if step.kind == "total":
        return folded(path, "xs", ops)
    if all(o.kind == "const" for o in ops):
        return [(path, "table", None)]
    return [*folded(path, "table['k']", ops[:2]), *folded(path, "table['a/b']", ops[2:])]


def folded(path: str, place: str, ops: tuple[Operand, ...]) -> list[tuple[str, str, Operand | None]]:
    if all(o.kind == "const" for o in ops):
        return [(path, place, None)]
    return [(path, f"{place}[{k}]", o) for k, o in enumerate(ops)]


def name_of(operand: Operand) -> str:
    """How a condition calls it; a node's name isn't known here."""
    return INPUTS[operand.number] if operand.kind == "input" else "*"


def read_edges(graph: Graph) -> Counter[tuple[str, str, str, str, str]]:
    """The graph's edges in the same form: without those inside subworkflows, nodes' names in conditions left out."""
    edges: Counter[tuple[str, str, str, str, str]] = Counter()
    inside = [p for p, n in graph.nodes.items() if n.kind is Kind.SUBWORKFLOW]
    for e in graph.edges:
        if any(e.target.startswith(f"{p}/") for p in inside):
            continue
        is_operand = graph.nodes[e.target].kind is Kind.BRANCH and e.kind is EdgeKind.DATA and e.source != "@inputs"
        edges[e.source, e.target, e.kind.value, e.output, "*" if is_operand else e.input] += 1
    return edges


@examples(120, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_every_binding_is_one_edge_and_every_node_stands_there_once(steps: list[Step]) -> None:
    graph = read_graph(build(steps))
    assert read_edges(graph) == expected_edges(steps)
    kinds = {"inner": Kind.SUBWORKFLOW, "branch": Kind.BRANCH}
    nodes = [n for n in graph.nodes.values() if "/" not in n.path and not n.is_pseudo]
    assert [(n.path, n.kind) for n in nodes] == [(f"n{i}", kinds.get(s.kind, Kind.TASK)) for i, s in enumerate(steps)]
    order = graph.topological()
    assert sorted(order) == sorted(graph.top)
    position = {p: i for i, p in enumerate(order)}
    assert all(position[e.source] < position[e.target] for e in graph.edges if {e.source, e.target} <= set(order))


@examples(40, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_a_random_workflow_is_the_one_that_would_be_sent(steps: list[Step]) -> None:
    entity = build(steps)
    graph, idl = read_graph(entity), read_idl(entity)
    assert set(graph.nodes) == set(idl.nodes)
    assert Counter((e.source, e.target, e.kind.value, e.output, e.input, e.label) for e in graph.edges) == idl.edges


def test_the_description_would_notice_a_lost_edge() -> None:
    steps = [Step("add", (Operand("input", 0), Operand("const", 1)), ()), Step("total", (Operand("step", 0),), ())]
    graph = read_graph(build(steps))
    lost = graph.subgraph(set(graph.nodes) - {"@n0.y"})
    assert read_edges(graph) == expected_edges(steps)
    with pytest.raises(AssertionError):
        assert read_edges(lost) == expected_edges(steps)
