"""Displays of drawings and runs: the run card, the nodes as a table, timelines and comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flytenb.display.part import Column, Note, Part, PhaseCell, RangeCell, Section, Table, TrustedHtml
from flytenb.display.registry import BUILT_IN
from flytenb.display.rendering import render_value
from flytenb.display.view import View
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from flytenb.runner.comparison import Difference

_ROWS = 40
"""Most rows of a table of nodes: these of most workflows."""


@BUILT_IN.register("flytenb.runner.run.Run")
def show_run(value: Any, view: View) -> Part:
    """Show a run as it is now."""
    # Imported here: the run card needs the drawing code, which other values don't.
    from flytenb.display.runs.run_card import run_bundle

    bundle = run_bundle(value, partial(render_value, registry=view._registry))
    return TrustedHtml(bundle["text/plain"], bundle["text/html"])


@BUILT_IN.register("flytenb.render.drawing.Drawing")
def show_drawing(value: Any, view: View) -> Part:
    """Show a drawing as an image."""
    return TrustedHtml(value.text, value._inline_html())


@BUILT_IN.register("flytenb.runner.node_run.Nodes")
def show_nodes(value: Any, view: View) -> Part:
    """Show the nodes of a run: path, name, phase, duration, elements, cache and attempts."""
    from flytenb.render.captions import state_caption

    names = value.names()
    rows = []
    for path in _in_tree_order(value):
        node = value[path]
        took = "" if node.duration is None else duration_text(node.duration)
        _, _, more = state_caption(replace(node._state, duration=None)).partition(" · ")
        rows.append((path, names[path], PhaseCell.of(node.phase, has_started=node.started is not None), took, more))
    columns = ("node", "name", "phase", Column("took", is_number=True), "")
    elements = sum(path.rpartition("/")[2].isdigit() for path, *_ in rows)
    counts = [count_text(len(rows) - elements, "node")]
    counts += [count_text(elements, "element of a map", "elements of maps")] if elements else []
    return Section("", tuple(counts), Table(columns, rows, at_least=_ROWS))


def _in_tree_order(paths: Iterable[str]) -> list[str]:
    """Return the paths as they came, but those in a node after it, and elements of maps, perhaps thousands, last."""
    inside: dict[str, list[str]] = {}
    elements, known = [], dict.fromkeys(paths)
    for path in known:
        parent, _, name = path.rpartition("/")
        if name.isdigit():
            elements.append(path)
        else:
            inside.setdefault(parent if parent in known else "", []).append(path)
    ordered: list[str] = []
    waiting = inside.pop("", [])[::-1]
    while waiting:
        ordered.append(waiting.pop())
        waiting += inside.pop(ordered[-1], [])[::-1]
    return [*ordered, *elements]


@BUILT_IN.register("flytenb.runner.timeline.Timeline")
def show_timeline(value: Any, view: View) -> Part:
    """Show a timeline: a lane per node and per map; of too many, the critical ones (marked) and the longest."""
    critical = [bar.duration for bar in value.bars if bar.is_critical]
    facts = (duration_text(value.total), f"critical path (•) {duration_text(sum(critical))}" if critical else "")
    if not value.bars:
        return Note("no node has started")
    lanes = value.lanes
    by_weight = sorted(lanes, key=lambda bar: (bar.is_critical, bar.duration), reverse=True)
    shown = set(map(id, by_weight[: max(view.limits.rows, _ROWS)]))
    rows = []
    for bar in lanes:
        if id(bar) not in shown:
            continue
        start, stop = bar.start / value.scale, (bar.start + bar.duration) / value.scale
        drawn = RangeCell.of(start, stop, is_marked=bar.is_critical)
        name = f"{bar.name} •" if bar.is_critical else bar.name
        rows.append((bar.path, name, drawn, bar.took, PhaseCell.of(bar.phase, bar.more and f"· {bar.more}")))
    columns = ("node", "name", "", Column("took", is_number=True), "phase")
    return Section("timeline", facts, Table(columns, rows, len(lanes), at_least=_ROWS))


@BUILT_IN.register("flytenb.runner.comparison.Comparison")
def show_comparison(value: Any, view: View) -> Part:
    """Show what differs between two runs."""
    took = f"took {' and '.join(map(duration_text, value.durations))}"
    if not value.differences:
        return Section("nothing differs", (took,))
    rows = [_compared(difference) for difference in value.differences]
    facts = (count_text(len(rows), "difference"), took)
    return Section("", facts, Table(("node", "differs", "this run", "other run"), rows, at_least=_ROWS))


def _compared(difference: Difference) -> tuple[str, str, str, str]:
    """Return the texts of a difference; where those of both values are the same, of the first part that differs."""
    from flytenb.types.value_changes import first_change  # imported here: it needs flytekit, other values don't

    place, what, this, other = difference.texts()
    if this != other or difference.problem:
        return place, what, this, other
    try:
        change = first_change(difference.this, difference.other)
    except Exception:  # of the values' own code
        change = None
    if change is None:
        return place, what, this, other
    return place, clean(f"{what}{change.path}"), clean(change.before), clean(change.after)
