"""What export writes besides a module: a notebook of it, and a project."""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

import jupytext
import pytest
import yaml
from flytekit import ImageSpec

import flytenb
from flytenb.errors import ExportError
from tests.ship.notebooks import imported, open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

CELLS = (
    "import pandas as pd\nfrom flytekit import task, workflow\nfrom project_helpers import twice",
    "LIMIT = 3  # the most",
    "@task\ndef total(n: int) -> int:\n    return int(pd.Series(range(n)).sum()) + twice(LIMIT)",
    "@workflow\ndef Sum_Up(n: int) -> int:\n    return total(n=n)",
)


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the user's own."""
    file = tmp_path / "project_helpers.py"
    file.write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "project_helpers", raising=False)
    return file


def test_a_folder_becomes_a_project_with_the_versions_of_what_is_imported(helpers: Path, tmp_path: Path) -> None:
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        made = notebook.run(f"%flyte export Sum_Up -o {tmp_path}/made/")
        first = {file.name: file.read_bytes() for file in (tmp_path / "made").iterdir()}
        flytenb.export(notebook.names["Sum_Up"], tmp_path / "made")
        expected = notebook.names["Sum_Up"](n=4)
    sys.modules.pop("project_helpers")
    assert first == {file.name: file.read_bytes() for file in (tmp_path / "made").iterdir()}
    assert set(first) == {"pipeline.py", "project_helpers.py", "pyproject.toml", "image_spec.yaml"}
    assert (first["pipeline.py"].decode(), first["project_helpers.py"]) == (made.text, helpers.read_bytes())
    pinned = [f"{name}=={metadata.version(name)}" for name in ("flytekit", "pandas", "pyarrow")]
    project = tomllib.loads(first["pyproject.toml"].decode())["project"]
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (project["name"], project["dependencies"]) == ("sum-up", pinned)
    assert project["requires-python"] == f"=={here}.*"
    image = ImageSpec(**yaml.safe_load(first["image_spec.yaml"]))  # as pyflyte reads it
    assert (image.name, image.python_version, image.packages) == ("sum-up", here, pinned)
    with imported(made.text, tmp_path / "made") as module:
        assert module.Sum_Up(n=4) == expected == 12


@pytest.mark.parametrize("suffix", [".md", ".ipynb"])
def test_a_notebook_of_the_module_gives_the_module_again(suffix: str, helpers: Path, tmp_path: Path) -> None:
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        made = flytenb.export(notebook.names["Sum_Up"], tmp_path / f"page{suffix}")
    read = jupytext.read(tmp_path / f"page{suffix}")
    assert [cell.cell_type for cell in read.cells] == ["code"] * 5
    with open_notebook() as notebook:
        notebook.run(*(cell.source for cell in read.cells if cell.cell_type == "code"))
        assert flytenb.export(notebook.names["Sum_Up"]).text == made.text
    sys.modules.pop("project_helpers")


def test_without_an_entity_all_that_the_cells_define_is_exported(helpers: Path, tmp_path: Path) -> None:
    with open_notebook() as notebook:
        with pytest.raises(ExportError, match="got none"):
            flytenb.export(path=tmp_path / "none.py")
        notebook.run(*CELLS, "alias = total", "unused = LIMIT + 1")
        notebook.run("@task\ndef old(n: int) -> int:\n    return n", key="a")
        notebook.run("@task\ndef new(n: int) -> int:\n    return n", key="a")  # `old` is left in the kernel
        made = notebook.run(f"%flyte export -o {tmp_path}/pipeline.py")
        assert made.names == ("total", "Sum_Up", "new")
        assert (tmp_path / "pipeline.py").read_text() == flytenb.export().text == made.text
        assert made.text.startswith('"""Sum_Up and new, exported from a notebook."""\n')
        assert "unused" not in made.text
        assert notebook.run("%flyte check").name == "total, Sum_Up, new"
        whole = notebook.run(f"%flyte export -o {tmp_path}/project/")
        assert (tmp_path / "project" / "pipeline.py").read_text() == whole.text
        flytenb.export(path=tmp_path / "page.md")
        with imported(made.text, tmp_path) as module:
            assert module.Sum_Up(n=4) == notebook.names["Sum_Up"](n=4)
    cells = [cell.source for cell in jupytext.read(tmp_path / "page.md").cells if cell.cell_type == "code"]
    assert sum(cell.startswith("@") for cell in cells) == 3
    sys.modules.pop("project_helpers")
