"""A task's own copies of the files that it is given, as each pod has its own; what goes into a literal is not here.

A copy is made when the path is first asked for (`open(file)`, `file.download()`), as a pod downloads it then: what is
only handed on, or read as a stream, is never copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints
from uuid import uuid4

from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge.context import Workspace

Own = Callable[[Workspace, dict[str, Any]], None]
"""Makes the files among a task's inputs its own."""


def own_files(types: Mapping[str, Any]) -> Own | None:
    """Prepare it for inputs of these types; None if they can't hold a file."""
    names = [name for name, declared in types.items() if may_hold_files(declared)]
    if not names:
        return None

    def own(workspace: Workspace, inputs: dict[str, Any]) -> None:
        for name in names:
            _own_all(workspace, inputs.get(name))

    return own


def may_hold_files(declared: Any) -> bool:
    """Whether a value of this type may be or contain a file or directory."""
    return _may_hold_files(declared, set())


def _may_hold_files(declared: Any, seen: set[int]) -> bool:
    if id(declared) in seen:
        return False
    seen.add(id(declared))
    if declared is os.PathLike:
        return True
    if isinstance(declared, type) and issubclass(declared, FlyteFile | FlyteDirectory):
        return True
    inner = get_args(declared)
    if isinstance(declared, type) and "__annotations__" in vars(declared):
        try:
            inner = tuple(get_type_hints(declared).values())
        except Exception:  # names that can't be resolved
            return True
    return any(_may_hold_files(one, seen) for one in inner)


def _own_all(workspace: Workspace, value: Any) -> None:
    """Go through a value that is the task's own already; it was made from a literal, so it doesn't hold itself."""
    if isinstance(value, FlyteFile | FlyteDirectory):
        _own(workspace, value)
    elif isinstance(value, list | tuple):
        for inner in value:
            _own_all(workspace, inner)
    elif isinstance(value, dict):
        for inner in value.values():
            _own_all(workspace, inner)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _own_all(workspace, getattr(value, field.name, None))
    elif hasattr(type(value), "__pydantic_fields__"):
        for inner in vars(value).values():
            _own_all(workspace, inner)


def _own(workspace: Workspace, file: Any) -> None:
    """Give a local file a path of its own, as flytekit does for a remote one (checked in 1.16.31)."""
    source = str(file.path)
    if file._remote_source is not None or not Path(source).exists():
        return
    file.path = str(workspace.root / uuid4().hex / Path(source).name)
    if isinstance(file, FlyteFile):
        file._local_path = file.path
    file._remote_source = source
    file._downloader = partial(_copy, source, file.path)


def _copy(source: str, target: str) -> None:
    Path(target).parent.mkdir(exist_ok=True)
    if Path(source).is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
