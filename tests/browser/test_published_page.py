"""The page of a notebook as it is sent: legible in both themes, outputs in line with the code, no links to files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat import v4
from playwright.sync_api import Browser

import flytenb
from tests.browser.contrasts import low_contrasts
from tests.browser.test_axe import RULES, card, counted

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = Path(__file__).parents[2] / "notebooks" / "publish.py"
SOURCE = """from functools import wraps
@wraps(print)
def f(x: int = 3, *rest):
    \"\"\"Text.\"\"\"
    if x not in rest and x != -1:  # said
        raise ValueError(f"no {x!r}", None, 0.5)
    return [each for each in rest]"""


def outputs() -> list[nbformat.NotebookNode]:
    error = ["\x1b[1mValueError\x1b[0m\x1b[1m: too many rows\x1b[0m", f"  inputs: {'word ' * 60}", "  the last line"]
    return [
        v4.new_output("stream", text="printed"),
        v4.new_output("display_data", {"text/html": card(counted, n=2)}),
        v4.new_output("error", ename="ValueError", evalue="too many rows", traceback=error),
        v4.new_output("execute_result", {"image/svg+xml": flytenb.draw(counted).svg}, execution_count=1),
        v4.new_output(
            "execute_result", flytenb.show("\n".join(map(str, range(99))))._repr_mimebundle_(), execution_count=1
        ),
    ]


@pytest.fixture(scope="module")
def page_text() -> str:
    """A page of a notebook with all kinds of outputs, made without a kernel."""
    spec = importlib.util.spec_from_file_location("publish", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    publish = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(publish)
    text = "# Title\n\nSee [the other page](other.md#part), [a site](https://example.org) and [below](#Title)."
    cells = [v4.new_markdown_cell(text), v4.new_code_cell(SOURCE, execution_count=1, outputs=outputs())]
    notebook = v4.new_notebook(cells=cells, metadata={"title": "A page", "language_info": {"name": "python"}})
    page = str(publish.to_page(notebook))
    assert "other.md" in notebook.cells[0].source
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_in_a_published_page(page_text: str, browser: Browser, theme: str, width: int) -> None:
    page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.set_content(page_text)
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(v["id"], [n["failureSummary"] for n in v["nodes"][:3]]) for v in found] == []
    assert low_contrasts(page, ".jp-Cell-outputWrapper") == []
    page.close()


def test_outputs_begin_where_the_code_does_and_nothing_scrolls_down(page_text: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_content(page_text)
    places = page.locator(".jp-InputArea-editor, .jp-OutputArea-output").evaluate_all(
        "(found) => found.filter((e) => !e.closest('.jp-MarkdownCell')).map((e) => e.getBoundingClientRect().left)"
    )
    assert len(places) == 6
    assert max(places) - min(places) < 1
    hidden = page.locator(".jp-OutputArea-output, .jp-OutputArea-output *").evaluate_all(
        "(found) => found.filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 1"
        " && getComputedStyle(e).overflowY !== 'visible').map((e) => e.outerHTML.slice(0, 80))"
    )
    assert hidden == []
    page.close()


def test_links_to_files_are_text(page_text: str, browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(page_text)
    links = page.locator("main a:not(.anchor-link)").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert links == ["https://example.org", "#Title"]
    assert page.locator("em").all_text_contents() == ["the other page"]
    page.close()
