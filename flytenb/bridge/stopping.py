"""Stop requests: which code of a node may be interrupted by another thread, and when.

A request is an exception that CPython raises in the node's thread between two bytecodes. Only the user's own code may
meet it: it runs inside `Attempt.call`. Everything else (compiling, converting, committing) runs outside of it, or
inside `shielded`, and asks with `check_stopped` where it would otherwise wait for long.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from flytenb.locks import new_lock

T = TypeVar("T")


NO_INPUTS: Mapping[str, Any] = {}
_asking = new_lock()


class NodeStopped(BaseException):
    """Raised inside a task's code when its run was cancelled or its time is up."""


class Attempt:
    """One attempt at a step, on one thread; any thread may request its stop.

    `ask` never raises in code outside of `call`, and never reaches what the thread does after this attempt.

    Attributes:
        checkpoints: the checkpoint directories of the attempts at the same node.
        loop: the event loop that its thread runs, if it does.
        hold: the process-wide state that it holds while it runs.
        remote_call: calls the user's code on another thread, if it must run there.
        links: names and addresses of what the code started elsewhere, if it ran in a process of its own.
        is_quiet: whether it ran no code of a user.
        decks: the decks that its code has made; None if it asked for no context.
        is_asked: whether its stop was requested.
    """

    # Defaults of the class: a run makes one for each node, and few set any of them.
    checkpoints: list[str] | None = None
    loop: asyncio.AbstractEventLoop | None = None
    hold: Any = None
    remote_call: Callable[[Callable[..., Any], dict[str, Any]], Any] | None = None
    links: tuple[tuple[str, str], ...] = ()
    is_quiet = False
    decks: list[Any] | None = None
    is_asked = False
    _is_open = False
    _thread = 0

    def ask(self) -> None:
        """Request its stop: at the next bytecode, after the current C function, or at the current `await`."""
        with _asking:
            if self.is_asked:
                return
            self.is_asked = True
            if self._is_open:
                raise_in(self._thread, NodeStopped)
            loop = self.loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(int)  # a loop that sleeps doesn't notice an exception raised in its thread

    def call(self, function: Callable[..., T], inputs: Mapping[str, Any] = NO_INPUTS) -> T:
        """Call the user's code, which may be stopped while it runs.

        Raises:
            NodeStopped: if the attempt was asked to stop.
        """
        # A request is raised at the end of a call, at a jump back or at the start of a function: never between the end
        # of `function` and the line after `finally`. Either this thread sees here that it was asked, or `ask` sees
        # that the code is closed.
        try:
            self._thread = threading.get_ident()
            self._is_open = True
            if self.is_asked:
                raise NodeStopped
            return function(**inputs)
        finally:
            self._is_open = False
            if self.is_asked:
                self._withdraw()

    def run(self, function: Callable[..., T], inputs: Mapping[str, Any] = NO_INPUTS) -> T:
        """Call the user's code on this thread, or through `remote_call` on another one.

        Raises:
            NodeStopped: if the attempt was asked to stop.
        """
        if self.remote_call is None:
            return self.call(function, inputs)
        result: T = self.remote_call(function, dict(inputs))
        return result

    def check(self) -> None:
        """Raise NodeStopped if the stop was requested; for flytenb's own loops that wait.

        Raises:
            NodeStopped: see above.
        """
        if self.is_asked:
            raise NodeStopped

    def _withdraw(self) -> None:
        """Withdraw a request that hasn't been raised yet; if it is raised here, it was the only one."""
        try:
            with _asking:
                raise_in(self._thread, None)
        except NodeStopped:
            with _asking:
                raise_in(self._thread, None)
            raise


class _Current(threading.local):
    attempt: Attempt | None = None


_current = _Current()


def set_attempt(attempt: Attempt | None) -> None:
    """Set the attempt that this thread works at."""
    _current.attempt = attempt


def current_attempt() -> Attempt:
    """Return the attempt that this thread works at, or a new one if it works at none."""
    return _current.attempt or Attempt()


def check_stopped() -> None:
    """Raise NodeStopped if the stop of this thread's attempt was requested.

    Raises:
        NodeStopped: see above.
    """
    if _current.attempt is not None:
        _current.attempt.check()


@contextmanager
def shielded() -> Iterator[None]:
    """Defer stop requests during the block, which runs inside the user's code: a compile, a log line.

    It takes no lock itself, so that a request which is raised just before or after the block leaves nothing locked.

    Raises:
        NodeStopped: at the end, if a request came meanwhile.
    """
    attempt = _current.attempt
    if attempt is None or not attempt._is_open:
        yield
        return
    attempt._is_open = False
    if attempt.is_asked:
        attempt._withdraw()
        raise NodeStopped
    try:
        yield
    finally:
        attempt._is_open = True
        if attempt.is_asked:
            raise NodeStopped


def raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Have a thread raise an exception at its next bytecode; None withdraws that."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None if kind is None else ctypes.py_object(kind))
    _lower_flag()


class _FlagLowered(BaseException):
    """Raised by a thread in itself."""


def _lower_flag() -> None:
    """Clear the interpreter's flag that a thread has an exception to raise.

    Only raising one clears it. While it is set, CPython 3.11 spins for ever in the first function that is called under
    a tracer (a debugger, coverage): https://github.com/python/cpython/blob/v3.11.7/Python/ceval.c#L5625. The thread
    that was asked raises its own all the same: it looks for it whenever it takes the GIL.
    """
    try:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(threading.get_ident()), ctypes.py_object(_FlagLowered)
        )
        while True:
            pass
    except _FlagLowered:
        pass
