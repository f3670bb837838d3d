"""`%flyte plans`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.notebook.magics.verbs.launch import CLUSTER_OPTIONS, cluster_of


def _names(cursor: Cursor) -> Any:
    return cursor.names.entities()


def _plans(line: Invocation) -> Any:
    cluster = cluster_of(line.options)
    for option, change in (("activate", cluster.activate), ("deactivate", cluster.deactivate)):
        if option in line.options:
            text = line.options[option]
            change(line.names.get(text, text))
    return cluster.plans()


VERB = Verb(
    name="plans",
    summary="List the launch plans of a cluster: schedules, inputs, which are active.",
    handler=_plans,
    options=(
        *CLUSTER_OPTIONS,
        Option("activate", "register and activate a launch plan", ("PLAN",), complete=_names, kind="entity"),
        Option("deactivate", "let its schedule start nothing more", ("PLAN",), complete=_names, kind="entity"),
    ),
    details="PLAN is a launch plan of the notebook, or the name of one on the cluster.",
)
