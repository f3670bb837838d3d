"""Tables of itables in a real JupyterLab: where their scripts run, and what stands where they don't."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = (
    """
%load_ext flytenb
import flytenb, itables
import pandas as pd
from flytenb.display.datatables import show_datatable
hostile = "<img src=x onerror=\\"document.title = 'hacked'\\"></script><script>document.title = 'hacked'</script>"
frame = pd.DataFrame({"n": [(7 * i) % 100 for i in range(100)], hostile: [hostile] * 100})
flytenb.display_for("pandas.DataFrame")(show_datatable)
""",
    "flytenb.show(frame)",
    "itables.init_notebook_mode(all_interactive=False, connected=False)",
)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    opened = Notebook(lab, page, lab.write("datatables", *CELLS)).open()
    opened.theme("JupyterLab Dark")
    opened.run_all()
    expect(opened.output(1).locator("table.dataTable")).to_be_visible()
    yield opened
    opened.shut_down()


def test_the_table_of_itables_stands_in_place_of_the_still_one(notebook: Notebook) -> None:
    output = notebook.output(1)
    expect(output.locator(".ft-scroll")).to_be_hidden()
    expect(output.locator(".ft-head")).to_contain_text("100 rows × 2 columns")
    first = output.locator("table.dataTable tbody tr").first.locator("td").first
    expect(first).to_have_text("0")
    output.locator("table.dataTable thead th").first.click()
    output.locator("table.dataTable thead th").first.click()
    expect(first).to_have_text("99")
    output.get_by_role("searchbox").fill("nothing of the kind")
    expect(output.locator("table.dataTable tbody")).to_contain_text("No matching records")


def test_it_follows_the_page_s_theme(notebook: Notebook) -> None:
    output = notebook.output(1)
    colour = output.locator("table.dataTable thead th").first.evaluate("e => getComputedStyle(e).color")
    assert min(map(int, re.findall(r"\d+", colour)[:3])) > 150
    background = output.locator(".dt-container").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgba(0, 0, 0, 0)"


def test_nothing_in_the_frame_runs(notebook: Notebook) -> None:
    assert notebook.output(1).locator("img").count() == 0
    assert "hacked" not in notebook.page.title()


def test_an_untrusted_notebook_shows_the_still_table_alone(notebook: Notebook, browser: Browser) -> None:
    saved = notebook.save()
    saved.cells[0].source += "\n"  # no longer what this server signed
    saved.cells[1].outputs[0].data["text/plain"] += " "
    path = notebook.path.with_name("stranger.ipynb")
    nbformat.write(saved, path)
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    stranger = Notebook(notebook.lab, page, path).open()
    output = stranger.output(1)
    expect(output.locator("table:visible")).to_have_count(1)
    expect(output.locator("table:visible")).to_contain_text("0 … 99")
    assert "hacked" not in page.title()
    stranger.shut_down()
