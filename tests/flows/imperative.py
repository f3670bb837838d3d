"""A workflow that is built by calls instead of a function."""

from flytekit import Workflow, task


@task
def concat(a: str, b: str) -> str:
    return f"{a} {b}"


@task
def count(texts: list[str]) -> int:
    return sum(len(t) for t in texts)


@task
def finish() -> None:
    print("finished")


wf = Workflow(name="imperative")
wf.add_workflow_input("first", str)
first = wf.add_entity(concat, a=wf.inputs["first"], b="world")
second = wf.add_entity(count, texts=[first.outputs["o0"], wf.inputs["first"], "!"])
wf.add_entity(finish)
wf.add_workflow_output("text", first.outputs["o0"])
wf.add_workflow_output("size", second.outputs["o0"])

ENTITY = wf
INPUTS = {"first": "hello"}
EXPECTED = ("hello world", 17)
