"""A conditional in a case of another, in a case of a third."""

from flytekit import conditional, task, workflow


@task
def label(text: str, x: int) -> str:
    return f"{text}:{x}"


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def branch_nested(x: int) -> str:
    up = inc(x=x)
    return (
        conditional("outer")
        .if_(x > 0)
        .then(
            conditional("inner")
            .if_(up > 10)
            .then(label(text="big", x=up))
            .else_()
            .then(
                conditional("innermost")
                .if_((x == 5) | (up == 2))
                .then(label(text="five or one", x=x))
                .else_()
                .then(label(text="other", x=up))
            )
        )
        .else_()
        .then(label(text="not positive", x=x))
    )


ENTITY = branch_nested
INPUTS = {"x": 5}
EXPECTED = "five or one:5"
