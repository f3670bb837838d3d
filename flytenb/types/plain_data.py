"""Values as plain data that JSON can hold, and back, by the rules of the type engine; why a type rejects a value."""

from __future__ import annotations

import math
import types
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgpack
from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder

from flytenb.bridge.crossing.literal import to_native
from flytenb.bridge.type_engine import (
    FlyteDirectory,
    FlyteFile,
    LiteralType,
    StructuredDataset,
    TypeTransformerFailedError,
)
from flytenb.bridge.type_engine.literal_forms import is_struct, packed, to_bytes, unpacked
from flytenb.bridge.type_engine.transformers import captured_log, find_transformer, frame_types, literal_type_of
from flytenb.types.round_trip import pack
from flytenb.types.value_changes import describe_value
from flytenb.wording.text import clip_line
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG

_DEEPEST = 20


def from_plain(data: Any, python_type: Any) -> Any:
    """Return the value of a type from plain data; the data itself if the type has no plain form.

    Raises:
        Exception: what the type engine, or the type itself, raises for data that doesn't fit.
    """
    with captured_log():
        if _is_struct(python_type):
            return to_native(packed(data), python_type)
        try:
            decoder = MessagePackDecoder(python_type)
        except Exception:  # mashumaro doesn't know the type
            return data
        value = decoder.decode(msgpack.dumps(data))
        if not _is_kept(data, to_plain(value, python_type)):  # mashumaro makes 1 of "1" and of 1.7
            raise TypeError(f"expected {type_text(python_type)}, got {clip_line(repr(data), LONG)}")
        return value


def _is_kept(data: Any, made: Any) -> bool:
    """Whether plain data is still there in that of the value which was made of it, apart from the form of texts."""
    if isinstance(data, dict) and isinstance(made, dict):
        return all(_is_kept(value, made[key]) for key, value in data.items() if key in made)
    if isinstance(data, list) and isinstance(made, list):
        return len(data) != len(made) or all(map(_is_kept, data, made))  # a set has fewer, in another order
    if isinstance(data, bool) or isinstance(made, bool):
        return data is made
    if isinstance(data, int | float) and isinstance(made, int | float):
        return data == made or (math.isnan(data) and math.isnan(made))
    return not (isinstance(data, str | int | float) and isinstance(made, str | int | float)) or type(data) is type(made)


def to_plain(value: Any, python_type: Any) -> Any:
    """Return a value as plain data.

    Raises:
        Exception: what the type engine, or the type itself, raises for a value without a plain form.
    """
    with captured_log():
        if _is_struct(python_type):
            return unpacked(pack(value, python_type))
        try:
            encoder = MessagePackEncoder(python_type)
        except Exception:  # mashumaro doesn't know the type
            return value
        return msgpack.loads(encoder.encode(value), strict_map_key=False)


def _is_struct(python_type: Any) -> bool:
    """Whether Flyte sends values of the type as plain data."""
    try:
        return is_struct(literal_type_of(python_type))
    except Exception:  # e.g. a type that only a field of a dataclass may have
        return False


def refusal(value: Any, python_type: Any) -> str:
    """Return why a type rejects a value, in one line, `""` if it accepts it.

    Called at every keystroke: a value that is stored in files is checked by its class, and not written.
    """
    if get_origin(python_type) is Literal and value not in get_args(python_type):
        return f"expected one of {', '.join(map(repr, get_args(python_type)))}, got {describe_value(value)}"
    with captured_log():
        try:
            missing = _missing_file(value)
            if missing:
                return missing
            if value is None and not _takes_none(python_type):
                raise TypeTransformerFailedError("None is given")
            transformer = find_transformer(python_type)
            if transformer.type_assertions_enabled:
                transformer.assert_type(python_type, value)
            if _is_in_literal(literal_type_of(python_type)):
                to_bytes(pack(value, python_type))
        except Exception as error:
            return _because(value, python_type, error)
    return ""


def may_be(value: Any, python_type: Any) -> bool:
    """Whether a value seems to be of a type, by cheap checks."""
    if value is None or isinstance(value, type | types.ModuleType):
        return value is None and _takes_none(python_type)
    plain = get_args(python_type)[0] if get_origin(python_type) is Annotated else python_type
    if plain is StructuredDataset:
        return isinstance(value, StructuredDataset) or type(value) in frame_types()
    # For a plain class, some transformers accept any value, e.g. the one of frames.
    if isinstance(plain, type) and not isinstance(value, plain):
        return False
    try:
        with captured_log():
            find_transformer(python_type).assert_type(python_type, value)
    except Exception:
        return False
    # flytekit only checks that it is a list.
    inner = get_args(plain)
    if isinstance(value, list) and value and len(inner) == 1:
        return may_be(value[0], inner[0])
    if isinstance(value, dict) and value and get_origin(plain) is dict and len(inner) == 2:
        return may_be(next(iter(value.values())), inner[1])
    return True


def _takes_none(python_type: Any) -> bool:
    return python_type in (None, type(None)) or type(None) in get_args(python_type)


def _missing_file(value: Any) -> str:
    """Return why a file or directory on this machine can't be used, `""` if it can."""
    if not isinstance(value, FlyteFile | FlyteDirectory):
        return ""
    path = str(value.path)
    if "://" in path or Path(path).exists():
        return ""
    return f"there is no {'file' if isinstance(value, FlyteFile) else 'directory'} {path!r}"


def _is_in_literal(literal_type: LiteralType, depth: int = 0) -> bool:
    """Whether values of the type are entirely in their literals, without files.

    Only a recursive type is deeper than the limit, and its levels are alike.
    """
    if depth > _DEEPEST:
        return True
    inner = [literal_type.collection_type, literal_type.map_value_type]
    if literal_type.union_type is not None:
        inner += literal_type.union_type.variants
    if literal_type.structure is not None and literal_type.structure.dataclass_type:
        inner += literal_type.structure.dataclass_type.values()
    if literal_type.blob or literal_type.schema or literal_type.structured_dataset_type:
        return False
    return all(_is_in_literal(t, depth + 1) for t in inner if t is not None)


def _because(value: Any, python_type: Any, error: Exception) -> str:
    reason = clip_line(str(error).strip(), LONG)
    text = f"expected {type_text(python_type)}, got {describe_value(value)}"
    # The most frequent messages of the type engine add nothing.
    return text if not reason or reason.startswith(("Expected value of type", "None is given")) else f"{text}: {reason}"
