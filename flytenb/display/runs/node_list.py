"""Details of a finished run's nodes for a page without a kernel, limited in number, size and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from flytenb.display.deadline import wait_for
from flytenb.display.limits import Limits
from flytenb.display.rendering import Rendering, Show
from flytenb.display.runs.node_details import NodeDetails

if TYPE_CHECKING:
    from flytenb.runner.run import Run

NODES_LISTED = 60
_BYTES = 60_000
"""Most bytes of HTML of all values; later nodes have only their state and facts."""
_LOG = 2_000
_SECONDS = 2.0
_LIMITS = Limits(html=4_000, rows=5)
_WORTH = 500
"""Least bytes of a value's HTML that isn't repeated."""
_SECTION = '<div class="ft-section">'
_NAME = re.compile(r'<strong class="ft-name">(.*?)</strong>')
_HEAD = re.compile(f'{_SECTION}<div class="ft-head">.*?</div>')


def listed_nodes(run: Run, paths: Sequence[str], show: Show) -> list[NodeDetails]:
    """Return the details of nodes in their order; without values if rendering these takes too long."""
    shown = [path for path in paths[:NODES_LISTED] if path in run.nodes]
    try:
        return wait_for(lambda: _with_values(run, shown, show), _SECONDS)
    except TimeoutError:
        # The code of a value may take any time and can't be interrupted.
        return [NodeDetails.of(run, path, show, has_values=False) for path in shown]


def _with_values(run: Run, paths: Sequence[str], show: Show) -> list[NodeDetails]:
    found: list[NodeDetails] = []
    shown: dict[str, str] = {}
    room = _BYTES
    for path in paths:
        details = NodeDetails.of(run, path, show, limits=_LIMITS, has_values=room > 0)
        details = replace(details, **_shown_once(details, shown), log=details.log[-_LOG:])
        room -= sum(len(each.fragment.encode()) for each in (*details.inputs, *details.outputs, *details.decks))
        found.append(details)
    return found


def _shown_once(details: NodeDetails, shown: dict[str, str]) -> dict[str, Any]:
    """Return the inputs and outputs of a node; one that was shown before has its first line and the place.

    Args:
        details: of the node.
        shown: the places of what was shown, by the HTML without the name, to which those of the node are added.
    """

    title = escape(details.title)

    def once(value: Rendering) -> Rendering:
        name = _NAME.search(value.fragment)
        place = shown.setdefault(_NAME.sub("", value.fragment), f"{name[1] if name else 'a value'} of {title}")
        is_first = place.endswith(f" of {title}")
        if is_first or len(value.fragment) < _WORTH:
            return value
        head = _HEAD.match(value.fragment)
        line = head[0].removeprefix(_SECTION) if head else name[0] if name else ""
        note = Markup('<div class="ft-note">looks the same as {}</div>').format(Markup(place))
        return replace(value, fragment=f"{_SECTION}{line}{note}</div>")

    return {"inputs": tuple(map(once, details.inputs)), "outputs": tuple(map(once, details.outputs))}
