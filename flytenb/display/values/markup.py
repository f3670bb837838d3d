"""Display of flytekit decks."""

from __future__ import annotations

from typing import Any

from flytenb.display.part import Html, Part, Section
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register


@register("flytekit.deck.Deck")
def show_deck(value: Any, view: View) -> Part:
    """Show a deck in a sandboxed frame; flytekit doesn't escape its content."""
    return Section(class_name(value), (brief(value.name, 60).strip("'"),), Html(value.html))
