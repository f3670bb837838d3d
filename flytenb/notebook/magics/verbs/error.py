"""`%flyte error`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import FAILED_NODE
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _error(line: Invocation) -> Any:
    from flytenb import api

    return api.error(line.session, line.argument)


VERB = Verb(
    name="error",
    summary="Show the whole traceback of the error shown last: every frame, cause and context.",
    handler=_error,
    argument=FAILED_NODE,
    details="`%flyte error n2` or `%flyte error fit` shows that of one node of the latest failed run.",
)
