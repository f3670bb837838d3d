"""Following a call: it runs again, in the background, after each cell that redefines something that it reaches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flytenb.model import Phase
from flytenb.runner.interrupts import held_back
from flytenb.session.options import Options

if TYPE_CHECKING:
    from flytenb.display.code_card import Code
    from flytenb.runner.run import Run
    from flytenb.session.session import Session

Call = Callable[[], tuple[Any, tuple[Any, ...], dict[str, Any]]]
"""Returns the entity as it is defined now, and the inputs by position and by name."""


class Follow:
    """A call that is followed. Created by `flytenb.follow` and `%flyte follow`.

    One run is on at a time; an edit cancels it, and the next run has the code of the latest edit. Threads of runs and
    the main thread use it.

    Attributes:
        text: the call, for people.
        run: the latest run, None before the first.
        good: the latest run that succeeded, None if there is none.
        error: why no run could be started after the latest edit, None if one could.
        is_stopped: whether it has ended.
        show: called, on any thread, when there is something new.
    """

    def __init__(self, session: Session, text: str, call: Call, options: Options) -> None:
        self.text = text
        self.run: Run | None = None
        self.good: Run | None = None
        self.error: Exception | None = None
        self.is_stopped = False
        self.show: Callable[[], None] = lambda: None
        self._session = session
        self._call = call
        self._options = options
        self._code: Code | None = None
        self._lock = threading.RLock()
        self._wanted = 0
        self._served = 0
        self._is_starting = False
        self._cell = 0
        self._runs_begun = 0
        self._is_run_on = False

    @property
    def is_running(self) -> bool:
        """Whether a run is on."""
        return self._is_starting or (self.run is not None and not self.run.phase.is_terminal)

    def look(self) -> None:
        """Start a run if the code of the entity isn't that of the latest run; called after each cell."""
        if self.is_stopped:
            return
        session = self._session
        # Before the code is read: a run may change constants, and end, while it is.
        begun, is_run_on = session.runs_begun, any(not run.phase.is_terminal for run in session.runs)
        try:
            code = session.code.now(self._call()[0])
        except Exception as error:
            if self._code is not None:  # such as a deleted name: the next definition is another one
                self._code = None
                self._fail(error)
            return
        has_run = self._is_run_on or self._runs_begun != session.runs_begun
        before, cell = self._code, self._cell if has_run else None
        self._code, self._cell, self._runs_begun, self._is_run_on = code, session.cells.last_number, begun, is_run_on
        if before is None or session.code.is_edited(before, code, cell):
            self._want()

    def _want(self) -> None:
        with self._lock:
            self._wanted += 1
            running = self.run if self.is_running else None
        if running is not None:
            running.cancel()  # its end starts the next one
        self._start()

    def _start(self) -> None:
        """Start the run that is wanted, unless one is on."""
        with self._lock:
            if self.is_stopped or self.is_running or self._served == self._wanted:
                return
            self._served = self._wanted
            self._is_starting = True
        try:
            entity, positional, inputs = self._call()
            made = self._resuming(entity).prepare(entity, positional, inputs)
        except Exception as error:
            self._is_starting = False
            self._fail(error)
            self._start()  # an edit may have come in the meantime
            return
        except BaseException:  # an interrupt of the user
            self._is_starting = False
            raise
        with held_back():
            with self._lock:
                self.run, self.error = made, None
                self._is_starting = False
            self._session.keep(made)
            made.on_finish(lambda: self._end(made))
            made._begin()
        if self.is_stopped or self._served != self._wanted:
            made.cancel()
        self.show()

    def _resuming(self, entity: Any) -> Options:
        """Return the options of the next run: a run that was cancelled or has failed lacks nodes of the good one."""
        runs = [run for run in (self.run, self.good) if run is not None and run.entity.name == entity.name]
        return self._options._following(runs[0], runs[-1]) if runs else self._options

    def _end(self, run: Run) -> None:
        """Keep a good run, and start the next one if the code has changed meanwhile; on a thread of the run."""
        if run.phase is Phase.SUCCEEDED:
            self.good = run
        self.show()
        self._start()

    def _fail(self, error: Exception) -> None:
        self.error = error
        self.show()

    def stop(self) -> None:
        """Follow the call no more, and cancel the run that is on."""
        with self._lock:
            self.is_stopped = True
            running = self.run
        if running is not None:
            running.cancel()
        if self in self._session.follows:
            self._session.follows.remove(self)
        self.show()

    def __repr__(self) -> str:
        state = "stopped" if self.is_stopped else "running" if self.is_running else "waiting for an edit"
        return f"<Follow {self.text} {state}>"
