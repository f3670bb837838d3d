"""A followed call in a real JupyterLab: an edited cell runs it again in its output, and the button stops it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEFINE = """
%load_ext flytenb
import flytenb
from flytekit import task, workflow

@task
def first(x: int) -> int:
    return x + 1

def scale(x): return x * 2

@task
def last(x: int) -> int:
    return scale(x) + 1000

@workflow
def wf(x: int = 1) -> int:
    return last(x=first(x=x))
"""


@pytest.fixture
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    page = browser.new_page(viewport={"width": 1100, "height": 1100})
    cells = DEFINE, "f = %flyte follow wf(x=3)", "def scale(x): return x * 5"
    opened = Notebook(lab, page, lab.write("followed", *cells)).open()
    yield opened
    opened.shut_down()


def test_an_edit_is_seen_in_the_output_of_the_call_until_it_is_stopped(notebook: Notebook) -> None:
    notebook.run_all()
    output = notebook.output(1)
    expect(output).to_contain_text("1020")
    expect(output).to_contain_text("following wf(x=3) · waiting for an edit")
    expect(output.locator("img")).to_have_count(1)
    output.get_by_role("button", name="■ stop").click()
    expect(output).to_contain_text("following wf(x=3) · stopped")
