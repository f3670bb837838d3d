"""`%flyte debug`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import FAILED_NODE
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _debug(line: Invocation) -> Any:
    """Assign the inputs, offer the function as the next cell, and point `%debug` to the frame that failed."""
    from flytenb import api

    shell, session = line.shell, line.session
    found = api.debug(session, line.argument, shell.user_ns)
    shell.push(dict(found.values))
    if found.body:
        session.debug_functions.add(found.function)
        shell.set_next_input(found.body, replace=False)
    tracer = getattr(shell, "InteractiveTB", None)
    if found.has_frames and tracer is not None:
        # An error card leaves IPython's own traceback as it was.
        tracer.tb = found.error.__traceback__
    return found


VERB = Verb(
    name="debug",
    summary="Assign a failed node's inputs to variables and put its function into a new cell.",
    handler=_debug,
    argument=FAILED_NODE,
    details=(
        "`%flyte debug` takes the node that made the latest run fail, `%flyte debug n2` or `%flyte debug fit`\n"
        "another failed node. A variable that exists keeps its value; the input then gets a name with a number.\n"
        "`%debug` opens the frame that failed."
    ),
)
