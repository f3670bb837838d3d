"""The functions of `flytenb`, on objects: called by magics, scripts and tests. No text is parsed here."""

from flytenb.api.cache_verbs import cached, clear_cache
from flytenb.api.cluster_verbs import attach, cluster, launch, register, replay
from flytenb.api.entity_verbs import code_of, display_for, draw, graph, show
from flytenb.api.run_verbs import (
    follow,
    follow_call,
    load_run,
    on_run,
    options,
    rehearse,
    run,
    start,
    start_sweep,
    sweep,
)
from flytenb.api.session_verbs import debug, defining, entities, error, forget, runs, settings
from flytenb.api.ship_verbs import check, export
from flytenb.api.type_verbs import check_connector, check_plugin, check_transformer, lens
from flytenb.bridge.entities.container_cell import kwtypes
from flytenb.languages.cell_entity import container
from flytenb.reach.state_uses import uses
from flytenb.runner.run import Run
from flytenb.session.options import Options

__all__ = [
    "Options",
    "Run",
    "attach",
    "cached",
    "check",
    "check_connector",
    "check_plugin",
    "check_transformer",
    "clear_cache",
    "cluster",
    "code_of",
    "container",
    "debug",
    "defining",
    "display_for",
    "draw",
    "entities",
    "error",
    "export",
    "follow",
    "follow_call",
    "forget",
    "graph",
    "kwtypes",
    "launch",
    "lens",
    "load_run",
    "on_run",
    "options",
    "register",
    "rehearse",
    "replay",
    "run",
    "runs",
    "settings",
    "show",
    "start",
    "start_sweep",
    "sweep",
    "uses",
]
