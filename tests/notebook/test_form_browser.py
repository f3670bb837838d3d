"""The input form in a real JupyterLab: filled as a person would, light and dark, and the run appears below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.contrasts import low_contrasts
from tests.browser.lab import Lab, Notebook, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEFINITIONS = """
import datetime, enum
from dataclasses import dataclass
from typing import Annotated, Literal, Optional

import pandas as pd
from flytekit import task
from flytekit.types.file import FlyteFile

import flytenb

class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

@dataclass
class Point:
    x: float
    y: float = 2.0

frame = pd.DataFrame({"a": [1, 2]})
limit = 7
"""
TASK = '''
@task
def survey(
    num: int,
    name: str,
    color: Color,
    day: datetime.date,
    when: datetime.datetime,
    wait: datetime.timedelta,
    start: Point,
    file: FlyteFile,
    table: pd.DataFrame,
    level: Annotated[int, range(1, 11)] = 3,
    exact: bool = False,
    mode: Literal["fast", "good"] = "good",
    xs: list[int] = [1],
    weights: dict[str, float] = {"a": 1.5},
    offset: Optional[int] = None,
    extra: dict = {},
) -> str:
    """Survey the points of a region.

    Args:
        num: how many, <img src=x onerror="document.title = 'hacked'"> at most a thousand
    """
    with open(file) as opened:
        text = opened.read()
    return repr((num, name, color.name, day, when, wait, start, text, len(table), level, exact, mode, xs, weights,
                 offset, extra))
'''


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 1500})
        yield page
        page.close()


@pytest.fixture(scope="module")
def notebook(page: Page) -> Iterator[Notebook]:
    lab = Lab()
    try:
        path = lab.write(
            "form",
            "%load_ext flytenb",
            DEFINITIONS,
            TASK,
            "form = flytenb.form(survey)\nform",
            "print(form.run.wait().result)",
            "%flyte form survey",
        )
        notebook = Notebook(lab, page, path).open()
        for number in range(4):
            run_cell(notebook, number)
        page.wait_for_selector(".ft-form")
        yield notebook
    finally:
        lab.stop()


def run_cell(notebook: Notebook, number: int) -> None:
    notebook.cell(number).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.wait_until_idle()


def field(form: Locator, name: str) -> Locator:
    return form.locator(".ft-form-field").filter(has=form.page.locator(f'.ft-form-label b:text-is("{name}")')).first


def test_a_person_fills_the_form_and_runs_it(notebook: Notebook, page: Page, tmp_path: Path) -> None:
    form = notebook.output(3).locator(".ft-form")
    line = form.locator(".ft-form-call pre")

    # An invalid number is reported at once beside its field, and corrected.
    number = field(form, "num")
    number.locator("input").fill("five")
    expect(number.locator(".ft-form-problem")).to_have_text("expected a whole number, got 'five'")
    expect(line).to_contain_text("num=…")
    number.locator("input").fill("5")
    expect(number.locator(".ft-form-problem")).to_be_hidden()
    expect(line).to_contain_text("num=5")

    field(form, "name").locator("textarea").fill("two\nlines")
    field(form, "color").locator("select").first.select_option("BLUE = 'blue'")
    field(form, "day").locator("input").fill("2024-02-29")
    field(form, "when").locator("input").fill("2024-03-04T05:06")
    field(form, "wait").locator("input").fill("1h 30m")
    field(form, "start").locator("input").first.fill("1.5")
    # What a person reads on the button: the widget's own label ends with how many files it holds.
    button = field(form, "file").get_by_role("button")
    seen = button.evaluate("e => [getComputedStyle(e).fontSize, getComputedStyle(e, '::after').content]")
    assert seen == ["0px", '"Upload" / ""']
    upload = tmp_path / "points.csv"
    upload.write_text("a,b")
    with page.expect_file_chooser() as chooser:
        button.click()
    chooser.value.set_files(str(upload))
    expect(field(form, "file").locator("input[type=text]")).to_have_value(re.compile(r"/points\.csv$"))
    expect(field(form, "table").locator("select").first).to_have_value(re.compile("frame"))
    field(form, "exact").locator("input[type=checkbox]").check()
    field(form, "mode").locator("select").first.select_option("'fast'")
    field(form, "level").get_by_role("textbox").fill("9")
    rows = field(form, "xs")
    rows.get_by_role("button", name="add item").click()
    rows.locator("input").nth(1).fill("22")
    rows.get_by_role("button").first.click()  # takes the first item away
    weights = field(form, "weights")
    weights.get_by_role("button", name="add entry").click()
    weights.locator("textarea").nth(1).fill("b")
    weights.locator("input").nth(1).fill("2")
    offset = field(form, "offset")
    offset.locator("select").first.select_option("int")
    offset.locator("input").fill("-3")
    field(form, "extra").locator("textarea").fill('{"k": [1, null]}')
    number.locator("select").last.select_option("variable")
    expect(line).to_contain_text("num=limit")

    form.get_by_role("button", name="Run").click()
    expect(form.get_by_text("survey is running")).to_be_visible()
    expect(notebook.output(3)).to_contain_text("succeeded")

    run_cell(notebook, 4)
    expected = (
        "(7, 'two\\nlines', 'BLUE', datetime.date(2024, 2, 29), datetime.datetime(2024, 3, 4, 5, 6, "
        "tzinfo=datetime.timezone.utc), datetime.timedelta(seconds=5400), Point(x=1.5, y=2.0), 'a,b', 2, 9, True, "
        "'fast', [22], {'a': 1.5, 'b': 2.0}, -3, {'k': [1, None]})"
    )
    expect(notebook.output(4)).to_have_text(expected)


def test_the_next_form_remembers_the_last_inputs(notebook: Notebook) -> None:
    before = notebook.output(3).locator(".ft-form-call pre").inner_text()
    run_cell(notebook, 5)
    form = notebook.output(5).locator(".ft-form")
    expect(form.locator(".ft-form-call pre")).to_have_text(before)
    expect(field(form, "xs").locator("input")).to_have_value("22")


def test_hostile_words_stay_words(notebook: Notebook, page: Page) -> None:
    form = notebook.output(3).locator(".ft-form")
    expect(form).to_contain_text("<img src=x onerror=\"document.title = 'hacked'\">")
    assert form.locator("img").count() == 0
    assert page.title() != "hacked"


@pytest.mark.parametrize("theme", ["JupyterLab Dark High Contrast", "JupyterLab Light", "JupyterLab Dark"])
def test_it_can_be_read_in_all_themes(notebook: Notebook, page: Page, theme: str) -> None:
    notebook.theme(theme)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}
    found = Axe().run(page, context=".ft-form", options=rules)
    assert found.response["passes"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found.response["violations"]] == []
    assert low_contrasts(page, ".ft-form") == []


def test_the_slider_and_its_number_have_a_name_and_one_value(notebook: Notebook) -> None:
    run_cell(notebook, 5)
    level = field(notebook.output(5).locator(".ft-form"), "level")
    slider, number = level.get_by_role("slider", name="level"), level.get_by_role("textbox", name="level")
    slider.fill("4")
    expect(number).to_have_value("4")
    slider.press("ArrowRight")
    expect(number).to_have_value("5")
    number.fill("11")
    expect(level.locator(".ft-form-problem")).to_have_text("must be at most 10, got 11")
    number.fill("7")
    expect(level.locator(".ft-form-problem")).to_be_hidden()
    expect(slider).to_have_value("7")
