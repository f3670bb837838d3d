"""Lists and dicts that mix promises, workflow inputs and constants, nested too."""

from flytekit import task, workflow


@task
def one(x: int) -> int:
    return x + 1


@task
def add(xs: list[int]) -> int:
    return sum(xs)


@task
def show(table: dict[str, list[int]], empty: list[int], fixed: list[int]) -> str:
    return f"{sorted(table.items())} {empty} {fixed}"


@workflow
def collections(x: int) -> tuple[int, str, list[int]]:
    a = one(x=x)
    b = one(x=a)
    total = add(xs=[a, b, x, 100])
    text = show(table={"all": [a, b, 3], "a/b": [total], "none": []}, empty=[], fixed=[7, 8])
    return total, text, [a, b]


ENTITY = collections
INPUTS = {"x": 1}
EXPECTED = (106, "[('a/b', [106]), ('all', [2, 3, 3]), ('none', [])] [] [7, 8]", [2, 3])
