"""`%flyte runs`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _runs(line: Invocation) -> Any:
    from flytenb import api

    return api.runs(line.session)


VERB = Verb(
    name="runs",
    summary="List the latest runs, oldest first: phase, start, duration, error.",
    handler=_runs,
    details="`runs = %flyte runs` keeps the list: `runs[-1]` is the latest run.",
)
