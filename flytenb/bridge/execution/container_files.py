"""Files of a raw container: write literals under the input directory, read outputs, render a command's templates.

The form of each type is in `container_contract`; the places of the files follow the same Go sources.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from flyteidl.core import literals_pb2, types_pb2
from flytekit.models.core.types import BlobType
from flytekit.models.types import LiteralType

from flytenb.bridge.execution import go_text
from flytenb.bridge.execution.container_contract import (
    LARGEST_OUTPUT,
    as_container_output,
    is_directory,
    read_scalar,
    row_of,
)
from flytenb.wording.quantities import count_text

LARGEST_ERROR = 1024 * 1024
"""Bytes of an `_ERROR` file that co-pilot reads."""
ERROR_FILE = "_ERROR"
INPUT_TEMPLATE = re.compile(r"\{\{\s*[.$]inputs\.([^}\s]+)\s*\}\}", re.IGNORECASE)
"""`{{.inputs.x}}`, as in `flyteplugins`' `template.go`."""
_TRIMMED = " \n\t"


class Storage(Protocol):
    """Where the files of literals are."""

    def fetch(self, uri: str, path: Path, *, is_directory: bool) -> None:
        """Copy a literal's file or directory to `path`."""

    def keep(self, path: Path) -> str:
        """Copy a file or directory to where it stays; return its address."""


# --- inputs -----------------------------------------------------------------------------------------------------------


def write_input(literal: literals_pb2.Literal, path: Path, storage: Storage) -> None:
    """Write a literal to `path` as co-pilot does.

    Raises:
        ValueError: for a value that co-pilot can't write, with the reason.
    """
    match literal.WhichOneof("value"):
        case "collection":
            path.mkdir(exist_ok=True)
            for i, item in enumerate(literal.collection.literals):
                write_input(item, path / str(i), storage)
        case "map":
            path.mkdir(exist_ok=True)
            for key, item in literal.map.literals.items():
                write_input(item, path / _entry(key), storage)
        case "scalar":
            _write_scalar(literal.scalar, path, storage)
        case kind:
            raise ValueError(f"co-pilot doesn't write a literal of {kind}")


def _entry(key: str) -> str:
    """Return a key as the name of a file.

    Raises:
        ValueError: if it isn't one.
    """
    if key in ("", ".", "..") or "/" in key or "\0" in key or len(os.fsencode(key)) > 255:
        raise ValueError(f"the key {key[:80]!r} can't be the name of a file, which each entry becomes")
    return key


def _write_scalar(scalar: Any, path: Path, storage: Storage) -> None:
    kind = scalar.WhichOneof("value")
    match kind:
        case "blob":
            storage.fetch(scalar.blob.uri, path, is_directory=is_directory(scalar.blob.metadata.type))
        case "schema":
            storage.fetch(scalar.schema.uri, path, is_directory=True)
        case "union":
            write_input(scalar.union.value, path, storage)
        case "structured_dataset":
            raise ValueError("co-pilot doesn't write a structured dataset")
        case _:
            content = row_of(scalar).write(scalar)
            path.write_bytes(content.encode() if isinstance(content, str) else content)


# --- command templates ------------------------------------------------------------------------------------------------


def render_input(literal: literals_pb2.Literal) -> str:
    """Return what `{{.inputs.x}}` in a command becomes, as `flyteplugins`' `template.go` renders it.

    Raises:
        ValueError: for a literal that has no such form.
    """
    if literal.WhichOneof("value") == "collection":
        return f"[{','.join(map(render_input, literal.collection.literals))}]"
    kind = literal.WhichOneof("value")
    primitive = literal.scalar.primitive
    kind = literal.scalar.WhichOneof("value") if kind == "scalar" else kind
    if kind != "primitive":
        raise ValueError(f"a command can't hold a literal of {kind}")
    match primitive.WhichOneof("value"):
        case "float_value":
            return go_text.write_short_float(primitive.float_value)
        case "duration":  # Go prints the protobuf message here
            parts = (("seconds", primitive.duration.seconds), ("nanos", primitive.duration.nanos))
            return " ".join(f"{name}:{value}" for name, value in parts if value)
        case _:
            return str(row_of(literal.scalar).write(literal.scalar))


# --- outputs ----------------------------------------------------------------------------------------------------------


def read_error(folder: Path) -> str | None:
    """Return what the container wrote to `_ERROR`, None if it wrote none.

    Raises:
        ValueError: if co-pilot wouldn't read it.
    """
    path = _inside(folder / ERROR_FILE, folder)
    if not path.exists():
        return None
    if not path.is_file():
        raise ValueError(f"{ERROR_FILE} isn't a file")
    if path.stat().st_size > LARGEST_ERROR:
        most, size = count_text(LARGEST_ERROR, "byte"), count_text(path.stat().st_size, "byte")
        raise ValueError(f"expected at most {most} in {ERROR_FILE}, got {size}")
    return path.read_bytes().decode(errors="replace")


def read_output(folder: Path, name: str, literal_type: LiteralType, storage: Storage) -> literals_pb2.Literal:
    """Read an output of a container as co-pilot does.

    Raises:
        FileNotFoundError: if the container wrote no such output.
        ValueError: if co-pilot doesn't read it as this type, with the reason.
    """
    support = as_container_output(literal_type)
    if not support.is_supported:
        raise ValueError(support.how)
    path = _find(folder, name)
    literal = literals_pb2.Literal()
    if literal_type.blob is not None:
        _read_stored(path, folder, literal_type.blob, literal.scalar.blob, storage)
    else:
        literal.scalar.CopyFrom(read_scalar(literal_type.simple, _read_text(path)))
    return literal


def _find(folder: Path, name: str) -> Path:
    """Return the file of an output; it may have any single extension."""
    path = folder / name
    if not os.path.lexists(path):
        others = [p for p in folder.glob("*") if p.name.startswith(f"{name}.")]
        if len(others) != 1:
            raise FileNotFoundError(name)
        [path] = others
    return _inside(path, folder)


def _inside(path: Path, folder: Path) -> Path:
    """Resolve symbolic links; they must not lead out of the directory, where they would name files of this machine."""
    found = path.resolve()
    if not found.is_relative_to(folder.resolve()):
        raise ValueError(f"{path.name!r} is a link that leads out of the output directory: copy the file instead")
    return found


def _read_text(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"expected a file, got a {'directory' if path.is_dir() else 'special file'}")
    if status.st_size > LARGEST_OUTPUT:
        most, size = count_text(LARGEST_OUTPUT, "byte"), count_text(status.st_size, "byte")
        raise ValueError(f"expected at most {most}, got {size}")
    try:
        return path.read_bytes().decode().strip(_TRIMMED)
    except UnicodeDecodeError as error:
        raise ValueError(f"expected text in UTF-8: {error}") from error


def _read_stored(path: Path, folder: Path, declared: BlobType, blob: Any, storage: Storage) -> None:
    found_directory = path.is_dir()
    if found_directory != is_directory(declared):
        raise ValueError(
            "expected a directory, got a file" if not found_directory else "expected a file, got a directory"
        )
    if not found_directory:
        if not path.is_file():
            raise ValueError("expected a file, got a special file")
        blob.uri = storage.keep(path)
        return
    blob.metadata.type.dimensionality = types_pb2.BlobType.MULTIPART
    blob.uri = storage.keep(_flat(path, folder))


def _flat(path: Path, folder: Path) -> Path:
    """Return a directory that holds all files below this one side by side, as they are uploaded.

    Raises:
        ValueError: if two of them have the same name.
    """
    files: dict[str, Path] = {}
    for found in files_below(path):
        if found.name in files:
            raise ValueError(f"it has two files {found.name!r}; a cluster puts all files into one directory")
        files[found.name] = _inside(found, folder)
    if all(found == path / name and not found.is_symlink() for name, found in files.items()):
        return path
    flat = folder.parent / f"{folder.name}-flat" / path.name
    flat.mkdir(parents=True)
    for name, found in files.items():
        shutil.copyfile(found, flat / name)
    return flat


def files_below(path: Path) -> Iterator[Path]:
    """Yield the files in a directory and in those within it."""
    for root, _, names in os.walk(path):
        yield from (Path(root) / name for name in sorted(names))


# --- summaries --------------------------------------------------------------------------------------------------------


def write_summaries(literals: Mapping[str, Any], folder: Path, seen_as: str, form: str) -> None:
    """Write `inputs.pb`, and `inputs.json` or `inputs.yaml`, beside the inputs.

    Args:
        literals: the inputs, as `literals_pb2.Literal`.
        folder: where the inputs are.
        seen_as: what the folder is called in the container.
        form: `"JSON"`, `"YAML"` or `"PROTO"`, which writes neither of the two texts.

    Raises:
        ValueError: for NaN and the infinities, which JSON doesn't have: the download fails on a cluster too.
    """
    placed = {name: _placed(literal, f"{seen_as}/{name}") for name, literal in literals.items()}
    (folder / "inputs.pb").write_bytes(literals_pb2.LiteralMap(literals=placed).SerializeToString())
    if form == "PROTO":
        return
    # JSON is YAML too.
    (folder / f"inputs.{form.lower()}").write_text(_object(placed), "utf-8")


def _placed(literal: Any, path: str) -> Any:
    """Return a literal whose files are at their paths in the container."""
    made = literals_pb2.Literal()
    made.CopyFrom(literal)
    match literal.WhichOneof("value"):
        case "collection":
            for i, item in enumerate(literal.collection.literals):
                made.collection.literals[i].CopyFrom(_placed(item, f"{path}/{i}"))
        case "map":
            for key, item in literal.map.literals.items():
                made.map.literals[key].CopyFrom(_placed(item, f"{path}/{key}"))
        case "scalar":
            match literal.scalar.WhichOneof("value"):
                case "blob":
                    made.scalar.blob.uri = path
                case "schema":
                    made.scalar.schema.uri = path
                case "union":
                    made.scalar.union.value.CopyFrom(_placed(literal.scalar.union.value, path))
    return made


def _object(literals: Mapping[str, Any]) -> str:
    pairs = (f"{go_text.write_json_text(key)}:{_summary(literals[key])}" for key in sorted(literals, key=str.encode))
    return "{" + ",".join(pairs) + "}"


def _summary(literal: Any) -> str:
    """Return the JSON of a placed literal in `inputs.json`."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        return f"[{','.join(map(_summary, literal.collection.literals))}]"
    if kind == "map":
        return _object(literal.map.literals)
    scalar = literal.scalar
    match scalar.WhichOneof("value"):
        case "blob":
            return go_text.write_json_text(scalar.blob.uri)
        case "schema":
            return go_text.write_json_text(scalar.schema.uri)
        case "union":
            return _summary(scalar.union.value)
        case "binary":
            return go_text.write_json_text(b64encode(scalar.binary.value).decode())
        case "generic":
            return go_text.write_json(scalar.generic)
        case "error":
            return go_text.write_json_text(scalar.error.message)
        case "primitive":
            return _primitive_summary(scalar)
    return "null"


def _primitive_summary(scalar: Any) -> str:
    match scalar.primitive.WhichOneof("value"):
        case "duration":  # co-pilot forgets it: `v, err :=` in `handlePrimitive` hides the variable that is returned
            return "null"
        case "float_value":
            return go_text.write_json_number(scalar.primitive.float_value)
        case "integer" | "boolean":
            return str(row_of(scalar).write(scalar))
        case _:
            return go_text.write_json_text(str(row_of(scalar).write(scalar)))
