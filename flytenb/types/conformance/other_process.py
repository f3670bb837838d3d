"""Round-trip literals through a second Python process.

The second process runs `python -m flytenb.types.conformance.other_process FOLDER`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import pickle
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import cloudpickle

from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.bridge.type_engine import Literal, TypeTransformer
from flytenb.bridge.type_engine.literal_forms import from_bytes, to_bytes, type_from_bytes, type_to_bytes
from flytenb.bridge.type_engine.scratch_storage import storing_in
from flytenb.bridge.type_engine.transformers import (
    find_transformer,
    literal_type_of,
    register,
    types_of,
    without_codecs,
)
from flytenb.types.round_trip import explain
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import clip_line, uncolored
from flytenb.wording.values import LONG

_TIME_LIMIT = 120.0
"""Seconds, which include importing the modules of the type."""


@dataclass(frozen=True)
class Answer:
    """The result of the other process."""

    literals: tuple[Literal, ...] = ()
    literal_type: Any = None
    error: str = ""
    fix: str = ""


def convert_elsewhere(
    python_type: Any, transformer: TypeTransformer[Any], literals: list[Literal], stored: Path
) -> Answer:
    """Convert literals to values and back in another process; their files are in `stored`."""
    folder = stored.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    try:
        (folder / "question").write_bytes(_question(python_type, transformer, literals))
    except Exception as error:
        return Answer(error=f"it can't be sent: {explain(error)}", fix="define the type at the top of a module")
    command = [sys.executable, "-m", "flytenb.types.conformance.other_process", str(folder)]
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=_TIME_LIMIT
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        late = f"no answer after {duration_text(_TIME_LIMIT)}"
        return Answer(error=late, fix="a transformer must not depend on this process")
    if done.returncode != 0 or not (folder / "answer").exists():
        message = clip_line(uncolored(done.stderr).strip().rpartition("\n")[2], LONG)
        return Answer(error=f"the process ended: {message}", fix="its import must work without this notebook")
    return _read_answer(json.loads((folder / "answer").read_text()))


def _question(python_type: Any, transformer: TypeTransformer[Any], literals: list[Literal]) -> bytes:
    # A transformer of the notebook is sent by value; an imported one must register itself.
    home = type(transformer).__module__
    served = [t for t in types_of(transformer) if "__main__" in (home, getattr(t, "__module__", ""))]
    carried = without_codecs(transformer) if served else None
    packed = io.BytesIO()
    named: dict[str, type] = {}
    _collect_classes(python_type, named)
    expected = type(transformer).__qualname__
    sent = [to_bytes(literal) for literal in literals]
    _Pickler(packed).dump((python_type, named, carried, served, expected, sent))
    return packed.getvalue()


def _collect_classes(python_type: Any, named: dict[str, type]) -> None:
    """Collect the classes of a type that are defined in the notebook, by name, as mashumaro looks them up."""
    for argument in get_args(python_type):
        _collect_classes(argument, named)
    if not isinstance(python_type, type) or python_type.__module__ != "__main__" or python_type in named.values():
        return
    named[python_type.__qualname__] = python_type
    with contextlib.suppress(Exception):  # a name that can't be resolved in this process either
        for hint in get_type_hints(python_type, include_extras=True).values():
            _collect_classes(hint, named)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Keeps the identity of `dataclasses.MISSING`, a copy of which would be a default."""

    def persistent_id(self, obj: Any) -> str | None:
        return "MISSING" if obj is dataclasses.MISSING else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: str) -> Any:
        return dataclasses.MISSING


def _read_answer(answer: dict[str, Any]) -> Answer:
    if answer["error"]:
        return Answer(error=answer["error"], fix=answer["fix"])
    literal_type = type_from_bytes(b64decode(answer["literal_type"]))
    literals = tuple(from_bytes(b64decode(data)) for data in answer["literals"])
    return Answer(literals, literal_type)


# --- the other process -----------------------------------------------------------------------------------------------


def main(folder: Path) -> None:
    """Read the file `question` of a directory and write the file `answer`."""
    packed = io.BytesIO((folder / "question").read_bytes())
    python_type, named, transformer, served, expected, sent = _Unpickler(packed).load()
    vars(sys.modules["__main__"]).update(named)
    for key in served:
        register(transformer, key)
    (folder / "answer").write_text(json.dumps(_answer(python_type, expected, sent, folder)))


def _answer(python_type: Any, expected: str, sent: list[bytes], folder: Path) -> dict[str, Any]:
    found = type(find_transformer(python_type)).__qualname__
    if found != expected:
        return {
            "error": f"the other process uses {found}: importing its module doesn't register {expected}",
            "fix": "call TypeEngine.register in the module that defines the type",
        }
    try:
        literal_type = literal_type_of(python_type)
        with storing_in(folder):
            values = [to_native(from_bytes(data), python_type) for data in sent]
            literals = [to_bytes(to_literal(value, python_type, literal_type)) for value in values]
    except Exception as error:
        return {
            "error": f"the other process raised {explain(error)}",
            "fix": "all data of a value must be in its literal or its files, none in the memory of this process",
        }
    return {
        "error": "",
        "literals": [b64encode(data).decode() for data in literals],
        "literal_type": b64encode(type_to_bytes(literal_type)).decode(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
