"""Copies of files: for each task, since each pod has its own, and for the user to whom a run returns them.

A task's copy is made on the first use of the path (`open(file)`, `file.download()`), as a pod downloads it then: a file
that is only passed on, or read as a stream, isn't copied. A user's copy is made at once, so that its path exists.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints
from uuid import uuid4

from flytekit.core.context_manager import FlyteContextManager
from flytekit.models.literals import StructuredDataset as DatasetLiteral
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured.structured_dataset import StructuredDataset

from flytenb.bridge import private
from flytenb.bridge.context import Workspace
from flytenb.locks import new_lock

Own = Callable[[Workspace, dict[str, Any]], None]
"""Gives a task its own copies of the files among its inputs."""


def own_files(types: Mapping[str, Any]) -> Own | None:
    """Prepare this for inputs of these types; None if they can't hold a file."""
    holding = [name for name, declared in types.items() if may_hold_files(declared)]
    if not holding:
        return None

    def own(workspace: Workspace, inputs: dict[str, Any]) -> None:
        for name in holding:
            _own_all(workspace, inputs.get(name))

    return own


def may_hold_files(declared: Any) -> bool:
    """Tell whether a value of this type may be or contain a file or directory."""
    return _may_hold((FlyteFile, FlyteDirectory), declared, set())


def may_hold_copies(declared: Any) -> bool:
    """Tell whether a value of this type may be or contain a file that `copy_files` copies; None is any type."""
    return declared is None or _may_hold((FlyteFile, FlyteDirectory, StructuredDataset), declared, set())


def _may_hold(kinds: tuple[type, ...], declared: Any, seen: set[int]) -> bool:
    if type(declared) is type and declared.__module__ == "builtins":  # the common case, decided quickly
        return False
    if id(declared) in seen:
        return False
    seen.add(id(declared))
    if declared is os.PathLike:
        return True
    inner = get_args(declared)
    if isinstance(declared, type):
        if issubclass(declared, kinds):
            return True
        if is_dataclass(declared) or issubclass(declared, tuple | dict) or hasattr(declared, "__pydantic_fields__"):
            try:
                inner = tuple(get_type_hints(declared).values())
            except Exception:  # names that can't be resolved
                return True
    return any(_may_hold(kinds, one, seen) for one in inner)


def paths_in(value: Any) -> Iterator[str]:
    """Yield the local paths of the files in a value, and the addresses that they were uploaded to."""
    for file in _files_in(value):
        held = private.dataset_literal(file) if isinstance(file, StructuredDataset) else None
        found = [held and held.uri] if isinstance(file, StructuredDataset) else [file.path, private.remote_source(file)]
        yield from (str(path).removeprefix("file://") for path in found if path)


def own_value(workspace: Workspace, value: Any, declared: Any) -> Any:
    """Give a task its own copies of the files in an input of this type; return the same value."""
    if may_hold_files(declared):
        _own_all(workspace, value)
    return value


def _own_all(workspace: Workspace, value: Any) -> None:
    for file in _files_in(value):
        if isinstance(file, FlyteFile | FlyteDirectory):
            _own(workspace, file)


def _files_in(value: Any) -> Iterator[FlyteFile | FlyteDirectory | StructuredDataset]:
    """Yield the files in a value that was made from a literal, so that it doesn't contain itself."""
    if isinstance(value, FlyteFile | FlyteDirectory | StructuredDataset):
        yield value
        return
    inner: Iterable[Any] = ()
    if isinstance(value, list | tuple):
        inner = value
    elif isinstance(value, dict):
        inner = value.values()
    elif is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name, None) for field in fields(value)]
    elif hasattr(type(value), "__pydantic_fields__"):
        inner = vars(value).values()
    for each in inner:
        yield from _files_in(each)


def _own(workspace: Workspace, file: Any) -> None:
    """Give a local file another path that is filled on first use, as flytekit does for a remote one (1.16.31)."""
    source = str(file.path)
    if private.remote_source(file) is not None or not Path(source).exists():
        return
    file.path = str(workspace.root / uuid4().hex / Path(source).name)
    if isinstance(file, FlyteFile):
        private.set_local_path(file, file.path)
    private.set_download(file, source, partial(_copy, source, file.path))


def _copy(source: str, target: str, copy: Callable[[str, str], Any] = shutil.copyfile) -> None:
    Path(target).parent.mkdir(exist_ok=True)
    if Path(source).is_dir():
        shutil.copytree(source, target, copy_function=copy)
    else:
        copy(source, target)


def copy_files(value: Any, copy: Callable[[str], str]) -> Any:
    """Copy the local files in a value that only the caller holds; return the same value with the new paths."""
    for file in _files_in(value):
        if isinstance(file, StructuredDataset):
            held = private.dataset_literal(file)
            if held is not None and Path(held.uri).exists():
                private.set_dataset_literal(file, DatasetLiteral(uri=copy(held.uri), metadata=held.metadata))
        elif private.remote_source(file) is None and Path(file.path).exists():
            file.path = copy(str(file.path))
            if isinstance(file, FlyteFile):
                private.set_local_path(file, file.path)
    return value


def keep_files(root: Path, value: Any) -> Any:
    """Move the local files in an output below a directory, as hard links where possible.

    Their present directory may be removed with the task's process, such as a `TemporaryDirectory` of the value.
    """

    def keep(source: str) -> str:
        target = root / uuid4().hex / Path(source).name
        _copy(source, str(target), _link)
        return str(target)

    for file in _files_in(value):
        if isinstance(file, StructuredDataset) and file.uri and file.dataframe is None and Path(file.uri).exists():
            file.uri = keep(file.uri)
    return copy_files(value, keep)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copyfile(source, target)


def copy_for_task(workspace: Workspace, value: Any) -> Any:
    """Copy the files in a value for a task that converts its inputs itself: it receives literals of local files."""

    def copy(source: str) -> str:
        target = str(workspace.root / uuid4().hex / Path(source).name)
        _copy(source, target)
        return target

    return copy_files(value, copy)


def fetch_files(value: Any) -> Any:
    """Download the files, directories and frames in a value that only the caller holds; return the same value."""
    for file in _files_in(value):
        if isinstance(file, FlyteFile | FlyteDirectory) and private.remote_source(file) is not None:
            file.path = os.fspath(file)
            private.set_download(file, None, lambda: None)
        held = private.dataset_literal(file) if isinstance(file, StructuredDataset) else None
        access = FlyteContextManager.current_context().file_access
        if held is not None and access.is_remote(held.uri):
            path = access.get_random_local_directory()
            access.get_data(held.uri, path, is_multipart=True)
            private.set_dataset_literal(file, DatasetLiteral(uri=path, metadata=held.metadata))
    return value


def send_datasets(value: Any, send: Callable[[str], Any]) -> Any:
    """Send the local frames in a value that only the caller holds elsewhere; return the same value.

    flytekit passes the address of a structured dataset on as it is.
    """
    for file in _files_in(value):
        held = private.dataset_literal(file) if isinstance(file, StructuredDataset) else None
        if held is not None and Path(held.uri).exists():
            private.set_dataset_literal(file, DatasetLiteral(uri=str(send(held.uri)), metadata=held.metadata))
    return value


def let_go(value: Any) -> Any:
    """Let the local directories in a value be uploaded, as files are; one made from a literal isn't by default."""
    for file in _files_in(value):
        if isinstance(file, FlyteDirectory):
            private.allow_upload(file)
    return value


class Handouts:
    """Copies of the files that one run returns to its user: writing to one changes neither the run nor another copy.

    They share a directory, which is removed when the interpreter exits, or once the run, the returned values and their
    paths are all garbage and `_KEPT` other runs have returned files since: a path may be kept as plain text.
    """

    def __init__(self) -> None:
        self._lock = new_lock()
        self._root: Path | None = None

    def give(self, value: Any, declared: Any) -> Any:
        """Copy the files in a value of this type that only the caller holds; return the same value."""
        return copy_files(value, self._copy) if may_hold_copies(declared) else value

    def _copy(self, source: str) -> HeldPath:
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="flytenb-out-"))
                weakref.finalize(self, _remove, self._root, os.getpid())
                recent_handouts.append(self)
        target = HeldPath(self._root / uuid4().hex / Path(source).name)
        target.holds = self
        _copy(source, target)
        return target


_KEPT = 64
recent_handouts: deque[Handouts] = deque(maxlen=_KEPT)


def _remove(root: Path, owner: int) -> None:
    """Remove a directory, unless this process was forked from the owner's."""
    if os.getpid() == owner:
        shutil.rmtree(root, ignore_errors=True)


class HeldPath(str):
    """A path that keeps its directory."""

    holds: Handouts

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)
