"""A value's visit to another Python: literals go there, become values, and come back as literals.

As a program (`python -m flytenb.types.conformance.other_process FOLDER`) it is the other Python.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import json
import os
import pickle
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import cloudpickle
from flyteidl.core import types_pb2
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge import private
from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.types.literals import from_bytes, to_bytes
from flytenb.types.lookup import find_transformer
from flytenb.types.round_trip import explain
from flytenb.types.scratch_folder import storing_in
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import clip_line
from flytenb.wording.values import LONG

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_PATIENCE = 120.0
"""Seconds: importing what a type needs may take long, waiting for ever helps nobody."""


@dataclass(frozen=True)
class Answer:
    """What the other process made of it."""

    literals: tuple[Literal, ...] = ()
    literal_type: Any = None
    error: str = ""
    mend: str = ""


def visit(python_type: Any, transformer: TypeTransformer[Any], literals: list[Literal], stored: Path) -> Answer:
    """Let another Python read the literals and write them again; their files are in `stored`."""
    folder = stored.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    try:
        (folder / "question").write_bytes(_question(python_type, transformer, literals))
    except Exception as error:
        return Answer(error=f"it can't be sent there: {explain(error)}", mend="define the type at the top of a module")
    command = [sys.executable, "-m", "flytenb.types.conformance.other_process", str(folder)]
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=_PATIENCE
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(
            error=f"no answer after {duration_text(_PATIENCE)}", mend="a transformer must not wait for this process"
        )
    if done.returncode != 0 or not (folder / "answer").exists():
        said = _COLOR.sub("", done.stderr).strip().rpartition("\n")[2]
        return Answer(
            error=f"the process ended: {clip_line(said, LONG)}", mend="its import must work without this notebook"
        )
    return _read_answer(json.loads((folder / "answer").read_text()))


def _question(python_type: Any, transformer: TypeTransformer[Any], literals: list[Literal]) -> bytes:
    bare = copy.copy(transformer)
    private.forget_codecs(bare)
    # What a notebook has defined goes along by value; what can be imported must register itself.
    of_notebook = {type(transformer).__module__}
    told = [
        (key, bare)
        for key, known in private.transformer_registry().items()
        if known is transformer and "__main__" in of_notebook | {getattr(key, "__module__", "")}
    ]
    packed = io.BytesIO()
    named: dict[str, type] = {}
    _collect_classes(python_type, named)
    expected = type(transformer).__qualname__
    _Pickler(packed).dump((python_type, named, told, expected, [to_bytes(x) for x in literals]))
    return packed.getvalue()


def _collect_classes(python_type: Any, named: dict[str, type]) -> None:
    """Find the notebook's classes in a type: what mashumaro compiles looks them up by name in their module."""
    for argument in get_args(python_type):
        _collect_classes(argument, named)
    if not isinstance(python_type, type) or python_type.__module__ != "__main__" or python_type in named.values():
        return
    named[python_type.__qualname__] = python_type
    with contextlib.suppress(Exception):  # a name that can't be resolved here can't be there either
        for hint in get_type_hints(python_type, include_extras=True).values():
            _collect_classes(hint, named)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Keeps the one object by which dataclasses know that a field has no default: a copy of it would be one."""

    def persistent_id(self, obj: Any) -> str | None:
        return "MISSING" if obj is dataclasses.MISSING else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: str) -> Any:
        return dataclasses.MISSING


def _read_answer(answer: dict[str, Any]) -> Answer:
    if answer["error"]:
        return Answer(error=answer["error"], mend=answer["mend"])
    literal_type = types_pb2.LiteralType.FromString(b64decode(answer["literal_type"]))
    literals = tuple(from_bytes(b64decode(data)) for data in answer["literals"])
    return Answer(literals, LiteralType.from_flyte_idl(literal_type))


# --- there -----------------------------------------------------------------------------------------------------------


def main(folder: Path) -> None:
    """Answer the question that lies in a folder."""
    packed = io.BytesIO((folder / "question").read_bytes())
    python_type, named, told, expected, sent = _Unpickler(packed).load()
    vars(sys.modules["__main__"]).update(named)
    for key, transformer in told:
        TypeEngine.register_additional_type(transformer, key)
    (folder / "answer").write_text(json.dumps(_answer(python_type, expected, sent, folder)))


def _answer(python_type: Any, expected: str, sent: list[bytes], folder: Path) -> dict[str, Any]:
    found = type(find_transformer(python_type)).__qualname__
    if found != expected:
        return {
            "error": f"there {found} is taken for it: importing its module doesn't register {expected}",
            "mend": "call TypeEngine.register in the module that defines the type",
        }
    try:
        literal_type = TypeEngine.to_literal_type(python_type)
        with storing_in(folder):
            values = [to_native(from_bytes(data), python_type) for data in sent]
            literals = [to_bytes(to_literal(value, python_type, literal_type)) for value in values]
    except Exception as error:
        return {
            "error": f"there it raised {explain(error)}",
            "mend": "all that a value needs must be in its literal or its files, nothing in this process's memory",
        }
    return {
        "error": "",
        "literals": [b64encode(data).decode() for data in literals],
        "literal_type": b64encode(literal_type.to_flyte_idl().SerializeToString()).decode(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
