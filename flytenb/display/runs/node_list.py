"""Details of a finished run's nodes for a page without a kernel, limited in number, size and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flytenb.display.deadline import wait_for
from flytenb.display.limits import Limits
from flytenb.display.rendering import Show
from flytenb.display.runs.node_details import NodeDetails

if TYPE_CHECKING:
    from flytenb.runner.run import Run

NODES_LISTED = 60
_BYTES = 60_000
"""Most bytes of HTML of all values; later nodes have only their state and facts."""
_LOG = 2_000
_SECONDS = 2.0
_LIMITS = Limits(html=4_000, rows=5)


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
    room = _BYTES
    for path in paths:
        details = NodeDetails.of(run, path, show, limits=_LIMITS, has_values=room > 0)
        room -= sum(len(each.fragment.encode()) for each in (*details.inputs, *details.outputs, *details.decks))
        found.append(replace(details, log=details.log[-_LOG:]))
    return found
