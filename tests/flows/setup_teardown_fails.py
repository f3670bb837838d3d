"""Set-up and tear-down around a workflow that fails: what does not depend on the failure completes, tear-down too."""

from functools import wraps

from flytekit import WorkflowFailurePolicy, task, workflow
from flytekit.core.node_creation import create_node


def around(fn):
    """Run one task before the workflow's nodes, and one after the report that doesn't depend on the query."""

    @wraps(fn)
    def wrapper(*args, **kwargs):
        first = create_node(open_connection)
        report = create_node(write_report)
        last = create_node(close_connection)
        first >> report
        report >> last
        result = fn(*args, **kwargs)
        first >> result.ref.node
        return result

    return wrapper


@task
def open_connection() -> None:
    print("open")


@task
def write_report() -> None:
    print("report")


@task
def close_connection() -> None:
    print("close")


@task
def query(text: str) -> int:
    raise ValueError(f"no table: {text}")
    return 0


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
@around
def setup_teardown_fails(text: str) -> int:
    return query(text=text)


ENTITY = setup_teardown_fails
INPUTS = {"text": "select 1"}
RAISES = (ValueError, "no table: select 1")
