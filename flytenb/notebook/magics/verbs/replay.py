"""`%flyte replay`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Argument, Verb
from flytenb.notebook.magics.verbs.attach import EXECUTION, accept, complete_execution, execution_of
from flytenb.notebook.magics.verbs.launch import CLUSTER_OPTIONS, cluster_of


def _replay(line: Invocation) -> Any:
    execution, _, node = line.argument.partition(" ")
    return cluster_of(line.options).replay(execution_of(line, execution), node.strip())


VERB = Verb(
    name="replay",
    summary="Run a node of an execution here with its recorded inputs, and compare.",
    handler=_replay,
    argument=Argument("EXECUTION [NODE]", EXECUTION, "f6371abb3b1744e5d98a n0", accept, accept, complete_execution),
    options=CLUSTER_OPTIONS,
    details="The notebook's current task is run. Without NODE, the node that failed first, else the whole execution.",
)
