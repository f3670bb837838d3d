"""Results of reading the file system, as digests that show whether a later read would give the same."""

from __future__ import annotations

import glob
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flytenb.reach.code_digest import UnreadableCodeError, digest_of_code
from flytenb.reach.object_digest import hashed
from flytenb.reach.variables_and_files import content

_LARGE = 64 << 20
"""Files of more bytes are compared by size and times instead of content."""
_SMALL = 64 << 10
"""The same for inputs of a run, which starts once all are read."""


class FileRead(NamedTuple):
    """One read of the file system.

    Attributes:
        how: `"file"`, `"facts"` (its kind, size and times), `"stamp"` (its size, times and identity), `"folder"` (its
            names), `"cwd"` (whether it is the working directory), `"glob"`, `"program"` (where a command is found) or
            `"code"` (an own function or class that was unpickled by its name).
        name: the path, relative if it was given so, or the pattern.
        below: the directory that a pattern is looked for in.
        found: the digest of what was found.
    """

    how: str
    name: str
    below: str
    found: bytes

    def is_current(self) -> bool:
        """Return whether reading it now would give the same result."""
        return find(self.how, self.name, self.below) == self.found


def reads_of(path: str) -> Iterator[FileRead]:
    """Yield the reads of a file, or of a directory and all that is below it; nothing for a path that doesn't exist."""
    places = [Path(path), *Path(path).rglob("*")] if Path(path).is_dir() else [Path(path)]
    for place in filter(Path.exists, places):
        name = str(place)
        is_small = (*stamp_of(name), 0)[0] <= _SMALL
        how = "folder" if place.is_dir() else "file" if is_small else "stamp"
        yield FileRead(how, name, "", find(how, name, ""))


def find(how: str, name: str, below: str) -> bytes:
    """Return the digest of the current result of reading a path or pattern."""
    try:
        if how == "folder":
            return hashed(*(os.fsencode(inner.name) for inner in sorted(Path(name or ".").iterdir())))
        if how == "glob":
            found = glob.glob(name, root_dir=below or None, recursive=True, include_hidden=True)  # noqa: PTH207
            return hashed(*map(os.fsencode, sorted(found)))
        if how == "facts":
            target = str(Path(name).readlink()) if Path(name).is_symlink() else ""
            return hashed(f"{Path(name).stat().st_mode} {target} {stamp_of(name)[:2]}".encode())
        if how == "stamp":
            return hashed(repr(stamp_of(name)).encode())
        if how == "code":
            return _code_of(name, below)
        if how == "cwd":
            return b"here" if name == os.getcwd() else b""  # noqa: PTH109 - compared as text
        if how == "program":
            place = shutil.which(name)
            return f"{place} {stamp_of(place)}".encode() if place else b""
        return hashed(repr(stamp_of(name)).encode()) if Path(name).stat().st_size > _LARGE else content(name)
    except OSError as e:
        return f"missing {e.errno}".encode()


def _code_of(name: str, module: str) -> bytes:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    try:
        return digest_of_code(found)
    except UnreadableCodeError:
        return os.urandom(16)  # nothing proves it unchanged


def stamp_of(path: str) -> tuple[int, ...]:
    """Return the size, times and identity of a file; empty if there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
