"""`flytenb`: each command, its exit status, its JSON, its errors."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flytenb.cli.command_line import main
from flytenb.notebook.magics.verbs import VERBS
from tests.cli.command import CommandLine
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning",  # event loops and directories that IPython and flytekit leave
)

CELLS = (
    "%load_ext flytenb\nfrom dataclasses import dataclass\nfrom flytekit import task, workflow",
    "@dataclass\nclass Point:\n    x: float\n    y: float = 2.0\n\nSCALE = 10",
    '%%task\ndef scale(x: int, by: int = 1) -> int:\n    """Scale a number."""\n    return x * by * SCALE',
    "@task\ndef broken(x: int) -> int:\n    if x:\n        raise ValueError('no \\x1b[31mred\\x1b[0m')\n    return x",
    '@workflow\ndef wf(n: int, p: Point = Point(1.0), loud: bool = False) -> int:\n    """Count.\n\n    Args:\n'
    '        n: how many\n    """\n    return scale(x=n)\nwf',
    "@workflow\ndef fails(n: int) -> int:\n    return broken(x=n)",
    "run = %flyte run wf(n=3)\nprint('an experiment')\n1 / 0",
)


@pytest.fixture
def notebook(cli: CommandLine) -> Path:
    return cli.write(*CELLS)


@pytest.mark.parametrize("name", ["notebook.md", "notebook.ipynb"])
def test_run_writes_the_outputs_and_the_json_has_them(cli: CommandLine, name: str) -> None:
    file = cli.write(*CELLS, name=name)
    done = cli.run("run", file, "wf", "--n", 3)
    assert (done.status, done.err) == (0, "")
    assert "o0 = 30 (int)" in done.out
    done = cli.run("run", "--json", "--workers", 2, file, "wf", "--n", 4)
    assert done.status == 0
    assert done.data["outputs"] == {"o0": 40}
    assert (done.data["phase"], done.data["error"]) == ("SUCCEEDED", None)
    assert [(n["path"], n["name"], n["phase"]) for n in done.data["nodes"]] == [("n0", "scale", "SUCCEEDED")]


def test_settings_may_stand_behind_the_entity_too(cli: CommandLine, notebook: Path) -> None:
    assert cli.run("run", notebook, "wf", "--n", 3, "--json", "--strict").data["outputs"] == {"o0": 30}
    assert "exclude each other" in cli.run("run", "--strict", notebook, "wf", "--n", 3, "--no-strict").err


def test_a_failed_run_ends_with_1_and_names_the_cell(cli: CommandLine, notebook: Path) -> None:
    done = cli.run("run", notebook, "fails", "--n", 3)
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines()[0] == "ValueError: no red"
    assert "Cell In[4], line 4, in broken" in done.err
    assert "flytenb/" not in done.err
    whole = cli.run("run", "--traceback", notebook, "fails", "--n", 3)
    assert "Traceback (most recent call last)" in whole.err
    as_json = cli.run("run", "--json", notebook, "fails", "--n", 3)
    assert (as_json.status, as_json.err) == (1, "")
    assert as_json.data["error"]["node"] == "n0"
    assert as_json.data["error"]["type"] == "ValueError"


def test_help_lists_the_inputs_with_types_defaults_and_descriptions(cli: CommandLine, notebook: Path) -> None:
    done = cli.run("run", notebook, "wf", "--help")
    assert done.status == 0
    for text in ("--n", "int", "how many", "--p", "Point", "default: Point(x=1.0, y=2.0)", "--loud", "--no-loud"):
        assert text in done.out
    assert "required" in done.out


MISUSES = {
    "no such command": (["frob"], "No such command 'frob'"),
    "no such file": (["run", "nowhere.md", "wf"], "can't read 'nowhere.md'"),
    "no entity": (["draw", "notebook.md"], "there are: scale, broken, wf, fails"),
    "help of no entity": (["run", "notebook.md", "--help"], "there are: scale, broken, wf, fails"),
    "a name that nothing defines": (["draw", "notebook.md", "wfx"], "did you mean 'wf'?"),
    "what isn't an entity": (["draw", "notebook.md", "SCALE"], "neither task, workflow nor launch plan"),
    "what isn't a name": (["draw", "notebook.md", "wf("], "expected a name, got 'wf('"),
    "a missing input": (["run", "notebook.md", "wf"], "Missing option '--n'"),
    "an unknown input": (["run", "notebook.md", "wf", "--m", "3"], "No such option"),
    "an input of another type": (["run", "notebook.md", "wf", "--n", "x"], "expected int, got 'x'"),
    "an input that isn't JSON": (["run", "notebook.md", "wf", "--n", "3", "--p", "{"], "got '{'"),
    "JSON of another type": (["run", "notebook.md", "wf", "--n", "3", "--p", '{"x": "a"}'], "expected Point"),
    "a wrong setting": (["run", "--workers", "x", "notebook.md", "wf", "--n", "3"], "workers must be an integer"),
    "escapes in a text": (["run", "notebook.md", "wf", "--n", "\x1b[31mred"], "\\x1b[31mred"),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_wrong_command_line_ends_with_2_and_says_what_is_expected(
    cli: CommandLine, notebook: Path, name: str
) -> None:
    arguments, expected = MISUSES[name]
    done = cli.run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert expected in " ".join(done.err.split())
    assert "\x1b" not in done.err
    assert "Traceback" not in done.err


def test_a_file_that_is_no_notebook_is_named(cli: CommandLine) -> None:
    (cli.folder / "broken.ipynb").write_text("{")
    (cli.folder / "empty.md").write_text("# Only text\n")
    assert "'broken.ipynb' isn't a notebook" in cli.run("draw", "broken.ipynb", "wf").err
    assert "'empty.md' has no code cells" in cli.run("draw", "empty.md", "wf").err


def test_a_cell_that_fails_is_named_by_its_number(cli: CommandLine) -> None:
    start = "from flytekit import task, workflow"
    cli.write(start, "TABLE = {}\nROW = TABLE['a']", "@task\ndef step() -> int:\n    return ROW")
    done = cli.run("run", "notebook.md", "step")
    assert done.status == 1
    assert done.err.startswith("cell 2 of notebook.md failed:\nKeyError: 'a'\n  Cell In[2], line 2")
    cli.write(
        start, "@task\ndef step(x: int) -> int:\n    return x", "@workflow\ndef wf() -> int:\n    return step(y=1)"
    )
    done = cli.run("draw", "notebook.md", "wf")
    assert done.status == 1
    assert "Cell In[3], line 3, in wf" in done.err


def test_a_cell_that_is_meant_to_fail_may(cli: CommandLine) -> None:
    cells = ("from flytekit import task", "K = 1\nK = K / 0", "@task\ndef step() -> int:\n    return K")
    cli.write(*cells, tags={2: "raises-exception"})
    assert cli.run("run", "--json", "notebook.md", "step").data["outputs"] == {"o0": 1}


def test_draw_writes_the_text_or_a_file(cli: CommandLine, notebook: Path) -> None:
    assert "n0  scale  (task)" in cli.run("draw", notebook, "wf").out
    done = cli.run("draw", notebook, "wf", "-o", "wf.mmd")
    assert (done.status, done.out) == (0, "wrote wf.mmd\n")
    assert (cli.folder / "wf.mmd").read_text().startswith("flowchart")
    data = cli.run("draw", "--json", notebook, "wf").data
    assert (data["file"], data["name"], "n0" in {node["path"] for node in data["nodes"]}) == (None, "wf", True)


def test_export_writes_a_module_that_python_reads(cli: CommandLine, notebook: Path) -> None:
    assert cli.run("export", notebook, "wf", "-o", "pipeline.py").status == 0
    text = (cli.folder / "pipeline.py").read_text()
    assert [s.name for s in ast.parse(text).body if isinstance(s, ast.FunctionDef)] == ["scale", "wf"]
    data = cli.run("export", "--json", notebook).data
    assert data["entities"] == ["scale", "broken", "wf", "fails"]
    assert "def fails" in data["text"]


def test_check_ends_with_1_for_an_error(cli: CommandLine, notebook: Path) -> None:
    assert cli.run("check", notebook, "wf").status == 0
    cli.write(CELLS[0], "@task\ndef step(x: int) -> int:\n    return x + NOWHERE")
    done = cli.run("check", "--json", notebook)
    assert done.status == 1
    assert done.data["ok"] is False
    assert [(f["severity"], f["what"]) for f in done.data["findings"]] == [("error", "nothing defines 'NOWHERE'")]
    assert cli.run("export", notebook, "step").status == 1


def test_types_lists_those_of_the_entities_or_describes_one(cli: CommandLine, notebook: Path) -> None:
    data = cli.run("types", "--json", notebook).data["types"]
    assert {row["type"]: row["used_by"][0] for row in data} == {"int": "scale.x", "Point": "wf.p", "bool": "wf.loud"}
    assert "DataclassTransformer" in cli.run("types", notebook).out
    assert "round trip" in cli.run("types", notebook, "list[Point]").out


def test_experiments_run_only_with_all_cells(cli: CommandLine) -> None:
    cells = ("from flytekit import task\n@task\ndef step() -> int:\n    return 1", "print('an experiment')")
    cli.write(*cells)
    assert "an experiment" not in cli.run("draw", "notebook.md", "step").err
    done = cli.run("draw", "--all-cells", "notebook.md", "step")
    assert "an experiment" in done.err  # what cells print isn't the answer
    assert "an experiment" not in done.out


def test_modules_beside_the_notebook_are_found(cli: CommandLine) -> None:
    (cli.folder / "beside").mkdir()
    (cli.folder / "beside" / "cli_helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    source = (
        "from flytekit import task\nfrom cli_helpers import twice\n@task\ndef step(x: int) -> int:\n    return twice(x)"
    )
    file = cli.write(source, name="beside/notebook.md")
    assert cli.run("run", "--json", file, "step", "--x", 2).data["outputs"] == {"o0": 4}
    assert str(cli.folder / "beside") not in sys.path
    del sys.modules["cli_helpers"]


OF_A_SESSION = ("background", "resume", "from", "only", "set", "keep-answers")
"""Options that need an earlier run, or a cell to go on."""


def test_the_commands_have_the_options_of_the_verbs(cli: CommandLine) -> None:
    for name in ("draw", "export", "run"):
        out = cli.run(name, "--help").out
        options = [option.name for option in VERBS[name].options if option.name not in OF_A_SESSION]
        assert [option for option in options if f"--{option}" not in out] == []


def test_help_says_each_thing_once_and_as_for_a_terminal(cli: CommandLine) -> None:
    for name in ("draw", "export", "check"):
        out = cli.run(name, "--help").out
        assert out.count("Without a name") <= 1
        assert "%flyte" not in out
        assert "also -o" not in out


def test_values_that_json_lacks_are_texts(cli: CommandLine) -> None:
    cli.write(
        "from flytekit import task",
        "from math import inf, nan",
        "@task\ndef odd() -> tuple[float, dict[str, list[float]]]:\n    return nan, {'a': [inf, 1.5]}",
    )
    done = cli.run("run", "--json", "notebook.md", "odd")
    assert json.loads(done.out, parse_constant=lambda name: pytest.fail(name))["outputs"] == {
        "o0": "nan",
        "o1": {"a": ["inf", 1.5]},
    }


def test_the_version_is_written(cli: CommandLine) -> None:
    done = cli.run("--version")
    assert done.status == 0
    assert done.out.startswith("flytenb, version ")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_cancels_the_run_and_ends_with_its_number(cli: CommandLine, number: signal.Signals) -> None:
    """In a process of its own. What a task has started ends along with the run."""
    cli.write(
        "import threading\nfrom pathlib import Path\nfrom flytekit import task",
        "@task\ndef wait() -> None:\n    try:\n        Path('begun').touch()\n        threading.Event().wait()\n"
        "    finally:\n        Path('ended').touch()",
    )
    program = "from flytenb.cli.command_line import run_program; run_program()"
    heeding = (  # the jobs of a shell, and of nohup, ignore them
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    )
    command = [sys.executable, "-c", f"{heeding}; {program}", "run", "notebook.md", "wait"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (cli.folder / "begun").exists() or process.poll() is not None)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (128 + number, "")
    assert "interrupted" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_closed_streams_end_nothing_early(cli: CommandLine) -> None:
    """A program that is started with closed streams has None in their place."""
    cli.write("from flytekit import task", "@task\ndef step() -> int:\n    print('a')\n    return 3")
    program = f"exec {sys.executable} -c 'from flytenb.cli.command_line import run_program; run_program()' run"
    for closed in (">&-", "<&- >&- 2>&-"):
        done = subprocess.run(["bash", "-c", f"{program} notebook.md step {closed}"], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "Error" not in done.stderr


def test_main_returns_the_status() -> None:
    assert main(["--help"]) == 0


def test_an_experiment_between_the_definitions_of_a_cell_does_not_run(cli: CommandLine) -> None:
    cell = "%env CLI_TEST=7\nfrom flytekit import task\nimport os\nK = int(os.environ['CLI_TEST'])\n"
    cell += "%flyte draw nowhere\n1 / 0\n"
    cli.write(cell + "@task\ndef step() -> int:\n    return K\n\nprint(step())", "%%bash\nexit 1")
    done = cli.run("run", "--json", "notebook.md", "step")
    assert done.data["outputs"] == {"o0": 7}
    del os.environ["CLI_TEST"]


@pytest.mark.parametrize("name", ["imported.ipynb", "imported.md"])
def test_a_module_becomes_a_notebook_that_runs(cli: CommandLine, name: str) -> None:
    (cli.folder / "steps.py").write_text(
        '"""Steps."""\nfrom flytekit import task\n\n@task\ndef step() -> int:\n    return 3\n'
    )
    done = cli.run("import", "--json", "steps.py", "-o", name)
    assert (done.status, done.data) == (0, {"file": name, "cells": 3})
    assert cli.run("run", "--json", name, "step").data["outputs"] == {"o0": 3}
    again = cli.run("import", "steps.py", "-o", name)
    assert (again.status, "File exists" in again.err) == (1, True)


def test_what_cannot_be_imported_is_named(cli: CommandLine) -> None:
    (cli.folder / "steps.py").write_text("def f(:\n")
    assert "'steps.py' isn't a Python module" in cli.run("import", "steps.py").err
    assert "can't read 'nowhere.py'" in cli.run("import", "nowhere.py").err
    assert cli.run("import", "steps.py", "-o", "steps.txt").status == 2


@pytest.mark.slow
def test_check_runs_the_pods_of_a_notebook(cli: CommandLine) -> None:
    """Each pod is a process that imports flytekit."""
    task = "@task\ndef step(x: int) -> int:\n    return x + os.getpid()"
    cli.write("import os\nfrom flytekit import task", task)
    done = cli.run("check", "--json", "--pod", "--inputs", "dict(x=3)", "notebook.md", "step")
    assert done.status == 1
    [finding] = done.data["findings"]
    assert (finding["severity"], finding["where"]) == ("error", "task step")
    assert finding["what"].endswith("for x=3")
