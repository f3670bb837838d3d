"""`%flyte check`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import ENTITY
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _check(line: Invocation) -> Any:
    from flytenb import api

    return api.check(line.entity())


VERB = Verb(
    name="check",
    summary="List what would go wrong for an entity on a cluster.",
    handler=_check,
    argument=ENTITY,
    details="What `%flyte export` refuses, types that are pickled, numbers and outputs that a cluster can't carry, "
    "names that collide, too many nodes, your own modules, and versions that differ from those of the image.",
)
