"""A gate that only waits, between two tasks that exchange nothing."""

from datetime import timedelta

from flytekit import sleep, task, workflow


@task
def before() -> int:
    return 1


@task
def after() -> int:
    return 2


@workflow
def gate_sleep() -> tuple[int, int]:
    first = before()
    pause = sleep(timedelta(milliseconds=5))
    second = after()
    first >> pause
    pause >> second
    return first, second


ENTITY = gate_sleep
INPUTS = {}
EXPECTED = (1, 2)
