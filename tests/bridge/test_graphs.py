from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flytenb.bridge.workflow.graph import read_graph
from flytenb.model import Graph, Kind, Node
from flytenb.render.drawing import draw
from tests.flows import FLOWS, Flow
from tests.idl_graph import IdlNode, read_idl

GOLDEN = Path(__file__).parents[1] / "golden" / "graphs"
TASKS = frozenset(
    {Kind.TASK, Kind.DYNAMIC, Kind.EAGER, Kind.STUB, Kind.CONTAINER, Kind.SQL, Kind.SHELL, Kind.CONNECTOR}
)
TOLD_BY_BOTH = frozenset(
    [
        *("retries", "timeout", "cache", "cache_serialize", "task_type", "error", "gate", "duration", "of"),
        *("cpu", "mem", "gpu", "disk", "accelerator", "concurrency", "min_success_ratio", "min_successes"),
    ]
)

every_flow = pytest.mark.parametrize("flow", FLOWS.values(), ids=str)
serialisable = pytest.mark.parametrize("flow", [f for f in FLOWS.values() if not f.flytekit_idl], ids=str)


READERS: dict[str, Callable[[Graph], str]] = {
    "json": lambda graph: graph.to_json(indent=1),
    "dot": lambda graph: draw(graph).dot,
    "txt": lambda graph: draw(graph).text,
}


@pytest.mark.sampled(5)
@every_flow
@pytest.mark.parametrize("suffix", READERS)
def test_a_flow_reads_as_its_golden_file(flow: Flow, suffix: str, update_golden: bool) -> None:
    text = READERS[suffix](read_graph(flow.entity)).rstrip("\n") + "\n"
    path = GOLDEN / f"{flow.name}.{suffix}"
    if update_golden:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_has_its_flow() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == {f"{name}.{suffix}" for name in FLOWS for suffix in READERS}


@pytest.mark.sampled(5)
@every_flow
def test_a_graph_survives_json(flow: Flow) -> None:
    graph = read_graph(flow.entity)
    assert Graph.from_json(graph.to_json()) == graph


@every_flow
def test_a_graph_is_whole(flow: Flow) -> None:
    graph = read_graph(flow.entity)
    for path, node in graph.nodes.items():
        assert node.path == path
        assert set(node.children) == {p for p in graph.nodes if p.rpartition("/")[0] == path}
        assert not node.parent or node.parent in graph.nodes
        assert node.is_pseudo == node.id.startswith("@")
    seen: set[str] = set()
    for path, node in graph.nodes.items():
        assert not node.parent or node.parent in seen, "outer nodes come before inner ones"
        seen.add(path)
    for edge in graph.edges:
        assert edge.source in graph.nodes and edge.target in graph.nodes
    assert len(set(graph.edges)) == len(graph.edges)
    levels = {n.parent for n in graph.nodes.values()}
    for level in levels:
        graph.topological([p for p in graph.nodes if p.rpartition("/")[0] == level])


@pytest.mark.sampled(5)
@serialisable
def test_the_graph_is_the_one_that_flytekit_would_send_to_a_cluster(flow: Flow) -> None:
    graph, idl = read_graph(flow.entity), read_idl(flow.entity)
    assert set(graph.nodes) == set(idl.nodes)
    assert edges_of(graph) == idl.edges
    for path, node in graph.nodes.items():
        assert_same_node(node, idl.nodes[path])


@pytest.mark.parametrize("flow", [f for f in FLOWS.values() if f.flytekit_idl], ids=str)
def test_what_flytekit_can_not_send_is_still_read(flow: Flow) -> None:
    graph = read_graph(flow.entity)
    try:
        idl = read_idl(flow.entity)
    except ValueError:
        return
    assert len(graph.nodes) > len(idl.nodes)


def edges_of(graph: Graph) -> Counter[tuple[str, str, str, str, str, str]]:
    return Counter((e.source, e.target, e.kind.value, e.output, e.input, e.label) for e in graph.edges)


def assert_same_node(node: Node, idl: IdlNode) -> None:
    is_sketch = (
        node.kind is Kind.STUB and idl.kind == "stub"
    )  # a workflow without a body; a task looks as if it had one
    assert idl.kind == ("task" if node.kind in TASKS and not is_sketch else node.kind.value)
    assert idl.name.endswith(node.name) or not idl.name
    if node.kind is not Kind.REFERENCE:  # a cluster knows its interface, the message doesn't hold it
        assert {p.name for p in node.interface.inputs} == idl.inputs
    if node.kind not in (Kind.REFERENCE, Kind.BRANCH):  # a branch has what its cases have
        assert {p.name for p in node.interface.outputs} == idl.outputs
    assert (node.kind is Kind.EAGER) == bool(idl.settings.get("is_eager"))
    if idl.value is not None:
        assert ast.literal_eval(str(node.settings.get("value", node.name))) == idl.value
    said: dict[str, Any] = {k: v for k, v in idl.settings.items() if v is not None and k in TOLD_BY_BOTH}
    ours: dict[str, Any] = {k: v for k, v in node.settings.items() if k in TOLD_BY_BOTH}
    if node.kind is Kind.MAP:
        ours.pop("of")
    assert {k: str(v).removesuffix(".0") for k, v in ours.items()} == {
        k: str(v).removesuffix(".0") for k, v in said.items()
    }
