"""Notebooks in this process: cells run in a shell with the extension; the exported module imported beside it."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from flytekit.core.context_manager import FlyteEntities
from flytekit.core.launch_plan import LaunchPlan
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from flytenb.bridge.workflow import compiler
from flytenb.notebook.extension import load_ipython_extension, unload_ipython_extension

_numbers = itertools.count()


class Notebook:
    """A shell with the extension."""

    def __init__(self) -> None:
        self.shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        self.names: dict[str, Any] = self.shell.user_ns

    def run(self, *cells: str, key: str | None = None) -> Any:
        """Run cells and return the value of the last one; an error is raised."""
        result = None
        for cell in cells:
            done = self.shell.run_cell(cell, store_history=True, cell_id=key)
            done.raise_error()
            result = done.result
        return result

    def try_run(self, cell: str) -> None:
        """Run a cell that may fail."""
        self.shell.run_cell(cell, store_history=True)


@contextmanager
def nothing_defined() -> Iterator[None]:
    """Hide what other tests have defined, as in a kernel: flytenb checks each compiled workflow after each cell."""
    plans, entities = dict(LaunchPlan.CACHE), list(FlyteEntities.entities)
    LaunchPlan.CACHE.clear()
    FlyteEntities.entities.clear()
    try:
        with patch.object(compiler, "_nodes", WeakKeyDictionary()):
            yield
    finally:
        LaunchPlan.CACHE.clear()
        LaunchPlan.CACHE.update(plans)
        FlyteEntities.entities[:] = entities


@contextmanager
def open_notebook() -> Iterator[Notebook]:
    """Open a notebook; everything that it changes in the process is undone.

    Garbage isn't collected meanwhile: Python 3.11 can't parse a cell while pytest formats what a finalizer raised.
    """
    main = sys.modules["__main__"]
    gc.disable()
    with nothing_defined():
        notebook = Notebook()
        load_ipython_extension(notebook.shell)
        try:
            yield notebook
        finally:
            gc.enable()
            unload_ipython_extension(notebook.shell)
            sys.modules["__main__"] = main


@contextmanager
def imported(text: str, folder: Path) -> Iterator[ModuleType]:
    """Import the text of a module under a name of its own, as a process would that knows nothing of the notebook."""
    name = f"exported_{next(_numbers)}"
    file = folder / f"{name}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    plans = dict(LaunchPlan.CACHE)
    LaunchPlan.CACHE.clear()
    sys.modules[name] = module
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(folder))
        del sys.modules[name]
        LaunchPlan.CACHE.clear()
        LaunchPlan.CACHE.update(plans)
