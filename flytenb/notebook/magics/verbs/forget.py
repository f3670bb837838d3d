"""`%flyte forget`."""

from __future__ import annotations

from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.cursor import Cursor, Offer
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Argument, Verb


def _forget(line: Invocation) -> Any:
    from flytenb import api

    chosen = [line.evaluate(name) for name in line.argument.split()]
    for name, run in zip(line.argument.split(), chosen, strict=True):
        if not isinstance(run, api.Run):
            raise UsageError(f"expected a run, got {name} = {run!r}", hint="%flyte forget run")
    api.forget(line.session, chosen)


def _are_names(text: str) -> bool:
    return all(word.isidentifier() for word in text.split())


def _check(text: str, verb: str = "") -> None:
    if not _are_names(text):
        raise UsageError(f"expected names of variables with runs, got {text!r}", hint="%flyte forget run")


def _complete(cursor: Cursor) -> Offer | None:
    return cursor.offer(cursor.names.runs(), "run")


VERB = Verb(
    name="forget",
    summary="Drop the values of runs: those in variables, or without one all that have ended.",
    handler=_forget,
    argument=Argument("[RUN …]", check=_check, is_complete=_are_names, complete=_complete),
    details="Phases, logs and durations stay. `run.forget()` does the same for one run.",
)
