"""Parts of a graph: what leads to a node, what follows, what lies between."""

from __future__ import annotations

import pytest

from flytenb.errors import UnknownNameError
from flytenb.model import Graph
from flytenb.render.drawing import draw
from flytenb.render.subgraph import select_subgraph
from tests import render_samples as samples


def run_paths(graph: Graph) -> set[str]:
    return {path for path, node in graph.nodes.items() if not node.is_pseudo}


def test_asking_for_nothing_gives_the_graph_itself() -> None:
    graph = samples.pipeline()
    assert select_subgraph(graph) is graph


def test_upstream_is_all_that_a_node_depends_on() -> None:
    found = select_subgraph(samples.pipeline(), upstream="features")
    assert run_paths(found) == {"n0", "n1", "n2", "n3"}
    assert [p.name for p in found.nodes["@inputs"].interface.outputs] == ["day", "region"]
    assert "@outputs" not in found.nodes


def test_downstream_is_all_that_depends_on_a_node_with_its_constants() -> None:
    found = select_subgraph(samples.pipeline(), downstream="n3")
    assert run_paths(found) == {"n3", "n4", "n5", "n6", "n7", "n8", "n9"}
    assert "@n4.share" in found.nodes
    assert "@inputs" not in found.nodes


def test_between_is_what_lies_on_a_way_from_one_to_the_other() -> None:
    found = select_subgraph(samples.pipeline(), between=("split", "evaluate"))
    assert run_paths(found) == {"n4", "n5", "n6", "n7"}


def test_wishes_add_up() -> None:
    found = select_subgraph(samples.pipeline(), upstream="n2", downstream="n9")
    assert run_paths(found) == {"n0", "n1", "n2", "n9"}


def test_a_named_container_keeps_its_inside() -> None:
    found = select_subgraph(samples.nested(), upstream="n1")
    assert "n1/n1/n1" in found.nodes
    assert "n2" not in found.nodes


def test_a_node_inside_a_container_is_found_with_what_leads_into_the_container() -> None:
    found = select_subgraph(samples.nested(), upstream="n1/n0")
    assert run_paths(found) == {"n0", "n1", "n1/n0"}


def test_an_unknown_node_is_refused_with_the_closest_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'evaluate'"):
        select_subgraph(samples.pipeline(), upstream="evaluat")


@pytest.mark.parametrize(
    ("part", "size", "words", "asked"),
    [
        ({"upstream": "features"}, "4 of 10 nodes", "upstream of features (n3)", {"n3"}),
        ({"downstream": "n3"}, "7 of 10 nodes", "downstream of features (n3)", {"n3"}),
        ({"between": ("split", "n7")}, "4 of 10 nodes", "between split (n4) and evaluate (n7)", {"n4", "n7"}),
        (
            {"upstream": "n0", "downstream": "n9"},
            "2 of 10 nodes",
            "upstream of load_users (n0) and downstream of",
            {"n0", "n9"},
        ),
    ],
)
def test_a_part_says_of_what_and_marks_the_node_it_was_asked_for_by(
    part: dict[str, str], size: str, words: str, asked: set[str]
) -> None:
    drawing = draw(samples.pipeline(), **part)  # type: ignore[arg-type]
    for text in (drawing.text, drawing.svg, drawing.dot, drawing.mermaid):
        assert f"{size} · {words}" in text
    assert {path for path, node in drawing.graph.nodes.items() if "asked" in node.settings} == asked
    assert drawing.svg.count('fill="none" stroke="#6a4fc9"') == len(asked)
    assert " of 10" not in draw(samples.pipeline()).svg
