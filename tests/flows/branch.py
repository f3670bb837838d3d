"""A conditional with three cases; what it gives is used afterwards."""

from flytekit import conditional, task, workflow


@task
def small(p: int) -> str:
    return f"small {p}"


@task
def middle(p: int) -> str:
    return f"middle {p}"


@task
def large(p: int, q: float) -> str:
    return f"large {p} {q}"


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def branch(p: int, q: float) -> str:
    text = (
        conditional("size")
        .if_((p > 3) & (q < 9.0))
        .then(large(p=p, q=q))
        .elif_(p == 3)
        .then(middle(p=p))
        .else_()
        .then(small(p=p))
    )
    return shout(text=text)


ENTITY = branch
INPUTS = {"p": 3, "q": 1.0}
EXPECTED = "MIDDLE 3"
