"""The default launch plan of a workflow, as a node: only the workflow's own defaults."""

from flytekit import LaunchPlan, task, workflow


@task
def power(x: int, y: int) -> int:
    return x**y


@workflow
def squared(x: int, y: int = 2) -> int:
    return power(x=x, y=y)


default_plan = LaunchPlan.get_or_create(squared)


@workflow
def launch_plan_default(x: int) -> int:
    return default_plan(x=x)


ENTITY = launch_plan_default
INPUTS = {"x": 9}
EXPECTED = 81
