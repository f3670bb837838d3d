"""Two nodes that were given one name: a cluster drops the second, a drawing must not lose one."""

from flytekit import task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def same_node_name(x: int) -> int:
    first = inc(x=x).with_overrides(node_name="step")
    second = inc(x=first).with_overrides(node_name="step")
    return inc(x=second)


ENTITY = same_node_name
INPUTS = {"x": 1}
EXPECTED = 4
FLYTEKIT_IDL = "nodes are distinguished by their ids alone"
