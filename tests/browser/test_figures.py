"""Figures of plotly and altair in a real JupyterLab: alive where they stand alone, still in what is saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = (
    """
%load_ext flytenb
import flytenb
import altair
import pandas as pd
import plotly.graph_objects as go
figure = go.Figure(go.Scatter(x=[1, 2, 3], y=[3, 1, 2], name="north"), layout={"title": "Heights"})
chart = altair.Chart(pd.DataFrame({"day": [1, 2], "height": [3, 1]})).mark_line().encode(x="day", y="height")
""",
    "flytenb.show(figure)",
    "flytenb.show({'inside': figure})",
    "flytenb.show(chart)",
)


@pytest.fixture(scope="module")
def notebook(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    page = browser.new_page(viewport={"width": 1100, "height": 1500})
    opened = Notebook(lab, page, lab.write("figures", *CELLS)).open()
    opened.run_all()
    opened.wait_until_idle()
    yield opened
    opened.shut_down()


def test_a_figure_of_plotly_that_stands_alone_is_alive(notebook: Notebook) -> None:
    output = notebook.output(1)
    expect(output.locator(".js-plotly-plot .scatterlayer path.js-line")).to_have_count(1)
    expect(output.locator(".gtitle")).to_have_text("Heights")
    # The last of its points, where the pointer tells what it is.
    output.locator(".scatterlayer .point").last.hover(force=True)
    expect(output.locator(".hoverlayer")).to_contain_text("(3, 2)")


def test_inside_another_value_it_tells_what_it_draws_and_how_to_have_a_picture(notebook: Notebook) -> None:
    output = notebook.output(2)
    expect(output.locator("table")).to_contain_text("north")
    expect(output).to_contain_text("plotly.io.renderers.default = 'plotly_mimetype+png'")


def test_a_chart_of_altair_is_a_picture(notebook: Notebook) -> None:
    expect(notebook.output(3).locator("img, canvas, svg").first).to_be_visible()


def test_what_is_saved_holds_both_the_figure_and_a_still_display(notebook: Notebook) -> None:
    saved = notebook.save()
    data = saved.cells[1].outputs[0].data
    assert {"application/vnd.plotly.v1+json", "text/html", "text/plain"} <= set(data)
    # Its renderer in JupyterLab leaves a picture of what was seen.
    assert "image/png" in data
    assert "data:image/png" in saved.cells[3].outputs[0].data["text/html"]
