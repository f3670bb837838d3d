"""Set-up and tear-down around a workflow, by a decorator."""

from functools import partial, wraps

from flytekit import task, workflow
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.node_creation import create_node


def around(fn=None, *, before, after):
    """Run one task before everything in the workflow and one after."""

    @wraps(fn)
    def wrapper(*args, **kwargs):
        state = FlyteContextManager.current_context().compilation_state
        first = create_node(before)
        result = fn(*args, **kwargs)
        last = create_node(after)
        if state is not None:
            first >> state.nodes[1]
            state.nodes[-2] >> last
        return result

    return wrapper if fn is not None else partial(around, before=before, after=after)


@task
def open_connection() -> None:
    print("open")


@task
def close_connection() -> None:
    print("close")


@task
def query(text: str) -> int:
    return len(text)


@workflow
@partial(around, before=open_connection, after=close_connection)
def setup_teardown(text: str) -> int:
    return query(text=text)


ENTITY = setup_teardown
INPUTS = {"text": "select 1"}
EXPECTED = 8
