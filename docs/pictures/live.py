"""Take the pictures of the live view: a run that stands still, with an open node, in both themes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

import flytenb  # noqa: E402
from flytenb.notebook.live.page_controller import PageController  # noqa: E402
from tests.browser import live_flows as flows  # noqa: E402
from tests.browser.alone import Alone, Latch  # noqa: E402
from tests.browser.lab import chromium  # noqa: E402


def take(theme: str) -> list[Path]:
    """Take the run as a whole, and the same with a node open."""
    flows.latch = Latch()
    run = flytenb.start(flows.survey)
    path = {node.name: path for path, node in run.graph.nodes.items()}
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 980, "height": 820}, device_scale_factor=2)
        view = Alone(page, PageController(run), theme=theme)
        view.until(lambda: view.phase(path["fit"]) == "RUNNING" and view.element.locator(".ftl-gate").count() == 1)
        time.sleep(0.3)
        pictures = [HERE / f"live-{theme}.png", HERE / f"live-node-{theme}.png"]
        view.element.screenshot(path=pictures[0])
        view.node(path["clean"]).click()
        view.until(lambda: "outputs" in view.inspector.inner_text())
        view.element.screenshot(path=pictures[1])
    run.cancel()
    flows.latch.open()
    return pictures


def main() -> int:
    """Take all pictures and say where they are."""
    for theme in ("light", "dark"):
        for picture in take(theme):
            print(picture.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
