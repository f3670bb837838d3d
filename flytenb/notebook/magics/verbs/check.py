"""`%flyte check`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import ENTITIES
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _check(line: Invocation) -> Any:
    from flytenb import api

    inputs = line.options.get("inputs")
    return api.check(
        line.entity() if line.argument else None,
        pod="pod" in line.options,
        inputs=None if inputs is None else line.evaluate(inputs),
    )


VERB = Verb(
    name="check",
    summary="List what would go wrong for an entity on a cluster.",
    handler=_check,
    argument=ENTITIES,
    options=(
        Option("pod", "run every task by the command of its pod too, and compare with the latest run"),
        Option(
            "inputs",
            "compare with a new run with these inputs: dict(n=3)",
            ("EXPRESSION",),
            complete=lambda cursor: cursor.names.values(),
        ),
    ),
    details="What `%flyte export` refuses, types that are pickled, numbers and outputs that a cluster can't carry, "
    "names that collide, too many nodes, your own modules, and versions that differ from those of the image. "
    "Without a name, all that the cells define.",
)
