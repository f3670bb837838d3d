"""`%flyte launch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flytenb.notebook.magics.arguments import CALL
from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def config_files(cursor: Cursor) -> Iterable[str]:
    """Return the configuration files of clusters in the working directory."""
    return sorted(str(path) for path in Path().glob("*.yaml"))


def _domains(cursor: Cursor) -> Iterable[str]:
    return ("development", "staging", "production")


CLUSTER_OPTIONS = (
    Option("config", "the configuration file of the cluster", ("FILE",), complete=config_files, kind="file"),
    Option("project", "the project, by default flytesnacks", ("NAME",), complete=lambda cursor: ("flytesnacks",)),
    Option("domain", "the domain, by default development", ("NAME",), complete=_domains),
)
_NAMES = ("config", "project", "domain")


def cluster_of(options: Mapping[str, Any]) -> Any:
    """Return the cluster that options choose."""
    from flytenb import api

    return api.cluster(**{name: options[name] for name in _NAMES if name in options})


def _launch(line: Invocation) -> Any:
    cluster = cluster_of(line.options)
    entity, positional, inputs = line.call()
    if "dry-run" in line.options:
        return cluster.register(entity, dry_run=True)
    run = cluster.launch(entity, *positional, **inputs)
    return run.wait() if "wait" in line.options else run


VERB = Verb(
    name="launch",
    summary="Register a call's entity on a cluster, start it there, and return the run at once.",
    handler=_launch,
    argument=CALL,
    options=(
        *CLUSTER_OPTIONS,
        Option("dry-run", "show what would be registered, and send nothing"),
        Option("wait", "wait for the end; an interrupt ends the wait and not the execution"),
    ),
    details="The live view shows the execution. `run.wait()`, `run.cancel()` and `await run` follow it.",
)
