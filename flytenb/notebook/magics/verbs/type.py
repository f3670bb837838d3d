"""`%flyte type`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import TYPE
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _type(line: Invocation) -> Any:
    from flytenb import api

    samples = {name: line.evaluate(text) for name, text in line.options.items()}
    return api.lens(line.evaluate(), **samples)


VERB = Verb(
    name="type",
    summary="Show how flytekit handles a type: transformer, the reason for it, literal type.",
    handler=_type,
    argument=TYPE,
    options=(
        Option(
            "sample",
            "a value of the type, the rest of the line, to be converted into a literal and back",
            ("EXPRESSION",),
            complete=lambda cursor: cursor.names.values(),
            takes_rest=True,
        ),
    ),
)
