"""What the front end of a shell can do: whether a person may see widgets, and how they must be sent."""

from __future__ import annotations

import os
import sys
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


def needs_widget(shell: Any) -> bool:
    """Tell whether the front end loads a widget's module only for an output that is this widget: VS Code, Colab."""
    return "__vsc_ipynb_file__" in getattr(shell, "user_ns", {}) or "google.colab" in sys.modules
