"""Following a call: it runs again, in the background, after each cell that redefines something that it reaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flytenb.locks import new_lock, new_rlock
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

    One run is in progress at a time; an edit cancels it, and the next run has the code of the latest edit. Threads of
    runs and the main thread use it.

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
        self._shown_in: int | None = None  # the number of the cell whose output has its view
        self._session = session
        self._call = call
        self._options = options
        self._entity: Any = None
        self._code: Code | None = None
        self._still: tuple[Code | None, int] = None, -1  # a reading, and how many runs had begun; none was on
        self._reading = new_lock()
        self._lock = new_rlock()
        self._wanted = 0
        self._edited = 0  # the latest of them for which the run in progress is cancelled
        self._served = 0
        self._is_starting = False
        self._cell = 0

    @property
    def unread(self) -> tuple[str, ...]:
        """What couldn't be read of the code: then each cell that binds or changes something starts a run."""
        return () if self._code is None else self._code.unread

    @property
    def state(self) -> str:
        """`starting`, `running`, `waiting for an edit` or `stopped`."""
        if self.is_stopped or self.is_running:
            return "stopped" if self.is_stopped else "running"
        return "starting" if self.run is None and self.error is None else "waiting for an edit"

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress or due."""
        return self._is_on or (self._served != self._wanted and not self.is_stopped)

    @property
    def _is_on(self) -> bool:
        return self._is_starting or (self.run is not None and not self.run.phase.is_terminal)

    def look(self) -> None:
        """Start a run if an edit has changed what the call reaches since the last look; called after each cell."""
        if self.is_stopped:
            return
        with self._reading:
            (still, then), before, previous = self._still, self._code, self._cell
            code, begun = self._read(lambda: self._call()[0])
            if isinstance(code, Exception):
                if before is not None:  # such as a deleted name: the next definition is another one
                    self._code = None
                    self._fail(code)
                return
            self._code, self._cell = code, self._session.cells.last_number
            self._still = (None, -1) if begun is None else (code, begun)
            since = still if begun == then else None
        if before is None or self._session.code.is_edited(before, code, since, previous):
            self._want()
        elif code.unread and self._session.code.has_new(previous):
            self._want(is_edited=False)

    def settle(self) -> None:
        """Note what runs have changed, so that it isn't taken for an edit; called before each cell and after each run.

        What a file holds, or a list in the notebook, may be changed by a run, a cell or a person. It is an edit if it
        isn't what it was when the last run had ended.
        """
        with self._reading:
            if self.is_stopped or self._still[1] == self._session.runs_begun:
                return
            code, begun = self._read(lambda: self._entity)
            if begun is not None and not isinstance(code, Exception):
                self._still = code, begun

    def _read(self, entity: Callable[[], Any]) -> tuple[Code | Exception, int | None]:
        """Return the code, or why it can't be read, and how many runs have begun; None if one was on meanwhile."""
        session = self._session
        begun = session.runs_begun
        is_on = session.is_run_on
        try:
            self._entity = entity()
            code: Code | Exception = session.code.now(self._entity)
        except Exception as error:
            code = error
        return code, None if is_on or session.is_run_on or begun != session.runs_begun else begun

    def _want(self, *, is_edited: bool = True) -> None:
        """Start a run, after the one that is on; what is certain to be edited ends that one."""
        with self._lock:
            self._wanted += 1
            if is_edited:
                self._edited = self._wanted
            running = self.run if self._is_on and is_edited else None
        if running is not None:
            running.cancel()  # its end starts the next one
        self._start()

    def _start(self) -> None:
        """Start the run that is wanted, unless one is on."""
        with self._lock:
            if self.is_stopped or self._is_on or self._served == self._wanted:
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
        if self.is_stopped or self._served < self._edited:
            made.cancel()
        self.show()

    def _resuming(self, entity: Any) -> Options:
        """Return the options of the next run: a run that was cancelled or has failed lacks nodes of the good one."""
        runs = [run for run in (self.run, self.good) if run is not None and run.entity.name == entity.name]
        return self._options._following(runs[0], runs[-1]) if runs else self._options

    def _end(self, run: Run) -> None:
        """Keep a good run, and start the next one if the code has changed meanwhile; on a thread of the run."""
        with self._lock:
            if run.phase is Phase.SUCCEEDED and (self.good is None or _began(self.good) < _began(run)):
                self.good = run  # the end of an earlier run may come late
        self.show()
        self._start()

    def _fail(self, error: Exception) -> None:
        self.error = error
        self.show()

    def stop(self) -> None:
        """Stop following the call, and cancel the run in progress."""
        with self._lock:
            self.is_stopped = True
            running = self.run
        if running is not None:
            running.cancel()
        if self in self._session.follows:
            self._session.follows.remove(self)
        self.show()

    def __repr__(self) -> str:
        return f"<Follow {self.text} {self.state}>"


def _began(run: Run) -> float:
    return run.started or 0.0
