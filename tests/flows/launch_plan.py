"""A launch plan inside a workflow, with a fixed and a default input."""

from flytekit import LaunchPlan, task, workflow


@task
def show(a: int, b: str, c: float) -> str:
    return f"{a} {b} {c}"


@workflow
def planned(a: int, b: str, c: float = 0.25) -> str:
    return show(a=a, b=b, c=c)


plan = LaunchPlan.get_or_create(
    planned, name="tests.flows.launch_plan.plan", default_inputs={"a": 7}, fixed_inputs={"b": "fixed"}
)


@workflow
def launch_plan(c: float) -> tuple[str, str]:
    return plan(c=c), plan(a=1, c=2.0)


ENTITY = launch_plan
INPUTS = {"c": 0.5}
EXPECTED = ("7 fixed 0.5", "1 fixed 2.0")
