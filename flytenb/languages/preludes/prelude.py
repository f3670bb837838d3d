"""Prelude of Python cells: reads the inputs, runs the cell's code, writes the outputs. It needs Python 3.8."""

from __future__ import annotations

import datetime
import linecache
import os
import re
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from flytenb.languages.lines import dumps, loads
from flytenb.languages.scalar_lines import unexpected, write_scalar
from flytenb.languages.shape_notation import WORDS, Shape, read_shape
from flytenb.languages.tables import NANOS, moment_of, nanos_of, span_of

CELL = "<cell>"
"""The file name of the cell's code in tracebacks."""


def main(code: str, ports_text: str) -> None:
    """Run a cell.

    Args:
        code: its text.
        ports_text: a line `in|out direct|lines NAME SHAPE` for each input and output.
    """
    ports = [line.split(" ", 3) for line in ports_text.splitlines()]
    inputs = Path(os.environ.get("FLYTENB_INPUTS") or "/var/inputs")
    outputs = Path(os.environ.get("FLYTENB_OUTPUTS") or "/var/outputs")
    space = sys.modules["__main__"].__dict__
    space.pop("names", None)
    for side, form, name, shape in ports:
        if side == "in":
            space[name] = _try(outputs, f"input {name!r}", _read_input, inputs / name, form, shape)
    _run(code, space, outputs)
    for side, form, name, shape in ports:
        if side == "out":
            _try(outputs, f"output {name!r}", _write_output, outputs / name, form, shape, name, space)


def _try(outputs: Path, what: str, action: Any, *arguments: Any) -> Any:
    try:
        return action(*arguments)
    except (ValueError, OSError, RecursionError) as error:
        _fail(outputs, f"{what}: {error}")


def _fail(outputs: Path, message: str) -> NoReturn:
    text = message.encode("utf-8", "backslashreplace").decode()[:100_000]  # co-pilot reads 1 MiB
    (outputs / "_ERROR").write_bytes(text.encode())
    sys.exit(text)  # to stderr, with status 1


def _run(code: str, space: dict[str, Any], outputs: Path) -> None:
    linecache.cache[CELL] = (len(code), None, code.splitlines(True), CELL)
    try:
        exec(compile(code, CELL, "exec", dont_inherit=True), space)
    except SystemExit as ending:
        if ending.code not in (None, 0):
            _fail(outputs, f"the cell ended with exit({ending.code!r})")
    except BaseException as error:
        _fail(outputs, _error_text(error, code))


def _error_text(error: BaseException, code: str) -> str:
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CELL]
    if isinstance(error, SyntaxError) and error.filename == CELL:
        frames.append(error.lineno)
    else:
        traceback.print_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    lines = code.split("\n")
    at = frames[-1] if frames else None
    return message + (f"\nline {at}: {lines[at - 1].strip()}" if at and at <= len(lines) else "")


# --- inputs -----------------------------------------------------------------------------------------------------------


def _read_input(path: Path, form: str, shape: str) -> Any:
    if form == "direct":
        return _read_direct(path, read_shape(shape))
    return loads(path.read_bytes().decode())


def _read_direct(path: Path, shape: Shape) -> Any:
    if shape.tag in "fF":
        return str(path)
    if shape.tag == "l":
        count = sum(1 for _ in path.iterdir()) if path.is_dir() else 0  # an empty list has no directory
        return [_read_direct(path / str(i), shape.parts[0]) for i in range(count)]
    return _READ[shape.tag](path.read_bytes().decode())


def _read_bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _read_moment(text: str) -> datetime.datetime:
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.UTC)
    return moment_of(nanos_of(moment) + int((fraction or "0").ljust(9, "0")))


_UNITS = {"h": 3600 * NANOS, "m": 60 * NANOS, "s": NANOS, "ms": 10**6, "us": 1000, "µs": 1000, "ns": 1}


def _read_span(text: str) -> datetime.timedelta:
    nanos = 0
    for whole, fraction, unit in re.findall(r"([0-9]+)(?:\.([0-9]+))?(ms|us|µs|ns|h|m|s)", text):
        nanos += int(whole) * _UNITS[unit] + int(fraction or "0") * _UNITS[unit] // 10 ** len(fraction)
    return span_of(-nanos if text.startswith("-") else nanos)


_READ: dict[str, Any] = {
    "b": _read_bool,
    "i": int,
    "d": float,
    "s": str,
    "T": _read_moment,
    "D": _read_span,
    "a": lambda text: datetime.date.fromisoformat(text[:10]),
}


# --- outputs ----------------------------------------------------------------------------------------------------------


def _write_output(path: Path, form: str, shape: str, name: str, space: dict[str, Any]) -> None:
    is_file = shape in ("f", "F")
    if name not in space:
        if is_file and path.exists():
            return
        raise ValueError(f"expected a {WORDS[shape[0]]}, but the cell doesn't set {name}")
    if is_file:
        _copy(space[name], path, shape)
        return
    text = dumps(space[name], shape) if form == "lines" else _write_direct(space[name], shape)
    path.write_bytes(text.encode())


def _copy(source: Any, path: Path, shape: str) -> None:
    if not isinstance(source, (str, os.PathLike)):
        raise unexpected(f"the path of a {WORDS[shape]}", source)
    source = Path(source)
    if not (source.is_dir() if shape == "F" else source.is_file()):
        raise ValueError(f"expected the path of a {WORDS[shape]} that exists, got {str(source)!r}")
    if path.exists() and path.samefile(source):
        return
    if shape == "F":
        shutil.copytree(source, path, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, path)


def _write_direct(value: Any, shape: str) -> str:
    text = write_scalar(shape, value)
    if shape == "b":
        return "true" if value else "false"
    if shape == "T":
        seconds, nanos = text.split(" ")
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(seconds))
        return f"{moment.isoformat()}.{int(nanos):09d}Z"
    if shape == "D":
        if not -(2**63) < nanos_of(value) < 2**63:
            raise ValueError(f"expected a timedelta of at most 292 years, got {value!r}")
        return f"{nanos_of(value)}ns"
    return text
