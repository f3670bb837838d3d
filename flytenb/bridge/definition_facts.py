"""Where an entity's code stands."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from flytenb.bridge.entities import function_of


def where_defined(entity: Any) -> str:
    """Return the file and line of an entity's function, or `""`; a cell of a notebook has no file worth naming."""
    function = function_of(entity)
    code = getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
    if code is None:
        return ""
    path = Path(code.co_filename)
    if getattr(function, "__module__", "") == "__main__" and not path.is_file():
        return f"this notebook, line {code.co_firstlineno} of its cell"
    return f"{path.name}:{code.co_firstlineno}"
