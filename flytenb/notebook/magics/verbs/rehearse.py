"""`%flyte rehearse`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import CALL
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _rehearse(line: Invocation) -> Any:
    from flytenb import api

    answers = line.evaluate(line.options["with"]) if "with" in line.options else None
    entity, positional, inputs = line.call()
    return api.rehearse(entity, *positional, with_=answers, **inputs)


VERB = Verb(
    name="rehearse",
    summary="Run a call without accounts: show what its tasks send to services, and answer it here.",
    handler=_rehearse,
    argument=CALL,
    options=(
        Option(
            "with",
            "a database connection, a frame, a function of the request, outputs by name, or these by task",
            ("EXPRESSION",),
            complete=lambda cursor: cursor.names.values(),
        ),
    ),
    details="`rehearsal = %flyte rehearse wf(n=3) --with con` keeps the requests: `rehearsal.requests[0].sql`.",
)
