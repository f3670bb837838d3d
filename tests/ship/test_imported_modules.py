"""Modules as people write them: as a notebook, and as what that exports, they give what the file gives."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import jupytext
import pytest

import flytenb
from flytenb.cli.command_line import main
from flytenb.reach.syntax_trees import parse
from flytenb.ship.module_cells import cells_of_module, read_module
from tests.ship.notebooks import imported, nothing_defined, open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

FOLDER = Path(__file__).parents[1] / "data" / "modules"
MODULES = {file.stem: file.read_bytes().decode() for file in sorted(FOLDER.glob("*.txt"))}
"""Texts of modules with a workflow `wf`, by name."""
if sys.version_info < (3, 12):
    del MODULES["type_parameters"]
TABS = MODULES["tabs"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", MODULES)
def test_the_notebook_of_a_module_and_what_it_exports_give_what_the_module_gives(name: str, tmp_path: Path) -> None:
    with imported(MODULES[name], tmp_path) as module:
        expected = module.wf(x=3)
    with open_notebook() as notebook:
        notebook.run("%load_ext flytenb", *cells_of_module(MODULES[name]))
        assert notebook.names["wf"](x=3) == expected
        made = flytenb.export(notebook.names["wf"]).text
    with imported(made, tmp_path) as module:
        assert module.wf(x=3) == expected
    assert ast.get_docstring(parse(MODULES[name])) in (None, ast.get_docstring(parse(made)))
    with open_notebook() as notebook:
        notebook.run(*cells_of_module(made))
        assert flytenb.export(notebook.names["wf"]).text == made


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", MODULES)
def test_the_command_line_runs_the_notebook_of_a_module(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs only what `wf` needs."""
    with imported(MODULES[name], tmp_path) as module:
        expected = module.wf(x=3)
    (tmp_path / "steps.py").write_text(MODULES[name], newline="")
    with nothing_defined():
        assert main(["import", str(tmp_path / "steps.py"), "-o", str(tmp_path / "steps.md")]) == 0
        capsys.readouterr()
        assert main(["run", "--json", str(tmp_path / "steps.md"), "wf", "--x", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == {"o0": expected}


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + TABS.encode(),
        TABS.replace("\n", "\r\n").encode(),
        TABS.replace("\n", "\r").encode(),
        b"# -*- coding: latin-1 -*-\n" + TABS.replace("no x", "n\xe9 x").encode("latin-1"),
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n" + TABS.replace("no x", "\u20ac").encode("cp1252"),
    ],
    ids=["a mark of the encoding", "CRLF", "CR", "Latin-1", "a code page"],
)
def test_a_file_is_read_by_its_encoding_and_line_ends(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_bytes(data)
    assert main(["import", str(tmp_path / "steps.py"), "-o", str(tmp_path / "steps.md")]) == 0
    cells = [cell.source for cell in jupytext.read(tmp_path / "steps.md").cells]
    assert "coding" not in "".join(cells)
    assert "\r" not in "".join(cells)
    code = compile(data, "steps.py", "exec")  # Python reads the encoding, too
    assert ast.dump(parse("\n".join(cells[1:]))) == ast.dump(parse(read_module(data)))
    assert compile("\n".join(cells[1:]), "steps.py", "exec").co_names == code.co_names


def test_a_file_in_another_encoding_than_it_says_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for data in (b"X = '\xe9'\n", b"# coding: nonsense\nX = 1\n", b"X = 1\0\n"):
        (tmp_path / "steps.py").write_bytes(data)
        assert main(["import", str(tmp_path / "steps.py")]) == 2
        assert "isn't a Python module" in capsys.readouterr().err


TASK = """
from flytekit import task

@task
def step(x: int) -> int:
    return {}
"""


def test_relative_imports_name_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "relative_package" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    (inner / "helpers.py").write_text("A = 1\n")
    (inner.parent / "other.py").write_text("B = 2\n")
    head = "from . import helpers as h\nfrom .helpers import (\n    A,  # from . import this\n)\n"
    head += "from .. import other; from ..other import B\nTEXT = 'from . import x'\n"
    body = "def of_task():\n    from .helpers import A as a\n    return a\n"
    result = "x + A + B + h.A + other.B + of_task() + len(TEXT)"
    (inner / "steps.py").write_text(f"{head}{body}{TASK.format(result)}")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["import", str(inner / "steps.py")]) == 0
    cells = [cell.source for cell in jupytext.read(inner / "steps.ipynb").cells]
    with open_notebook() as notebook:
        notebook.run(*cells)
        assert notebook.names["step"](x=3) == 3 + 1 + 2 + 1 + 2 + 1 + len("from . import x")
        made = flytenb.export(notebook.names["step"])
    assert "import relative_package.inner" not in made.text
    assert "from relative_package.inner import helpers as h\n" in made.text
    for name in [name for name in sys.modules if name.startswith("relative_package")]:
        del sys.modules[name]
