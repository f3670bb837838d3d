"""A task that lives on a cluster, known by its name and its interface."""

from flytekit import reference_task, task, workflow


@reference_task(project="shop", domain="production", name="shop.tasks.price", version="v7")
def price(item: str, count: int) -> float: ...


@task
def tell(total: float) -> str:
    return f"costs {total}"


@workflow
def reference_task_flow(count: int) -> str:
    return tell(total=price(item="pear", count=count))


ENTITY = reference_task_flow
INPUTS = {"count": 2}
EXPECTED = "costs 8.0"
NEEDS = {"stand_in"}
STAND_INS = ((price, lambda item, count: len(item) * count * 1.0),)
FLYTEKIT_LOCAL = "a reference can't run without a stand-in"
