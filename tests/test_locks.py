"""Locks that a forked process finds free, and properties that are computed once without a lock."""

from __future__ import annotations

import ast
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import flytenb
from flytenb.locks import cached_property, new_lock, new_rlock
from tests.forks import fork
from tests.waiting import PATIENCE

ROOT = Path(flytenb.__file__).parent
MAKERS = {"threading.Lock", "threading.RLock", "functools.cached_property"}
MADE = {
    "locks.py": "those that all others take",
    "reach/object_state.py": "the types",
    "reach/state_uses.py": "the types",
    "runner/interrupts.py": "of one wait on one thread",
    "bridge/cluster/lasting_interrupts.py": "of one block on the main thread",
}
"""Where others may be made, and why."""


def made_in(file: Path) -> set[str]:
    """The locks and cached properties of Python that a module makes; it may name a lock's class as a type."""
    nodes = [*ast.walk(ast.parse(file.read_text()))]
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    given = {ast.unparse(node.value) for node in nodes if isinstance(node, ast.keyword)}  # field(default_factory=…)
    imported = {f"{node.module}.{n.name}" for node in nodes if isinstance(node, ast.ImportFrom) for n in node.names}
    read = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)} & {"functools.cached_property"}
    return (called | given | imported | read) & MAKERS


def test_other_modules_make_no_locks_and_properties_of_their_own() -> None:
    assert {str(file.relative_to(ROOT)) for file in ROOT.rglob("*.py") if made_in(file)} == MADE.keys()


def is_free_in_child(lock: Any, held: Callable[[], bool] = lambda: True) -> bool:
    child = fork()
    if not child:
        signal.alarm(20)
        try:
            os._exit(not (held() and lock.acquire(timeout=10)))
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("make", [new_lock, new_rlock])
def test_a_lock_that_another_thread_holds_is_free_in_a_forked_process(make: Callable[[], Any]) -> None:
    lock, is_held, may_end = make(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_end.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(PATIENCE)
    assert is_free_in_child(lock)
    assert not lock.acquire(blocking=False)
    may_end.set()
    thread.join()
    assert is_free_in_child(lock)


def test_a_reentrant_lock_that_the_thread_holds_which_forks_stays_held() -> None:
    lock = new_rlock()
    with lock:
        assert is_free_in_child(lock, lock._is_owned)  # type: ignore[attr-defined]
    assert not lock._is_owned()  # type: ignore[attr-defined]


class Slow:
    """Objects whose values are ready when those of all are being computed."""

    def __init__(self, meeting: threading.Barrier) -> None:
        self.meeting = meeting

    @cached_property
    def value(self) -> object:
        self.meeting.wait(20)
        return object()


@pytest.mark.parametrize("count", [1, 2])
def test_threads_compute_a_property_at_the_same_time_and_get_one_value_for_each_object(count: int) -> None:
    meeting = threading.Barrier(2)
    objects = [Slow(meeting) for _ in range(count)]
    found: list[object] = []
    threads = [threading.Thread(target=lambda each=each: found.append(each.value)) for each in (objects * 2)[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == count
    assert {each.value for each in objects} == set(found)
    assert Slow.value.attrname == "value"
