"""A map task over two lists side by side, without outputs, and one over nothing."""

from flytekit import map_task, task, workflow


@task
def tell(name: str, age: int) -> None:
    print(f"{name} is {age}")


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def map_two_lists(names: list[str], ages: list[int]) -> list[int]:
    map_task(tell)(name=names, age=ages)
    return map_task(inc)(x=[])


ENTITY = map_two_lists
INPUTS = {"names": ["Ada", "Bo"], "ages": [36, 7]}
EXPECTED = []
