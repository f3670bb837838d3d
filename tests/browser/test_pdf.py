"""A notebook with a run in it, as `nbconvert --to webpdf` prints it with Debian's Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import flytenb
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from tests.flows import FLOWS
from tests.waiting import PATIENCE

pytestmark = pytest.mark.browser


def converted(notebook: Path, browsers: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "webpdf", "--disable-chromium-sandbox"]
    env = os.environ | {"PLAYWRIGHT_BROWSERS_PATH": str(browsers)}
    return subprocess.run([*command, str(notebook)], env=env, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which playwright finds the system's browser as its own; where it looks, it says itself."""
    folder = tmp_path_factory.mktemp("browsers")
    empty = folder / "empty.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), empty)
    missing = re.search(rf"exist at ({folder}\S+)", converted(empty, folder).stderr)
    assert missing is not None
    place = Path(missing[1])
    place.parent.mkdir(parents=True)
    place.symlink_to(shutil.which("chromium") or "no chromium")
    return folder


def test_a_pdf_shows_the_picture_and_the_outputs(browsers: Path, tmp_path: Path) -> None:
    flow = FLOWS["diamond"]
    run = flytenb.run(flow.entity, **flow.inputs)
    output = nbformat.v4.new_output("display_data", data=run_bundle(run, show))
    cell = nbformat.v4.new_code_cell("run", outputs=[output], execution_count=1)
    notebook = tmp_path / "run.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
    done = converted(notebook, browsers)
    assert done.returncode == 0, done.stderr
    printed = subprocess.run(
        ["pdftotext", notebook.with_suffix(".pdf"), "-"], capture_output=True, text=True, check=True
    )
    words = printed.stdout.replace("\N{LATIN SMALL LIGATURE FL}", "fl")
    assert "a int = 1" in words  # only the picture says so
    for node in run.graph.nodes.values():
        if not node.is_pseudo:
            assert node.name in words
    assert f"o0 {run.result!r}" in words
