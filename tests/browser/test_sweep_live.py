"""The table of a sweep in a real JupyterLab: updated while the cell waits, keeps what was chosen, and is saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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


@pytest.fixture
def notebook(lab: Lab, browser: Browser) -> Iterator[Any]:
    for left in lab.folder.glob("go"):
        left.unlink()
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    opened = Notebook(lab, page, lab.write("swept", DEFINE, SWEEP, LOOK)).open()
    yield opened
    opened.shut_down()


def order(table: Locator) -> list[str]:
    """Return the numbers of the runs, from top to bottom."""
    found = [(line.bounding_box(), line.inner_text()) for line in table.locator("summary.ft-sweep-row").all()]
    return [text.split()[0] for box, text in sorted(found, key=lambda line: line[0]["y"] if line[0] else 0)]


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
