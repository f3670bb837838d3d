"""A workflow that could fail and doesn't, with a workflow that would handle the failure."""

from flytekit import WorkflowFailurePolicy, task, workflow


@task
def work(name: str) -> str:
    return f"done with {name}"


@task
def delete(name: str) -> None:
    print(f"deleting {name}")


@task
def notify(name: str, channel: str) -> None:
    print(f"{name} failed, sent to {channel}")


@workflow
def handle(name: str) -> None:
    delete(name=name)
    notify(name=name, channel="ops")


@workflow(on_failure=handle, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def failure_workflow(name: str) -> str:
    return work(name=name)


ENTITY = failure_workflow
INPUTS = {"name": "blue"}
EXPECTED = "done with blue"
