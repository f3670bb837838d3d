"""A conditional whose cases return nothing, before and after other nodes."""

from flytekit import conditional, task, workflow


@task
def check(x: int) -> bool:
    return x > 0


@task
def accept(x: int) -> None:
    print(f"accepted {x}")


@task
def reject() -> None:
    print("rejected")


@workflow
def branch_void(x: int) -> bool:
    ok = check(x=x)
    conditional("sort out").if_(ok.is_true()).then(accept(x=x)).else_().then(reject())
    return ok


ENTITY = branch_void
INPUTS = {"x": 4}
EXPECTED = True
