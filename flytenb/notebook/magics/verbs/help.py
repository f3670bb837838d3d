"""`%flyte help`."""

from __future__ import annotations

from typing import Any

from flytenb.errors import UsageError, closest
from flytenb.notebook.magics.arguments import VERB as VERB_NAME
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb, overview


def _help(line: Invocation) -> Any:
    if not line.argument:
        return overview(line.verbs)
    if line.argument not in line.verbs:
        raise UsageError(f"unknown verb {line.argument!r} of %flyte", hint=closest(line.argument, line.verbs))
    return line.verbs[line.argument].help


VERB = Verb(
    name="help",
    summary="Describe the verbs of %flyte, or one of them in detail.",
    handler=_help,
    argument=VERB_NAME,
)
