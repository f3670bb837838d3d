"""What the page is told, as plain data for JSON: the picture, where everything stands, what changed since.

A *frame* is the whole state, *changes* are everything that changed since the last frame. Both are kept by the page's
model, so that a page that comes late, or missed a message, needs nobody's answer to be right again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flytenb.display.runs.counts import counts_text, finished, node_counts
from flytenb.display.runs.run_state import NodeRecord, RunState
from flytenb.model import CacheStatus, Graph, NodeState, Phase
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.render import captions
from flytenb.render.group_states import merge_states
from flytenb.wording.values import clean, clip

_LONGEST = 2_000

_UNTOUCHED = NodeRecord()

BoxMessage = list[Any]
"""One box: phase, second line, whether a cache answered (0 or 1), when it started if it runs, why or for what."""


def layout_message(number: int, picture: PageLayout, graph: Graph) -> dict[str, Any]:
    """Return a layout for the page.

    Args:
        number: which layout it is.
        picture: the layout.
        graph: all of what runs.
    """
    can = dict.fromkeys(picture.open, "close")
    can |= dict.fromkeys(picture.shut, "open")
    can |= {path: "open" for path, node in picture.graph.nodes.items() if "folded" in node.settings}
    names = {p: clean(n.name) for p, n in graph.nodes.items() if not n.is_pseudo}
    return {
        "number": number,
        "svg": picture.svg,
        "text": picture.text if not picture.svg else "",
        "notes": [clean(note) for note in picture.notes],
        "can": can,
        "names": names,
        "at": {path: at for path, at in picture.shown_at.items() if path in names},
    }


def box_message(state: NodeState, started: float | None) -> BoxMessage:
    """Return where one box stands."""
    shown_start = started if state.phase is Phase.RUNNING else None
    is_hit = state.cache is CacheStatus.HIT and state.phase is Phase.SUCCEEDED
    return [
        str(state.phase),
        captions.state_caption(state),
        int(is_hit),
        shown_start,
        clip(clean(state.text), _LONGEST),
    ]


def box_messages(state: RunState, picture: PageLayout, paths: Iterable[str]) -> dict[str, BoxMessage]:
    """Return where the boxes stand that show these nodes; a node that nobody draws is told of by its container."""
    found: dict[str, BoxMessage] = {}
    entries = state.entries
    for box in {picture.box_of(path) for path in paths} - {None}:
        assert box is not None
        if picture.graph.nodes[box].is_pseudo:
            continue
        own = entries.get(box, _UNTOUCHED)
        members = picture.members.get(box, ())
        merged = merge_states(
            (entries.get(p, _UNTOUCHED).state for p in members), own.state if box in entries else None
        )
        found[box] = box_message(merged if members else own.state, own.started)
        if box in state.waiting:
            found[box][1] = "waits for an answer"
    return found


def run_message(state: RunState, graph: Graph, now: float) -> dict[str, Any]:
    """Return where the run itself stands.

    Args:
        state: what has happened.
        graph: what runs.
        now: the kernel's clock, by which the page sets its own.
    """
    run = state.run
    counts = node_counts(state, graph)
    took = None if run.started is None or run.ended is None else run.ended - run.started
    return {
        "phase": str(run.phase),
        "started": run.started,
        "took": took,
        "tookText": "" if took is None else captions.seconds(took),
        "now": now,
        "counts": counts_text(counts),
        "done": finished(counts),
        "total": counts.total(),
        "why": clip(clean(run.text), _LONGEST),
        "gates": [_gate(path, question, graph) for path, question in state.waiting.items()],
    }


def _gate(path: str, question: str, graph: Graph) -> dict[str, str]:
    node = graph.nodes.get(path)
    kind = str(node.settings.get("gate", "")) if node is not None else ""
    outputs = node.interface.outputs if node is not None else ()
    declared = outputs[0].type if kind == "input" and outputs else ""
    return {"path": path, "question": clean(question), "kind": kind or "approve", "type": clean(declared)}
