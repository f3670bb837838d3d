"""Which runs a notebook still holds, beside IPython's history and the list of runs."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from flytenb.session.host import host

if TYPE_CHECKING:
    from flytenb.runner.run import Run
    from flytenb.session import Session

_HISTORY = re.compile(r"_{1,3}|_\d+")
"""Variables in which IPython keeps the results of cells."""
_LEAST = 1_000_000
"""Bytes from which the values of a run are worth being dropped."""
_OURS = 4
"""References to a run that is looked at: the session's list, a copy of it, a variable, `getrefcount`."""
_WHY = "the values of the run were dropped, since no variable holds it any more"


class HeldRuns:
    """Looks after each cell which runs are held.

    A run is released when the last variable, or other object of the user's, that held it is gone, and when `%reset`
    removes the result of a cell that was its only holder. One that nothing has ever held stays, as do small values.
    """

    def __init__(self, session: Session, shell: Any) -> None:
        self._session = session
        self._shell = shell
        self._before: WeakKeyDictionary[Run, str] = WeakKeyDictionary()

    def look(self) -> None:
        """Release the runs that aren't held any more."""
        runs = self._session.runs
        if not runs:
            return
        in_history = Counter(map(id, self._history()))
        gone = []
        for run in runs:
            known = in_history[id(run)]
            holder = "user" if sys.getrefcount(run) - known > _OURS else "history" if known else ""
            before = self._before.get(run, "")
            self._before[run] = holder
            if (before, holder) in (("user", ""), ("user", "history"), ("history", "")):
                gone.append(run)
        if gone:
            host.memory.release(gone, _LEAST, _WHY)

    def _history(self) -> Iterator[Any]:
        """Yield what IPython refers to: results of cells, and the last ones under three names each."""
        shell = self._shell
        yield from [*shell.user_ns.get("_oh", {}).values()]
        for names in (shell.user_ns, shell.user_ns_hidden):
            yield from [value for name, value in [*names.items()] if name[:1] == "_" and _HISTORY.fullmatch(name)]
        hook = vars(shell.displayhook)
        yield from (hook.get(name) for name in ("_", "__", "___"))
        yield getattr(getattr(shell, "last_execution_result", None), "result", None)
