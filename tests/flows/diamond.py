"""Two ways that part and meet again; the first result is used by both and by the end."""

from flytekit import task, workflow


@task
def start(a: int) -> int:
    return a + 1


@task
def left(x: int) -> int:
    return x * 10


@task
def right(x: int) -> int:
    return x - 100


@task
def join(x: int, y: int, z: int) -> str:
    return f"{x} {y} {z}"


@workflow
def diamond(a: int) -> str:
    s = start(a=a)
    return join(x=left(x=s), y=right(x=s), z=s)


ENTITY = diamond
INPUTS = {"a": 1}
EXPECTED = "20 -98 2"
