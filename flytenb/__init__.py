"""Flyte in the notebook: the front door. Loads what it names only when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytenb.api import (
        check_transformer,
        display_for,
        draw,
        graph,
        lens,
        options,
        run,
        show,
        start,
        uses,
    )
    from flytenb.errors import FlytenbError
    from flytenb.notebook.extension import load_ipython_extension, unload_ipython_extension
    from flytenb.notebook.interactive import control_for, explore, form

__version__ = "0.1.0"

_HOMES = {
    "check_transformer": "api",
    "control_for": "notebook.interactive",
    "display_for": "api",
    "draw": "api",
    "explore": "notebook.interactive",
    "form": "notebook.interactive",
    "graph": "api",
    "lens": "api",
    "options": "api",
    "run": "api",
    "show": "api",
    "start": "api",
    "uses": "api",
    "FlytenbError": "errors",
    "load_ipython_extension": "notebook.extension",
    "unload_ipython_extension": "notebook.extension",
}

__all__ = [
    "FlytenbError",
    "check_transformer",
    "control_for",
    "display_for",
    "draw",
    "explore",
    "form",
    "graph",
    "lens",
    "load_ipython_extension",
    "options",
    "run",
    "show",
    "start",
    "unload_ipython_extension",
    "uses",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its room the first time it is used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'flytenb' has no attribute {name!r}")
    extension = sys.modules.get("flytenb.notebook.extension")
    if extension is not None and home in ("api", "notebook.interactive"):
        extension.wait_until_warm()
    value = getattr(import_module(f"flytenb.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
