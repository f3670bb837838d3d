from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flytenb.errors import UnknownNameError, UsageError
from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make(nodes: dict[str, Kind], *edges: str, names: dict[str, str] | None = None) -> Graph:
    """Build a graph from kinds by path and edges written `a>b`."""
    children: dict[str, list[str]] = {}
    for path in nodes:
        children.setdefault(path.rpartition("/")[0], []).append(path)
    made = {p: Node(p, k, (names or {}).get(p, p), children=tuple(children.get(p, ()))) for p, k in nodes.items()}
    return Graph("g", Kind.SUBWORKFLOW, made, tuple(Edge(*e.split(">")) for e in edges))


T, IN, OUT = Kind.TASK, Kind.INPUTS, Kind.OUTPUTS

NESTED = make(
    {
        "@inputs": IN,
        "n0": T,
        "n1": Kind.SUBWORKFLOW,
        "n1/@inputs": IN,
        "n1/n0": T,
        "n1/n1": T,
        "n1/@outputs": OUT,
        "n2": T,
        "n3": T,
        "@outputs": OUT,
    },
    *("@inputs>n0", "n0>n1", "n1/@inputs>n1/n0", "n1/n0>n1/@outputs", "n1>n2", "n2>@outputs", "n0>n3"),
)

BRANCHED = make(
    {"@inputs": IN, "n0": T, "n1": Kind.BRANCH, "n1/n0": T, "n1/n1": T, "n1/@else": Kind.CASE, "n2": T, "n3": T},
    *("@inputs>n0", "n0>n1", "n1>n1/n0", "n1>n1/n1", "n1>n1/@else", "n3>n1/n1", "n1>n2"),
)

DOORLESS = make(
    {"n0": T, "n1": Kind.SUBWORKFLOW, "n1/n0": T, "n1/n1": T, "n2": T},
    *("n0>n1", "n1/n0>n1/n1", "n1>n2"),
)


def test_upstream_passes_through_the_doors_of_a_subworkflow() -> None:
    assert NESTED.upstream("n2") == {"@inputs", "n0", "n1", "n1/@inputs", "n1/n0", "n1/@outputs"}
    assert NESTED.upstream("n1/n0") == {"n1/@inputs", "n1", "n0", "@inputs"}
    assert NESTED.upstream("n1/n1") == set(), "nothing feeds it"


def test_downstream_passes_through_the_doors_of_a_subworkflow() -> None:
    assert NESTED.downstream("n0") == set(NESTED.nodes) - {"@inputs", "n0", "n1/n1"}
    assert NESTED.downstream("n1/n0") == {"n1/@outputs", "n1", "n2", "@outputs"}
    assert NESTED.downstream("n1/n1") == set()


def test_a_branch_is_no_wall() -> None:
    assert BRANCHED.upstream("n2") == set(BRANCHED.nodes) - {"n2"}
    assert BRANCHED.upstream("n1/n0") == {"n1", "n0", "@inputs"}
    assert BRANCHED.downstream("n3") == {"n1/n1", "n1", "n2"}
    assert BRANCHED.downstream("n0") == {"n1", "n1/n0", "n1/n1", "n1/@else", "n2"}


def test_where_there_is_no_door_everything_inside_waits_for_what_is_before() -> None:
    assert DOORLESS.upstream("n1/n0") == {"n1", "n0"}
    assert DOORLESS.downstream("n1/n0") == {"n1/n1", "n1", "n2"}


def test_a_container_is_reached_with_all_that_is_inside_it() -> None:
    assert NESTED.upstream("n1") == {"n0", "@inputs"}
    assert NESTED.downstream("n1") == {"n2", "@outputs"}


def test_a_node_is_found_by_path_or_by_its_name_if_that_is_unique() -> None:
    graph = make({"n0": T, "n1": T, "n2": T}, names={"n0": "load", "n1": "add", "n2": "add"})
    assert graph.node("n1").name == "add"
    assert graph.node("load").path == "n0"
    with pytest.raises(UnknownNameError, match="name of a single node") as caught:
        graph.node("add")
    assert "'n1', 'n2'" in caught.value.hint
    with pytest.raises(UnknownNameError, match="unknown node 'lood'") as caught:
        graph.node("lood")
    assert "'load'" in caught.value.hint


def test_edges_are_found_at_both_ends() -> None:
    assert [e.target for e in NESTED.edges_from("n0")] == ["n1", "n3"]
    assert [e.source for e in NESTED.edges_into("@outputs")] == ["n2"]
    assert NESTED.edges_from("@outputs") == ()
    assert NESTED.top == ("@inputs", "n0", "n1", "n2", "n3", "@outputs")


def test_a_node_knows_where_it_stands() -> None:
    node = NESTED.nodes["n1/n0"]
    assert (node.parent, node.id, node.is_pseudo) == ("n1", "n0", False)
    assert NESTED.nodes["n1/@inputs"].is_pseudo
    assert NESTED.nodes["n0"].parent == ""


def test_a_cycle_is_told() -> None:
    with pytest.raises(ValueError, match="'a', 'b'"):
        make({"a": T, "b": T, "c": T}, "a>b", "b>a", "b>c").topological(["a", "b"])


def test_a_subgraph_keeps_the_containers_around_what_it_keeps() -> None:
    kept = NESTED.subgraph(["n1/n0", "n2"])
    assert list(kept.nodes) == ["n1", "n1/n0", "n2"]
    assert kept.nodes["n1"].children == ("n1/n0",)
    assert [(e.source, e.target) for e in kept.edges] == [("n1", "n2")]


def test_what_a_node_turned_out_to_contain_is_merged_under_it() -> None:
    graph = make({"n0": Kind.DYNAMIC, "n1": T}, "n0>n1")
    inner = make({"n0/dn0": T, "n0/dn1": T}, "n0/dn0>n0/dn1")
    merged = graph.merged(inner, "n0")
    assert merged.nodes["n0"].children == ("n0/dn0", "n0/dn1")
    assert [(e.source, e.target) for e in merged.edges] == [("n0", "n1"), ("n0/dn0", "n0/dn1")]
    assert merged.merged(inner, "n0") == merged, "telling it twice changes nothing"


paths = st.sampled_from(["n0", "n1", "n2", "n3", "n4", "n5"])
texts = st.text(max_size=8)
ports = st.lists(st.builds(Port, texts, texts, st.none() | texts, texts), max_size=2).map(tuple)


@UNTIMED
@given(
    kinds=st.dictionaries(paths, st.sampled_from(Kind), min_size=1),
    edges=st.lists(st.tuples(paths, paths, st.sampled_from(EdgeKind), texts, texts, texts), max_size=6),
    interface=st.builds(Interface, ports, ports, texts),
    settings=st.dictionaries(texts, st.integers() | texts | st.booleans() | st.floats(allow_nan=False), max_size=3),
)
def test_any_graph_survives_json(
    kinds: dict[str, Kind],
    edges: list[tuple[str, str, EdgeKind, str, str, str]],
    interface: Interface,
    settings: dict[str, int | str | bool | float],
) -> None:
    nodes = {p: Node(p, k, p, interface, settings) for p, k in kinds.items()}
    drawn = tuple(Edge(*e) for e in edges if e[0] in nodes and e[1] in nodes)
    graph = Graph("g", Kind.SUBWORKFLOW, nodes, drawn, interface, settings)
    assert Graph.from_json(graph.to_json()) == graph
    assert Graph.from_json(graph.to_json(indent=2)) == graph


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ("{", "nonsense{", "Expecting value: line 1 column 1"),
        ('"nodes": ', '"knots": ', 'Field "nodes" .* is missing'),
        ('"kind": "task"', '"kind": "tusk"', "'tusk'"),
        ('"source": "a"', '"source": "aa"', "unknown node 'aa' in an edge\n.*'a'"),
    ],
)
def test_invalid_json_of_a_graph_is_reported_with_its_place(old: str, new: str, reported: str) -> None:
    text = make({"a": T, "b": T}, "a>b").to_json()
    with pytest.raises(UsageError, match=reported):
        Graph.from_json(text.replace(old, new, 1))


@UNTIMED
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=25))
def test_topological_order_holds_every_edge_and_every_node_once(pairs: list[tuple[int, int]]) -> None:
    shuffled = [7, 2, 9, 0, 4, 1, 8, 3, 6, 5]
    graph = make({f"n{i}": T for i in shuffled}, *(f"n{a}>n{b}" for a, b in pairs))
    order = graph.topological()
    assert sorted(order) == sorted(graph.nodes)
    assert all(order.index(f"n{a}") < order.index(f"n{b}") for a, b in pairs)


@UNTIMED
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), max_size=25))
def test_upstream_and_downstream_are_each_others_mirror(pairs: list[tuple[int, int]]) -> None:
    graph = make({f"n{i}": T for i in range(10)}, *(f"n{a}>n{b}" for a, b in pairs))
    for a in graph.nodes:
        assert graph.downstream(a) == {b for b in graph.nodes if a in graph.upstream(b)}
