"""A map over a launch plan with a fixed input: an array node with a workflow inside."""

from flytekit import LaunchPlan, map_task, task, workflow


@task
def scale(x: int, factor: int) -> int:
    return x * factor


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def scaled(x: int, factor: int) -> int:
    return inc(x=scale(x=x, factor=factor))


plan = LaunchPlan.get_or_create(scaled, name="tests.flows.map_launch_plan.tenfold", fixed_inputs={"factor": 10})


@workflow
def map_launch_plan() -> list[int]:
    return map_task(plan, concurrency=2)(x=[1, 2, 3])


ENTITY = map_launch_plan
INPUTS = {}
EXPECTED = [11, 21, 31]
