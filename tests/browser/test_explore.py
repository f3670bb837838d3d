"""Values that answer in a real JupyterLab: by mouse, by keyboard, saved as plain HTML, opened without a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.contrasts import low_contrasts
from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = (
    """
%load_ext flytenb
import flytenb, pathlib
import numpy as np
import pandas as pd
hostile = "<img src=x onerror=\\"document.title = 'hacked'\\">"
frame = pd.DataFrame({"n": [(7 * i) % 100 for i in range(100)], "word": [f"{hostile} {i % 10}" for i in range(100)]})
folder = pathlib.Path("folder/sub")
folder.mkdir(parents=True)
(folder / "note.txt").write_text("found it")
""",
    "flytenb.explore(frame)",
    "%flyte show np.arange(4 * 30 * 30).reshape(4, 30, 30) --explore",
    "flytenb.explore(folder.parent)",
    "flytenb.explore({'outer': {'inner': {'deep': 'word ' * 60}}})",
    "flytenb.show({'a': 1, 'b': {'c': 2}})",
)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    page = browser.new_page(viewport={"width": 1300, "height": 1400})
    opened = Notebook(lab, page, lab.write("explore", *CELLS)).open()
    opened.run_all()
    expect(opened.output(4).locator(".ft-explore-body")).to_have_count(1)
    yield opened
    opened.shut_down()


def test_rows_are_paged_sorted_and_searched(notebook: Notebook) -> None:
    output = notebook.output(1)
    first = output.locator("tbody tr").first.locator("td").nth(1)
    expect(first).to_have_text("0")
    output.get_by_role("button", name="next rows").click()
    expect(output.locator(".ft-range")).to_have_text("rows 11–20 of 100")
    expect(first).to_have_text("70")
    output.get_by_role("button", name="sort by n").click()
    expect(output.locator("th[aria-sort=ascending]")).to_contain_text("n")
    output.get_by_role("button", name="sort by n").click()
    expect(first).to_have_text("99")
    output.get_by_role("combobox").select_option("25")
    expect(output.locator("tbody tr")).to_have_count(25)
    output.get_by_role("searchbox").fill("> 3")
    expect(output.locator(".ft-range")).to_have_text("rows 1–10 of 10 found")
    output.get_by_role("searchbox").fill("")
    expect(output.locator(".ft-range")).to_have_text("rows 1–25 of 100")


def test_the_keyboard_alone_is_enough_and_keeps_its_place(notebook: Notebook) -> None:
    output = notebook.output(3)
    twist = output.get_by_role("button", name="sub/")
    twist.focus()
    notebook.page.keyboard.press("Enter")
    expect(twist).to_have_attribute("aria-expanded", "true")
    expect(twist).to_be_focused()
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Enter")
    expect(output).to_contain_text("found it")


def test_an_array_is_sliced(notebook: Notebook) -> None:
    output = notebook.output(2)
    output.get_by_role("spinbutton").fill("2")
    notebook.page.keyboard.press("Enter")
    expect(output.locator("tbody tr").first.locator("td").nth(1)).to_have_text("1800")
    expect(output.get_by_role("slider")).to_have_value("2")
    expect(output.get_by_role("spinbutton")).to_be_focused()


def test_a_dict_is_opened(notebook: Notebook) -> None:
    output = notebook.output(4)
    output.get_by_role("button", name="'inner'").click()
    expect(output.get_by_role("button", name="'deep'")).to_be_visible()


def test_words_of_a_value_stay_words(notebook: Notebook) -> None:
    assert notebook.output(1).locator("img").count() == 0
    assert notebook.page.title() != "hacked"


def test_short_values_have_no_boxes_of_the_notebook_s_around_them(notebook: Notebook) -> None:
    grounds = (
        notebook.output(5).locator("code").evaluate_all("all => all.map(e => getComputedStyle(e).backgroundColor)")
    )
    assert len(grounds) >= 2
    assert set(grounds) == {"rgba(0, 0, 0, 0)"}


@pytest.mark.parametrize("theme", ["JupyterLab Dark High Contrast", "JupyterLab Dark", "JupyterLab Light"])
def test_controls_can_be_read_in_all_themes(notebook: Notebook, theme: str) -> None:
    notebook.theme(theme)
    assert low_contrasts(notebook.page, ".ft-explore") == []
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
    found = Axe().run(notebook.page, context=".ft-explore", options=rules)
    violations = [(v["id"], [n["html"] for n in v["nodes"]]) for v in found.response["violations"]]
    assert found.response["passes"]
    assert violations == []


def test_a_view_that_is_kept_is_what_was_seen(notebook: Notebook) -> None:
    output = notebook.output(2)
    output.get_by_role("button", name="last rows").click()
    expect(output.locator(".ft-range").nth(1)).to_have_text("rows 21–30 of 30")
    output.get_by_role("button", name="keep this view").click()
    expect(output.locator("button")).to_have_count(0)
    expect(output).to_contain_text("rows 21–30 of 30")
    assert "rows 21–30 of 30" in notebook.save().cells[2].outputs[0]["data"]["text/plain"]


def test_what_is_saved_is_html_that_comes_alive_again_after_a_reload(notebook: Notebook) -> None:
    saved = notebook.save()
    for cell in saved.cells[1:5]:
        assert [sorted(o["data"]) for o in cell.outputs] == [["text/html", "text/plain"]]
    notebook.reopen()
    output = notebook.output(1)
    output.get_by_role("button", name="last rows").click()
    expect(output.locator(".ft-range")).to_have_text(re.compile("–100 of 100$"))


def test_without_its_kernel_a_saved_notebook_shows_the_still_display(
    notebook: Notebook, lab: Lab, browser: Browser
) -> None:
    notebook.save()
    other = lab.folder / "from_elsewhere_explored.ipynb"
    other.write_bytes(notebook.path.read_bytes())
    page: Page = browser.new_page(viewport={"width": 1300, "height": 1400})
    again = Notebook(lab, page, other).open()
    expect(again.output(1).locator("tbody tr")).to_have_count(10)
    expect(again.output(1).locator("button")).to_have_count(0)
    expect(again.output(1)).not_to_contain_text("model not found")
    again.shut_down()


def test_values_in_the_inspector_of_a_run_answer_too(lab: Lab, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1300, "height": 1400})
    define = """
%load_ext flytenb
import flytenb
from flytekit import task

@task
def count(n: int) -> list[int]:
    return list(range(n))
"""
    notebook = Notebook(
        lab, page, lab.write("inspected", define, "run = %flyte run count(n=1000)", "run.explore()")
    ).open()
    notebook.run_all()
    live = notebook.live(2)
    live.node("n0").click()
    live.inspector.get_by_role("button", name="last rows").click()
    expect(live.inspector.locator(".ft-range").first).to_have_text("rows 991–1,000 of 1,000")
    notebook.shut_down()
