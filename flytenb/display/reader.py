"""Whether somebody reads along: only then is a widget of use."""

from __future__ import annotations

import os
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
