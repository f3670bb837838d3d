"""Set-up and tear-down around what a dynamic task makes, by the same decorator."""

from functools import wraps

from flytekit import dynamic, task, workflow
from flytekit.core.node_creation import create_node


def around(fn):
    """Run one task before the nodes that the function makes, and one after its result."""

    @wraps(fn)
    def wrapper(*args, **kwargs):
        first = create_node(open_connection)
        result = fn(*args, **kwargs)
        first >> result.ref.node
        result.ref.node >> create_node(close_connection)
        return result

    return wrapper


@task
def open_connection() -> None:
    print("open")


@task
def close_connection() -> None:
    print("close")


@task
def query(text: str) -> int:
    return len(text)


@task
def total(sizes: list[int]) -> int:
    return sum(sizes)


@dynamic
@around
def query_all(texts: list[str]) -> int:
    return total(sizes=[query(text=text) for text in texts])


@workflow
def setup_teardown_dynamic(texts: list[str]) -> int:
    return query_all(texts=texts)


FLYTEKIT_LOCAL = "runs what a dynamic makes one call after another, so that results have no node"
ENTITY = setup_teardown_dynamic
INPUTS = {"texts": ["select 1", "select 20"]}
EXPECTED = 17
