"""The command line in this process: a notebook in a file, the exit status and what is written."""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flytekit.core.context_manager import FlyteEntities
from flytekit.core.launch_plan import LaunchPlan

from flytenb.cli.command_line import main


@dataclass(frozen=True)
class Done:
    """The end of a command."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs commands in a folder with a notebook; what they change in the process is undone.

    Garbage isn't collected meanwhile: Python 3.11 can't parse a cell while pytest formats what a finalizer raised.
    """

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, *cells: str, name: str = "notebook.md", tags: dict[int, str] | None = None) -> Path:
        """Write cells as a notebook and return its path."""
        file = self.folder / name
        if file.suffix == ".ipynb":
            found = [_cell(cell, (tags or {}).get(number)) for number, cell in enumerate(cells, 1)]
            file.write_text(json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
            return file
        head = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n# Text\n\n"
        found = []
        for number, cell in enumerate(cells, 1):
            tag = f":tags: [{tags[number]}]\n\n" if tags and number in tags else ""
            found.append(f"```{{code-cell}}\n{tag}{cell}\n```\n\n")
        file.write_text(head + "".join(found))
        return file

    def run(self, *arguments: Any) -> Done:
        main_module, plans, entities = sys.modules["__main__"], dict(LaunchPlan.CACHE), list(FlyteEntities.entities)
        LaunchPlan.CACHE.clear()
        gc.disable()
        self.capture.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        finally:
            gc.enable()
            LaunchPlan.CACHE.clear()
            LaunchPlan.CACHE.update(plans)
            FlyteEntities.entities[:] = entities
        assert sys.modules["__main__"] is main_module
        return Done(status, *self.capture.readouterr())


def _cell(source: str, tag: str | None) -> dict[str, Any]:
    metadata = {"tags": [tag]} if tag else {}
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": metadata, "outputs": []}
