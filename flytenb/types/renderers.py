"""What displays need to know from flytekit: a type's own `to_html`, where a file lies, what an entity is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine, TypeTransformer

from flytenb.bridge.literal_data import literal_type_text
from flytenb.wording.types import type_text


def transformer_html(declared: Any) -> Callable[[Any], str] | None:
    """Return the `to_html` that the transformer of a type overrides, ready to be called with a value.

    flytekit's own overrides don't count: they render whole frames and fail on some values, and the built-in displays
    know these types. Only types that are registered are looked up, since asking the type engine for any other one
    logs a warning about pickle.
    """
    transformer = _transformer(declared)
    if transformer is None:
        return None
    home = next(c for c in type(transformer).__mro__ if "to_html" in vars(c))
    if home.__module__.partition(".")[0] == "flytekit":
        return None

    def html(value: Any) -> str:
        source: str = transformer.to_html(FlyteContextManager.current_context(), value, declared)
        return source

    html.__qualname__ = f"{home.__qualname__}.to_html"
    return html


def _transformer(declared: Any) -> TypeTransformer[Any] | None:
    annotations = get_args(declared)[1:] if hasattr(declared, "__metadata__") else ()
    for annotation in annotations:
        if isinstance(annotation, TypeTransformer):
            return annotation
    declared = get_args(declared)[0] if annotations else declared
    known = TypeEngine.get_available_transformers()
    for candidate in (declared, get_origin(declared), *getattr(declared, "__mro__", ())):
        if candidate is not None and _is_among(candidate, known):
            return TypeEngine.get_transformer(candidate)
    return None


def _is_among(candidate: Any, known: Any) -> bool:
    try:
        return candidate is not object and candidate in known
    except TypeError:
        # An unhashable type, such as a StructuredDataset with its columns.
        return False


@dataclass(frozen=True)
class Place:
    """Where a FlyteFile or FlyteDirectory lies.

    Attributes:
        uri: its address, as a reader knows it.
        local: where it is on this machine, `None` while it isn't.
        is_remote: whether it can be somewhere else.
        extension: what its type says that it holds, `""` if nothing.
    """

    uri: str
    local: Path | None
    extension: str
    is_remote: bool


def read_place(value: Any) -> Place:
    """Read where a FlyteFile or FlyteDirectory lies, without `os.fspath`, which downloads it."""
    path, source = str(value.path), getattr(value, "remote_source", None)
    is_here, uri = getattr(value, "downloaded", False), str(source or path)
    # Until it is downloaded, a directory's own path is an empty one, made for what will come.
    local = None if source and not is_here else _local(path)
    if local is None and is_here:
        # Its own path is still the address; a second fspath downloads nothing.
        local = _local(os.fspath(value))
    return Place(uri, local, str(type(value).extension()), _is_remote(uri))


@dataclass(frozen=True)
class Stored:
    """What lies at an address: its size in bytes (`None` if nobody says), or a directory's names and sizes."""

    size: int | None
    entries: tuple[tuple[str, int | None], ...] | None = None


def ask_storage(uri: str, *, most: int) -> Stored:
    """Ask the storage what lies at an address, however long it takes; nothing is downloaded.

    Args:
        uri: where it lies.
        most: entries of a directory that are kept.
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
    """What a StructuredDataset says of itself: its frame (if it holds one), address, format and columns."""

    frame: Any
    uri: str
    local: Path | None
    format: str
    columns: tuple[tuple[str, str], ...]


def read_dataset(value: Any) -> Dataset:
    """Read a StructuredDataset without opening it."""
    kind = value.metadata.structured_dataset_type if value.metadata is not None else None
    uri = str(value.uri or "")
    file_format = str(value.file_format or (kind.format if kind is not None else "") or "")
    local = _local(uri) if file_format in ("", "parquet") else None
    columns = tuple((c.name, literal_type_text(c.literal_type)) for c in kind.columns) if kind is not None else ()
    declared = tuple((name, type_text(t)) for name, t in type(value).columns().items())
    return Dataset(value.dataframe, uri, local, file_format, columns or declared)


def _is_remote(uri: str) -> bool:
    return "://" in uri and not uri.startswith("file://")


def _local(uri: str) -> Path | None:
    """Return the path on this machine that an address means, if something is there."""
    if _is_remote(uri):
        return None
    path = Path(uri.removeprefix("file://"))
    return path if uri and path.exists() else None
