"""The table of a sweep in a page without a kernel and without scripts: its heads sort it and its lines open runs."""

from __future__ import annotations

import pytest
from flytekit import task
from playwright.sync_api import Browser, Locator

import flytenb

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
    assert "quarter SUCCEEDED" in third.locator(".ft-run").inner_text()
    page.close()
