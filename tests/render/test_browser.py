"""Drawings in a real browser: nothing runs, nothing overflows, both themes work, a page can colour a node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from flytenb.render.drawing import Drawing, draw
from flytenb.render.theme import COLOURS, style_sheet
from tests import render_samples as samples
from tests.browser.lab import chromium
from tests.hostile import HOSTILE
from tests.render.test_svg import hostile_graph, hostile_states
from tests.sanitised import sanitised_svg

pytestmark = pytest.mark.browser

TEXT_OUTSIDE_ITS_SHAPE = """() => [...document.querySelectorAll(".ft-node, .ft-cluster, .ft-edge")].flatMap(g => {
  const shape = [...g.querySelectorAll(":scope > .ft-shape, :scope > .ft-label")].pop();
  if (!shape) return [];
  const box = shape.getBBox();
  return [...g.querySelectorAll(":scope > text")]
    .map(t => [t.textContent, t.getBBox()])
    .filter(([, b]) => b.width && (b.x < box.x - 1 || b.x + b.width > box.x + box.width + 1))
    .map(([words, b]) => `${words}: ${Math.round(b.width)} in ${Math.round(box.width)}`);
})"""
SMALLEST_LETTER = """() => Math.min(...[...document.querySelectorAll(".ft-drawing text, .ft-drawing tspan")]
  .filter(t => t.textContent).map(t => parseFloat(getComputedStyle(t).fontSize)))"""
INSIDE_THE_CARD = """() => {
  const card = document.querySelector(".ft-card").getBoundingClientRect();
  return [...document.querySelectorAll(".ft-drawing text, .ft-shape, .ft-label")]
    .map(e => e.getBoundingClientRect()).filter(r => r.width)
    .every(r => r.left >= card.left && r.top >= card.top && r.right <= card.right && r.bottom <= card.bottom);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def drawn(name: str) -> Drawing:
    if name in HOSTILE:
        return draw(hostile_graph(HOSTILE[name]), states=hostile_states(HOSTILE[name]))
    if name == "phases":
        graph, states = samples.phases()
        return draw(graph, states=states)
    return draw(samples.SAMPLES[name]())


def colour(name: str, theme: int) -> str:
    code = str(COLOURS[name][theme])
    return f"rgb({', '.join(str(int(code[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.mark.parametrize("font", ["DejaVu Sans", "Liberation Sans"])
def test_text_stays_inside_its_box(page: Page, font: str) -> None:
    for name in [*samples.SAMPLES, "phases", *HOSTILE]:
        page.set_content(f"<style>.ft-drawing{{font-family:'{font}'}}</style>{drawn(name).svg}")
        assert page.evaluate(TEXT_OUTSIDE_ITS_SHAPE) == [], name
        assert page.evaluate(SMALLEST_LETTER) >= 11, name
        assert page.evaluate(INSIDE_THE_CARD), name


@pytest.mark.parametrize("name", ["phases", "pipeline", "branch", "constructs", "failure"])
def test_a_picture_without_styles_and_classes_looks_the_same(page: Page, name: str) -> None:
    shots = []
    for svg in (drawn(name).svg, sanitised_svg(drawn(name).svg)):
        page.set_content(svg)
        shots.append(page.locator("svg").first.screenshot())
    assert shots[0] == shots[1]


def test_ten_nodes_fit_a_screen(page: Page) -> None:
    page.set_content(drawn("pipeline").svg)
    box = page.locator(".ft-drawing").bounding_box()
    assert box is not None
    assert box["width"] < 1000
    assert box["height"] < 900


def test_nothing_in_a_hostile_text_runs_or_is_fetched(page: Page) -> None:
    heard: list[str] = []
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url))
    page.on("pageerror", lambda error: heard.append(str(error)))
    for text in HOSTILE.values():
        picture = draw(hostile_graph(text), states=hostile_states(text), title=text)
        for content in (picture.html, picture._inline_html(), picture.svg):
            page.set_content(content)
            page.evaluate("() => document.querySelectorAll('*').forEach(e => e.dispatchEvent(new Event('click')))")
            assert page.locator("script").count() == 0
    assert [url for url in heard if not url.startswith("data:image/svg+xml;base64,")] == []


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_a_picture_follows_the_page_and_the_page_beats_the_system(browser: Browser, theme: int) -> None:
    here, there = ("light", "dark") if theme == 0 else ("dark", "light")
    svg = drawn("chain").svg
    stroke = "() => getComputedStyle(document.querySelector('.ft-subtitle')).fill"
    system = browser.new_page(color_scheme=here)
    system.set_content(svg)
    assert system.evaluate(stroke) == colour("grey", theme)
    lab = browser.new_page(color_scheme=there)
    lab.set_content(f"<div data-jp-theme-light='{'true' if theme == 0 else 'false'}'>{svg}</div>")
    assert lab.evaluate(stroke) == colour("grey", theme)
    system.close()
    lab.close()


def test_a_page_colours_a_node_by_one_attribute(page: Page) -> None:
    page.set_content(f"<style>{style_sheet()}</style>{drawn('chain').svg}")
    node = page.locator("[data-path=n0]")
    mark, shape = node.locator(".ft-icon"), node.locator(".ft-shape").first
    look = (
        "e => [getComputedStyle(e).stroke, getComputedStyle(e).strokeWidth, getComputedStyle(e).strokeDasharray].join()"
    )
    assert mark.evaluate("e => getComputedStyle(e).stroke") == "none"
    seen = {shape.evaluate(look)}
    for phase in ("QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "ABORTED", "SKIPPED"):
        node.evaluate("(e, phase) => { e.dataset.phase = phase }", phase)
        assert mark.evaluate("e => getComputedStyle(e).stroke") == shape.evaluate("e => getComputedStyle(e).stroke")
        seen.add(shape.evaluate(look))
    assert len(seen) == 7


def test_an_image_is_readable_on_any_page(browser: Browser) -> None:
    image = drawn("chain")._inline_html()
    for theme in ("light", "dark"):
        for ground in ("white", "black"):
            page = browser.new_page(color_scheme=theme)  # type: ignore[arg-type]
            page.set_content(f"<body style='background:{ground}'>{image}")
            page.wait_for_function("() => document.images[0].complete && document.images[0].naturalWidth > 0")
            pixel = page.evaluate("""() => {
              const image = document.images[0];
              const canvas = Object.assign(document.createElement("canvas"), {width: 20, height: 12});
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              return [...context.getImageData(4, 10, 1, 1).data];
            }""")
            assert pixel[3] == 255  # the card is opaque, so the text stands on its own ground
            page.close()


def test_a_keyboard_reaches_every_node_and_hears_its_name(page: Page) -> None:
    page.set_content(drawn("phases").svg)
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate("() => document.activeElement?.getAttribute('aria-label')")
        if name:
            names.append(name)
    assert "features, task, running" in names
    assert "train_forest, task, failed" in names
    assert len(set(names)) == page.locator(".ft-node[tabindex]").count()
