"""View of a run in a cell's output: live while it runs; the run card then, in which a page keeps the view."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.display import display as _display

from flytenb.display.runs.progress import FIRST_IN_TERMINAL, Progress
from flytenb.display.runs.run_card import failure_text, placeholder, run_bundle
from flytenb.display.show import show
from flytenb.locks import new_rlock
from flytenb.notebook.emphasis import colored, is_colored_terminal
from flytenb.notebook.front_end import has_reader, needs_widget, with_explorer_note
from flytenb.notebook.pages import pages

if TYPE_CHECKING:
    from flytenb.notebook.live.page_controller import PageController
    from flytenb.render.drawing import Drawing
    from flytenb.runner.run import Run

__all__ = ["RunView", "explore", "show_run"]

display: Any = _display

_PATIENCE = 0.15
"""Least seconds that a run must take for a widget."""


class RunView:
    """Shows one run in the output of the current cell and replaces that output when the run ends.

    Args:
        run: the run.
        shell: the IPython shell.
        is_explorer: whether it stays live after the run's end until the reader closes it.
        place: the display in which it is shown, and the number of its cell, if there is one already.
        memory: key under which the page keeps zoom and chosen node for the next run in that display, `""` for none.
    """

    def __init__(
        self,
        run: Run,
        shell: Any,
        *,
        is_explorer: bool = False,
        place: tuple[Any, int] | None = None,
        memory: str = "",
    ) -> None:
        self._run = run
        self._shell = shell
        self._is_explorer = is_explorer
        self._handle: Any = None if place is None else place[0]
        self._cell: int = shell.execution_count if place is None else place[1]
        self._memory = memory
        self._wants_widget = False
        self._lock = new_rlock()
        self._controller: PageController | None = None
        self._is_shown = place is not None  # what it shows stays until there is a picture
        self._has_picture = False
        self._is_over = False
        self._is_cell_over = False
        self._recorded = 0
        self._end_bundle: dict[str, Any] = {}
        self._is_run_over = threading.Event()
        self._began = time.monotonic()
        self._progress: Progress | None = None
        # A front end finds a thread's cell by the context in which the thread was started.
        self._context = contextvars.copy_context()

    def begin(self) -> None:
        """Show the run and start updating."""
        pages.shown_in[self._run] = self._cell
        self._wants_widget = has_reader(self._shell)
        self._run.on_finish(self._is_run_over.set)
        if self._handle is None and getattr(self._shell, "kernel", None) is not None:
            self._handle = display(placeholder(self._run), raw=True, display_id=True)
        if not self._wants_widget:
            first = None if self._handle is not None else FIRST_IN_TERMINAL
            self._progress = Progress(self._run, self._say, first=first)
            pages.unrecorded += [self] if self._handle is not None else []
        pages.ticker.add(self)

    def tick(self) -> bool:
        """Update the view; called ten times a second."""
        if self._is_run_over.is_set() and not self._is_explorer:
            self.end()
        progress, controller = self._progress, self._controller  # `end` may be called meanwhile
        if self._is_over:
            return False
        if progress is not None:
            progress.tick()
        elif controller is not None:
            controller.tick()
            self._show_live(controller)
        elif self._is_explorer or time.monotonic() - self._began > _PATIENCE:
            self._open()
        return True

    def end(self) -> None:
        """Show the final state; called by the waiting cell and by the ticker, and done once."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            controller = self._controller
            is_late = self._cell != self._shell.execution_count and not self._is_explorer
            drawing: Drawing | None = None
            nodes: tuple[str, ...] = ()
            if controller is not None:
                controller.close()
                drawing, nodes = controller.drawing_of(self._run.graph), controller.open_nodes
            place = self._place(controller)
            bundle = partial(run_bundle, self._run, show, drawing, nodes, is_late=is_late, place=place)
            error = self._run.error if self._run._raises and not is_late and not self._is_explorer else None
            self._end_bundle = bundle(has_error=error is None)
            self._publish(self._end_bundle)
            if error is not None:
                why = failure_text(self._run)
                tell = partial(self._in_cell, print, why) if self._handle is None else lambda: self._publish(bundle())
                pages.untold.append((error.exception, tell))
            self._let_go()
        _retire(controller)

    @property
    def is_over(self) -> bool:
        """Whether the final state is shown, or another run has the place."""
        with self._lock:
            return self._is_over

    def leave(self) -> None:
        """Show nothing more: another run takes the place."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            controller = self._controller
            if controller is not None:
                controller.close()
            self._let_go()
        _retire(controller)

    def _place(self, controller: PageController | None) -> str:
        """Return the classes by which the page keeps the view beside the results; an explorer is closed at the end."""
        widget = None if controller is None else controller.widget
        return "" if widget is None or self._is_explorer or needs_widget(self._shell) else widget.place

    def _let_go(self) -> None:
        """Hold the run no more, so that it is freed when no variable does."""
        self._run._show_end = None
        self._progress = self._controller = None
        del self._run

    def record(self) -> bool:
        """Publish the present state for the cell that ends now; return whether a later one is needed.

        A program that executes notebooks keeps only the messages of the cell that it executes, also those that change
        the output of an earlier cell. What the threads of the view send after the end of its own cell isn't kept.
        """
        with self._lock:
            is_own, self._is_cell_over = not self._is_cell_over, True
            if self._is_over:
                if not is_own:
                    self._handle.update(self._end_bundle, metadata={}, raw=True)
                return False
            is_over, changes = self._run.phase.is_terminal, len(self._run.events)
            if changes != self._recorded:
                self._recorded = changes
                self._handle.update(run_bundle(self._run, show, is_late=not is_own), metadata={}, raw=True)
            return not is_over

    def _say(self, line: str) -> None:
        """Show a line of progress, in a notebook in the output, of which a saved notebook has only the last state."""
        if self._handle is None:
            self._in_cell(print, line)
            return
        with self._lock:
            if not self._is_over:
                self._publish(placeholder(self._run, line.removeprefix(f"{self._run.name}: ")))

    def _open(self) -> None:
        """Create the widget; it is shown once its layout is there."""
        from flytenb.notebook.live.page_controller import PageController

        with self._lock:
            if not self._is_over:
                self._controller = PageController(
                    self._run, on_done=self.end, memory=self._memory, is_explorer=self._is_explorer
                )
                self._controller.open()

    def _show_live(self, controller: PageController) -> None:
        """Publish the view, and again if its layout was late: a save keeps the last published output."""
        if controller.is_laid_out and not self._has_picture:
            self._has_picture = self._is_shown = True
            pages.layouts.submit(lambda: self._publish_live(with_picture=True))
        elif not self._is_shown:
            self._is_shown = True
            self._publish_live(with_picture=False)

    def _publish_live(self, *, with_picture: bool) -> None:
        with self._lock:
            if self._is_over:
                return
            controller, run = self._controller, self._run
        assert controller is not None
        drawing = controller.drawing_of(run.graph)
        static = run_bundle(run, show, drawing) if with_picture else placeholder(run)
        with self._lock:
            if not self._is_over and controller.widget is not None:
                is_widget = needs_widget(self._shell)
                self._publish(*controller.widget.bundle(static, as_widget=is_widget))

    def _publish(self, bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        if self._handle is not None:
            self._in_cell(lambda: self._handle.update(bundle, metadata=metadata or {}, raw=True))
        else:
            if threading.current_thread() is threading.main_thread():  # the cell that waits: it shows the run once
                pages.shown_in[self._run] = self._shell.execution_count
            _show_once(bundle, self._shell)

    def _in_cell(self, job: Callable[..., Any], *args: Any) -> None:
        self._context.copy().run(job, *args)


def _retire(controller: PageController | None) -> None:
    if controller is not None and controller.widget is not None:
        pages.retire(controller.widget)


def show_run(run: Run, shell: Any) -> None:
    """Show a run that is the last line of a cell, unless the cell shows it already; a running one is shown live."""
    if pages.shown_in.get(run) == shell.execution_count:
        return
    if getattr(shell, "kernel", None) is not None:
        if not run.phase.is_terminal:
            RunView(run, shell).begin()
            return
    elif run.phase.is_terminal and run._show_end is not None:  # else its view would print the same after this
        run._show_end()
        return
    pages.shown_in[run] = shell.execution_count
    _show_once(run_bundle(run, show), shell)


def explore(run: Run, shell: Any) -> None:
    """Show a run for exploring; without a page that can, show its run card."""
    if has_reader(shell):
        RunView(run, shell, is_explorer=True).begin()
    else:
        _show_once(with_explorer_note(run_bundle(run, show), shell), shell)


def _show_once(bundle: dict[str, str], shell: Any) -> None:
    """Show a bundle that isn't updated, in a terminal with colors."""
    text = bundle["text/plain"]
    shown = {**bundle, "text/plain": colored(text)} if is_colored_terminal(shell) else bundle
    display(shown, raw=True)
