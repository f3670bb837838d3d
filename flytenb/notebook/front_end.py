"""The front end of a shell: whether a person may see widgets, how they must be sent, and their pages' messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


def has_reader(shell: Any) -> bool:
    """Tell whether a person may be watching on a page that shows widgets.

    Programs that execute a notebook unattended (nbclient, nbconvert, papermill, nbval) send `allow_stdin=False` with
    each cell. `FLYTENB_STATIC=1` switches widgets off.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or os.environ.get("FLYTENB_STATIC", "") not in ("", "0"):
        return False
    try:
        content = kernel.get_parent().get("content", {})
    except (AttributeError, LookupError):
        return False
    return bool(content.get("allow_stdin"))


def with_explorer_note(bundle: dict[str, Any], shell: Any) -> dict[str, Any]:
    """Return the bundle with the remark that a terminal can't explore it; unchanged in a notebook."""
    if getattr(shell, "kernel", None) is not None:
        return bundle
    return {**bundle, "text/plain": f"{bundle['text/plain']}\n(exploring needs a notebook: shown as it is)"}


def needs_widget(shell: Any) -> bool:
    """Tell whether the front end loads a widget's module only for an output that is this widget: VS Code, Colab."""
    return "__vsc_ipynb_file__" in getattr(shell, "user_ns", {}) or "google.colab" in sys.modules


def receive(widget: Any, on_message: Callable[[dict[str, Any]], None]) -> None:
    """Call `on_message` with the content of each message that the widget's page sends, also while a cell runs.

    ipykernel (as of 7.4) routes a page's message to the shell that last published on the comm. Our threads publish for
    the cell, whose shell is busy until the run ends; with the default route messages go where the page sends them,
    which is a subshell where there are any.
    """
    widget.on_msg(lambda _, content, buffers: on_message(content))
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, default: default
