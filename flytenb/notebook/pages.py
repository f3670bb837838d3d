"""What the pages of this process share: two kinds of threads, and the widgets that are kept open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from flytenb.notebook.page_threads import JobQueue, Ticker

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_KEPT_OPEN = 8


class Recordable(Protocol):
    """Interface of views that a notebook which is executed without a front end must be sent again."""

    def record(self) -> bool:
        """Publish the present state for the cell that ends now; return whether a later one is needed."""


class Pages:
    """Resources of all live views and explorers; closed when flytenb is unloaded from the last shell.

    Attributes:
        ticker: sends changes of runs to pages.
        layouts: does layouts and what pages ask for.
        values: shows values. What they print and return is code of the user's, which must not delay a request to stop.
        finished: widgets of runs that are over; a reloaded page still shows them.
        explorers: the explorers that are open in outputs, the oldest first.
        inspected: the explorers that are open in inspectors of runs, the oldest first.
        shown_in: the number of the cell that shows a run.
        untold: the errors of runs that the cell waited for, and what adds each to its output.
        unrecorded: views of runs whose end a notebook that is executed without a front end hasn't got yet.
    """

    def __init__(self) -> None:
        self.ticker = Ticker()
        self.layouts = JobQueue()
        self.values = JobQueue("flytenb-look")
        self.finished: deque[Any] = deque()
        self.explorers: deque[Any] = deque()
        self.inspected: deque[Any] = deque()
        self.shown_in: WeakKeyDictionary[Run, int] = WeakKeyDictionary()
        self.unrecorded: list[Recordable] = []
        self.untold: list[tuple[BaseException, Callable[[], None]]] = []

    def record(self) -> None:
        """Record the runs of earlier cells, and of the one that ends now."""
        self.unrecorded = [view for view in self.unrecorded if view.record()]

    def tell_caught(self, raised: BaseException | None) -> None:
        """Add the messages of the cell's failed runs to their outputs, except for the error that the cell raised."""
        untold, self.untold = self.untold, []
        for error, tell in untold:
            if error is not raised:
                tell()

    def retire(self, widget: Any) -> None:
        """Close a widget later, when several others have been retired: a page that was reloaded still shows it."""
        self.finished.append(widget)
        while len(self.finished) > _KEPT_OPEN:
            self.finished.popleft().close()

    def close(self) -> None:
        """Close all widgets, and end the threads when they have nothing to do. Outputs keep their still displays."""
        for opened in (self.finished, self.explorers, self.inspected):
            while opened:
                opened.popleft().close()
        self._keep_threads(False)

    def open(self) -> None:
        """Keep the threads from now on, once they have been started."""
        self._keep_threads(True)

    def _keep_threads(self, are_kept: bool) -> None:
        for worker in (self.ticker, self.layouts, self.values):
            worker.keep_thread(are_kept)


pages = Pages()
"""The one object of the process; its threads start when they are first needed."""
