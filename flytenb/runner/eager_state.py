"""The process-wide state that an eager task's own code sees: it is in place while that code runs, and put aside while
the task waits for what it called, so that neither sees the other's and nothing is held meanwhile."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from flytenb.bridge.stopping import Attempt, NodeStopped, shielded
from flytenb.reach.process_state import save_state, set_environment
from flytenb.reach.state_captures import Restore
from flytenb.runner.exclusion import Hold, exclusion


class EagerState:
    """One attempt's state. It may be put aside several times at once, by calls on several threads.

    Args:
        hold: what is taken while the task's own code runs.
        attempt: the attempt; one that is asked to stop no longer waits for its state.
    """

    def __init__(self, hold: Hold, attempt: Attempt) -> None:
        self._hold = hold
        self._attempt = attempt
        self._lock = threading.Lock()
        self._absences = 1
        self._own: Restore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outer: Restore | None = None

    def begin(self) -> None:
        """Put the state in place: that of the notebook, with the variables that the task declares."""
        self.come_back()

    def leave(self) -> None:
        """Put the state aside."""
        with self._lock:
            self._absences += 1
            if self._absences == 1:
                self._own = self._save()
                self._put_back()

    def come_back(self) -> None:
        """Put the state in place again, once nobody else uses the same.

        Raises:
            NodeStopped: if the attempt is asked to stop meanwhile; the state stays aside.
        """
        with self._lock:
            if self._absences == 1:
                exclusion.take_or_wait(self._hold, self._attempt.check)
                self._outer = self._save()
                if self._own is not None:
                    self._own()
                elif self._hold.use.environment:
                    set_environment(self._hold.use.environment)
            self._absences -= 1

    def end(self) -> None:
        """Put the notebook's state back for good."""
        with self._lock:
            self._absences += 1_000_000  # nothing brings it back
            self._put_back()

    def _save(self) -> Restore:
        return save_state(self._hold.use.writes, self._hold.use.assigned)

    def _put_back(self) -> None:
        outer, self._outer = self._outer, None
        if outer is not None:
            outer()
            exclusion.release(self._hold)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """Return an event loop that puts the state aside while it waits."""
        self._loop = asyncio.SelectorEventLoop(_Selector(self))
        return self._loop

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Put the state aside while a call goes on that the task's thread waits for outside of its own event loop."""
        if asyncio.get_running_loop() is self._loop:
            yield
            return
        self.leave()
        try:
            yield
        finally:
            try:
                self.come_back()
            except NodeStopped:
                raise asyncio.CancelledError from None  # anything else would end the thread of this loop


class _Selector(selectors.DefaultSelector):
    """Waits for events; the state is aside meanwhile."""

    def __init__(self, state: EagerState) -> None:
        super().__init__()
        self._state = state

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        with shielded():
            self._state.leave()
        try:
            return super().select(timeout)
        finally:
            with shielded():
                self._state.come_back()
