"""An imperative workflow with a subworkflow, a launch plan, an order and a failure handler."""

from flytekit import LaunchPlan, Workflow, task, workflow


@task
def inc(x: int) -> int:
    return x + 1


@task
def alarm(x: int, reason: str | None = None) -> None:
    print(f"{x} failed: {reason}")


@workflow
def twice(x: int) -> int:
    return inc(x=inc(x=x))


plan = LaunchPlan.get_or_create(twice, name="tests.flows.imperative_nested.from_ten", default_inputs={"x": 10})

wf = Workflow(name="built.by.hand")
wf.add_workflow_input("x", int)
sub = wf.add_subwf(twice, x=wf.inputs["x"])
planned = wf.add_launch_plan(plan)
sub.runs_before(planned)
wf.add_workflow_output("both", [sub.outputs["o0"], planned.outputs["o0"]], python_type=list[int])
wf.add_on_failure_handler(alarm)

ENTITY = wf
INPUTS = {"x": 1}
EXPECTED = [3, 12]
