"""The reply of a command: text for a person, data for a machine, the exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich_click as click

from flytenb.cli.notebook_file import read_cells
from flytenb.errors import CellError, FlytenbError, UsageError
from flytenb.notebook.failures.short_error import cell_error_lines
from flytenb.notebook.headless import HeadlessNotebook, open_headless
from flytenb.wording.text import clean


@dataclass(frozen=True)
class Reply:
    """The reply of a command.

    Attributes:
        text: what a person reads.
        data: the same for `--json`.
        is_good: whether the exit status is 0; otherwise it is 1.
        problem: what a person reads on standard error.
    """

    text: str
    data: Mapping[str, Any]
    is_good: bool = True
    problem: str = ""

    def write(self, *, as_json: bool) -> int:
        """Write the answer and return the exit status."""
        text = json.dumps(self.data, ensure_ascii=False, indent=2, default=str) if as_json else clean(self.text)
        if text:
            sys.stdout.write(f"{text}\n")
        if self.problem and not as_json:
            sys.stderr.write(f"{clean(self.problem)}\n")
        return 0 if self.is_good else 1


JSON = click.Option(["--json", "as_json"], is_flag=True, help="Write the answer as JSON.")
ALL_CELLS = click.Option(
    ["--all-cells", "all_cells"], is_flag=True, help="Run every cell of the notebook as it is, experiments included."
)
NOTEBOOK = click.Argument(["notebook"], type=click.Path(path_type=Path), metavar="NOTEBOOK")


@contextmanager
def opened(file: Path) -> Iterator[HeadlessNotebook]:
    """Open the notebook in a file; none of its cells has run.

    Raises:
        CellError: for an error of the notebook's own code in the block, such as a workflow that doesn't compile.
    """
    cells = read_cells(file)
    with open_headless(file.name, cells, file.resolve().parent) as notebook:
        try:
            yield notebook
        except (FlytenbError, click.ClickException, click.Abort):
            raise
        except Exception as error:
            raise CellError("\n".join(cell_error_lines(error, notebook.shell))) from error


def missing_name(notebook: HeadlessNotebook, usage: str) -> UsageError:
    """Return the error for a command that needs the name of an entity, with those that the notebook has."""
    known = ", ".join(notebook.entities) or "none"
    return UsageError("expected the name of a task, workflow or launch plan", hint=f"{usage}; there are: {known}")
