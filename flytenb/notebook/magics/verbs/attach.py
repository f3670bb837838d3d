"""`%flyte attach`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Argument, Verb
from flytenb.notebook.magics.verbs.launch import CLUSTER_OPTIONS, chosen_cluster

EXECUTION = Argument("EXECUTION", "the name of an execution", "f6371abb3b1744e5d98a", lambda text, verb: None, bool)
"""Its name, `project:domain:name`, or its address in the console."""


def _attach(line: Invocation) -> Any:
    return chosen_cluster(line).attach(line.argument)


VERB = Verb(
    name="attach",
    summary="Return an execution on a cluster as a run, with its live view.",
    handler=_attach,
    argument=EXECUTION,
    options=CLUSTER_OPTIONS,
    details="EXECUTION is its name, `project:domain:name`, or the address of its page in the console.",
)
