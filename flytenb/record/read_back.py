"""Whether a value that was written has the same content when it is read."""

from __future__ import annotations

from contextlib import suppress

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.runner.input_equality import is_same_content

_SCALARS = (int, float, bool, str)


def reads_back(value: CrossingValue, stored: CrossingValue, workspace: Workspace) -> bool:
    """Return whether a value is proven to have the same content when it is read.

    Args:
        value: the value.
        stored: the value as it was written.
        workspace: that of its run.
    """
    if value.method in ("array", "frame") or (value.method == "share" and value.python_type in _SCALARS):
        return True  # proven when they were packed, and large
    with workspace.entered(), suppress(Exception):  # that can't be read without unpickling it
        return is_same_content(value.python_type, value.native(), stored.native())
    return False
