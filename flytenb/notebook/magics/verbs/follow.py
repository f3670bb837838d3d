"""`%flyte follow`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.arguments import OPTIONAL_CALL
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _follow(line: Invocation) -> Any:
    from flytenb import api

    if "stop" in line.options:
        line.session.stop_following()
        return None
    if not line.argument:
        raise UsageError("%flyte follow needs a call", hint="%flyte follow my_workflow(n=3), or %flyte follow --stop")
    line.call()  # a mistake in it is an error of this line
    live = replace(line, names=line.shell.user_ns)  # later runs take the definitions of then
    return api.follow_call(line.session, line.argument, live.call)


VERB = Verb(
    name="follow",
    summary="Run a call, and again in the background after each cell that redefines something that it reaches.",
    handler=_follow,
    argument=OPTIONAL_CALL,
    options=(Option("stop", "follow no call any more"),),
    details="All runs are shown in this output. An edit cancels the run in progress; the last good values stay shown.",
)
