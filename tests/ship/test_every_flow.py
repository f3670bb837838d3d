"""Every flow, exported from a cell and run in a process that has no notebook: the result is the same."""

from __future__ import annotations

import ast
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import flytenb
from flytenb.engines import unpack
from flytenb.errors import ExportError
from flytenb.reach.syntax_trees import parse
from flytenb.ship.exported_module import Export
from flytenb.ship.module_cells import cells_of_module
from tests.engine import IMAGE, packed_busybox
from tests.ship.notebooks import Notebook, open_notebook
from tests.ship.ruff import complaints
from tests.ship.run_flows import FLOWS

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

NAMES = sorted(file.stem for file in FLOWS.glob("*.py") if file.stem != "__init__")
STUBS = {name for name in NAMES if name.startswith("stub")}
"""Flows that aren't written yet, and aren't exported."""
DOWNWARDS = {"setup_teardown_dynamic", "setup_teardown_fails", "setup_teardown_handler"}
"""Flows with a decorator that uses tasks which are defined below it."""
RUNNABLE = sorted({*NAMES} - STUBS)
EXTENSIONS = {
    "decorators": ["decorated"],
    "setup and teardown": ["setup_teardown", "setup_teardown_fails", "setup_teardown_handler", "setup_teardown_nested"],
    "pre-built container task plugins": ["plugin_prebuilt", "sql"],
    "user container task plugins": ["plugin_user", "plugin_task"],
    "raw container tasks": ["container", "shell"],
    "backend plugins": ["backend", "connector"],
}
"""The flows of each way of flytekit's documentation to extend tasks."""


def export_flow(notebook: Notebook, name: str) -> Export:
    """Run the file of a flow as one cell, and return the module."""
    source = (FLOWS / f"{name}.py").read_text()
    notebook.run(source)
    return flytenb.export(notebook.names["ENTITY"])


@pytest.fixture(scope="module")
def exported(request: pytest.FixtureRequest) -> dict[str, Export]:
    """The modules of all flows that the tests of this session need."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    asked = {test.callspec.params["name"] for test in tests if "exported" in test.fixturenames}
    found = {}
    for name in sorted(asked):
        with open_notebook() as notebook:
            found[name] = export_flow(notebook, name)
    return found


@pytest.fixture(scope="module")
def problems(exported: dict[str, Export], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What differs in the other process, by flow."""
    folder = tmp_path_factory.mktemp("flows")
    for name, made in exported.items():
        (folder / f"exported_{name}.py").write_text(made.text)
    environment = {**os.environ, "FLYTE_LOCAL_CACHE_OVERWRITE": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    environment["DOCKER_HOST"] = f"unix://{folder}/nothing.sock"  # so that bubblewrap runs the containers
    archive = folder / "busybox.tar"
    archive.write_bytes(packed_busybox())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
        unpack(archive, IMAGE)
    script = [sys.executable, "-m", "tests.ship.run_flows", str(folder)]
    done = subprocess.run(script, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads((folder / "problems.json").read_text())
    return found


@pytest.mark.parametrize("way", EXTENSIONS)
def test_each_way_to_extend_tasks_has_flows_that_are_exported_and_run(way: str) -> None:
    assert {*EXTENSIONS[way]} <= {*RUNNABLE}


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", RUNNABLE)
def test_a_flow_gives_the_same_in_a_process_without_the_notebook(name: str, problems: dict[str, str]) -> None:
    assert problems[name] == ""


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_module_of_a_flow_is_its_file_without_what_the_entity_does_not_need(
    name: str, exported: dict[str, Export]
) -> None:
    """The oracle is the file itself: each statement of the module is one of its statements.

    They are in the same order, except for functions that use what is defined below them.
    """
    made, source = (
        [ast.unparse(s) for s in parse(code).body if not isinstance(s, ast.Import | ast.ImportFrom)]
        for code in (exported[name].text, (FLOWS / f"{name}.py").read_text())
    )
    places = [source.index(statement) for statement in made[1:]]  # behind the docstring
    assert (places == sorted(places)) is (name not in DOWNWARDS)


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_module_of_a_flow_is_formatted_as_the_file_is(
    name: str, exported: dict[str, Export], tmp_path: Path
) -> None:
    (tmp_path / f"{name}.py").write_text(exported[name].text)
    assert complaints(tmp_path, width=120) == ""


@pytest.mark.parametrize("name", sorted(STUBS))
def test_what_is_not_written_yet_is_refused(name: str) -> None:
    with open_notebook() as notebook, pytest.raises(ExportError, match="has no body yet"):
        export_flow(notebook, name)


COMMANDS = {"decorated": ["--x", "4"], "dynamic_simple": ["--n", "3"], "enums_literals": ["--level", "low"]}
"""Flows that the command line runs too, with their inputs."""


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_pyflyte_runs_the_module(name: str, exported: dict[str, Export], tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(exported[name].text)
    pyflyte = Path(sys.executable).with_name("pyflyte")
    command = [str(pyflyte), "run", "pipeline.py", name, *COMMANDS[name]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = runpy.run_path(str(FLOWS / f"{name}.py"))["EXPECTED"]
    assert done.stdout.strip().splitlines()[-1] == str(expected)


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_cells_of_a_flows_file_give_the_same_module(name: str, exported: dict[str, Export]) -> None:
    with open_notebook() as notebook:
        notebook.run(*cells_of_module((FLOWS / f"{name}.py").read_text()))
        made = flytenb.export(notebook.names["ENTITY"])
    assert made.text == exported[name].text


@pytest.mark.sampled(11)
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_cells_of_a_module_give_it_again(name: str, exported: dict[str, Export]) -> None:
    with open_notebook() as notebook:
        notebook.run(*cells_of_module(exported[name].text))
        made = flytenb.export(notebook.names[exported[name].names[0]])
    assert made.text == exported[name].text
