"""Whether somebody reads along, and what their front end needs: only then is a widget of use."""

from __future__ import annotations

import os
import sys
from typing import Any


def has_reader(shell: Any) -> bool:
    """Tell whether there may be a person in front of a page that shows widgets.

    Nobody can know; but who executes a notebook unattended (nbclient, nbconvert, papermill, nbval) says with each cell
    that nobody can be asked anything.
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
    """Tell whether the front end runs a widget's module only where an output is that widget: VS Code and Colab do."""
    return "__vsc_ipynb_file__" in getattr(shell, "user_ns", {}) or "google.colab" in sys.modules
