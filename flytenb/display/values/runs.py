"""Display of a run as a value: its run card."""

from __future__ import annotations

from functools import partial
from typing import Any

from flytenb.display.part import Part, TrustedHtml
from flytenb.display.registry import BUILT_IN
from flytenb.display.rendering import render_value
from flytenb.display.view import View


@BUILT_IN.register("flytenb.runner.run.Run")
def show_run(value: Any, view: View) -> Part:
    """Show a run as it is now."""
    # Imported here: the run card needs the drawing code, which other values don't.
    from flytenb.display.runs.run_card import run_bundle

    bundle = run_bundle(value, partial(render_value, registry=view._registry))
    return TrustedHtml(bundle["text/plain"], bundle["text/html"])
