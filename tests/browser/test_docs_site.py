"""The docs site: built as `make docs` does, then opened from its files in a browser without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.slow]  # it runs the notebooks of the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from nothing; a warning fails the build."""
    folder = tmp_path_factory.mktemp("site")
    # The cells of notebooks/ are run by tests/test_notebooks.py; those of the other pages are run here.
    cache = f"nb_execution_cache_path={folder / 'cache'}"
    options = ["--fail-on-warning", "--keep-going", "--quiet", "-t", "without-notebooks", "-D", cache]
    command = [sys.executable, "-m", "sphinx", *options, "-c", "docs", "-d", str(folder / "doctrees"), "-b", "html"]
    unnamed = {name: value for name, value in os.environ.items() if name != "GITHUB_REPOSITORY"}
    done = subprocess.run(
        [*command, ".", str(folder / "html")], cwd=ROOT, env=unnamed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-8_000:]
    return folder / "html"


class Reader:
    """A tab without a network, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("request", lambda request: self._see(request.url))

    def _see(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"the page asks for {url}")

    def open(self, path: Path) -> None:
        """Open a page of the site."""
        self.page.goto(path.as_uri())


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    yield Reader(context.new_page())
    context.close()


@pytest.mark.parametrize("view", ["light", "dark", "narrow"])
def test_all_pages_open_without_a_network_fit_the_window_and_are_accessible(site: Path, view: str) -> None:
    command = [sys.executable, "docs/pictures/site_pages.py", str(site), "--view", view]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seen = [line for line in done.stdout.splitlines() if line.startswith(f"{view}\t")]
    assert [line for line in seen if not line.endswith("no faults")] == [], done.stderr
    assert len(seen) >= 50
    assert done.returncode == 0


def test_the_gallery_has_pictures_of_drawings_runs_failures_and_values(site: Path, reader: Reader) -> None:
    reader.open(site / "docs" / "gallery.html")
    outputs = reader.page.locator(".cell_output")
    assert outputs.count() >= 24
    shown = [text for text in outputs.all_inner_texts() if text.strip()]
    assert sum("failed" in text for text in shown) >= 5
    assert reader.page.locator(".cell_output :is(svg, img)").count() >= 24


COLOURS = """() => [document.documentElement, ...document.querySelectorAll("article, article *")].map(element => {
  const style = getComputedStyle(element);
  const shown = [style.color, style.backgroundColor, style.fill, style.stroke, style.borderTopColor, style.colorScheme];
  return `${element.tagName}.${element.getAttribute("class")}: ${[...shown, style.display]}`;
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_looks_the_same_whether_its_switch_or_the_system_sets_the_theme(
    site: Path, browser: Browser, theme: str
) -> None:
    """Drawings, cards and tables included, and the controls that the browser draws."""
    looks = []
    for system in ("light", "dark"):
        context = browser.new_context(color_scheme=system, offline=True)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto((site / "docs" / "gallery.html").as_uri())
        page.add_style_tag(content="* { transition: none !important }")
        while page.evaluate("document.body.dataset.theme") != theme:
            page.locator("button.theme-toggle:visible").first.click()
        looks.append(page.evaluate(COLOURS))
        context.close()
    assert len(looks[0]) > 1000
    assert [pair for pair in zip(*looks, strict=True) if pair[0] != pair[1]] == []


def test_terms_lead_to_their_rows_in_the_glossary(site: Path) -> None:
    glossary = (site / "docs" / "glossary.html").read_text()
    links = {path: re.findall(r'href="[^"]*glossary\.html#([^"]+)"', path.read_text()) for path in site.rglob("*.html")}
    assert sum(bool(found) for found in links.values()) >= 25
    assert {name for found in links.values() for name in found if f'id="{name}"' not in glossary} == set()


def test_the_search_finds_pages_without_a_server(site: Path, reader: Reader) -> None:
    reader.open(site / "docs" / "index.html")
    reader.page.locator(".sidebar-search").fill("retries")
    reader.page.keyboard.press("Enter")
    results = reader.page.locator("ul.search li a")
    expect(results.filter(has_text="Local runs").first).to_be_visible()
    results.filter(has_text="Local runs").first.click()
    expect(reader.page.locator("h1").first).to_have_text(re.compile("Local runs"))
    assert reader.problems == []


def test_a_site_whose_repository_is_unknown_links_to_none(site: Path) -> None:
    """With GITHUB_REPOSITORY, tests/test_addresses.py expects the links."""
    text = (site / "notebooks" / "iterating.html").read_text()
    assert "codespaces.new" not in text
    assert "/edit/main/" not in text


def test_the_front_page_leads_to_the_docs(site: Path, reader: Reader) -> None:
    reader.open(site / "index.html")
    expect(reader.page.locator("h1").first).to_contain_text("flytenb")
