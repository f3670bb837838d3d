"""Files, directories and datasets that values of flytekit refer to, read without downloading or opening them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytekit.core.context_manager import FlyteContextManager

from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.wording.types import type_text


@dataclass(frozen=True)
class Location:
    """Location of a FlyteFile or FlyteDirectory.

    Attributes:
        uri: its address.
        local: its path on this machine, `None` while there is none.
        is_remote: whether the address is on another machine.
        extension: the format in its type, `""` if there is none.
    """

    uri: str
    local: Path | None
    extension: str
    is_remote: bool


def read_location(value: Any) -> Location:
    """Return the location of a FlyteFile or FlyteDirectory, without `os.fspath`, which downloads it."""
    path, source = str(value.path), getattr(value, "remote_source", None)
    is_here, uri = getattr(value, "downloaded", False), str(source or path)
    # Until a directory is downloaded, its own path is an empty directory.
    local = None if source and not is_here else _local(path)
    if local is None and is_here:
        # Its own path is still the address; `os.fspath` downloads only once.
        local = _local(os.fspath(value))
    return Location(uri, local, str(type(value).extension()), _is_remote(uri))


@dataclass(frozen=True)
class Stored:
    """A stored file or directory: the size in bytes (`None` if unknown), or the names and sizes of the entries."""

    size: int | None
    entries: tuple[tuple[str, int | None], ...] | None = None


def ask_storage(uri: str, *, most: int) -> Stored:
    """Look up an address in its storage, which may take any time; nothing is downloaded.

    Args:
        uri: the address.
        most: the number of entries of a directory to return.
    """
    system = FlyteContextManager.current_context().file_access.get_filesystem_for_path(uri)
    found = system.info(uri)
    if found.get("type") != "directory":
        return Stored(found.get("size"))
    listed = system.ls(uri, detail=True)[:most]
    entries = []
    for entry in listed:
        is_directory = entry.get("type") == "directory"
        name = str(entry["name"]).rstrip("/").rpartition("/")[2] + ("/" if is_directory else "")
        entries.append((name, None if is_directory else entry.get("size")))
    return Stored(None, tuple(sorted(entries)))


@dataclass(frozen=True)
class Dataset:
    """Facts of a StructuredDataset: its frame (if it holds one), address, format and columns."""

    frame: Any
    uri: str
    local: Path | None
    format: str
    columns: tuple[tuple[str, str], ...]


def read_dataset(value: Any) -> Dataset:
    """Read a StructuredDataset without opening it."""
    kind = value.metadata.structured_dataset_type if value.metadata is not None else None
    stored = value.literal  # of one that a task returned, which has no other address
    uri = str(value.uri or (stored.uri if stored is not None else "") or "")
    file_format = str(value.file_format or (kind.format if kind is not None else "") or "")
    local = _local(uri) if file_format in ("", "parquet") else None
    columns = tuple((c.name, literal_type_text(c.literal_type)) for c in kind.columns) if kind is not None else ()
    declared = tuple((name, type_text(t)) for name, t in type(value).columns().items())
    return Dataset(value.dataframe, uri, local, file_format, columns or declared)


def _is_remote(uri: str) -> bool:
    return "://" in uri and not uri.startswith("file://")


def _local(uri: str) -> Path | None:
    """Return the path of an address on this machine, None if there is no such file."""
    if _is_remote(uri):
        return None
    path = Path(uri.removeprefix("file://"))
    return path if uri and path.exists() else None
