"""A map task over what a dynamic task is given, inside a subworkflow, and a launch plan made in the same place."""

from flytekit import LaunchPlan, dynamic, map_task, task, workflow


@task
def length(text: str) -> int:
    return len(text)


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def measure(texts: list[str]) -> int:
    return total(xs=map_task(length)(text=texts))


plan = LaunchPlan.get_or_create(measure, name="tests.flows.map_in_dynamic.measured", default_inputs={"texts": ["one"]})


@dynamic
def spread(texts: list[str]) -> list[int]:
    return [measure(texts=texts[:n]) for n in range(1, len(texts) + 1)] + [plan()]


@workflow
def map_in_dynamic(texts: list[str]) -> int:
    return total(xs=spread(texts=texts))


ENTITY = map_in_dynamic
INPUTS = {"texts": ["a", "bc"]}
EXPECTED = 7
