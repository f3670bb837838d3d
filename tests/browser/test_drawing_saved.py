"""A drawing in a saved notebook: opened again, trusted or not, in both themes, and turned into a page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.lab import Lab, Notebook
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEFINE = """
%load_ext flytenb
from flytekit import conditional, task, workflow

@task
def first(x: int) -> int:
    return x + 1

@task
def second(x: int) -> int:
    return x * 2

@workflow
def choose(x: int = 1) -> int:
    return conditional("size").if_(x > 3).then(second(x=first(x=x))).else_().then(second(x=x))

@workflow
def one_of_many(x: int = 1) -> int:
    cases = conditional("size").if_(x == 0).then(second(x=x))
    for number in range(1, 10):
        cases = cases.elif_(x == number).then(second(x=x))
    return cases.else_().then(first(x=x))
"""
DRAWN = ("choose", "%flyte draw choose --upstream first", "one_of_many")


@pytest.fixture(scope="module")
def saved(lab: Lab, browser: Browser) -> Path:
    """A notebook that was run, signed and saved by JupyterLab."""
    page = browser.new_page()
    notebook = Notebook(lab, page, lab.write("drawn", DEFINE, *DRAWN)).open()
    notebook.run_all()
    notebook.wait_until_idle()
    for cell, _ in enumerate(DRAWN, 1):
        expect(notebook.output(cell).locator("img")).to_have_count(1)
    notebook.save()
    notebook.shut_down()
    return notebook.path


@pytest.fixture
def unsigned(lab: Lab, saved: Path) -> Path:
    """The same notebook as it comes from somebody else."""
    notebook = nbformat.read(saved, as_version=4)
    notebook.cells[0].source += "\n# not the notebook that was signed"
    path = saved.with_name("unsigned.ipynb")
    nbformat.write(notebook, path)
    assert not NotebookNotary(data_dir=str(lab.home / "data")).check_signature(notebook)
    return path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    yield opened
    opened.close()


def fetched_from_elsewhere(page: Page, home: str) -> list[str]:
    """The list that requests to anywhere but home are written into."""
    found: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((home, "data:", "blob:")):
            found.append(request.url)

    page.on("request", note)
    return found


def is_shown(image: Locator) -> bool:
    expect(image).to_be_visible()
    return bool(image.evaluate("i => i.decode().then(() => i.naturalWidth > 100 && i.clientWidth === i.naturalWidth)"))


def is_dark(image: Locator) -> bool:
    """Whether the card is dark, as it is painted."""
    shot = base64.b64encode(image.screenshot()).decode()
    corner = image.page.evaluate(
        """async png => {
          const image = new Image();
          image.src = "data:image/png;base64," + png;
          await image.decode();
          const pixel = new OffscreenCanvas(1, 1).getContext("2d");
          pixel.drawImage(image, 12, image.height - 12, 1, 1, 0, 0, 1, 1);
          return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }""",
        shot,
    )
    assert max(corner) < 80 or min(corner) > 200, corner
    return max(corner) < 80


@pytest.mark.parametrize("theme", ["Dark", "Light"])
@pytest.mark.parametrize("trust", ["trusted", "untrusted"])
def test_the_drawing_is_there_when_the_notebook_is_opened_again(
    lab: Lab, page: Page, saved: Path, unsigned: Path, trust: str, theme: str
) -> None:
    elsewhere = fetched_from_elsewhere(page, lab.url)
    notebook = Notebook(lab, page, saved if trust == "trusted" else unsigned).open()
    is_trusted = page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].slice(1).map(cell => cell.trusted)"
    )
    assert is_trusted == [trust == "trusted"] * len(DRAWN)
    notebook.theme(f"JupyterLab {theme}")
    for cell, _ in enumerate(DRAWN, 1):
        if trust == "untrusted":  # where JupyterLab shows no SVG
            expect(notebook.output(cell).locator("pre")).to_contain_text("first")
            continue
        image = notebook.output(cell).locator("img")
        image.scroll_into_view_if_needed()
        assert is_shown(image)
        if cell < len(DRAWN):  # the last one is wider than the window
            assert is_dark(image) == (theme == "Dark")
    notebook.theme("JupyterLab Light")
    notebook.shut_down()
    assert elsewhere == []


def test_a_wide_picture_scrolls_and_its_letters_keep_their_size(lab: Lab, page: Page, saved: Path) -> None:
    notebook = Notebook(lab, page, saved).open()
    image = notebook.output(len(DRAWN)).locator("img")
    image.scroll_into_view_if_needed()
    assert is_shown(image)
    scroller = """i => { let e = i; while (e && e.scrollWidth <= e.clientWidth + 1) e = e.parentElement; return e; }"""
    window = image.evaluate_handle(scroller)
    room, width = window.evaluate("e => [e.clientWidth, e.scrollWidth]")
    assert room < 1000 < width
    assert window.evaluate("e => { e.scrollLeft = 200; return e.scrollLeft }") == 200
    notebook.shut_down()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_picture_survives_nbconvert(browser: Browser, saved: Path, tmp_path: Path, scheme: str) -> None:
    body, _ = HTMLExporter().from_filename(str(saved))
    target = tmp_path / "page.html"
    target.write_text(body, encoding="utf-8")
    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(target.as_uri())
    images = page.locator(".jp-OutputArea-output img")
    assert images.count() == len(DRAWN)
    assert all(is_shown(image) for image in images.all())
    context.close()
