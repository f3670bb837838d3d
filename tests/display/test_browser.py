"""Displays in a real browser: nothing in a value runs or is fetched, nothing overflows, everything can be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route

from flytenb.display.html import style, to_html
from flytenb.display.part import Column, RangeCell, Table
from flytenb.display.show import show
from flytenb.session.listing import Listing
from tests.browser.lab import chromium
from tests.display.test_hostile import ATTACKS, carriers
from tests.display.test_values import CASES

pytestmark = pytest.mark.browser

# Contrast by https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio; a canvas turns any colour into bytes.
LEAST_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const ground = getComputedStyle(document.body).backgroundColor;
  const light = colour => {
    canvas.fillStyle = ground; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(ground);
  return Math.min(...[...document.querySelectorAll(".ft-show *")]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => light(getComputedStyle(e).color))
    .map(front => (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)));
}"""

TOUCH_EVERYTHING = """() => {
  for (const e of document.querySelectorAll("*")) {
    if (e.tagName === "DETAILS") e.open = true;
    for (const kind of ["mouseover", "focus", "click"]) e.dispatchEvent(new Event(kind, {bubbles: true}));
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def _page(fragments: list[str], *, scheme: str = "light") -> str:
    shown = "".join(f'<div class="ft-show">{f}</div>' for f in fragments)
    return (
        f'<!doctype html><meta charset="utf-8"><style>:root{{color-scheme:{scheme}}}'
        f"body{{background:{'#111' if scheme == 'dark' else '#fff'};color:CanvasText}}{style()}</style>{shown}"
    )


def test_bars_keep_their_scale_where_the_page_shrinks_pictures(browser: Browser) -> None:
    rows = [(f"node_{n}", RangeCell.of(n / 4, (n + 1) / 4)) for n in range(4)]
    fragment = to_html(Table((Column("node"), Column("time")), rows))
    page = browser.new_page(viewport={"width": 200, "height": 400})
    # JupyterLab's rule for outputs
    page.set_content(_page([fragment]).replace("<style>", "<style>.jp-OutputArea .jp-Output svg{max-width:100%}", 1))
    page.evaluate(
        "() => { document.body.className = 'jp-Output'; document.documentElement.className = 'jp-OutputArea' }"
    )
    widths = page.locator(".ft-bar-cell").evaluate_all("bars => bars.map((bar) => bar.getBoundingClientRect().width)")
    assert widths == [120] * 4


# Of an output in pages of 1280 and 700 pixels, beside the contents of a site in one of 1280, and of a published page.
@pytest.mark.parametrize(("window", "width"), [(1180, 1180), (565, 565), (1280, 736), (1280, 874)])
def test_a_table_of_a_session_fits_its_page_and_has_all_signatures(browser: Browser, window: int, width: int) -> None:
    ports = ", ".join(f"input_{n}: dict[str, list[float]] = {{}}" for n in range(4))
    rows = [
        ("training", "task", "[1]", "fresh", "✓ succeeded 12 ms in train", "(n: int) -> DataFrame"),
        ("a_rather_long_name_for_one_word", "workflow", "[12]", "stale", "✕ failed 1 min 3 s", f"({ports}) -> None"),
    ]
    listing = Listing(("name", "kind", "cell", "code", "last run", "signature"), rows, "")
    page = browser.new_page(viewport={"width": window, "height": 600})
    page.set_content(_page([listing._repr_mimebundle_()["text/html"]]))
    page.add_style_tag(content=f"body{{margin:0;width:{width}px}}")
    table = page.locator(".ft-scroll").first
    assert table.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert f"({ports}) -> None" in table.inner_text()
    heights = table.locator("tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert width < 800 or heights[0] < 30, "a short row takes one line where there is room"
    assert heights[0] < 80, "nor does a narrow column of a short signature make it tall"
    lines = "e => { const r = new Range(); r.selectNodeContents(e); return r.getClientRects().length }"
    assert table.locator("tbody td").first.evaluate(lines) == 1, "a name of one word isn't broken"
    page.close()


def test_nothing_in_a_value_runs_or_is_fetched(browser: Browser) -> None:
    source = _page([show(v).fragment for attack in ATTACKS for v in carriers(attack)])
    page = browser.new_page()
    asked: list[str] = []
    dialogs: list[str] = []

    def answer(route: Route) -> None:
        """Give the page; note what gets past the policy of a frame, which blocks before this is called."""
        if route.request.url == "http://page.test/":
            route.fulfill(body=source, content_type="text/html")
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto("http://page.test/")
    page.evaluate(TOUCH_EVERYTHING)
    page.wait_for_load_state("networkidle")
    assert page.locator(".ft-show").count() == len(ATTACKS) * len(carriers(""))
    assert asked == []
    assert dialogs == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_display_can_be_read_and_stays_in_its_column(browser: Browser, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 600, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(_page([show(make(), declared).fragment for make, declared in CASES.values()], scheme=scheme))
    assert page.evaluate("document.documentElement.scrollWidth") <= 600
    assert page.evaluate(LEAST_CONTRAST) >= 4.5
    page.close()
