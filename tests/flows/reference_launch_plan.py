"""A launch plan that lives on a cluster, as a node."""

from flytekit import reference_launch_plan, task, workflow


@reference_launch_plan(project="shop", domain="production", name="shop.workflows.order", version="v7")
def order(item: str, count: int) -> str: ...


@task
def tell(receipt: str) -> str:
    return f"got {receipt}"


@workflow
def reference_launch_plan_flow(item: str) -> str:
    return tell(receipt=order(item=item, count=3))


ENTITY = reference_launch_plan_flow
INPUTS = {"item": "pear"}
EXPECTED = "got pear*3"
NEEDS = {"stand_in"}
STAND_INS = ((order, lambda item, count: f"{item}*{count}"),)
FLYTEKIT_LOCAL = "a reference can't run without a stand-in"
