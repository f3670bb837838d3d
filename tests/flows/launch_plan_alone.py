"""A launch plan by itself: what it fixes can't be given any more."""

from flytekit import CronSchedule, LaunchPlan, task, workflow


@task
def show(a: int, b: str) -> str:
    return f"{a} {b}"


@workflow
def planned(a: int, b: str) -> str:
    return show(a=a, b=b)


ENTITY = LaunchPlan.get_or_create(
    planned,
    name="nightly",
    default_inputs={"a": 7},
    fixed_inputs={"b": "fixed"},
    schedule=CronSchedule(schedule="0 3 * * *"),
)
INPUTS = {"a": 8}
EXPECTED = "8 fixed"
