"""The notebooks and the README run for real, and what they publish opens without a network."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from tests.images import image_environment

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.md"))

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment of the notebooks: images for container cells."""
    return os.environ | image_environment()


def publish(
    sources: Iterable[Path], folder: Path, environment: dict[str, str] | None = None
) -> dict[str, nbformat.NotebookNode]:
    """Run notebooks by the command that `make demo` uses and return them with their outputs."""
    command = [sys.executable, ROOT / "notebooks" / "publish.py", *sources, "--to", folder]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {source.stem: nbformat.read(folder / f"{source.stem}.ipynb", as_version=4) for source in sources}


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> dict[str, tuple[Path, nbformat.NotebookNode]]:
    """Each notebook, run once: its folder and itself with its outputs."""
    folder = tmp_path_factory.mktemp("published")
    return {name: (folder, notebook) for name, notebook in publish(NOTEBOOKS, folder, environment).items()}


@pytest.fixture
def tutorial(published: dict[str, tuple[Path, nbformat.NotebookNode]]) -> nbformat.NotebookNode:
    return published["extending_flyte"][1]


class Page(HTMLParser):
    """What a page would load, and the scripts in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.pictures = 0
        self.loaded: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.scripts += tag == "script"
        self.pictures += tag == "img" and values.get("src", "").startswith("data:image/svg+xml")
        addresses = [values.get("src", ""), values.get("href", "") if tag == "link" else ""]
        self.loaded += [a for a in addresses if a and not a.startswith(("data:", "#"))]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]


def cell(notebook: nbformat.NotebookNode, start: str) -> nbformat.NotebookNode:
    """The first code cell whose source starts so."""
    return next(c for c in notebook.cells if c.cell_type == "code" and c.source.startswith(start))


def bundles(found: nbformat.NotebookNode) -> list[dict[str, str]]:
    return [o.data for o in found.outputs if "data" in o]


def errors(found: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [o for o in found.outputs if o.output_type == "error"]


def has_picture(found: nbformat.NotebookNode) -> bool:
    return any(
        "image/svg+xml" in bundle or 'src="data:image/svg+xml' in bundle.get("text/html", "")
        for bundle in bundles(found)
    )


@pytest.mark.parametrize("name", [n.stem for n in NOTEBOOKS])
def test_cells_fail_only_where_the_notebook_says_so(
    name: str, published: dict[str, tuple[Path, nbformat.NotebookNode]]
) -> None:
    code = [c for c in published[name][1].cells if c.cell_type == "code"]
    assert [bool(errors(c)) for c in code] == ["raises-exception" in c.metadata.get("tags", []) for c in code]


@pytest.mark.parametrize("name", [n.stem for n in NOTEBOOKS])
def test_nothing_is_written_to_standard_error(
    name: str, published: dict[str, tuple[Path, nbformat.NotebookNode]]
) -> None:
    outputs = [o for c in published[name][1].cells if c.cell_type == "code" for o in c.outputs]
    assert not [o.text for o in outputs if o.get("name") == "stderr"]


@pytest.mark.parametrize("name", [n.stem for n in NOTEBOOKS])
def test_a_page_holds_all_it_shows(name: str, published: dict[str, tuple[Path, nbformat.NotebookNode]]) -> None:
    page = Page((published[name][0] / f"{name}.html").read_text())
    assert page.loaded == []
    assert page.scripts == 0
    assert page.policy.startswith("default-src 'none'")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from tests.browser.lab import chromium

    with chromium() as browser:
        yield browser


@pytest.mark.browser
@pytest.mark.parametrize("name", [n.stem for n in NOTEBOOKS])
def test_a_page_shows_its_pictures_without_a_network(
    name: str, published: dict[str, tuple[Path, nbformat.NotebookNode]], browser: Any
) -> None:
    asked: list[str] = []
    said: list[str] = []
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto((published[name][0] / f"{name}.html").as_uri())
        widths = page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth)")
    assert widths
    assert all(widths)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


def test_nbval_runs_the_notebooks_again_with_the_same_answers(
    published: dict[str, tuple[Path, nbformat.NotebookNode]], environment: dict[str, str]
) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "nbval",
        "--nbval-lax",
        "--nbval-kernel-startup-timeout=600",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        *(str(folder / f"{name}.ipynb") for name, (folder, _) in published.items()),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tutorial_draws_the_stubs_and_then_the_tasks(tutorial: nbformat.NotebookNode) -> None:
    sketch, drawn = cell(tutorial, "%%workflow"), cell(tutorial, "%flyte draw")
    assert has_picture(sketch)
    assert has_picture(drawn)
    assert "stub" in bundles(sketch)[0]["text/plain"]
    assert "stub" not in bundles(drawn)[0]["text/plain"]


def test_the_tutorial_keeps_the_picture_of_its_runs(tutorial: nbformat.NotebookNode) -> None:
    runs = [c for c in tutorial.cells if c.source.startswith("run = %flyte run")]
    assert len(runs) == 3
    assert all(has_picture(c) for c in runs)


def test_the_tutorial_runs_a_pipeline_with_a_plot(tutorial: nbformat.NotebookNode) -> None:
    shown = " ".join(bundle["text/html"] for bundle in bundles(cell(tutorial, "run = %flyte run churn")))
    assert "hold_back" in shown
    assert "published, 85% right" in shown
    assert "data:image/png" in shown


def test_the_tutorial_shows_the_coordinates_as_a_table(tutorial: nbformat.NotebookNode) -> None:
    html = bundles(cell(tutorial, "import flytenb"))[0]["text/html"]
    heads = [re.sub(r"<[^>]+>", " ", head).split() for head in re.findall(r"<th\b.*?</th>", html, re.DOTALL)]
    assert [head[0] for head in heads] == ["x", "y", "metadata"]
    assert html.count("<tr") > 5


def test_the_tutorial_fails_with_the_node_and_the_users_own_line(tutorial: nbformat.NotebookNode) -> None:
    (error,) = errors(cell(tutorial, "%flyte run churn(rows=20)"))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert error.ename == "ValueError"
    assert "n3/" in shown  # an element of the map
    assert "score" in shown
    assert "raise ValueError" in shown
    assert len(shown.splitlines()) <= 15


def test_the_tutorial_shows_what_a_cluster_would_get(tutorial: nbformat.NotebookNode) -> None:
    (module,) = bundles(cell(tutorial, "%flyte export survey"))
    assert module["text/plain"].startswith('"""survey, exported from a notebook."""')
    (found,) = bundles(cell(tutorial, "%flyte check survey"))
    assert "0 errors" in found["text/plain"]
    (printed,) = cell(tutorial, "shipment = ").outputs
    assert printed.text.splitlines()[-1] == "launch_plan survey.survey"


def test_the_page_about_tasks_runs_each_rung(published: dict[str, tuple[Path, nbformat.NotebookNode]]) -> None:
    notebook = published["extending_tasks"][1]
    rungs = ["measure(", "fahrenheit(", "area_here(", "forecast("]
    for call in rungs:
        assert has_picture(next(c for c in notebook.cells if f"%flyte run {call}" in c.source))
    (hidden,) = errors(cell(notebook, "def timed(fn)"))
    assert "the decorator 'timed'" in hidden.evalue
    handled = next(c for c in notebook.cells if c.source.startswith("%flyte run visit"))
    assert "✓ fn0" in bundles(handled)[-1]["text/plain"]
    checked = bundles(cell(notebook, "import flytenb\n\nflytenb.check_plugin"))[-1]["text/plain"]
    assert "every check passed" in checked
    assert "its pod runs" in checked
    assert "degrees > 20.65" in bundles(cell(notebook, "import sqlite3"))[-1]["text/plain"]


def test_the_page_about_languages_fails_with_the_line_of_r_and_shows_what_julia_made(
    published: dict[str, tuple[Path, nbformat.NotebookNode]],
) -> None:
    notebook = published["languages"][1]
    failing, right = (c for c in notebook.cells if "%flyte run growth(" in c.source)
    (error,) = errors(failing)
    assert (
        "container task 'estimate' failed: Error in coef(model)[[\"hours\"]]: subscript out of bounds" in error.evalue
    )
    assert 'line 2: rate <- coef(model)[["hours"]]' in error.evalue
    drawn = bundles(right)[-1]["text/plain"]
    estimate = next(line for line in drawn.splitlines() if "n1  estimate" in line)
    assert "✓" in estimate
    assert " · R · " in estimate
    assert " · Julia · " in drawn
    page = (published["languages"][0] / "languages.html").read_text()
    assert '<span class="k">end</span>' in page  # a keyword of Julia
    assert "capacity 2" in bundles(notebook.cells[-1])[-1]["text/plain"]


def test_the_page_about_iterating_runs_only_what_has_changed(
    published: dict[str, tuple[Path, nbformat.NotebookNode]],
) -> None:
    notebook = published["iterating"][1]
    (error,) = errors(cell(notebook, "%flyte run forecast("))
    assert error.ename == "ValueError"
    for start, ran in {
        "run = %flyte run": ["score", "report"],
        "changed = %flyte run": ["waves", "fit", "waves", "predict", "score", "report"],
        "again = %flyte run": ["repair"],
        "follow.run.wait()\n": ["report"],
    }.items():
        shown = bundles(next(c for c in notebook.cells if f"{c.source}\n".startswith(start)))[-1]["text/plain"]
        assert re.findall(r"✓ n\d+  (\w+)", shown) == ran
        assert shown.count("↻ n") == 10 - len(ran)
    assert (
        bundles(cell(notebook, "%flyte draw"))[0]["text/plain"].count("waves  (task · stale: `YEAR` was redefined") == 2
    )
    (counted,) = bundles(cell(notebook, "from collections import Counter"))
    ran_once = {name for name, count in ast.literal_eval(counted["text/plain"]).items() if count == 1}
    assert ran_once == {"read", "repair", "older", "newer"}


PAGES = {
    "README.md": "o0 = 25",
    "docs/backends.md": "every check passed",
    "docs/extending.md": "pyflyte-execute wrote the outputs of greet",
    "docs/types.md": "flytenb.run(name_of, marker=…)",
}
"""Pages whose examples run, and what the last one shows."""


def examples_of(name: str) -> nbformat.NotebookNode:
    """The examples of a page as a notebook."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
    cells = [part for block in blocks for part in re.split(r"\n(?=%)", block)]
    assert cells
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in cells],
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """The examples of each page with their outputs, by the name of the page without its ending."""
    folder = tmp_path_factory.mktemp("pages")
    for name in PAGES:
        jupytext.write(examples_of(name), folder / Path(name).name, fmt="md:myst")
    return publish([folder / Path(name).name for name in PAGES], folder)


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_in_the_pages_run_and_show_what_the_pages_say(
    name: str, pages: dict[str, nbformat.NotebookNode]
) -> None:
    *_, last = pages[Path(name).stem].cells
    assert any(PAGES[name] in bundle["text/plain"] for bundle in bundles(last))


HOW_TO = sorted((ROOT / "docs" / "how_to").glob("*.md"))
_INLINE = re.compile(r"`((?:%flyte |flytenb[ .])[^`]*)`")
_PLACEHOLDER = re.compile(r"…|\b[A-Z]{2,}\b|\(T\)|\b(task|connector), ")


def inline_commands(page: Path) -> list[str]:
    """The calls and lines in the text of a page that can be typed: with arguments, and without placeholders."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = _INLINE.findall(text)
    return [c for c in found if re.search(r"[ (]", c.removeprefix("%flyte ")) and not _PLACEHOLDER.search(c)]


def test_the_how_to_pages_have_commands_in_their_text() -> None:
    assert sum(len(inline_commands(page)) for page in HOW_TO) >= 8


@pytest.mark.parametrize("page", [p for p in HOW_TO if inline_commands(p)], ids=lambda p: p.stem)
def test_the_commands_in_the_text_of_a_how_to_page_run_as_typed(page: Path, tmp_path: Path) -> None:
    """Its cells are run when the site is built; here they come before what the text says."""
    notebook = jupytext.read(page, fmt="md:myst")
    lines = [c for c in inline_commands(page) if not c.startswith("flytenb ")]
    notebook.cells += [nbformat.v4.new_code_cell(line) for line in lines]
    jupytext.write(notebook, tmp_path / page.name, fmt="md:myst")
    ran = publish([tmp_path / page.name], tmp_path)[page.stem]
    assert [c.source for c in ran.cells[len(ran.cells) - len(lines) :] if errors(c)] == []
    for command in inline_commands(page):
        if command.startswith("flytenb "):
            done = subprocess.run(
                [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
