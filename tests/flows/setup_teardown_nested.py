"""Set-up and tear-down decorators that are stacked, around a workflow that is used twice in another one."""

from functools import wraps

from flytekit import task, workflow
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.node_creation import create_node


def around(*, before, after):
    """Run one task before the nodes that the workflow's function makes, and one after them."""

    def decorate(fn):
        @wraps(fn)
        def wrapper(*args, **kwargs):
            state = FlyteContextManager.current_context().compilation_state
            first = create_node(before)
            result = fn(*args, **kwargs)
            last = create_node(after)
            if state is not None:
                at = state.nodes.index(first)
                first >> state.nodes[at + 1]
                state.nodes[-2] >> last
            return result

        return wrapper

    return decorate


@task
def start_server() -> None:
    print("start")


@task
def stop_server() -> None:
    print("stop")


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
def add(x: int, y: int) -> int:
    return x + y


@workflow
@around(before=start_server, after=stop_server)
@around(before=open_connection, after=close_connection)
def session(text: str) -> int:
    return query(text=text)


@workflow
def setup_teardown_nested(text: str) -> int:
    return add(x=session(text=text), y=session(text="select 2"))


ENTITY = setup_teardown_nested
INPUTS = {"text": "select 1"}
EXPECTED = 16
