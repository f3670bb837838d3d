"""A followed call in a real JupyterLab: cells are edited as a person edits them, and the output of the call follows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Live, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEFINE = """
%load_ext flytenb
import threading, time
from flytekit import task, workflow
gate = threading.Event()
gate.set()
bodies = []
def ran(name): bodies.append(name)

@task
def first(x: int) -> int:
    ran("first")
    return x + 1

@task
def last(x: int) -> int:
    ran("last")
    while not gate.wait(0.01):
        pass
    return scale(x) + 1000

@workflow
def wf(x: int = 1) -> int:
    return last(x=first(x=x))
"""
SCALE, FOLLOW, OTHER = 1, 2, 3
CELLS = DEFINE, "def scale(x): return x * 2", "f = %flyte follow wf(x=3)", "0"


@pytest.fixture(scope="module")
def opened(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    page = browser.new_page(viewport={"width": 1100, "height": 1400})
    notebook = Notebook(lab, page, lab.write("followed", *CELLS)).open()
    yield notebook
    notebook.shut_down()


@pytest.fixture
def notebook(opened: Notebook) -> Iterator[Notebook]:
    """A notebook whose call is followed, after its first run."""
    opened.edit(SCALE, CELLS[SCALE])
    opened.edit(OTHER, CELLS[OTHER])
    opened.finish("notebook:run-all-cells")
    expect(opened.output(FOLLOW)).to_contain_text("1008")
    expect(opened.output(FOLLOW)).to_contain_text("following wf(x=3) · waiting for an edit")
    yield opened
    opened.edit(OTHER, "gate.set()\n%flyte follow --stop")
    expect(opened.output(FOLLOW)).to_contain_text("following wf(x=3) · stopped")


def begin_and_wait(notebook: Notebook, factor: int) -> Live:
    """Edit `scale`, and wait until the new run is shown live, with the first node re-used and the last one running."""
    notebook.edit(OTHER, "gate.clear()\nbodies.clear()")
    notebook.edit(SCALE, f"def scale(x): return x * {factor}")
    live = notebook.live(FOLLOW)
    expect(live.node("n0")).to_have_attribute("data-cache", "REUSED")
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    notebook.edit(OTHER, "while not bodies: time.sleep(0.01)")
    return live


def test_an_edit_is_seen_live_and_runs_only_what_it_affects(notebook: Notebook) -> None:
    live = begin_and_wait(notebook, 5)
    output = notebook.output(FOLLOW)
    expect(output).to_contain_text("following wf(x=3) · running")
    expect(output).to_contain_text("the last good values")
    expect(output).to_contain_text("1008")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("running")
    notebook.edit(OTHER, "gate.set()")
    expect(output).to_contain_text("1020")
    expect(output).not_to_contain_text("the last good values")
    notebook.edit(OTHER, "print(bodies)")
    expect(notebook.output(OTHER)).to_have_text("['last']")


def test_an_edit_while_it_runs_ends_that_run(notebook: Notebook) -> None:
    begin_and_wait(notebook, 5)
    notebook.edit(OTHER, "second = f.run")
    notebook.edit(SCALE, "def scale(x): return x * 7")
    notebook.edit(OTHER, "second.wait()\ngate.set()")
    expect(notebook.output(FOLLOW)).to_contain_text("1028")
    notebook.edit(OTHER, "print(second.phase, bodies)")
    expect(notebook.output(OTHER)).to_have_text("ABORTED ['last', 'last']")


def test_the_next_run_keeps_the_zoom_and_the_chosen_node(notebook: Notebook) -> None:
    live = begin_and_wait(notebook, 5)
    sheet = live.element.locator(".ftl-sheet")
    drawn = sheet.evaluate("sheet => sheet.offsetWidth")
    live.node("n1").click()
    live.button("larger").click()
    zoomed = sheet.evaluate("sheet => sheet.offsetWidth")
    assert zoomed > 1.2 * drawn
    notebook.edit(OTHER, "gate.set()")
    expect(notebook.output(FOLLOW)).to_contain_text("1020")
    again = begin_and_wait(notebook, 6)
    expect(again.element.locator(".ftl-bar .ftl-phase").first).to_have_text("running")
    expect(again.inspector).to_contain_text("n1 · last")
    expect(again.element.locator(".ftl-sheet")).to_have_js_property("offsetWidth", zoomed)
    notebook.edit(OTHER, "gate.set()")
    expect(notebook.output(FOLLOW)).to_contain_text("1024")


def test_a_failing_edit_leaves_the_last_good_values(notebook: Notebook) -> None:
    output = notebook.output(FOLLOW)
    notebook.edit(SCALE, "def scale(x): raise ValueError('too small')")
    expect(output).to_contain_text("too small")
    expect(output).to_contain_text("the last good values")
    expect(output).to_contain_text("1008")
    notebook.edit(SCALE, "def scale(x): return x * 9")
    expect(output).to_contain_text("1036")
    expect(output).not_to_contain_text("the last good values")


def test_of_ten_quick_edits_the_newest_is_shown(notebook: Notebook) -> None:
    notebook.edit(OTHER, "gate.clear()")
    for factor in range(10, 20):
        notebook.edit(SCALE, f"def scale(x): return x * {factor}")
    notebook.edit(OTHER, "gate.set()")
    expect(notebook.output(FOLLOW)).to_contain_text("1076")
    expect(notebook.output(FOLLOW)).to_contain_text("waiting for an edit")
    notebook.edit(OTHER, "print(f.run is f.good, f.run.result)")
    expect(notebook.output(OTHER)).to_have_text("True 1076")


def test_the_button_ends_it(notebook: Notebook) -> None:
    notebook.output(FOLLOW).get_by_role("button", name="■ stop following").click()
    expect(notebook.output(FOLLOW)).to_contain_text("following wf(x=3) · stopped")
    notebook.edit(SCALE, "def scale(x): return x * 9")
    notebook.edit(OTHER, "print(f.run.result)")
    expect(notebook.output(OTHER)).to_have_text("1008")
