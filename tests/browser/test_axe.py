"""What axe-core and measured contrasts find in drawings, run cards and explorers: both themes, and a narrow window."""

from __future__ import annotations

import itertools
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
from flytenb.model import Node, NodeState, Phase
from flytenb.notebook.explore.explorer import Explorer
from flytenb.render.drawing import draw
from tests import render_samples as samples
from tests.browser.contrasts import low_contrasts

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


def not_run() -> str:
    states = {path: NodeState(Phase.SKIPPED) for path in ("n1/n0", "n1/n1", "n1/n1/n0")}
    return draw(samples.branch(), states={**states, "n0": NodeState(Phase.ABORTED, 1.0)}).svg


def stale() -> str:
    builder = samples.GraphBuilder("stale")
    builder.task("n0", "redefined", stale="it was redefined in cell 3")
    return draw(builder.graph()).svg


def folded() -> str:
    builder = samples.GraphBuilder("many")
    for number in range(200):
        builder.task(f"n{number}", "ab"[number % 2])
    return draw(builder.graph()).svg


def own_style() -> str:
    colours = itertools.cycle(("#000000", "#ffffff", "#f0e442", "#ff0000", "#0000ff", "#00ff00", "#d55e00"))

    def style(node: Node) -> flytenb.NodeStyle:
        return flytenb.NodeStyle(colour=next(colours), badge="team")

    graph, states = samples.phases()
    return draw(graph, states=states, style=style).svg + draw(samples.nested(), style=style, upstream="n2").svg


def of_a_run() -> str:
    run, other = (flytenb.start(counted, n=n).wait() for n in (2, 5))
    return "".join(map(shown, (run.timeline(), run.nodes, run.compare(other))))


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
    "not run": not_run,
    "stale": stale,
    "folded": folded,
    "styled": own_style,
    "of a run": of_a_run,
    "lens": lambda: shown(flytenb.lens(list[int], sample=[1, 2])),
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
        "<!doctype html><html lang='en'><head><title>shown</title><style>"
        ":root{color-scheme:light dark;--jp-layout-color2:light-dark(#eee,#424242)}"  # JupyterLab's
        "body{background:Canvas;color:CanvasText;font:14px sans-serif}</style></head>"
        f"<body><main><h1>shown</h1>{parts}</main></body></html>"
    )
    themed.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    found = Axe().run(themed, options=RULES)
    assert [
        (v["id"], v["help"], [(n["target"], n["failureSummary"]) for n in v["nodes"][:3]])
        for v in found.response["violations"]
    ] == []
    for name in SHOWN:
        assert (name, low_contrasts(themed, f"section[aria-label='{name}']")) == (name, [])
    for name, row in (("of a run", "td.ft-succeeded"), ("sweep", ".ft-sweep-run>summary")):
        themed.locator(f"section[aria-label='{name}'] {row}").first.hover()
        assert (name, low_contrasts(themed, f"section[aria-label='{name}']")) == (name, [])
