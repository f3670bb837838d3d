"""View of a followed call: its latest run, live in one output, and the outputs of the last run that succeeded."""

from __future__ import annotations

import contextvars
import secrets
from typing import TYPE_CHECKING, Any

from IPython.display import display as _display
from markupsafe import escape

from flytenb.display.html import page
from flytenb.display.runs.run_card import placeholder, run_bundle
from flytenb.display.show import show
from flytenb.errors import headline
from flytenb.locks import new_lock
from flytenb.model import Phase
from flytenb.notebook.front_end import has_reader
from flytenb.notebook.live.run_view import RunView
from flytenb.notebook.pages import pages
from flytenb.wording.text import clean

if TYPE_CHECKING:
    from flytenb.runner.run import Run
    from flytenb.session.following import Follow

display: Any = _display
_NOTHING = {"text/plain": "", "text/html": page("")}


class FollowView:
    """Shows a followed call in the output of the current cell.

    A page with a reader has three displays: the state of the call, the live view of its run, and the last good values.
    Otherwise there is one static display, which is also published at the end of each later cell.

    Args:
        follow: the call.
        shell: the IPython shell.
    """

    def __init__(self, follow: Follow, shell: Any) -> None:
        self._follow = follow
        self._shell = shell
        self._cell = follow._shown_in = shell.execution_count
        self._is_live = has_reader(shell)
        self._run: Run | None = None
        self._view: RunView | None = None
        self._good: tuple[Run | None, dict[str, str]] = None, _NOTHING
        self._lock = new_lock()
        self._publishing = new_lock()
        self._is_due = False
        self._is_ticking = False
        self._button: Any = None
        self._memory = secrets.token_hex(8)
        # A front end finds a thread's cell by the context in which the thread was started.
        self._context = contextvars.copy_context()

    def begin(self) -> None:
        """Show the call, and a button that stops it where there is a page with a reader."""
        if self._is_live:
            from ipywidgets import Button

            self._button = Button(description="■ stop following", tooltip="also cancels the run in progress")
            self._button.on_click(lambda _: self._follow.stop())
            display(self._button)
        made = (self._state(), _NOTHING, _NOTHING) if self._is_live else (self._whole(),)
        self._displays = [display(bundle, raw=True, display_id=True) for bundle in made]
        self._shown = [*made]
        if not self._is_live and getattr(self._shell, "kernel", None) is not None:
            pages.unrecorded.append(self)

    def note(self) -> None:
        """Note that there is something new, which the next tick shows."""
        with self._lock:
            self._is_due = True
            if self._is_ticking:
                return
            self._is_ticking = True
        pages.ticker.add(self)

    def tick(self) -> bool:
        """Show what is new."""
        with self._lock:
            self._is_due = False
        self._context.copy().run(self._update if self._is_live else self._publish_whole)
        with self._lock:
            self._is_ticking = self._is_due or (self._view is not None and not self._view.is_over)
            return self._is_ticking

    def record(self) -> bool:
        """Publish the present state for the cell that ends now; return whether a later one is needed."""
        is_needed = not self._follow.is_stopped or self._follow.is_running
        self._publish_whole()
        return is_needed

    def _publish_whole(self) -> None:
        with self._publishing:  # an older state must not come after a newer one
            self._update_display(0, self._whole())

    def _update(self) -> None:
        run = self._follow.run
        self._publish(0, self._state())
        self._button.disabled = self._follow.is_stopped
        if run is not None and run is not self._run:
            if self._view is None:
                self._publish(1, placeholder(run))
            else:
                self._view.leave()
            self._run = run
            place = (self._displays[1], self._cell)
            self._view = RunView(run, self._shell, place=place, memory=self._memory)
            self._view.begin()
        good = self._last_good()
        if good is not _NOTHING or self._view is None or self._view.is_over:
            self._publish(2, good)  # until the end of the run is shown, those of the run before stay

    def _publish(self, number: int, bundle: dict[str, str]) -> None:
        if bundle != self._shown[number]:
            self._shown[number] = bundle
            self._update_display(number, bundle)

    def _update_display(self, number: int, bundle: dict[str, str]) -> None:
        handle = self._displays[number]
        if handle is not None:  # a shell that isn't the one of its process has none
            handle.update(bundle, raw=True)

    def _state(self) -> dict[str, str]:
        """Return the line that tells whether a run is on, and what keeps one from starting."""
        follow = self._follow
        is_alone = follow.is_stopped or self._is_live
        facts = [follow.state] if is_alone else [follow.state, "%flyte follow --stop ends it"]
        lines = []
        if follow.error is not None:
            lines.append(clean(f"no run was started: {headline(follow.error)}"))
        if follow.unread:
            lines.append(clean(f"each cell that defines something starts a run, since {follow.unread[0]}"))
        title, fact = clean(f"following {follow.text}"), "".join(f" · {each}" for each in facts)
        html = f'<div><b>{escape(title)}</b><span class="ft-fact">{fact}</span></div>'
        html += "".join(f"<div>{escape(line)}</div>" for line in lines)
        return {"text/plain": "\n".join([title + fact, *lines]), "text/html": page(html)}

    def _last_good(self) -> dict[str, str]:
        """Return the values of the latest run that succeeded, nothing if that is the run which is shown."""
        follow = self._follow
        is_good = follow.run is not None and follow.run.phase is Phase.SUCCEEDED
        good = follow.run if is_good else follow.good  # the call notes a good run a moment after its end
        if good is None or (good is follow.run and (self._is_live or follow.error is None)):
            return _NOTHING
        if self._good[0] is not good:
            shown = [show(value, declared, name=name) for name, value, declared in good._declared_outputs()]
            text = "\n".join(["the last good values", *(each.text for each in shown)])
            html = "".join(['<div class="ft-fact">the last good values</div>', *(each.fragment for each in shown)])
            self._good = good, {"text/plain": text, "text/html": page(html)}
        return self._good[1]

    def _whole(self) -> dict[str, str]:
        """Return everything as one display."""
        run, good = self._follow.run, self._last_good()
        is_shown = run is not None and (good is _NOTHING or run is not self._good[0])
        parts = [self._state(), *([run_bundle(run, show, is_late=True)] if run is not None and is_shown else []), good]
        return {kind: "\n".join(part[kind] for part in parts if part[kind]) for kind in _NOTHING}
