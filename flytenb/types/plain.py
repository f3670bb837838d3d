"""Values as plain data that JSON can hold, and back, by the type engine's own rules; and why a type refuses a value."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgpack
from flytekit.core.constants import MESSAGEPACK
from flytekit.core.type_engine import TypeEngine, TypeTransformerFailedError
from flytekit.models.literals import Binary, Scalar
from flytekit.models.literals import Literal as FlyteLiteral
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from mashumaro.codecs.msgpack import MessagePackDecoder, MessagePackEncoder

from flytenb.bridge import private
from flytenb.bridge.crossing.literal import to_native
from flytenb.types.differences import tell
from flytenb.types.literals import to_bytes
from flytenb.types.lookup import find_transformer
from flytenb.types.quiet import quiet
from flytenb.types.round_trip import pack
from flytenb.wording.types import type_text

_DEEPEST = 20


def from_plain(data: Any, python_type: Any) -> Any:
    """Return the value of a type that plain data means; the data itself where the type has no plain form.

    Raises:
        Exception: whatever the type engine, or the type itself, says about data that doesn't fit.
    """
    with quiet():
        if _is_struct(python_type):
            binary = Binary(value=msgpack.dumps(data), tag=MESSAGEPACK)
            return to_native(FlyteLiteral(scalar=Scalar(binary=binary)), python_type)
        try:
            decoder = MessagePackDecoder(python_type)
        except Exception:  # mashumaro doesn't know the type
            return data
        return decoder.decode(msgpack.dumps(data))


def to_plain(value: Any, python_type: Any) -> Any:
    """Return a value as plain data.

    Raises:
        Exception: whatever is said about a value that has no plain form.
    """
    with quiet():
        if _is_struct(python_type):
            scalar = pack(value, python_type).scalar
            return msgpack.loads(scalar.binary.value, strict_map_key=False)
        try:
            encoder = MessagePackEncoder(python_type)
        except Exception:  # mashumaro doesn't know the type
            return value
        return msgpack.loads(encoder.encode(value), strict_map_key=False)


def _is_struct(python_type: Any) -> bool:
    """Whether Flyte itself sends values of the type as plain data."""
    try:
        return bool(TypeEngine.to_literal_type(python_type).simple == SimpleType.STRUCT)
    except Exception:  # a type that no input can have, but a field of a dataclass can
        return False


def refusal(value: Any, python_type: Any) -> str:
    """Return why a type refuses a value, in one line, `""` if it takes it.

    What would be written into files is only looked at, not written: this is asked at every keystroke.
    """
    if get_origin(python_type) is Literal and value not in get_args(python_type):
        return f"{tell(value)} is none of {', '.join(map(repr, get_args(python_type)))}"
    with quiet():
        try:
            missing = _missing_file(value)
            if missing:
                return missing
            if value is None and not _takes_none(python_type):
                raise TypeTransformerFailedError("None is given")
            transformer = find_transformer(python_type)
            if transformer.type_assertions_enabled:
                transformer.assert_type(python_type, value)
            if _is_in_literal(TypeEngine.to_literal_type(python_type)):
                to_bytes(pack(value, python_type))
        except Exception as error:
            return _because(value, python_type, error)
    return ""


def may_be(value: Any, python_type: Any) -> bool:
    """Whether a value looks like one of a type, by the cheapest questions there are."""
    if value is None or isinstance(value, type | types.ModuleType):
        return value is None and _takes_none(python_type)
    plain = get_args(python_type)[0] if get_origin(python_type) is Annotated else python_type
    if plain is StructuredDataset:
        return isinstance(value, StructuredDataset) or type(value) in _frame_types()
    # A transformer may let everything pass that is asked about a plain class, that of frames does.
    if isinstance(plain, type) and not isinstance(value, plain):
        return False
    try:
        with quiet():
            find_transformer(python_type).assert_type(python_type, value)
    except Exception:
        return False
    # flytekit asks no further than that it is a list.
    inner = get_args(plain)
    if isinstance(value, list) and value and len(inner) == 1:
        return may_be(value[0], inner[0])
    if isinstance(value, dict) and value and get_origin(plain) is dict and len(inner) == 2:
        return may_be(next(iter(value.values())), inner[1])
    return True


def _frame_types() -> tuple[Any, ...]:
    """The classes that flytekit knows how to store as a structured dataset."""
    own = type(find_transformer(StructuredDataset))
    return tuple(known for known, serves in private.transformer_registry().items() if type(serves) is own)


def _takes_none(python_type: Any) -> bool:
    return python_type in (None, type(None)) or type(None) in get_args(python_type)


def _missing_file(value: Any) -> str:
    """Why a file or directory that is somewhere on this machine can't be given."""
    if not isinstance(value, FlyteFile | FlyteDirectory):
        return ""
    path = str(value.path)
    if "://" in path or Path(path).exists():
        return ""
    return f"there is no {'file' if isinstance(value, FlyteFile) else 'directory'} {path!r}"


def _is_in_literal(literal_type: LiteralType, depth: int = 0) -> bool:
    """Whether all of a value is in its literal, and nothing in files beside it.

    What lies deeper than a type that doesn't hold itself ever is, has been asked above.
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
    reason = str(error).strip().partition("\n")[0]
    told = f"{tell(value)} is no {type_text(python_type)}"
    # The type engine's most frequent sentence says just that, in longer words.
    return told if not reason or reason.startswith(("Expected value of type", "None is given")) else f"{told}: {reason}"
