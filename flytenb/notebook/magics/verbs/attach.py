"""`%flyte attach`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.cursor import Cursor, Offer
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Argument, Verb
from flytenb.notebook.magics.verbs.launch import CLUSTER_OPTIONS, cluster_of


def complete_execution(cursor: Cursor) -> Offer | None:
    """Offer the executions of the latest runs."""
    return cursor.offer(cursor.names.executions(), "execution") if len(cursor.words) == 1 else None


def accept(text: str, verb: str = "") -> bool:
    """Take any text as the argument."""
    return True


EXECUTION = "the name of an execution"


def execution_of(line: Invocation, text: str) -> Any:
    """Return what a text names: the value of a run's variable or of `run.execution`, else the text itself.

    The name of an execution has no dot, and an address has a slash.
    """
    variable, dot, _ = text.partition(".")
    value = line.names.get(variable)
    if dot and (value is not None or all(part.isidentifier() for part in text.split("."))):
        return line.evaluate(text)
    return value if hasattr(value, "execution") else text


def _attach(line: Invocation) -> Any:
    return cluster_of(line.options).attach(execution_of(line, line.argument))


VERB = Verb(
    name="attach",
    summary="Return an execution on a cluster as a run, with its live view.",
    handler=_attach,
    argument=Argument("EXECUTION", EXECUTION, "f6371abb3b1744e5d98a", accept, accept, complete_execution),
    options=CLUSTER_OPTIONS,
    details="EXECUTION is its name, `project:domain:name`, the address of its page in the console, or `run.execution`.",
)
