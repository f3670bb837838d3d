"""Flyte in the notebook: the public names, each imported when it is first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `as` marks what is public for type checkers
    from flytenb import parts as parts
    from flytenb.api import attach as attach
    from flytenb.api import cached as cached
    from flytenb.api import check as check
    from flytenb.api import check_connector as check_connector
    from flytenb.api import check_plugin as check_plugin
    from flytenb.api import check_transformer as check_transformer
    from flytenb.api import clear_cache as clear_cache
    from flytenb.api import cluster as cluster
    from flytenb.api import code_of as code_of
    from flytenb.api import container as container
    from flytenb.api import display_for as display_for
    from flytenb.api import draw as draw
    from flytenb.api import export as export
    from flytenb.api import follow as follow
    from flytenb.api import graph as graph
    from flytenb.api import launch as launch
    from flytenb.api import lens as lens
    from flytenb.api import load_run as load_run
    from flytenb.api import options as options
    from flytenb.api import register as register
    from flytenb.api import rehearse as rehearse
    from flytenb.api import replay as replay
    from flytenb.api import run as run
    from flytenb.api import show as show
    from flytenb.api import start as start
    from flytenb.api import start_sweep as start_sweep
    from flytenb.api import sweep as sweep
    from flytenb.api import uses as uses
    from flytenb.display.code_card import Code as Code
    from flytenb.display.runs.rehearsal_card import Rehearsal as Rehearsal
    from flytenb.display.view import View as View
    from flytenb.errors import FlytenbError as FlytenbError
    from flytenb.model import Edge as Edge
    from flytenb.model import Graph as Graph
    from flytenb.model import Node as Node
    from flytenb.model import RunEvent as RunEvent
    from flytenb.model.request import Request as Request
    from flytenb.notebook.extension import load_ipython_extension as load_ipython_extension
    from flytenb.notebook.extension import unload_ipython_extension as unload_ipython_extension
    from flytenb.notebook.interactive import control_for as control_for
    from flytenb.notebook.interactive import explore as explore
    from flytenb.notebook.interactive import form as form
    from flytenb.record.kept_run import KeptRun as KeptRun
    from flytenb.render.drawing import Drawing as Drawing
    from flytenb.render.styling import NodeStyle as NodeStyle
    from flytenb.render.styling import set_style as set_style
    from flytenb.runner.node_run import NodeRun as NodeRun
    from flytenb.runner.run import Run as Run
    from flytenb.runner.settings import Settings as Settings
    from flytenb.session.cluster_choice import Cluster as Cluster
    from flytenb.session.following import Follow as Follow
    from flytenb.session.options import Options as Options
    from flytenb.ship.cluster_run import ClusterRun as ClusterRun
    from flytenb.ship.exported_module import Export as Export
    from flytenb.ship.preflight import Preflight as Preflight
    from flytenb.ship.replayed_node import Replay as Replay
    from flytenb.ship.shipment import Shipment as Shipment

__version__ = "0.1.0"

_HOMES = {
    "Cluster": "session.cluster_choice",
    "ClusterRun": "ship.cluster_run",
    "Code": "display.code_card",
    "Drawing": "render.drawing",
    "Edge": "model",
    "Export": "ship.exported_module",
    "FlytenbError": "errors",
    "Follow": "session.following",
    "Graph": "model",
    "KeptRun": "record.kept_run",
    "Node": "model",
    "NodeRun": "runner.node_run",
    "NodeStyle": "render.styling",
    "Options": "session.options",
    "Preflight": "ship.preflight",
    "Rehearsal": "display.runs.rehearsal_card",
    "Replay": "ship.replayed_node",
    "Request": "model.request",
    "Run": "runner.run",
    "RunEvent": "model",
    "Settings": "runner.settings",
    "Shipment": "ship.shipment",
    "View": "display.view",
    "attach": "api",
    "cached": "api",
    "check": "api",
    "check_connector": "api",
    "check_plugin": "api",
    "check_transformer": "api",
    "clear_cache": "api",
    "cluster": "api",
    "code_of": "api",
    "container": "api",
    "control_for": "notebook.interactive",
    "display_for": "api",
    "draw": "api",
    "explore": "notebook.interactive",
    "export": "api",
    "follow": "api",
    "form": "notebook.interactive",
    "graph": "api",
    "launch": "api",
    "lens": "api",
    "load_ipython_extension": "notebook.extension",
    "load_run": "api",
    "options": "api",
    "parts": "",
    "register": "api",
    "rehearse": "api",
    "replay": "api",
    "run": "api",
    "set_style": "render.styling",
    "show": "api",
    "start": "api",
    "start_sweep": "api",
    "sweep": "api",
    "unload_ipython_extension": "notebook.extension",
    "uses": "api",
}
"""The module of each public name; a name without one is a module itself."""

_LIGHT = ("errors", "model", "model.request", "notebook.extension", "render.styling", "runner.settings")
"""Modules that don't import flytekit."""

__all__ = list(_HOMES)


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
