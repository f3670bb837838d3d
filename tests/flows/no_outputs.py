"""Tasks that return nothing, in a workflow that returns nothing."""

from flytekit import task, workflow


@task
def note(text: str) -> None:
    print(text)


@task
def finish():
    print("done")


@workflow
def no_outputs(text: str) -> None:
    note(text=text)
    finish()


ENTITY = no_outputs
INPUTS = {"text": "hello"}
EXPECTED = None
