"""Interrupts of the main thread that are raised again until they end what they interrupt."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_AGAIN_AFTER = 0.1
_ENDS_WITHIN = 5.0


class _Repeater:
    """Handler of SIGINT that calls the handler before it, and sends the signal again while its block goes on.

    Its locks are used by single calls only, each of which an interrupt leaves whole.
    """

    def __init__(self, handler: Callable[[int, Any], Any]) -> None:
        self.raised: BaseException | None = None
        """What the handler before it raised first."""
        self._handler = handler
        self._is_over = False
        self._over = threading.Lock()
        self._over.acquire()
        self._stopped = threading.Lock()
        self._stopped.acquire()

    def __call__(self, number: int, frame: Any) -> None:
        if self._is_over and self.raised is not None:
            return
        try:
            self._handler(number, frame)
        except BaseException as error:
            if self.raised is None:
                self.raised = error
                _thread.start_new_thread(self._repeat, ())
            raise

    def _repeat(self) -> None:
        while not self._over.acquire(timeout=_AGAIN_AFTER):
            _thread.interrupt_main()
        self._stopped.release()

    def end(self) -> None:
        """Send no more signals, and ignore one that was just sent. It may be called again."""
        self._is_over = True
        if self._over.locked():
            self._over.release()
        if self.raised is not None and self._stopped.acquire(timeout=_ENDS_WITHIN):
            self._stopped.release()


@contextmanager
def lasting_interrupts() -> Iterator[None]:
    """Raise an interrupt again ten times a second until it ends the block, or at the end of the block.

    Python drops exceptions in finalizers and in `__del__`, which run after any call: those of connections
    take a good part of a request's time. On other threads than the main one it does nothing.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    repeater = _Repeater(handler)
    signal.signal(signal.SIGINT, repeater)
    try:
        yield
    finally:
        try:
            repeater.end()
        finally:  # an interrupt may arrive before the first line of `end`
            repeater.end()
            signal.signal(signal.SIGINT, handler)
    if repeater.raised is not None:
        raise repeater.raised
