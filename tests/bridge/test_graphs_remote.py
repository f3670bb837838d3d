"""Entities that were fetched from a cluster: they know no Python types, and what is inside them is the cluster's."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from flytekit import LaunchPlan, map_task, task, workflow
from flytekit.remote.entities import FlyteLaunchPlan, FlyteTask, FlyteWorkflow
from flytekit.tools.translator import get_serializable

from flytenb.bridge.entities.interface import is_entity, kind_of, read_interface, read_settings, short_name
from flytenb.bridge.workflow.graph import read_graph
from flytenb.model import Edge, EdgeKind, Interface, Kind, Port
from tests.idl_graph import SETTINGS


@task
def measure(x: int, unit: str = "m") -> float:
    """Measure.

    Args:
        x: how often
        unit: in what
    """
    return float(x)


@workflow
def twice(x: int) -> float:
    return measure(x=x)


plan = LaunchPlan.get_or_create(twice)


def fetch(entity: Any) -> Any:
    """Make of an entity what `FlyteRemote` would make of its messages."""
    model = get_serializable(OrderedDict(), SETTINGS, entity)
    if entity is measure:
        return FlyteTask.promote_from_model(model.template)
    if entity is twice:
        inner = fetch(measure)
        return FlyteWorkflow.promote_from_model(model.template, node_launch_plans={}, tasks={inner.id: inner})
    return FlyteLaunchPlan.promote_from_model(model.id, model.spec)


X = Port("x", "int")
OUT = (Port("o0", "float"),)
DOCUMENTED = (Port("x", "int", None, "how often"), Port("unit", "str", None, "in what"))
WHERE = {"project": "p", "domain": "d", "version": "v"}


@pytest.mark.parametrize(
    ("entity", "name", "of", "interface"),
    [
        (measure, "measure", "task", Interface(DOCUMENTED, OUT)),
        (twice, "twice", "workflow", Interface((X,), OUT)),
        (plan, "twice", "launch plan", Interface()),
    ],
    ids=["task", "workflow", "launch plan"],
)
def test_a_fetched_entity_is_a_reference(entity: Any, name: str, of: str, interface: Interface) -> None:
    fetched = fetch(entity)
    assert is_entity(fetched)
    assert (kind_of(fetched), short_name(fetched)) == (Kind.REFERENCE, name)
    assert read_settings(fetched) == {"of": of, **WHERE}
    assert read_interface(fetched) == interface


def test_a_workflow_over_fetched_entities_is_read_like_any_other() -> None:
    far_task, far_workflow, far_plan = fetch(measure), fetch(twice), fetch(plan)
    far_plan._interface = plan.interface  # a remote fetches the workflow's

    @workflow
    def over(x: int) -> tuple[float, float, list[float]]:
        return far_task(x=x, unit="km"), far_workflow(x=x), map_task(far_plan)(x=[x, 2])

    graph = read_graph(over)
    assert [(n.path, n.kind, n.name) for n in graph.nodes.values() if not n.is_pseudo] == [
        ("n0", Kind.REFERENCE, "measure"),
        ("n1", Kind.REFERENCE, "twice"),
        ("n2", Kind.MAP, "twice"),
    ]
    assert graph.nodes["@n0.unit"].name == "'km'"
    assert graph.nodes["n2"].interface.inputs == (Port("x", "list[int]"),)
    assert Edge("@inputs", "n2", EdgeKind.DATA, "x", "x[0]") in graph.edges
    assert graph.nodes["@n2.x[1]"].name == "2"


def test_a_fetched_entity_by_itself_is_one_node_between_its_ports() -> None:
    graph = read_graph(fetch(measure))
    assert list(graph.nodes) == ["@inputs", "n0", "@outputs"]
    assert graph.kind is Kind.REFERENCE
