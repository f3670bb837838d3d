"""Runs in a real JupyterLab: live while the cell runs, frozen afterwards, the same when it is opened again."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEFINE = """
%load_ext flytenb
import pathlib, time
import flytenb
from datetime import timedelta
from flytekit import task, wait_for_input, workflow

def hold(name):
    "Wait until a test has looked."
    for _ in range(12_000):
        if pathlib.Path(name).exists():
            return
        time.sleep(.05)

@task
def first(x: int) -> int:
    print("first says", x)
    return x + 1

@task
def second(x: int) -> int:
    print("second waits")
    hold("go")
    return x * 2

@workflow
def two(x: int = 1) -> int:
    return second(x=first(x=x))

@task
def third(x: int) -> int:
    hold("on")
    return x * 3

@workflow
def three(x: int = 1) -> int:
    return third(x=second(x=first(x=x)))

@task
def total(xs: list[int]) -> int:
    hold("go")
    return sum(xs)

@workflow
def crowd(x: int = 1) -> int:
    return total(xs=[first(x=x) for _ in range(10)])

@workflow
def asking(x: int = 1) -> int:
    return first(x=wait_for_input("limit", timeout=timedelta(hours=1), expected_type=int))
"""
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def notebook(lab: Lab, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Writes, opens and closes a notebook whose first cell defines the workflows above."""
    opened: list[Notebook] = []

    def open_with(*cells: str) -> Notebook:
        for gate in ("go", "on"):
            (lab.folder / gate).unlink(missing_ok=True)
        name = re.sub(r"\W+", "_", request.node.name)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        opened.append(Notebook(lab, page, lab.write(name, DEFINE, *cells)).open())
        return opened[-1]

    yield open_with
    for gate in ("go", "on"):
        (lab.folder / gate).touch()
    for each in opened:
        each.shut_down()


def outputs(saved: nbformat.NotebookNode, cell: int) -> list[dict[str, Any]]:
    return [o["data"] for o in saved["cells"][cell]["outputs"] if "data" in o]


def let_go(notebook: Notebook, name: str = "go") -> None:
    (notebook.lab.folder / name).touch()


def test_a_run_is_live_while_its_cell_runs_and_afterwards_and_saved_as_a_picture(notebook: Any) -> None:
    nb = notebook("run = %flyte run two(x=3)")
    nb.run_all()
    live = nb.live(1)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    expect(live.node("n0")).to_have_attribute("data-phase", "SUCCEEDED")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("second waits")
    live.node("n0").click()
    expect(live.inspector).to_contain_text("outputs")
    expect(live.element.locator(".ftl-canvas > svg").first).to_have_css("max-width", "none")  # JupyterLab's: 100%
    expect(live.inspector.locator(".ftl-source")).to_have_css("white-space", "pre")
    let_go(nb)
    nb.wait_until_idle()
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_text("succeeded")
    expect(nb.output(1).locator("img")).to_have_count(0)
    expect(live.inspector).to_contain_text("first says 3")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("outputs")
    expect(nb.output(1).locator(".ftl-main > .ft-outputs")).to_contain_text("8")
    bundle = outputs(nb.save(), 1)[0]
    assert WIDGET not in bundle
    assert "first says 3" in bundle["text/html"]
    assert "second" in bundle["text/plain"]
    assert 'src="data:image/svg+xml;base64,' in bundle["text/html"]


PLACE = """selector => {
    const picture = document.querySelector(selector);
    const output = picture?.closest(".jp-OutputArea")?.getBoundingClientRect();
    if (!output) return null;
    const at = picture.getBoundingClientRect();
    return [at.left - output.left, at.top - output.top, at.width, at.height];
}"""
LIVE = ".ftl-canvas > svg"


def place(page: Page, selector: str) -> list[float]:
    """Where a picture is in its cell's output, while it isn't between two outputs."""
    found: list[float] = page.wait_for_function(PLACE, arg=selector).json_value()
    return found


@pytest.mark.parametrize("width", [1300, 700])
def test_nothing_moves_when_a_run_ends_and_when_it_is_opened_again(notebook: Any, browser: Browser, width: int) -> None:
    nb = notebook("run = %flyte run crowd(x=3)")
    nb.page.set_viewport_size({"width": width, "height": 1000})
    nb.finish("application:toggle-left-area")
    nb.run_all()
    live = nb.live(1)
    expect(live.element.locator(".ft-node[data-phase=RUNNING]")).to_have_count(1)
    letters = "text => getComputedStyle(text).font"
    name = live.node("n0").locator(".ft-name")
    before = place(nb.page, LIVE), name.evaluate(letters)
    let_go(nb)
    nb.wait_until_idle()
    expect(nb.output(1).locator(".ftl-main > .ft-outputs")).to_be_visible()
    assert (place(nb.page, LIVE), name.evaluate(letters)) == before
    assert before[0][2] > 700
    head = live.element.locator(".ftl-bar").first.evaluate("bar => bar.innerText.replace(/\\s+/g, ' ')")
    path = nb.path.with_name(f"later_{width}.ipynb")  # in a new kernel
    nbformat.write(nb.save(), path)
    page = browser.new_page(viewport={"width": width, "height": 1000})
    again = Notebook(nb.lab, page, path).open()
    again.finish("application:toggle-left-area")
    assert place(page, ".ft-picture img") == before[0]
    assert head.startswith(again.output(1).locator(".ft-head").first.inner_text().replace("\n", " "))
    again.shut_down()


def test_the_keyboard_alone_is_enough(notebook: Any) -> None:
    nb = notebook("run = %flyte run two(x=3)")
    nb.run_all()
    live = nb.live(1)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    live.element.locator(".ftl-stage [tabindex='0']").focus()
    nb.page.keyboard.press("ArrowDown")
    expect(live.node("n1")).to_be_focused()
    nb.page.keyboard.press("Enter")
    expect(live.inspector).to_contain_text("second waits")
    nb.page.keyboard.press("Escape")
    expect(live.inspector).to_be_hidden()
    expect(live.node("n1")).to_be_focused()


def test_the_stop_button_ends_the_run_and_the_cell(notebook: Any) -> None:
    nb = notebook("run = %flyte run two(x=3)", "print('alive', run if 'run' in dir() else 'no run')")
    nb.run_all()
    live = nb.live(1)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    live.button("stop").click()
    expect(nb.output(1)).to_contain_text("RunCancelledError")
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_attribute("data-phase", "ABORTED")
    assert "stopped" in outputs(nb.save(), 1)[0]["text/plain"]


def test_a_gate_is_answered_in_the_page_while_the_cell_waits(notebook: Any) -> None:
    nb = notebook("run = %flyte run asking()", "run.result")
    nb.run_all()
    gate = nb.live(1).element.locator(".ftl-gate")
    expect(gate).to_contain_text("limit")
    gate.locator("input").fill("41")
    gate.get_by_role("button", name="give").click()
    nb.wait_until_idle()
    assert outputs(nb.save(), 2)[0]["text/plain"] == "42"


def test_after_a_reload_a_run_in_the_background_is_live_again(notebook: Any) -> None:
    nb = notebook("run = %flyte run two(x=3) --background")
    nb.run_all()
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "RUNNING")
    nb.save()
    nb.reopen()
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "RUNNING")
    nb.live(1).node("n0").click()
    expect(nb.live(1).inspector).to_contain_text("first says 3")
    let_go(nb)
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "SUCCEEDED")


def test_after_a_reload_a_run_that_its_cell_waits_for_is_live_again(notebook: Any) -> None:
    nb = notebook("run = %flyte run three(x=3)")
    nb.run_all()
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "RUNNING")
    nb.save()
    nb.reopen()
    expect(nb.output(1).locator("img")).to_have_count(1)
    expect(nb.output(1)).to_contain_text("running")
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "RUNNING")
    let_go(nb)
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "SUCCEEDED")
    expect(nb.live(1).node("n2")).to_have_attribute("data-phase", "RUNNING")
    let_go(nb, "on")
    expect(nb.live(1).node("n2")).to_have_attribute("data-phase", "SUCCEEDED")
    expect(nb.live(1).element.locator(".ftl-bar .ftl-phase").first).to_have_text("succeeded")
    nb.live(1).node("n0").click()
    expect(nb.live(1).inspector).to_contain_text("first says 3")


@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "untrusted"])
def test_a_notebook_saved_in_the_middle_shows_the_run_as_it_was_seen(
    notebook: Any, lab: Lab, browser: Browser, is_trusted: bool
) -> None:
    nb = notebook("run = %flyte run two(x=3)")
    nb.run_all()
    expect(nb.live(1).node("n1")).to_have_attribute("data-phase", "RUNNING")
    [bundle] = outputs(nb.save(), 1)
    assert set(bundle) == {"text/plain", "text/html"}
    assert "▶ two running" in bundle["text/plain"]
    path = lab.folder / f"saved_in_the_middle_{is_trusted}.ipynb"
    saved = nbformat.read(nb.path, as_version=4)
    if not is_trusted:
        saved.cells[0].source += "\n# not the notebook that was signed"
    nbformat.write(saved, path)
    assert NotebookNotary(data_dir=str(lab.home / "data")).check_signature(saved) == is_trusted
    again = Notebook(lab, browser.new_page(viewport={"width": 1300, "height": 1000}), path).open()
    expect(again.output(1).locator("img")).to_have_count(1)
    assert again.output(1).locator("img").evaluate("image => image.complete && image.naturalWidth > 100")
    expect(again.output(1).locator("pre", has_text="├─")).to_have_count(0)
    expect(again.output(1)).to_contain_text("seen at")
    expect(again.output(1)).not_to_contain_text("model not found")
    expect(again.live(1).element).to_have_count(0)
    again.shut_down()


@pytest.mark.parametrize("fate", ["killed", "restarted"])
def test_a_kernel_that_goes_leaves_what_was_seen_and_says_so(notebook: Any, fate: str) -> None:
    nb = notebook("import os\nprint(os.getpid())", "run = %flyte run two(x=3)")
    nb.run_all()
    live = nb.live(2)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    live.node("n0").click()
    expect(live.inspector).to_contain_text("first says 3")
    if fate == "killed":
        os.kill(int(nb.output(1).inner_text()), signal.SIGKILL)
        expect(nb.page.locator(".jp-Dialog")).to_contain_text("appears to have died")
        nb.page.keyboard.press("Enter")
        expect(nb.page.locator(".jp-Dialog")).to_have_count(0)
    else:
        nb.page.evaluate("() => { window.jupyterapp.shell.currentWidget.sessionContext.restartKernel() }")
    expect(live.element.locator(".ftl-bar").first).to_contain_text("disconnected")
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_text("was running")
    expect(live.button("stop")).to_be_disabled()
    expect(live.inspector).to_contain_text("first says 3")
    live.node("n1").click()
    expect(live.inspector).to_contain_text("Disconnected")


def test_two_runs_at_once_and_two_views_of_one(notebook: Any) -> None:
    nb = notebook("one = %flyte run two(x=1) --background", "two_ = %flyte run two(x=2) --background", "one")
    nb.run_all()
    for cell in (1, 2, 3):
        expect(nb.live(cell).node("n1")).to_have_attribute("data-phase", "RUNNING")
    nb.live(2).node("n0").click()
    expect(nb.live(2).inspector).to_contain_text("first says 2")
    expect(nb.live(3).inspector).to_be_hidden()
    let_go(nb)
    for cell in (1, 2, 3):
        expect(nb.live(cell).element.locator(".ftl-bar .ftl-phase").first).to_have_text("succeeded")


def test_a_finished_run_is_explored_until_its_reader_is_done(notebook: Any) -> None:
    nb = notebook("run = %flyte run first(x=3)", "run.explore()")
    nb.run_all()
    live = nb.live(2)
    live.node("n0").click()
    expect(live.inspector).to_contain_text("first says 3")
    live.button("keep the picture").click()
    expect(nb.output(2).locator("img")).to_have_count(1)
    assert WIDGET not in outputs(nb.save(), 2)[0]


def test_an_untrusted_notebook_that_is_opened_again_shows_the_picture(
    notebook: Any, lab: Lab, browser: Browser
) -> None:
    nb = notebook("run = %flyte run first(x=3)")
    nb.run_all()
    expect(nb.output(1).locator("img")).to_have_count(1)
    nb.save()
    other = nbformat.read(nb.path, as_version=4)
    other.cells[0].source += "\n# not the notebook that was signed"
    path = lab.folder / "from_elsewhere.ipynb"
    nbformat.write(other, path)
    assert not NotebookNotary(data_dir=str(lab.home / "data")).check_signature(other)
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    again = Notebook(lab, page, path).open()
    picture = again.output(1).locator("img")
    expect(picture).to_have_count(1)
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    again.shut_down()


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_dark_and_light_follow_the_front_end(notebook: Any, theme: str) -> None:
    nb = notebook("run = %flyte run two(x=3)")
    nb.run_all()
    live = nb.live(1)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    nb.theme(f"JupyterLab {theme}")
    live.node("n0").click()
    brightness = "element => getComputedStyle(element).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    colours = [live.inspector.evaluate(brightness)]
    colours.append(
        live.element.locator(".ft-card").evaluate(
            "element => getComputedStyle(element).fill.match(/\\d+/g).map(Number)"
        )
    )
    for colour in colours:
        assert (sum(colour[:3]) < 200) == (theme == "Dark")
    nb.theme("JupyterLab Light")


def test_help_opens_and_tab_completes_as_in_any_cell(notebook: Any) -> None:
    page = notebook("%flyte?", "%flyte run?", "%flyte help draw", "")
    page.run_all()
    page.wait_until_idle()
    expect(page.output(1)).to_contain_text("%flyte draw ENTITY")
    expect(page.output(2)).to_contain_text("%flyte run ENTITY(INPUT=…) [--workers N]")
    expect(page.output(3)).to_contain_text("[--between NODE NODE]")
    editor = page.cell(4).locator(".cm-content")
    items = page.page.locator(".jp-Completer-item .jp-Completer-match")
    for typed, offered in [
        ("%flyte dr", {"draw"}),
        ("%flyte run tw", {"two"}),
        ("%flyte run two(", {"x="}),
        ("%flyte draw two --upstream ", {"n0", "n1", "first", "second"}),
        ("%%task cache=", {"True", "False"}),
    ]:
        editor.click()
        page.page.keyboard.press("Control+A")
        page.page.keyboard.press("Delete")
        page.page.keyboard.type(typed)
        page.page.keyboard.press("Tab")
        expect(items.filter(has_text=re.compile(f"^{re.escape(min(offered))}$"))).to_be_visible()
        assert offered <= set(items.all_inner_texts())
        page.page.keyboard.press("Escape")
        expect(items.first).to_be_hidden()
