"""Set-up by a decorator, and tear-down at the end or, after a failure, by the failure handler."""

from functools import wraps

from flytekit import task, workflow
from flytekit.core.node_creation import create_node
from flytekit.types.error import FlyteError


def around(fn):
    """Run one task before the workflow's node, and one after it."""

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
def close_after_failure(text: str, err: FlyteError | None = None) -> None:
    print(f"close after {text}")


@task
def query(text: str) -> int:
    if text:
        raise ValueError(f"no table: {text}")
    return 0


@workflow(on_failure=close_after_failure)
@around
def setup_teardown_handler(text: str) -> int:
    return query(text=text)


ENTITY = setup_teardown_handler
INPUTS = {"text": "select 1"}
RAISES = (ValueError, "no table: select 1")
