"""Sessions of IPython in a pseudo-terminal: what is printed, in which colors, and where prompts are."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pexpect  # comes with IPython
import pytest

from tests.waiting import PATIENCE

pytestmark = pytest.mark.kernel

ROOT = str(Path(__file__).parents[2])
FLOWS = """from flytekit import task, workflow

@task
def half(n: int) -> int:
    if n % 2:
        raise ValueError('odd')
    return n // 2

@workflow
def quarter(n: int) -> int:
    return half(n=half(n=n))
"""


def session(folder: Path, *lines: str) -> str:
    """Return what a terminal shows of a session with these lines."""
    command = ["-m", "IPython", "--no-banner", "--colors=nocolor", "--simple-prompt"]
    command += ["--TerminalInteractiveShell.term_title=False"]
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": ROOT, "IPYTHONDIR": str(folder / "ipython")}
    terminal = pexpect.spawn(
        sys.executable,
        command,
        encoding="utf-8",
        timeout=PATIENCE,
        cwd=str(folder),
        env=environment,
        dimensions=(60, 160),
    )
    terminal.setecho(False)
    terminal.send("\n".join([*lines, "exit\n"]))
    terminal.expect(pexpect.EOF)
    said = str(terminal.before).replace("\r", "")
    terminal.close()
    return said


def test_a_terminal_gets_the_picture_in_characters_and_the_card(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FLOWS)
    lines = ["%load_ext flytenb", "from flows import quarter", "%flyte run quarter(n=4)", "%flyte run quarter(n=2)"]
    colored = ["%colors linux", "print('in', 'color')", "%flyte run quarter(n=8)", "%flyte run quarter(n=2)"]
    lines += ["%flyte show [1, 2] --explore", "later = %flyte run quarter(n=12) --background", "_ = later.wait()"]
    said, _, in_color = session(tmp_path, *lines, *colored).partition("in color")
    assert "✓ quarter succeeded" in said
    assert "├─ ✓ n0  half" in said
    assert "o0 = 1 (int)" in said
    assert "node n1 (half) of quarter failed" in said
    assert "raise ValueError('odd')" in said
    assert said.count("ValueError: odd") == 1, "an error is told once"
    assert "\x1b" not in said
    assert "text/html" not in said
    assert "(exploring needs a notebook: shown as it is)" in said
    assert len(re.findall(r"quarter succeeded · .* · n 12\b", said)) == 1, "an end is told once"
    assert "\x1b[32m✓\x1b[0m \x1b[1mquarter\x1b[0m \x1b[32msucceeded\x1b[0m · " in in_color
    assert "├─ \x1b[32m✓\x1b[0m n0  half" in in_color
    assert "\x1b[1;91mValueError\x1b[0m\x1b[1m: odd\x1b[0m" in in_color


def test_only_outputs_have_a_prompt(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FLOWS)
    said = session(
        tmp_path,
        *("%load_ext flytenb", "from flows import quarter", "run = %flyte run quarter(n=4)", "run", "[0, 1]"),
        *("%flyte run quarter(n=8)", "%flyte sweep quarter(n=[4, 8])", "flytenb = __import__('flytenb')"),
        *("flytenb.explore([1])", "run.nodes", "quarter"),
        *("%unload_ext flytenb", "print('unloaded')", "run.outputs['o0']"),
    )
    prompts = re.findall(r"Out\[(\d+)\]: *(\n?.*)", said)
    assert [number for number, _ in prompts] == ["5", "10", "11", "14"]
    assert prompts[0][1] == "[0, 1]"
    assert prompts[1][1] == "\n2 nodes"
    assert prompts[2][1].startswith("\nquarter  workflow")
    assert prompts[3][1] == "1"


def test_a_followed_call_says_that_it_starts_and_isnt_shown_twice(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FLOWS)
    lines = ("%load_ext flytenb", "from flows import quarter", "%flyte follow quarter(n=4)", "%flyte follow --stop")
    said = session(tmp_path, *lines)
    assert "following quarter(n=4) · starting · %flyte follow --stop ends it" in said
    assert "<Follow" not in said and "Out[" not in said


@pytest.mark.parametrize("loads", [True, False], ids=["loads", "is_loaded"])
@pytest.mark.parametrize("kind", ["ipy", "ipynb"])
def test_code_of_a_run_file_is_named_by_the_file_also_later(tmp_path: Path, kind: str, loads: bool) -> None:
    load = "%load_ext flytenb\n"
    text = (load if loads else "import sys\n") + FLOWS
    if kind == "ipynb":
        cells = [
            {"cell_type": "code", "source": each, "metadata": {}, "outputs": [], "execution_count": None}
            for each in ("1 + 1", text)
        ]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    (tmp_path / f"made.{kind}").write_text(text)
    said = session(
        tmp_path,
        *([] if loads else [load.strip()]),
        *(f"%run made.{kind}", "%flyte run quarter(n=2)", "half", "%flyte error"),
    )
    place = f"made.{kind}" if kind == "ipy" else f"made.{kind}, cell 2"
    assert f"{place}, line 7, in half" in said
    assert re.search(rf"defined in +{place}, line 4", said)
    assert "ipython-input" not in said
