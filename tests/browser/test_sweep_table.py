"""The table of a sweep, without kernel and scripts and live in JupyterLab: its heads sort it, its lines open runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flytekit import task
from playwright.sync_api import Browser, Locator, expect

import flytenb
from flytenb.display.html import shared_module
from flytenb.notebook.live.run_widget import page_text
from tests.browser.lab import Lab, Notebook

LOAD = """
async (source) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  module.default.initialize({ model: { get: () => "a" } });
}
"""
DEFINE = """
%load_ext flytenb
import pathlib, time
from flytekit import task, workflow
bodies = []

@task
def load(rows: int) -> int:
    bodies.append("load")
    return rows * 10

@task
def fit(data: int, rate: float) -> float:
    bodies.append("fit")
    if rate == 0.3:
        for _ in range(12_000):  # until the test has looked
            if pathlib.Path("go").exists():
                break
            time.sleep(.05)
    return data / rate if rate else 1 / 0

@workflow
def wf(rate: float, rows: int = 3) -> float:
    return fit(data=load(rows=rows), rate=rate)
"""
SWEEP = "sweep = %flyte sweep wf(rate=[0.5, 0.0, 0.3, 0.1])"
LOOK = "print([run.outputs.get('o0') for run in sweep], sorted(bodies), [*sweep.frame()['phase']])"
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


@pytest.fixture
def notebook(lab: Lab, browser: Browser) -> Iterator[Any]:
    for left in lab.folder.glob("go"):
        left.unlink()
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    opened = Notebook(lab, page, lab.write("swept", DEFINE, SWEEP, LOOK)).open()
    yield opened
    opened.shut_down()


def test_a_sweep_is_seen_live_and_what_is_chosen_stays(notebook: Notebook) -> None:
    notebook.run_all()
    table = notebook.output(1).locator(".ft-sweep")
    rows = table.locator("summary.ft-sweep-row")
    expect(rows.nth(0)).to_contain_text("succeeded")
    expect(rows.nth(1)).to_contain_text("failed")
    expect(rows.nth(1)).to_contain_text("division by zero")
    expect(rows.nth(2)).to_contain_text("running")
    expect(rows.nth(3)).to_contain_text("succeeded")

    table.locator(".ft-sweep-head label[title='sort by o0']:visible").click()
    rows.nth(3).click()
    (notebook.lab.folder / "go").touch()
    expect(rows.nth(2)).to_contain_text("100.0")
    expect(table.locator("details.ft-sweep-run").nth(3)).to_have_attribute("open", "")
    assert order(table) == ["0", "2", "3", "1"]
    expect(table.locator("details.ft-sweep-run").nth(3).locator(".ft-run img").first).to_be_visible()

    notebook.wait_until_idle()
    values = "[60.0, None, 100.0, 300.0]"
    bodies = "['fit', 'fit', 'fit', 'fit', 'load']"
    phases = "['SUCCEEDED', 'FAILED', 'SUCCEEDED', 'SUCCEEDED']"
    expect(notebook.output(2)).to_have_text(f"{values} {bodies} {phases}")
    saved = notebook.save()
    [shown] = [o for o in saved.cells[1].outputs if "text/html" in o.get("data", {})]
    assert "100.0" in shown.data["text/html"]
    assert "100.0" in shown.data["text/plain"]
