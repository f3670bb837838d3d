"""A conditional whose cases are a subworkflow, a launch plan and a map task."""

from flytekit import LaunchPlan, conditional, map_task, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def repeat(x: int, times: int) -> list[int]:
    return [x] * times


@workflow
def many(x: int, times: int) -> list[int]:
    return repeat(x=inc(x=x), times=times)


plan = LaunchPlan.get_or_create(many, name="tests.flows.branch_subworkflow.thrice", fixed_inputs={"times": 3})


@workflow
def branch_subworkflow(x: int, xs: list[int]) -> list[int]:
    return (
        conditional("how")
        .if_(x < 0)
        .then(many(x=x, times=2))
        .elif_(x == 0)
        .then(plan(x=x))
        .else_()
        .then(map_task(inc)(x=xs))
    )


ENTITY = branch_subworkflow
INPUTS = {"x": 1, "xs": [4, 5]}
EXPECTED = [5, 6]
