"""The page's side of the live view by itself: how long the first picture takes, and each update after it,
our part alone and with the browser's styles and layout.

All nodes are drawn, none folded. JSON lines on standard output; needs Chromium.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from flytekit import task, workflow
from playwright.sync_api import sync_playwright

import flytenb
from flytenb.display.live.ledger import Ledger
from flytenb.display.live.news import boxes_news, picture_news, run_news
from flytenb.display.live.picture import Picture
from flytenb.display.live.widget import page_module, page_style
from flytenb.model import Graph, Phase, RunEvent

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.alone import MODEL, PAGE

MOST_MS = 2.0
"""What an update may take."""


@task
def nap(x: int) -> int:
    return x


def wide_graph(size: int) -> Graph:
    """So many tasks that don't depend on each other."""

    @workflow
    def wide(x: int = 1) -> int:
        last = x
        for _ in range(size):
            last = nap(x=x)
        return last

    return flytenb.graph(wide)


_TIME = """
async ([updates]) => {
  const taken = [];
  for (const [name, value] of updates) {
    const start = performance.now();
    window.model.set(name, value);
    const ours = performance.now() - start;
    document.body.getBoundingClientRect(); // makes the browser compute styles and layout now
    taken.push([ours, performance.now() - start]);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  return taken;
}
"""


def measure(size: int) -> dict[str, Any]:
    """Let the nodes run as a run would, ten beginning and ten ending between two updates, and time each update."""
    graph = wide_graph(size)
    picture = Picture.of(graph, frozenset())
    ledger = Ledger()
    paths = [path for path, node in graph.nodes.items() if not node.is_pseudo]
    state = {
        "about": {"name": "wide", "isExplorer": False},
        "picture": picture_news(1, picture, graph),
        "frame": {"key": 1, "boxes": boxes_news(ledger, picture, paths), "run": run_news(ledger, graph, 0.0)},
        "changes": {"key": 0, "boxes": {}},
    }
    updates = []
    changed: set[str] = set()
    for at in range(0, len(paths), 10):
        for path in paths[at : at + 10]:
            ledger.take(RunEvent(float(at + 1), "phase", path, Phase.RUNNING))
        for path in paths[max(0, at - 10) : at]:
            ledger.take(RunEvent(float(at + 1), "phase", path, Phase.SUCCEEDED))
        changed |= ledger.read()[0]
        boxes = boxes_news(ledger, picture, changed)
        updates.append(["changes", {"key": 1, "boxes": boxes, "run": run_news(ledger, graph, float(at))}])
        if len(changed) > 180:
            frame = boxes_news(ledger, picture, paths)
            updates.append(["frame", {"key": 1, "boxes": frame, "run": run_news(ledger, graph, float(at))}])
            changed.clear()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_content(PAGE)
        start = time.perf_counter()
        page.evaluate(MODEL, [page_module(), page_style(), state, "light"])
        first = time.perf_counter() - start
        pairs = page.evaluate(_TIME, [updates])
        painted = page.locator(".ftl-stage .ft-node[data-phase=SUCCEEDED]").count()
        browser.close()
    assert painted == size - 10, painted
    taken, whole = ([pair[i] for pair in pairs] for i in (0, 1))
    return {
        "workload": "live_page",
        "size": size,
        "side": "flytenb",
        "first_picture_ms": 1000 * first,
        "median_update_ms": statistics.median(taken),
        "p95_update_ms": sorted(taken)[int(0.95 * len(taken))],
        "max_update_ms": max(taken),
        "median_with_layout_ms": statistics.median(whole),
        "p95_with_layout_ms": sorted(whole)[int(0.95 * len(whole))],
        "is_reached": statistics.median(taken) <= MOST_MS,
        "is_reached_with_layout": statistics.median(whole) <= MOST_MS,
        "updates": len(taken),
    }


def main() -> int:
    """Print one JSON line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=(10, 100, 1000))
    for size in parser.parse_args().sizes:
        print(json.dumps(measure(size)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
