"""The page's side of the live view by itself: how long the first picture takes, what each update costs the page.

An update's cost is what the browser's own trace says of the page's main thread, in processor time: our script, styles,
layout, painting, and handing it over. All nodes are drawn, none folded, all in view. Of so many changes between two
updates, half are nodes that begin and half nodes that end: neighbours, or *scattered* over the drawing.
The *bare* side is no code of ours: one `svg` with as many groups of a box, of which as many get another class.
JSON lines on standard output; needs Chromium.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import flytenb
from flytenb.display.runs.run_state import RunState
from flytenb.model import Phase, RunEvent
from flytenb.notebook.live.messages import box_messages, layout_message, run_message
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.notebook.live.run_widget import page_module, page_style

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "sides"))

from flows import layered

from tests.browser.alone import MODEL, PAGE

MOST_MS = 2.0
"""What an update may take."""

_STEPS = {
    "UpdateLayoutTree": "style",
    "Layout": "layout",
    "PrePaint": "prepaint",
    "Paint": "paint",
    "Layerize": "layers",
    "Commit": "layers",
}
"""What the trace calls a step → what we do."""

_TELL = """
async ([updates]) => {
  for (const update of updates) {
    performance.mark("update");
    window.tell(update);
    performance.mark("told");
    // until everything is drawn that follows from it, however late: three frames
    for (let i = 0; i < 3; i += 1) await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 5)));
  }
  performance.mark("update");
}
"""

_OURS = "() => { window.tell = ([name, value]) => window.model.set(name, value); }"

_BARE = """
size => {
  const make = (tag, attributes, parent) => {
    const made = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", tag));
    for (const name in attributes) made.setAttribute(name, attributes[name]);
    return made;
  };
  document.head.append(Object.assign(document.createElement("style"), { textContent:
    "svg{position:absolute}.on>rect{stroke:blue}.over>rect{stroke:green}rect{fill:none;stroke:grey}" }));
  const svg = make("svg", { width: 1180, height: 560 }, document.body);
  const across = Math.ceil(Math.sqrt(size));
  const groups = Array.from({ length: size }, (_, i) => make("g", {}, svg));
  const box = (i) => ({ x: 36 * (i % across), y: 16 * Math.floor(i / across), width: 30, height: 10 });
  groups.forEach((group, i) => make("rect", box(i), group));
  window.tell = ([on, over]) => {
    for (const i of on) groups[i].setAttribute("class", "on");
    for (const i of over) groups[i].setAttribute("class", "over");
  };
}
"""


def state_and_updates(size: int, step: int, *, is_scattered: bool) -> tuple[dict[str, Any], list[list[Any]]]:
    """Return what the page's model holds at first, and what it is told of a run afterwards."""
    graph = flytenb.graph(layered(size))
    picture = PageLayout.of(graph, frozenset())
    run_state = RunState()
    paths = [path for path, node in graph.nodes.items() if not node.is_pseudo]
    began = run_message(run_state, graph, 0.0)
    state = {
        "about": {"name": "layers", "isExplorer": False},
        "picture": layout_message(1, picture, graph),
        "frame": {"key": 1, "boxes": box_messages(run_state, picture, paths), "run": began},
        "changes": {"key": 0, "boxes": {}},
    }
    if is_scattered:
        random.Random(0).shuffle(paths)
    updates: list[list[Any]] = []
    changed: set[str] = set()
    key = 1
    for at in range(0, len(paths), step):
        for path in paths[at : at + step]:
            run_state.take(RunEvent(float(at + 1), "phase", path, Phase.RUNNING))
        for path in paths[max(0, at - step) : at]:
            run_state.take(RunEvent(float(at + 1), "phase", path, Phase.SUCCEEDED))
        changed |= run_state.read()[0]
        is_frame = len(changed) > 180
        boxes = box_messages(run_state, picture, paths if is_frame else changed)
        name = "frame" if is_frame else "changes"
        key += is_frame
        updates.append([name, {"key": key, "boxes": boxes, "run": run_message(run_state, graph, float(at))}])
        if is_frame:
            changed.clear()
    return state, updates


def traced(page: Page, job: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the browser's trace of a job."""
    events: list[dict[str, Any]] = []
    ends: list[object] = []
    session = page.context.new_cdp_session(page)
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda end: ends.append(end))  # playwright refuses builtins
    config = {"includedCategories": ["devtools.timeline", "blink.user_timing"]}
    session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})
    job()
    session.send("Tracing.end")
    while not ends:
        page.wait_for_timeout(20)
    session.detach()
    return events


def costs(events: list[dict[str, Any]]) -> list[Counter[str]]:
    """Return, for each update, the milliseconds of each step."""
    marks = sorted((e for e in events if e["name"] in ("update", "told")), key=lambda e: e["ts"])
    main = (marks[0]["pid"], marks[0]["tid"])
    starts = [mark["ts"] for mark in marks if mark["name"] == "update"]
    found: list[Counter[str]] = [Counter() for _ in starts]
    for one, other in pairwise(marks):
        if one["name"] == "update" and other["name"] == "told":
            found[starts.index(one["ts"])]["script"] = (other["ts"] - one["ts"]) / 1000
    for event in events:
        step = _STEPS.get(event["name"])
        at = bisect(starts, event["ts"]) - 1
        if step and at >= 0 and (event["pid"], event["tid"]) == main and event.get("ph") == "X":
            found[at][step] += event.get("tdur", event["dur"]) / 1000
    return found[1:-1]


def measure(page: Page, side: str, size: int, changes: int) -> dict[str, Any]:
    """Tell a page of a whole run, and take what each update costs it."""
    page.set_content(PAGE)
    first, step = 0.0, changes // 2
    if side == "bare":
        page.evaluate(_BARE, size)
        groups = range(0, size, step)
        updates = [[list(range(i, min(i + step, size))), list(range(max(0, i - step), i))] for i in groups]
    else:
        state, updates = state_and_updates(size, step, is_scattered=side == "scattered")
        start = time.perf_counter()
        page.evaluate(MODEL, [page_module(), page_style(), state, "light"])
        first = time.perf_counter() - start
        page.evaluate(_OURS)
    page.wait_for_timeout(500)
    found = costs(traced(page, lambda: page.evaluate(_TELL, [updates])))
    over = ".over" if side == "bare" else ".ftl-stage .ft-node[data-phase=SUCCEEDED]"
    totals = sorted(sum(cost.values()) for cost in found)
    steps = ("script", *dict.fromkeys(_STEPS.values()))
    return {
        "workload": "live_page",
        "size": size,
        "changes": changes,
        "side": side,
        "first_picture_ms": round(1000 * first),
        "median_update_ms": round(statistics.median(totals), 2),
        "p95_update_ms": round(totals[int(0.95 * len(totals))], 2),
        "max_update_ms": round(totals[-1], 2),
        "is_reached": statistics.median(totals) <= MOST_MS,
        "steps_ms": {step: round(statistics.median(cost[step] for cost in found), 2) for step in steps},
        "updates": len(totals),
        "told": page.locator(over).count() + min(step, size),
    }


def main() -> int:
    """Print one JSON line per size, number of changes, and side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=(100, 1000))
    parser.add_argument("--changes", type=lambda text: tuple(map(int, text.split(","))), default=(10, 20))
    parser.add_argument("--sides", type=lambda text: tuple(text.split(",")), default=("bare", "flytenb", "scattered"))
    parser.add_argument("--rounds", type=int, default=1, help="how often the sides take turns")
    options = parser.parse_args()
    with sync_playwright() as play:
        program = shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for size, changes, _, side in product(options.sizes, options.changes, range(options.rounds), options.sides):
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            print(json.dumps(measure(page, side, size, changes)), flush=True)
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
