"""Names of files and directories that a value stores: their folders may have any name, their own name is checked.

fsspec, by which flytekit stores files, reads some characters of a path as a pattern or as a chain of addresses.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.data_persistence import FileAccessProvider
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge import private
from flytenb.bridge.patch import Patch, SharedPatch
from flytenb.errors import UnholdableError
from flytenb.wording.values import brief

_FILES = (FlyteFile, FlyteDirectory)
_PATTERN = re.compile(r"[*?\[]")
_PATTERN_OR_ESCAPE = re.compile(r"[*?\[]|%[0-9A-Fa-f]{2}")
_HOME = re.compile("^~")
_ANYWHERE = re.compile("::|[\ud800-\udfff]")
"""A chain of addresses, and what UTF-8 doesn't have."""


def check_file_names(value: Any, python_type: Any) -> bool:
    """Reject files with names that flytekit can't store; return whether the value has any files.

    Raises:
        UnholdableError: with the name and a hint.
    """
    is_local = FlyteContextManager.current_context().execution_state.is_local_execution()
    has_files = False
    for file in _files_in(value, python_type):
        has_files = True
        source = private.remote_source(file)
        path = source or (str(file.path) if isinstance(file, _FILES) else os.fspath(file))
        name, found = Path(path).name, _ANYWHERE.search(path)
        if FileAccessProvider.is_remote(path) and not Path(path).exists():
            continue
        if found is None and source is None and _is_stored(file, python_type, is_local):
            rule = _PATTERN if Path(path).is_dir() else _PATTERN_OR_ESCAPE
            found = rule.search(name) or _HOME.search(path)
        if found is not None:
            raise UnholdableError(
                f"expected a file or directory whose name flytekit can store, got {brief(name)}, whose path contains "
                f"{found.group()!r}",
                hint="rename it: flytekit reads *, ?, [, ::, ~ at the start and % before two hexadecimal digits as "
                "patterns or addresses, and stores only UTF-8",
            )
    return has_files


def _is_stored(file: Any, python_type: Any, is_local: bool) -> bool:
    """Tell whether flytekit stores a copy: in a local call only of directories, and where a place is given."""
    place = getattr(file, "remote_path" if isinstance(file, FlyteFile) else "remote_directory", None)
    if place is not None or isinstance(file, FlyteDirectory):
        return place is not False
    is_text = isinstance(file, str) and issubclass(python_type, FlyteFile)
    return not (is_local and (isinstance(file, FlyteFile) or is_text))


def _files_in(value: Any, python_type: Any) -> Iterator[Any]:
    """Yield the files in a value, and a path that is given for one."""
    if (
        isinstance(value, str | os.PathLike)
        and value
        and isinstance(python_type, type)
        and issubclass(python_type, _FILES)
    ):
        yield value
        return
    todo, seen = [value], set()
    while todo:
        at = todo.pop()
        if isinstance(at, _FILES):
            yield at
        elif id(at) in seen or isinstance(at, str | int | float | bytes | None):
            continue
        seen.add(id(at))
        if isinstance(at, list | tuple):
            todo += at
        elif isinstance(at, dict):
            todo += at.values()
        elif is_dataclass(at) and not isinstance(at, type):
            todo += [getattr(at, field.name, None) for field in fields(at)]
        elif hasattr(type(at), "__pydantic_fields__"):
            todo += vars(at).values()


def put_by_name(put: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    """Store a file in a folder such as `[2024] reports` from another folder: its path would be read as a pattern."""

    @wraps(put)
    async def put_plain(self: Any, path: Any, *args: Any, **kwargs: Any) -> str:
        is_path = isinstance(path, str | os.PathLike)
        source = Path(os.fspath(path).removeprefix("file://")).absolute() if is_path else None
        if source is None or _PATTERN.search(str(source)) is None or not source.exists():
            return await put(self, path, *args, **kwargs)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, source.name)
            if source.is_dir():
                shutil.copytree(source, target, copy_function=_link)
            else:
                _link(str(source), str(target))
            return await put(self, str(target), *args, **kwargs)

    return put_plain


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copyfile(source, target)


PATCHES = (
    SharedPatch(Patch(FileAccessProvider, "async_put_raw_data", put_by_name, "core/data_persistence.py:411")),
    SharedPatch(Patch(FileAccessProvider, "async_put_data", put_by_name, "core/data_persistence.py:652")),
)


def storing() -> ExitStack:
    """Apply the patches for one conversion."""
    stack = ExitStack()
    for patch in PATCHES:
        stack.enter_context(patch)
    return stack
