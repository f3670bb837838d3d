"""`%flyte show`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.arguments import VALUE
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb


def _show(line: Invocation) -> Any:
    from flytenb import api
    from flytenb.notebook import interactive

    show = interactive.explore if "explore" in line.options else api.show
    return show(line.evaluate())


VERB = Verb(
    name="show",
    summary="Show a value by its type.",
    handler=_show,
    argument=VALUE,
    options=(Option("explore", "with controls: pages, sorting and search of rows, slices"),),
)
