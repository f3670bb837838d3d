"""Each command in the docs runs, and the program is what pyproject.toml says."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli.command import CommandLine

pytestmark = [
    # event loops and directories that IPython and flytekit leave
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
CELLS = (
    "from flytekit import task, workflow",
    "@task\ndef fit(n: int) -> float:\n    return n / 2",
    "@workflow\ndef training(n: int) -> float:\n    return fit(n=n)",
)


def commands() -> list[str]:
    """The commands in the fenced blocks and the inline code of the pages, each once."""
    found = []
    for page in ("command_line.md", "shipping.md", "from_notebook_to_cluster.md"):
        text = (ROOT / "docs" / page).read_text()
        found += [line for block in re.findall(r"^```\n(.*?)^```", text, re.S | re.M) for line in block.splitlines()]
        found += re.findall(r"`(flytenb [^`]*)`", text)
    return sorted({line for line in found if line.startswith("flytenb ") and not re.search("[A-Z]{3}|…", line)})


def test_the_pages_have_commands() -> None:
    verbs = {command.split()[1] for command in commands()}
    assert {"run", "draw", "export", "check", "types", "import", "launch"} <= verbs


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=[pytest.mark.slow] * ("launch" in c or "--pod" in c)) for c in commands()],
    ids=str,
)
def test_a_command_of_the_docs_runs(command: str, at_double: CommandLine) -> None:
    cli = at_double
    cli.write(*CELLS, name="train.md")
    cli.write(*CELLS, name="train.ipynb")
    (cli.folder / "pipeline.py").write_text("\n\n".join(CELLS))
    done = cli.run(*shlex.split(command)[1:])
    assert done.status == 0, done


def test_the_program_is_the_one_that_is_declared() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["flytenb"].partition(":")
    assert callable(getattr(import_module(module), function))
    assert f"from {module} import {function}" in (ROOT / "flytenb" / "__main__.py").read_text()
