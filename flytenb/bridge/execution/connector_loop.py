"""Event loop of all connectors' jobs."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

from flytenb.bridge.stopping import NodeStopped, raise_in
from flytenb.locks import new_lock


class ConnectorLoop:
    """One event loop on one thread for all jobs of all runs.

    A method that blocks the loop blocks all jobs. `give_up` abandons such a loop, so that the next job gets a new one.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Start without a thread: a forked process has none of its parent's threads."""
        self._lock = new_lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = threading.Event()
        self._going_on: set[object] = set()

    def start(self, coroutine: Any, on_end: Callable[[asyncio.Task[Any]], None]) -> Callable[[], Callable[[], None]]:
        """Start a coroutine; `on_end` is called on the loop's thread when it has ended.

        Returns:
            A function that cancels it. That returns a function to be called some time later: if the loop hasn't
            cancelled the coroutine by then, the loop is blocked; its thread is stopped and not used again.
        """
        job = object()
        loop, thread = self._running(job)
        made: list[asyncio.Task[Any]] = []
        cancelled, heard = threading.Event(), threading.Event()

        def begin() -> None:
            task = loop.create_task(coroutine)
            task.add_done_callback(on_end)
            task.add_done_callback(forget)
            made.append(task)
            if cancelled.is_set():
                task.cancel()

        def forget(_: Any) -> None:
            heard.set()
            with self._lock:
                self._going_on.discard(job)

        def cancel_here() -> None:
            heard.set()
            if made:
                made[0].cancel()

        def cancel() -> Callable[[], None]:
            cancelled.set()
            with suppress(RuntimeError):  # the job has ended, and its loop has been closed
                loop.call_soon_threadsafe(cancel_here)
            return give_up

        def give_up() -> None:
            if heard.is_set():
                return
            with self._lock:
                if self._loop is loop:
                    self._loop = None
                    self._going_on.clear()
            if thread.ident is not None:
                raise_in(thread.ident, NodeStopped)

        loop.call_soon_threadsafe(begin)
        return cancel

    def frames(self) -> Iterator[FrameType]:
        """Yield the frames that its thread executes now, the innermost first."""
        frame = None if self._thread is None else sys._current_frames().get(self._thread.ident or 0)
        while frame is not None:
            yield frame
            frame = frame.f_back

    def close(self) -> None:
        """End the thread unless jobs go on; a later job starts another."""
        with self._lock:
            loop = self._loop
            if loop is None or self._going_on:
                return
            self._loop = None
            self._is_closed.set()
        loop.call_soon_threadsafe(loop.stop)

    def _running(self, job: object) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        """Return the loop and its thread, started if needed, and add the job to those that run."""
        with self._lock:
            self._going_on.add(job)
            if self._loop is None or self._thread is None:
                self._loop, self._is_closed = asyncio.new_event_loop(), threading.Event()
                arguments = (self._loop, self._is_closed)
                self._thread = threading.Thread(target=_run, args=arguments, name="flytenb-connectors", daemon=True)
                self._thread.start()
            return self._loop, self._thread


def _run(loop: asyncio.AbstractEventLoop, is_closed: threading.Event) -> None:
    while not is_closed.is_set():
        # The request to stop a blocking method may arrive just after it has returned.
        with suppress(BaseException):
            loop.run_forever()
    loop.close()
