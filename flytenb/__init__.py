"""Flyte in the notebook: the public names, each imported when it is first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytenb import parts
    from flytenb.api import (
        Options,
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
    from flytenb.display.view import View
    from flytenb.errors import FlytenbError
    from flytenb.model import Edge, Graph, Node, RunEvent
    from flytenb.notebook.extension import load_ipython_extension, unload_ipython_extension
    from flytenb.notebook.interactive import control_for, explore, form
    from flytenb.render.drawing import Drawing
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run
    from flytenb.runner.settings import Settings

__version__ = "0.1.0"

_HOMES = {
    "Drawing": "render.drawing",
    "Edge": "model",
    "FlytenbError": "errors",
    "Graph": "model",
    "Node": "model",
    "NodeRun": "runner.node_run",
    "Options": "api",
    "Run": "runner.run",
    "RunEvent": "model",
    "Settings": "runner.settings",
    "View": "display.view",
    "check_transformer": "api",
    "control_for": "notebook.interactive",
    "display_for": "api",
    "draw": "api",
    "explore": "notebook.interactive",
    "form": "notebook.interactive",
    "graph": "api",
    "lens": "api",
    "load_ipython_extension": "notebook.extension",
    "options": "api",
    "parts": "",
    "run": "api",
    "show": "api",
    "start": "api",
    "unload_ipython_extension": "notebook.extension",
    "uses": "api",
}
"""The module of each public name; a name without one is a module itself."""

_LIGHT = ("errors", "model", "notebook.extension", "runner.settings")
"""Modules that don't import flytekit."""

__all__ = [
    "Drawing",
    "Edge",
    "FlytenbError",
    "Graph",
    "Node",
    "NodeRun",
    "Options",
    "Run",
    "RunEvent",
    "Settings",
    "View",
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
    "parts",
    "run",
    "show",
    "start",
    "unload_ipython_extension",
    "uses",
]


def __getattr__(name: str) -> Any:
    """Import a public name."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'flytenb' has no attribute {name!r}")
    extension = sys.modules.get("flytenb.notebook.extension")
    if extension is not None and home not in _LIGHT:
        extension.wait_for_flytekit()
    value = getattr(import_module(f"flytenb.{home}"), name) if home else import_module(f"flytenb.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
