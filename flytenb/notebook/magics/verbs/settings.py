"""`%flyte settings`."""

from __future__ import annotations

from typing import Any

from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Verb


def _settings(line: Invocation) -> Any:
    from flytenb import api

    return api.settings(line.session)


VERB = Verb(
    name="settings",
    summary="List the settings of runs: value, where it was set, meaning.",
    handler=_settings,
    details=(
        "The first of these that sets a value wins:\n"
        "  1. the call: flytenb.options(workers=4), %flyte run wf(n=3) --workers 4\n"
        "  2. %config FlyteMagics.workers = 4, or c.FlyteMagics.workers = 4 in ipython_config.py\n"
        "  3. workers = 4 under [tool.flytenb] in the nearest pyproject.toml\n"
        "  4. the default"
    ),
)
