"""Messages to the page, as JSON data: layouts, frames and changes.

A *frame* is the whole state, *changes* are everything that changed since the last frame. Both are traits of the
widget's model, so that a page that loads late or misses a message becomes correct without asking.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.gate import without_value
from flytenb.display.runs.counts import counts_text, finished, node_counts
from flytenb.display.runs.run_card import given_texts, run_facts
from flytenb.display.runs.run_state import NodeRecord, RunState
from flytenb.model import Graph, Kind, NodeState, Phase
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.render import captions
from flytenb.render.group_states import case_states, merge_states
from flytenb.wording.kinds import phase_sign, phase_words
from flytenb.wording.text import without_code
from flytenb.wording.values import clean, clip

if TYPE_CHECKING:
    from flytenb.display.runs.node_details import NodeDetails
    from flytenb.runner.run import Run

_LONGEST = 2_000

_UNTOUCHED = NodeRecord()

BoxMessage = list[Any]
"""State of one box.

Phase, second line, `"HIT"`, `"REUSED"` or `""`, start time while it runs, error or question, and whether the second
line begins with the phase in words.
"""


def layout_message(number: int, picture: PageLayout, graph: Graph) -> dict[str, Any]:
    """Return the message with a layout.

    Args:
        number: number of the layout.
        picture: the layout.
        graph: the whole graph.
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
    """Return the state of one box."""
    shown_start = started if state.phase is Phase.RUNNING else None
    return [
        str(state.phase),
        captions.state_caption(state),
        str(state.source or ""),
        shown_start,
        clip(clean(without_code(state.text)), _LONGEST),
        captions.has_words(state),
    ]


def box_messages(state: RunState, picture: PageLayout, paths: Iterable[str]) -> dict[str, BoxMessage]:
    """Return the states of the boxes that show these nodes; a hidden node is reported by its container."""
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
        if picture.graph.nodes[box].kind is Kind.BRANCH:
            cases = case_states(picture.graph, box, lambda path: entries[path].state if path in entries else None)
            found |= {path: box_message(case, None) for path, case in cases.items()}
        if box in state.waiting:
            found[box][1] = "waits for an answer"
    return found


def run_message(state: RunState, graph: Graph, now: float, run: Run | None = None) -> dict[str, Any]:
    """Return the state of the run.

    Args:
        state: the run's state.
        graph: the whole graph.
        now: the kernel's time, by which the page sets its clock.
        run: the run, whose inputs and settings are in the first line.
    """
    own = state.run
    counts = node_counts(state, graph)
    took = None if own.started is None or own.ended is None else own.ended - own.started
    if run is not None and own.phase.is_terminal:
        facts = run_facts(run)
    else:
        facts = " · ".join([counts_text(counts), *(given_texts(run) if run is not None else ())])
    return {
        "phase": str(own.phase),
        "sign": phase_sign(str(own.phase)),
        "words": phase_words(str(own.phase)),
        "started": own.started,
        "took": took,
        "now": now,
        "facts": facts,
        "done": finished(counts),
        "total": counts.total(),
        "why": clip(clean(without_code(own.text)), _LONGEST),
        "gates": [_gate(path, question, graph) for path, question in state.waiting.items()],
    }


def _gate(path: str, question: str, graph: Graph) -> dict[str, str]:
    node = graph.nodes.get(path)
    kind = str(node.settings.get("gate", "")) if node is not None else ""
    outputs = node.interface.outputs if node is not None else ()
    declared = outputs[0].type if kind == "input" and outputs else ""
    return {"path": path, "question": clean(question), "kind": kind or "approve", "type": clean(declared)}


def details_message(details: NodeDetails, members: list[list[str]]) -> dict[str, Any]:
    """Return the message with the details of a node.

    Args:
        details: the details.
        members: path, name and state of the nodes that its box represents.
    """
    values = (("inputs", details.inputs), ("outputs", details.outputs), ("decks", details.decks))
    return {
        "kind": "details",
        "path": details.path,
        "name": details.title,
        "phase": details.phase,
        "state": details.state,
        "facts": list(details.facts),
        "earlier": list(details.earlier),
        "error": details.error,
        "values": [
            {"title": title, "fragments": [each.fragment for each in shown]} for title, shown in values if shown
        ],
        "members": members,
        "links": list(details.links),
        "log": details.log,
        "logSize": details.log_size,
        "source": list(details.source),
        "failedLine": details.failed_line,
    }


def asked_message(asked: str, details: NodeDetails) -> dict[str, Any]:
    """Return the message with the value that a gate asks about.

    Args:
        asked: the question of the gate.
        details: the details of the gate.
    """
    return {
        "kind": "asked",
        "path": details.path,
        "question": clean(without_value(asked)),
        "fragments": [each.fragment for each in details.inputs],
    }
