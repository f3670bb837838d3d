"""Parts of a graph: what leads to a node, what follows, what lies between."""

from __future__ import annotations

import pytest

from flytenb.errors import UnknownNameError
from flytenb.model import Graph
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
