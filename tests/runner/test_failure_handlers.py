"""What a failure handler is given: the id and the words of a cluster; the trace's text is flytekit's own of a pod."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flytekit import conditional, dynamic, map_task, task, workflow
from flytekit.bin.entrypoint import get_traceback_str
from flytekit.exceptions.user import FlyteRecoverableException, FlyteUserRuntimeException
from flytekit.types.error import FlyteError

import flytenb
from flytenb.model import Phase

SETTINGS = [{}, {"strict": True}, {"workers": 1}, {"processes": True}]


@task
def fails(n: int) -> int:
    if n > 0:
        try:
            raise KeyError("deep")
        except KeyError as e:
            raise ValueError(f"no {n}\nand a second line") from e
    return n


@task(retries=2)
def gives_up(n: int) -> int:
    if n > 0:
        raise FlyteRecoverableException(f"again {n}")
    return n


@task(timeout=timedelta(milliseconds=50))
def too_late(n: int) -> int:
    while True:
        pass
    return n


@task
def handle(n: int, err: FlyteError | None = None) -> None:
    print(err is not None and (type(err) is FlyteError))


@task
def handle_without(n: int) -> None: ...


@workflow
def passes_on(n: int) -> int:
    return fails(n=n)


@dynamic
def grows(n: int) -> int:
    return passes_on(n=n)


@workflow(on_failure=handle)
def plain(n: int) -> int:
    return fails(n=n)


@workflow(on_failure=handle)
def nested(n: int) -> int:
    return passes_on(n=n)


@workflow(on_failure=handle)
def spawned(n: int) -> int:
    return grows(n=n)


@workflow(on_failure=handle)
def mapped(n: int) -> list[int]:
    return map_task(fails)(n=[0, n])


@workflow(on_failure=handle)
def retried(n: int) -> int:
    return gives_up(n=n)


@workflow(on_failure=handle)
def retried_in_map(n: int) -> list[int]:
    return map_task(gives_up)(n=[0, 0, n])


@workflow(on_failure=handle)
def late(n: int) -> int:
    return too_late(n=n)


@workflow(on_failure=handle)
def refused(n: int) -> int:
    return conditional("c").if_(n < 0).then(fails(n=n)).else_().fail("only below zero")


@workflow(on_failure=handle)
def wrong_output(n: int) -> list[int] | str:
    return map_task(fails, min_successes=1)(n=[n, 0])


@workflow(on_failure=handle)
def late_in_map(n: int) -> list[int]:
    return map_task(too_late)(n=[n])


@workflow(on_failure=handle_without)
def unasked(n: int) -> int:
    return fails(n=n)


@workflow
def outer(n: int) -> int:
    return plain(n=n)


def given(entity: Any, settings: dict[str, Any], path: str = "fn0") -> FlyteError:
    run = flytenb.options(**settings).start(entity, n=3).wait()
    assert run.phase is Phase.FAILED
    assert run.nodes[path].phase is Phase.SUCCEEDED
    assert run.nodes[path].log == "True\n"
    found = run.nodes[path].inputs["err"]
    assert isinstance(found, FlyteError)
    return found


def in_a_pod(function: Any, error_class: type[Exception]) -> str:
    """What the pod of a task writes as its error."""
    try:
        function(n=3)
    except error_class as e:
        error = e.with_traceback(e.__traceback__.tb_next if e.__traceback__ else None)
        user_error = FlyteUserRuntimeException(error)
        user_error.__cause__ = error
        return get_traceback_str(user_error)
    raise AssertionError("it didn't fail")


FAILED = in_a_pod(fails.task_function, ValueError)
GAVE_UP = "[3/3] currentAttempt done. Last Error: USER::" + in_a_pod(gives_up.task_function, FlyteRecoverableException)
WORDS = [
    (plain, FAILED),
    (nested, FAILED),
    (spawned, FAILED),
    (mapped, f"[1]: {FAILED}\n"),
    (retried, GAVE_UP),
    (retried_in_map, f"[2]: {GAVE_UP}\n"),
    (refused, "[UserProvidedError] only below zero"),
]


@pytest.mark.parametrize("settings", [{}, {"strict": True}, {"workers": 1}], ids=str)
@pytest.mark.parametrize(("entity", "message"), WORDS, ids=[entity.name for entity, _ in WORDS])
def test_a_handler_is_given_the_words_of_a_cluster(entity: Any, message: str, settings: dict[str, Any]) -> None:
    found = given(entity, settings)
    assert found.failed_node_id == "fn0"
    assert found.message == message


def test_the_trace_of_a_pod_has_every_line_of_the_task_and_its_cause() -> None:
    assert FAILED.startswith("Trace:\n\n    Traceback (most recent call last):")
    assert "KeyError: 'deep'" in FAILED
    assert FAILED.endswith("Message:\n\n    ValueError: no 3\n    and a second line")


def test_a_task_in_a_process_tells_the_same_error() -> None:
    found = given(plain, {"processes": True})
    assert found.failed_node_id == "fn0"
    assert found.message.startswith("Trace:\n\n")
    assert ", in fails" in found.message
    assert found.message.endswith("Message:\n\n    ValueError: no 3\n    and a second line")


def test_a_timeout_tells_its_attempts() -> None:
    assert re.match(r"\[1/1\] currentAttempt done. Last Error: USER::.*timeout", given(late, {}).message)


def test_outputs_that_no_task_has_made_tell_why_they_are_refused() -> None:
    found = given(wrong_output, {})
    assert found.message.startswith("Trace:\n\n")
    assert "Cannot convert" in found.message


def test_a_timeout_in_a_map_tells_the_index() -> None:
    assert given(late_in_map, {}).message.startswith("[0]: [1/1] currentAttempt done. Last Error: USER::")


def test_the_id_of_a_handler_inside_a_workflow_is_its_own_too() -> None:
    found = given(outer, {}, "n0/fn0")
    assert (found.failed_node_id, found.message) == ("fn0", FAILED)


def test_a_handler_that_asks_for_no_error_gets_none() -> None:
    run = flytenb.start(unasked, n=3).wait()
    assert run.nodes["fn0"].inputs == {"n": 3}
