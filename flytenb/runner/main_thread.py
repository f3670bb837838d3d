"""Calls that must run on the process's main thread, which makes them while it waits for a run."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from flytenb.bridge.stopping import Attempt, check_stopped, current_attempt, set_attempt
from flytenb.reach.process_state import save_signals
from flytenb.runner.interrupts import Latch

_LOOK_EVERY = 0.1


class _Call:
    """A call that a worker waits for."""

    def __init__(self, function: Callable[..., Any], inputs: dict[str, Any], attempt: Attempt) -> None:
        self.function = function
        self.inputs = inputs
        self.attempt = attempt
        self.context = contextvars.copy_context()
        self.over = Latch()
        self.result: Any = None
        self.error: BaseException | None = None

    def make(self) -> None:
        """Make the call, unless it isn't wanted any more. An interrupt ends it, and reaches whoever waits as well."""
        if self.attempt.is_asked:
            return
        set_attempt(self.attempt)
        restore = save_signals()
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
    """The queue of such calls, and the latches that the main thread waits for."""

    def __init__(self) -> None:
        self._calls: deque[_Call] = deque()
        self._waits: list[Latch] = []

    @property
    def is_waiting(self) -> bool:
        """Whether the main thread waits for a run, and so makes calls at once."""
        return bool(self._waits)

    def call(self, function: Callable[..., Any], inputs: dict[str, Any]) -> Any:
        """Have the main thread make a call and wait for it, on a worker.

        Raises:
            NodeStopped: if the attempt is asked to stop meanwhile.
            BaseException: what the call raises.
        """
        call = _Call(function, inputs, current_attempt())
        self._calls.append(call)
        for latch in list(self._waits):
            latch.nudge()
        while not call.over.wait(_LOOK_EVERY):
            check_stopped()
        if call.error is not None:
            raise call.error
        return call.result

    def wait(self, latch: Latch, timeout: float | None = None, look: Callable[[], None] = lambda: None) -> bool:
        """Wait for a latch; on the main thread, make the calls that come meanwhile.

        Args:
            latch: what is waited for.
            timeout: in seconds; None for as long as it takes.
            look: called each time that the thread wakes.
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
        """Make the calls that wait. On the main thread."""
        while self._calls:
            self._calls.popleft().make()


main_thread = MainThread()
