"""The sessions that are open in this process and the watchers of its runs; the functions of `flytenb` read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from flytenb.locks import cached_property
from flytenb.session.session import Session

if TYPE_CHECKING:
    from flytenb.record.run_keeper import RunKeeper
    from flytenb.record.value_memory import ValueMemory
    from flytenb.runner.run import Run

    Watcher = Callable[[Run], Callable[[], None]]
    """Called with a run before it starts; returns what to call when the wait for it is over."""


class Host:
    """State of the process that isn't part of one run.

    Attributes:
        watchers: called with every run that starts.
    """

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self._sessions = [Session()]
        self._kept: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()

    @cached_property
    def keeper(self) -> RunKeeper:
        """What writes runs to disk; its thread starts when a run is kept."""
        from flytenb.record.run_keeper import RunKeeper  # imports flytekit

        return RunKeeper()

    @cached_property
    def memory(self) -> ValueMemory:
        """The values of the runs of this process."""
        from flytenb.record.value_memory import ValueMemory  # as above

        return ValueMemory()

    def session_of(self, owner: Any) -> Session:
        """Return the session of a shell, the same one whenever it asks."""
        return self._kept.setdefault(owner, Session())

    @property
    def session(self) -> Session:
        """The session that was opened last; in a script, one that belongs to no notebook."""
        return self._sessions[-1]

    def open(self, session: Session) -> Callable[[], None]:
        """Make a session the current one; return the function that closes it."""
        self._sessions.append(session)
        return lambda: self._sessions.remove(session)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Add a watcher; return the function that removes it."""
        self.watchers.append(watcher)
        return lambda: self.watchers.remove(watcher)


host = Host()
