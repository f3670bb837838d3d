"""Calls that must run on the main thread of the process, which executes them while it waits for a run."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from flytenb.bridge.stopping import Attempt, check_stopped, current_attempt, set_attempt
from flytenb.reach.process_state import save_signals
from flytenb.runner.interrupts import Latch

_LOOK_EVERY = 0.1


class _Call:
    """A call for the main thread; a worker waits for its result."""

    def __init__(
        self, function: Callable[..., Any], inputs: dict[str, Any], attempt: Attempt, saved: Iterable[threading.local]
    ) -> None:
        self.function = function
        self.inputs = inputs
        self.attempt = attempt
        self.saved = saved
        self.context = contextvars.copy_context()
        self.over = Latch()
        self.result: Any = None
        self.error: BaseException | None = None

    def make(self) -> None:
        """Execute the call unless its attempt was asked to stop. An interrupt ends it and is raised here as well."""
        if self.attempt.is_asked:
            return
        set_attempt(self.attempt)
        restore = save_signals(self.saved)
        try:
            self.result = self.context.run(self.attempt.call, self.function, self.inputs)
        except BaseException as e:
            self.error = e
            if isinstance(e, KeyboardInterrupt):
                raise
        finally:
            set_attempt(None)
            restore()
            self.over.set()


class MainThread:
    """Queue of calls for the main thread, and the latches that it waits for."""

    def __init__(self) -> None:
        self._calls: deque[_Call] = deque()
        self._waits: list[Latch] = []

    @property
    def is_waiting(self) -> bool:
        """Whether the main thread waits for a run, so that calls start at once."""
        return bool(self._waits)

    def call(self, function: Callable[..., Any], inputs: dict[str, Any], saved: Iterable[threading.local] = ()) -> Any:
        """Execute a call on the main thread, and wait for its result on a worker; then restore what it has of `saved`.

        Raises:
            NodeStopped: if the attempt is asked to stop during the wait.
            BaseException: any exception of the call.
        """
        call = _Call(function, inputs, current_attempt(), saved)
        self._calls.append(call)
        for latch in list(self._waits):
            latch.nudge()
        while not call.over.wait(_LOOK_EVERY):
            check_stopped()
        if call.error is not None:
            raise call.error
        return call.result

    def wait(self, latch: Latch, timeout: float | None = None, look: Callable[[], None] = lambda: None) -> bool:
        """Wait for a latch; on the main thread, execute queued calls during the wait.

        Args:
            latch: the latch.
            timeout: in seconds; None for no limit.
            look: called whenever the thread wakes.
        """
        if threading.current_thread() is not threading.main_thread():
            return latch.wait(timeout, look)

        def wake() -> None:
            self.make_pending()
            look()

        self._waits.append(latch)
        try:
            return latch.wait(timeout, wake)
        finally:
            self._waits.remove(latch)

    def make_pending(self) -> None:
        """Make the pending calls. On the main thread."""
        while self._calls:
            self._calls.popleft().make()
