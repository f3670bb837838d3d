"""View of a followed call: its run in one output, with the last good values while a run is on or after it failed."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING, Any

from IPython.display import display as _display
from markupsafe import escape

from flytenb.display.html import page
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import headline
from flytenb.model import Phase
from flytenb.notebook.front_end import has_reader
from flytenb.notebook.pages import pages
from flytenb.render.drawing import Drawing, draw
from flytenb.wording.text import clean

if TYPE_CHECKING:
    from flytenb.runner.run import Run
    from flytenb.session.following import Follow

display: Any = _display
_EVERY = 0.4
"""Least seconds between two pictures of one run."""


class FollowView:
    """Shows a followed call in the output of the current cell.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._follow: Follow | None = None
        self._handle: Any = None
        self._drawing: Drawing | None = None
        self._lock = threading.Lock()
        self._is_due = False
        self._is_ticking = False
        self._seen = -1
        self._shown_at = 0.0
        # A front end finds a thread's cell by the context in which the thread was started.
        self._context = contextvars.copy_context()

    def begin(self, follow: Follow) -> None:
        """Show the call, and a button that stops it where there is a page with a reader."""
        self._follow = follow
        if has_reader(self._shell):
            from ipywidgets import Button

            button = Button(description="■ stop", tooltip="follow this call no more")
            button.on_click(lambda _: follow.stop())
            display(button)
        self._handle = display(self._bundle(), raw=True, display_id=True)

    def note(self) -> None:
        """Note that there is something new, which the next tick shows."""
        with self._lock:
            self._is_due = True
            if self._is_ticking or self._handle is None:
                return
            self._is_ticking = True
        pages.ticker.add(self)

    def tick(self) -> bool:
        """Update the output; called ten times a second while a run is on."""
        follow = self._follow
        assert follow is not None
        run = follow.run
        size = -1 if run is None else run._scheduler.journal.size
        with self._lock:
            is_due, self._is_due = self._is_due, False
        if is_due or (size != self._seen and time.monotonic() - self._shown_at > _EVERY):
            self._seen, self._shown_at = size, time.monotonic()
            bundle = self._bundle()
            self._context.copy().run(lambda: self._handle.update(bundle, raw=True))
        with self._lock:
            self._is_ticking = self._is_due or follow.is_running
            return self._is_ticking

    def _bundle(self) -> dict[str, str]:
        follow = self._follow
        assert follow is not None
        run, good = follow.run, follow.good
        state = "stopped" if follow.is_stopped else "running" if follow.is_running else "waiting for an edit"
        hint = "" if follow.is_stopped else " · ■ %flyte follow --stop"
        head = clean(f"following {follow.text} · {state}{hint}")
        error = "" if follow.error is None else clean(f"no run was started: {headline(follow.error)}")
        plain = [line for line in (head, error) if line]
        parts = [page("".join(f"<div>{escape(line)}</div>" for line in plain))]
        shown = [] if run is None or (run is good and error) else [("", self._of_run(run))]
        if good is not None and (good is not run or error):
            shown.append(("the last good values", run_bundle(good, show, is_late=True)))
        for title, bundle in shown:
            plain += [title, bundle["text/plain"]] if title else [bundle["text/plain"]]
            parts += [page(f"<div>{title}</div>"), bundle["text/html"]] if title else [bundle["text/html"]]
        return {"text/plain": "\n".join(plain), "text/html": "\n".join(parts)}

    def _of_run(self, run: Run) -> dict[str, str]:
        before, graph = self._drawing, run.graph
        if before is None or before._whole is not graph:
            self._drawing = before = draw(graph)
        return run_bundle(run, show, before, is_late=run.phase is not Phase.RUNNING)
