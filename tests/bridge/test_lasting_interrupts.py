"""Interrupts that Python drops, because they are raised where exceptions are ignored."""

from __future__ import annotations

import _thread
import io
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from flytenb.bridge.cluster.lasting_interrupts import lasting_interrupts
from tests.waiting import PATIENCE, is_soon

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


class _Deleted:
    def __del__(self) -> None:
        interrupt()


class _File(io.RawIOBase):
    @property
    def closed(self) -> bool:
        interrupt()
        return True


def in_deleted() -> None:
    _Deleted()


def in_file() -> None:
    """The finalizer of a file asks whether it is closed, and reports no exception of that at all."""
    _File()


def in_finalizer() -> None:
    weakref.finalize(set(), interrupt)


def in_callback() -> None:
    value = set[int]()
    _references.append(weakref.ref(value, lambda _: interrupt()))


def in_handled() -> None:
    with suppress(BaseException):
        interrupt()


_references: list[Any] = []
DROPPED = [in_deleted, in_file, in_finalizer, in_callback, in_handled]


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """Check that the handler before it is back, and that no thread is left."""
    before, threads = signal.signal(signal.SIGINT, signal.default_int_handler), _thread._count()
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
    assert is_soon(lambda: _thread._count() <= threads, PATIENCE)


def go_on(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


@pytest.mark.parametrize("drop", DROPPED)
def test_python_drops_the_interrupt(drop: Callable[[], None]) -> None:
    drop()
    go_on(0.01)


@pytest.mark.parametrize("drop", DROPPED)
def test_an_interrupt_that_is_dropped_is_raised_again(drop: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt), lasting_interrupts():
        drop()
        go_on(PATIENCE)
    go_on(0.3)


@pytest.mark.parametrize("drop", DROPPED)
def test_an_interrupt_that_is_dropped_last_is_raised_at_the_end(drop: Callable[[], None]) -> None:
    with pytest.raises(KeyboardInterrupt), lasting_interrupts():
        drop()
    go_on(0.3)


def test_nested_blocks_are_ended_by_one_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), lasting_interrupts(), lasting_interrupts():
        in_deleted()
        go_on(PATIENCE)
    go_on(0.3)


def test_an_error_of_the_block_is_raised_and_an_interrupt_after_it_works() -> None:
    with pytest.raises(ZeroDivisionError), lasting_interrupts():
        1 / 0  # noqa: B018
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_a_handler_that_raises_nothing_is_called_once() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: calls.append(number))
    try:
        with lasting_interrupts():
            interrupt()
            go_on(0.3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_without_a_handler_nothing_is_installed(ignored: Any) -> None:
    before = signal.signal(signal.SIGINT, ignored)
    try:
        with lasting_interrupts():
            assert signal.getsignal(signal.SIGINT) is ignored
    finally:
        signal.signal(signal.SIGINT, before)


def test_on_another_thread_it_does_nothing() -> None:
    seen: list[Any] = []

    def ask() -> None:
        with lasting_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
