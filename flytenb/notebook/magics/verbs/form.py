"""`%flyte form`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import ENTITY
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _form(line: Invocation) -> Any:
    from flytenb.notebook import interactive

    return interactive.form(line.entity())


VERB = Verb(
    name="form",
    summary="Show an input form of an entity, with a button that starts a run.",
    handler=_form,
    argument=ENTITY,
    details="The form also shows the Python line that starts the same run.",
)
