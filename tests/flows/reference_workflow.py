"""A workflow that lives on a cluster, as a node."""

from flytekit import reference_workflow, task, workflow


@reference_workflow(project="shop", domain="production", name="shop.workflows.stock", version="v7")
def stock(item: str) -> int:
    return 0


@task
def tell(count: int) -> str:
    return f"{count} left"


@workflow
def reference_workflow_flow(item: str) -> str:
    return tell(count=stock(item=item))


ENTITY = reference_workflow_flow
INPUTS = {"item": "pear"}
EXPECTED = "4 left"
NEEDS = {"stand_in"}
STAND_INS = ((stock, lambda item: len(item)),)
FLYTEKIT_LOCAL = "a reference can't run without a stand-in"
FLYTEKIT_IDL = "reference workflows can't be serialised inside a workflow"
