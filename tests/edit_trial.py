"""One trial of an edit: a notebook's cells, what a cache would keep of a call, and whether that would be an answer.

As a program it takes rows and places as JSON, tries each row in each place in a process of its own, since many change
the process, and prints JSON.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from flytenb.reach.code_digest import CodeDigest, UnreadableCodeError
from flytenb.reach.file_reads import ChangedFileError, FileReads
from flytenb.reach.read_results import FileRead
from tests.edits import PRELUDE

LIBRARIES = ("numpy", "pandas", "pyarrow.csv", "pyarrow.parquet", "pydantic")
"""What rows use and what takes long to import; without them a process is forked in half of the time."""


class Notebook:
    """A module whose cells are run one after another, as a kernel runs them."""

    def __init__(self) -> None:
        self._module = ModuleType("notebook_of_a_test")
        self._module.__file__ = "<cell>"
        sys.modules[self._module.__name__] = self._module
        self._count = 0
        self.run(PRELUDE)

    def run(self, source: str) -> None:
        self._count += 1
        exec(compile(source, f"<cell {self._count}>", "exec", dont_inherit=True), vars(self._module))

    @property
    def f(self) -> Any:
        return self._module.f


class Entry:
    """What a cache would store of one call: its key, its answer and the files that it read."""

    def __init__(self, digest: CodeDigest, function: Any) -> None:
        self._key = key(digest)
        reads = FileReads()
        with reads.watch():
            self.answer = function(3)
        self._reads: tuple[FileRead, ...] | None
        try:
            self._reads = reads.all()
        except ChangedFileError:
            self._reads = None

    def is_hit(self, digest: CodeDigest) -> bool:
        """Tell whether it would be the answer of a call with this key now."""
        return self._reads is not None and key(digest) == self._key and all(read.is_current() for read in self._reads)


def key(digest: CodeDigest) -> object:
    """The key, or something that equals nothing: then the cache isn't asked."""
    try:
        return digest.now()
    except UnreadableCodeError:
        return object()


def try_edit(notebook: Notebook, source: str, place: str) -> list[str]:
    """Return what is wrong with the answers after an edit; the oracle is the plainly called function."""
    before, after = source.format(k=2), source.format(k=3)
    notebook.run(before)
    notebook.run(place)
    digest = CodeDigest(notebook.f)
    entry = Entry(digest, notebook.f)

    notebook.run(after)  # the cell of what the task reaches, and not its own
    is_hit = entry.is_hit(digest)
    wrong = ["stale while the task stays"] if is_hit and notebook.f(3) != entry.answer else []

    notebook.run(after)
    notebook.run(place)
    is_hit = entry.is_hit(CodeDigest(notebook.f))
    if notebook.f(3) == entry.answer:
        wrong.append("the edit changes nothing")
    return [*wrong, *(["stale"] if is_hit else [])]


def try_rows(rows: dict[str, str], places: dict[str, str]) -> None:
    """Print what is wrong with each row in each place."""
    gc.freeze()
    for (where, place), (name, source) in itertools.product(places.items(), rows.items()):
        sys.stdout.flush()
        if os.fork() == 0:
            os.chdir(tempfile.mkdtemp(dir=Path.cwd()))
            try:
                wrong = try_edit(Notebook(), source, place)
            except BaseException as e:
                wrong = [f"{type(e).__name__}: {e}"]
            print(json.dumps([where, name, wrong]), flush=True)
            os._exit(0)
        os.wait()


def main() -> None:
    warnings.simplefilter("ignore")
    rows, places = json.load(sys.stdin)
    using = {n: source for n, source in rows.items() if any(each.partition(".")[0] in source for each in LIBRARIES)}
    try_rows({name: source for name, source in rows.items() if name not in using}, places)
    for name in LIBRARIES:  # once, not in each process
        importlib.import_module(name)
    try_rows(using, places)


if __name__ == "__main__":
    main()
