"""View of a sweep: its table in the output of the cell that waits for it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython.display import display as _display

from flytenb.display.html import shared_module
from flytenb.notebook.front_end import has_reader
from flytenb.notebook.live.run_widget import page_text
from flytenb.notebook.pages import pages

if TYPE_CHECKING:
    from flytenb.session.swept_runs import Sweep

display: Any = _display
_UPDATE_EVERY = 0.5
"""Seconds between two updates of the table."""


class SweepWidget(anywidget.AnyWidget):
    """Keeps what the reader has chosen in the table with the class `ft-sweep-KEY`; it shows nothing itself."""

    _esm = "\n".join((shared_module(), page_text("sweep.js")))

    key = traitlets.Unicode().tag(sync=True)


def watch_sweep(sweep: Sweep, shell: Any) -> None:
    """Show the table of a sweep until all its runs have ended."""
    widget = SweepWidget(key=secrets.token_hex(8)) if has_reader(shell) else None

    def bundle() -> dict[str, Any]:
        found: dict[str, Any] = sweep._repr_mimebundle_()
        if widget is not None:  # a class, since pages that sanitise HTML keep classes
            found["text/html"] = f'<div class="ft-sweep-{widget.key}">{found["text/html"]}</div>'
        return found

    shown = display(bundle(), raw=True, display_id=True)
    sweep._shown_in = shell.execution_count
    while not sweep.wait(_UPDATE_EVERY).is_over:
        shown.update(bundle(), raw=True)
    shown.update(bundle(), raw=True)
    if widget is not None:
        pages.retire(widget)
