"""Nodes made by create_node, ordered with runs_before and >>."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
def set_up():
    print("set up")


@task
def work(x: int) -> int:
    return x + 1


@task
def tear_down():
    print("tear down")


@workflow
def order_create_node(x: int) -> int:
    first = create_node(set_up)
    second = create_node(work, x=x)
    third = create_node(tear_down)
    first.runs_before(second)
    second >> third
    return second.o0


ENTITY = order_create_node
INPUTS = {"x": 1}
EXPECTED = 2
