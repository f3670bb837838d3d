"""The table of a sweep in a page without a kernel and without scripts: its heads sort it and its lines open runs."""

from __future__ import annotations

import pytest
from flytekit import task
from playwright.sync_api import Browser, Locator

import flytenb
from flytenb.display.html import shared_module
from flytenb.notebook.live.run_widget import page_text

LOAD = """
async (source) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  module.default.initialize({ model: { get: () => "a" } });
}
"""
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@task
def quarter(n: int) -> float:
    return 12 / n


def order(table: Locator) -> list[str]:
    """Return the numbers of the runs, from top to bottom."""
    found = [(line.bounding_box(), line.inner_text()) for line in table.locator("summary.ft-sweep-row").all()]
    return [text.split()[0] for box, text in sorted(found, key=lambda line: line[0]["y"] if line[0] else 0)]


def click(table: Locator, head: str) -> None:
    table.locator(f".ft-sweep-head label[title='sort by {head}']:visible").click()


def test_heads_sort_and_lines_open_without_scripts(browser: Browser) -> None:
    sweep = flytenb.sweep(quarter, [{"n": n} for n in (4, 0, 2, 6)])
    page = browser.new_page(java_script_enabled=False)
    page.set_content(f"<!doctype html><title>sweep</title>{sweep._repr_mimebundle_()['text/html']}")
    table = page.locator(".ft-sweep")
    assert order(table) == ["0", "1", "2", "3"]
    click(table, "o0")
    assert order(table) == ["3", "0", "2", "1"]
    click(table, "o0")
    assert order(table) == ["2", "0", "3", "1"]
    click(table, "n")
    assert order(table) == ["1", "2", "0", "3"]
    third = table.locator("details.ft-sweep-run").nth(2)
    assert not third.locator(".ft-run img").is_visible()
    third.locator("summary.ft-sweep-row").click()
    assert third.locator(".ft-run img").is_visible()
    assert "succeeded" in third.locator(".ft-run").inner_text()
    page.close()


def test_an_update_keeps_what_was_chosen_and_opened(browser: Browser) -> None:
    sweep = flytenb.sweep(quarter, [{"n": n} for n in (4, 0, 2, 6)])
    html = sweep._repr_mimebundle_()["text/html"]
    page = browser.new_page()
    page.set_content(f'<!doctype html><title>sweep</title><main><div class="ft-sweep-a">{html}</div></main>')
    page.evaluate(LOAD, page_text("sweep.js").join((f"{shared_module()}\n", "")))
    table = page.locator(".ft-sweep")
    click(table, "o0")
    table.locator("summary.ft-sweep-row").nth(2).click()
    page.evaluate("html => document.querySelector('main').innerHTML = html", f'<div class="ft-sweep-a">{html}</div>')
    page.wait_for_function("() => document.querySelectorAll('details.ft-sweep-run')[2].open")
    assert order(table) == ["3", "0", "2", "1"]
    assert [each.get_attribute("open") for each in table.locator("details.ft-sweep-run").all()] == [
        None,
        None,
        "",
        None,
    ]
    page.close()
