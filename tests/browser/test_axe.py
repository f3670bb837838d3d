"""What axe-core finds in drawings, run cards and explorers without a front end: both themes, and a narrow window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flytekit import task, workflow
from playwright.sync_api import Browser, Page

import flytenb
from flytenb.display.html import page as styled
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.notebook.explore.explorer import Explorer
from flytenb.render.drawing import draw
from tests import render_samples as samples

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}


@task
def rows(n: int) -> list[dict[str, int]]:
    print("made rows")
    return [{"a": i} for i in range(n)]


@task
def checked(rows: list[dict[str, int]]) -> int:
    if len(rows) > 3:
        raise ValueError("too many rows")
    return len(rows)


@workflow
def counted(n: int = 3) -> int:
    return checked(rows=rows(n=n))


@dataclass
class Mark:
    at: float
    words: list[str]


@dataclass
class Tape:
    name: str
    marks: list[Mark]


@task
def nested() -> Tape:
    return Tape("first", [Mark(0.5, ["a", "b"]), Mark(1.5, ["c"])])


def phases() -> str:
    graph, states = samples.phases()
    return draw(graph, states=states).svg


def card(entity: Any, **inputs: int) -> str:
    return run_bundle(flytenb.start(entity, **inputs).wait(), show)["text/html"]


def explorer() -> str:
    return styled(Explorer([{"a": n, "b": {"c": n}} for n in range(50)]).open())


def shown(value: Any) -> str:
    return str(show(value)._repr_mimebundle_()["text/html"])


def sweep() -> str:
    return shown(flytenb.sweep(counted, n=[1, 2]))


def long_text() -> str:
    return shown("\n".join(f"line {n}" for n in range(60)))


SHOWN = {
    "phases": phases,
    "frames": lambda: draw(samples.nested()).svg,
    "kinds": lambda: draw(samples.constructs()).svg,
    "succeeded": lambda: card(counted, n=2),
    "failed": lambda: card(counted, n=5),
    "nested": lambda: card(nested),
    "explorer": explorer,
    "sweep": sweep,
    "long text": long_text,
    "drawing": lambda: shown(flytenb.draw(counted)),
}


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 400)], ids=["light", "dark", "narrow"])
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    theme, width = request.param
    page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 800})
    yield page
    page.close()


def test_axe_finds_nothing(themed: Page) -> None:
    """One page for all: starting axe takes longer than its rules."""
    parts = "".join(f"<section aria-label='{name}'><h2>{name}</h2>{make()}</section>" for name, make in SHOWN.items())
    themed.set_content(
        "<!doctype html><html lang='en'><head><title>shown</title><style>:root{color-scheme:light dark}"
        "body{background:Canvas;color:CanvasText;font:14px sans-serif}</style></head>"
        f"<body><main><h1>shown</h1>{parts}</main></body></html>"
    )
    themed.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(themed, options=RULES)
    assert [
        (v["id"], v["help"], [(n["target"], n["failureSummary"]) for n in v["nodes"][:3]])
        for v in found.response["violations"]
    ] == []
