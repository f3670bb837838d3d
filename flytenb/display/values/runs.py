"""Display of a run that is a value: the same picture that it shows of itself."""

from __future__ import annotations

from typing import Any

from flytenb.display.part import Own, Part
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View


@BUILT_IN.display_for("flytenb.runner.run.Run")
def show_run(value: Any, view: View) -> Part:
    """Show a run as it stands now."""
    # Late: only a run needs it, and it shows values itself.
    from flytenb.display.runs.picture import run_bundle

    bundle = run_bundle(value)
    return Own(bundle["text/plain"], bundle["text/html"])
