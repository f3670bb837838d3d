"""Cells run by the interpreters of this machine; the transcribed co-pilot writes and reads what crosses directly."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyteidl.core import literals_pb2, types_pb2

from flytenb.languages.language import Cell, CellPort, Language
from flytenb.languages.lines import dumps, loads
from tests import copilot
from tests.languages.julia_root import julia_folder

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICRO = datetime.timedelta(microseconds=1)


@dataclass(frozen=True)
class Sent:
    """A value of a shape, and whether it crosses as lines."""

    shape: str
    value: Any
    is_encoded: bool = False


@dataclass(frozen=True)
class Ended:
    """What a cell left behind."""

    status: int
    outputs: dict[str, Any]
    error: str | None
    printed: str
    stderr: str


def run_cell(
    language: Language,
    code: str,
    folder: Path,
    inputs: Mapping[str, Sent] | None = None,
    outputs: Mapping[str, CellPort] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a cell of a language with its files in a folder."""
    inputs, outputs = inputs or {}, outputs or {}
    sources, targets = folder / "inputs", folder / "outputs"
    sources.mkdir()
    targets.mkdir()
    for name, sent in inputs.items():
        if sent.is_encoded:
            (sources / name).write_bytes(dumps(sent.value, sent.shape).encode())
    direct = {name: literal_of(s.value, s.shape) for name, s in inputs.items() if not s.is_encoded}
    copilot.download(literals_pb2.LiteralMap(literals=direct), sources)
    ports = {name: CellPort(sent.shape, sent.is_encoded) for name, sent in inputs.items()}
    text = language.program(Cell(code, ports, outputs))
    assert "$$" not in text and "{{" not in text, "a cluster would replace these"
    first = julia_folder() if language.name == "julia" else str(Path(sys.executable).parent)  # a Python with pandas
    path = f"{first}{os.pathsep}{os.environ['PATH']}"
    variables = {"FLYTENB_INPUTS": str(sources), "FLYTENB_OUTPUTS": str(targets), "PATH": path}
    ended = subprocess.run(
        language.command(text), env={**os.environ, **variables, **(environment or {})}, capture_output=True, check=False
    )
    error = targets / "_ERROR"
    found = {name: _read(targets, name, port) for name, port in outputs.items() if (targets / name).exists()}
    message = error.read_bytes().decode() if error.exists() else None
    return Ended(ended.returncode, found, message, ended.stdout.decode(), ended.stderr.decode())


def literal_of(value: Any, shape: str) -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    if shape.startswith("l "):
        literal.collection.SetInParent()
        literal.collection.literals.extend(literal_of(item, shape[2:]) for item in value)
        return literal
    if shape in ("f", "F"):
        literal.scalar.blob.uri = value
        literal.scalar.blob.metadata.type.dimensionality = int(shape == "F")
        return literal
    primitive = literal.scalar.primitive
    match shape:
        case "b":
            primitive.boolean = value
        case "i":
            primitive.integer = value
        case "d":
            primitive.float_value = value
        case "s":
            primitive.string_value = value
        case "T":
            micros = (value - EPOCH) // MICRO
            primitive.datetime.seconds, primitive.datetime.nanos = micros // 10**6, micros % 10**6 * 1000
        case "a":
            days = value.toordinal() - EPOCH.toordinal()
            primitive.datetime.seconds = days * 86400
        case "D":
            primitive.duration.FromTimedelta(value)
    return literal


_SIMPLE = {"b": "BOOLEAN", "i": "INTEGER", "d": "FLOAT", "T": "DATETIME", "D": "DURATION"}


def _read(folder: Path, name: str, port: CellPort) -> Any:
    path = folder / name
    if port.is_encoded:
        return loads(path.read_bytes().decode())
    if port.shape == "f":
        return path.read_bytes()
    if port.shape == "F":
        return {p.name: p.read_bytes() for p in path.iterdir()}
    literal = copilot.make_literal_for_simple_type(
        types_pb2.SimpleType.Value(_SIMPLE[port.shape]), path.read_bytes().strip()
    )
    primitive = literal.scalar.primitive
    if port.shape == "T":
        assert primitive.datetime.nanos % 1000 == 0
        return EPOCH + (primitive.datetime.seconds * 10**6 + primitive.datetime.nanos // 1000) * MICRO
    if port.shape == "D":
        return primitive.duration.ToTimedelta()
    return getattr(primitive, primitive.WhichOneof("value"))
