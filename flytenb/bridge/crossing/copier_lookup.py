"""The copier of a type, if there is one; values of other types cross as literals.

There are two carriers, with different rules. A literal tree carries scalars, lists and dicts with text keys, each by
its type transformer. MessagePack carries what is inside a dataclass or a dict with other keys, by mashumaro, which
asks no transformer.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import is_dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from flytekit.core import type_engine
from flytekit.core.type_engine import TypeEngine

from flytenb.bridge import private
from flytenb.bridge.crossing.arrays import ArrayCopy
from flytenb.bridge.crossing.copiers import Copier, DictCopy, ListCopy, OptionalCopy, Share, Trust
from flytenb.bridge.crossing.frames import FrameCopy
from flytenb.bridge.crossing.literal_limits import INT, PACKED_DURATION, PACKED_INT, PACKED_TIME, TEXT, Limit
from flytenb.bridge.crossing.model_copies import find_model_copier
from flytenb.bridge.crossing.records import RecordCopy, field_types
from flytenb.wording.packages import loaded


def find_copier(python_type: Any) -> Copier | None:
    """Return the copier of a declared type, or None; the same object until a transformer changes."""
    try:
        copier = _cached(python_type)
        if _is_outdated(copier):
            _cached.cache_clear()
            copier = _cached(python_type)
    except TypeError:  # an annotation may be unhashable
        return None
    return copier


@lru_cache(maxsize=512)
def _cached(python_type: Any) -> Copier | None:
    return _choose(python_type, frozenset())


_seen: dict[Any, Any] = {}
"""The registry as of the latest type without a copier."""


def _is_outdated(copier: Copier | None) -> bool:
    """Tell whether the registry has changed since; any entry may be the reason for a missing copier."""
    if copier is not None:
        return not copier.trust.holds()
    registry = private.transformer_registry()
    if registry == _seen:
        return False
    _seen.clear()
    _seen.update(registry)
    return True


def is_same_type(one: Any, other: Any) -> bool:
    """Tell whether two types are equal: each `list[int]` is a new object, and may be a `typing.List`."""
    if one is other or one == other:
        return True
    parts, others = get_args(one), get_args(other)
    is_container = get_origin(one) is get_origin(other) and get_origin(one) in (list, dict)
    return is_container and len(parts) == len(others) and all(map(is_same_type, parts, others))


def is_optional_of(consumer: Any, producer: Any) -> bool:
    """Tell whether `consumer` is `producer | None`, which accepts a literal without a union around it."""
    return get_origin(consumer) in (Union, UnionType) and set(get_args(consumer)) == {producer, NoneType}


def find_attribute(copier: Copier, python_type: Any, path: tuple[str | int, ...]) -> tuple[Copier, Any] | None:
    """Return the copier and the type of `promise.a[0]`, or None if they depend on the literal."""
    is_packed = False
    for step in path:
        if isinstance(copier, OptionalCopy):
            if not is_packed:  # in a literal tree a union hides its member
                return None
            copier = copier.element
            [python_type] = [arg for arg in get_args(python_type) if arg is not NoneType]
        if isinstance(copier, ListCopy) and type(step) is int:
            copier, python_type = copier.element, get_args(python_type)[0]
        elif isinstance(copier, DictCopy) and type(step) is get_args(python_type)[0]:
            is_packed = is_packed or type(step) is not str
            copier, python_type = copier.element, get_args(python_type)[1]
        elif isinstance(copier, RecordCopy) and step in copier.fields:
            is_packed = True
            copier, python_type = copier.fields[str(step)], get_type_hints(python_type)[str(step)]
        else:
            return None
    return copier, python_type


# -- in a literal tree -------------------------------------------------------------------------------------------------

_SCALARS: dict[Any, tuple[Any, Limit | None]] = {
    bool: (type_engine.BoolTransformer, None),
    int: (type_engine.IntTransformer, INT),
    float: (type_engine.FloatTransformer, None),
    str: (type_engine.StrTransformer, TEXT),
    date: (type_engine.DateTransformer, None),
    timedelta: (type_engine.TimedeltaTransformer, None),
    NoneType: (type_engine.NoneTransformer, None),
}
"""Types that a literal preserves. A datetime isn't one: without a zone it becomes UTC."""


def trust_of_scalars(python_types: Iterable[Any]) -> Trust | None:
    """Return the state of the registry in which no code of users converts scalars of these types; None for others."""
    copiers = [find_copier(each) for each in python_types]
    found = [copier for copier in copiers if isinstance(copier, Share) and copier.limits.keys() <= _SCALARS.keys()]
    return Trust({}, *(copier.trust for copier in found)) if len(found) == len(copiers) else None


def _choose(python_type: Any, within: frozenset[type]) -> Copier | None:
    """Return the copier of a type in a literal tree; `within` are the dataclasses around it."""
    origin, args = get_origin(python_type), get_args(python_type)
    if origin is list and args:
        element = _choose(args[0], within)
        trust = _trust(type_engine.ListTransformer, python_type, list)
        return ListCopy(element, trust) if element and trust else None
    if origin is dict and args:
        return _choose_dict(python_type, args[0], args[1], within)
    if origin in (Union, UnionType):
        return _choose_union(python_type, args, within)
    if python_type in _SCALARS:
        transformer, limit = _SCALARS[python_type]
        is_stock = TypeEngine.get_transformer(python_type) is transformer
        return Share({python_type: limit}, Trust({python_type: transformer})) if is_stock else None
    if not isinstance(python_type, type) or origin is not None:
        return _choose_array(python_type)
    if issubclass(python_type, enum.Enum):
        is_stock = type(TypeEngine.get_transformer(python_type)) is type_engine.EnumTransformer
        return Share({python_type: None}) if is_stock and _is_sound(python_type, str) else None
    if is_dataclass(python_type):
        record = _choose_record(python_type, within)
        trust = _trust(type_engine.DataclassTransformer, *python_type.__mro__)
        return RecordCopy(python_type, record, trust) if record is not None and trust else None
    return _choose_model(python_type) or _choose_array(python_type) or _choose_frame(python_type)


def _choose_dict(python_type: Any, key: Any, element: Any, within: frozenset[type]) -> Copier | None:
    trust = _trust(type_engine.DictTransformer, python_type, dict)
    keys: Copier | None = Share({str: TEXT}) if key is str else _choose_key(key)
    elements = _choose(element, within) if key is str else _choose_packed(element, within)
    return DictCopy(keys, elements, trust) if keys and elements and trust else None


def _choose_union(python_type: Any, args: tuple[Any, ...], within: frozenset[type]) -> Copier | None:
    """Return the copier of a union: scalars are distinguished by tags, of other types only None is."""
    trust = _trust(type_engine.UnionTransformer, python_type, Union, UnionType)
    copiers = [_choose(arg, within) for arg in args]
    if not trust or not all(copiers):
        return None
    trust = Trust({}, trust, *(copier.trust for copier in copiers if copier))
    if all(arg in _SCALARS for arg in args):
        return Share({arg: _SCALARS[arg][1] for arg in args}, trust)
    if len(args) != 2 or NoneType not in args:
        return None
    [element] = [copier for arg, copier in zip(args, copiers, strict=True) if arg is not NoneType and copier]
    if isinstance(element, Share):
        return Share({**element.limits, NoneType: None}, trust)
    return OptionalCopy(element, trust)


def _choose_model(python_type: Any) -> Copier | None:
    pydantic: Any = loaded("pydantic")
    if pydantic is None or not issubclass(python_type, pydantic.BaseModel):
        return None
    from flytekit.extras.pydantic_transformer.transformer import PydanticTransformer

    trust = _trust(PydanticTransformer, *python_type.__mro__)
    return find_model_copier(python_type, trust) if trust else None


def _choose_array(python_type: Any) -> Copier | None:
    numpy: Any = loaded("numpy")
    if numpy is None or (get_origin(python_type) or python_type) is not numpy.ndarray:
        return None
    from flytekit.types.numpy.ndarray import NumpyArrayTransformer

    trust = _trust(NumpyArrayTransformer, python_type, numpy.ndarray)
    return ArrayCopy(numpy, trust) if trust else None


def _choose_frame(python_type: Any) -> Copier | None:
    if getattr(python_type, "__module__", "").partition(".")[0] != "pandas":
        return None  # flytekit has lazy modules: reading an attribute would load pandas
    pandas: Any = loaded("pandas")
    if python_type is not pandas.DataFrame:
        return None
    from flytekit.types.structured.structured_dataset import StructuredDatasetTransformerEngine

    trust = _trust(StructuredDatasetTransformerEngine, python_type)
    return FrameCopy(pandas, trust) if trust else None


def _trust(transformer: type, python_type: Any, *others: Any) -> Trust | None:
    """Return the registry's state for a type, if its transformer is of exactly this class, else None."""
    if type(TypeEngine.get_transformer(python_type)) is not transformer:
        return None
    registry = private.transformer_registry()
    return Trust({key: registry.get(key) for key in (python_type, *others)})


# -- in MessagePack ----------------------------------------------------------------------------------------------------


_PACKED: dict[Any, Limit | None] = {
    bool: None,
    int: PACKED_INT,
    float: None,
    str: TEXT,
    date: None,
    datetime: PACKED_TIME,
    timedelta: PACKED_DURATION,
}


def _choose_packed(python_type: Any, within: frozenset[type]) -> Copier | None:
    """Return the copier of a type inside a dataclass."""
    origin, args = get_origin(python_type), get_args(python_type)
    if origin is list and args:
        element = _choose_packed(args[0], within)
        return ListCopy(element) if element else None
    if origin is dict and args:
        key, element = _choose_key(args[0]), _choose_packed(args[1], within)
        return DictCopy(key, element) if key and element else None
    if origin in (Union, UnionType):
        others = [arg for arg in args if arg is not NoneType]
        element = _choose_packed(others[0], within) if len(others) == 1 else None
        if isinstance(element, Share):
            return Share({**element.limits, NoneType: None})
        return OptionalCopy(element) if element else None
    if python_type in _PACKED:
        return Share({python_type: _PACKED[python_type]})
    if not isinstance(python_type, type):
        return None
    if issubclass(python_type, enum.Enum):
        return Share({python_type: None}) if _is_sound(python_type, str, int) else None
    record = _choose_record(python_type, within) if is_dataclass(python_type) else None
    return None if record is None else RecordCopy(python_type, record)


def _choose_key(python_type: Any) -> Copier | None:
    return Share({python_type: _PACKED[python_type]}) if python_type in (str, int) else None


def _choose_record(cls: type, within: frozenset[type]) -> dict[str, Copier] | None:
    """Return the copiers of a dataclass's fields; one that contains itself has none."""
    types = None if cls in within else field_types(cls)
    if types is None:
        return None
    copiers = {name: _choose_packed(t, within | {cls}) for name, t in types.items()}
    return {name: copier for name, copier in copiers.items() if copier} if all(copiers.values()) else None


def _is_sound(cls: type[enum.Enum], *kinds: type) -> bool:
    """Tell whether each member is restored from its value, which is of one of these exact types."""
    values = [member.value for member in cls]
    texts = [v for v in values if type(v) is str]
    numbers = [v for v in values if type(v) is int]
    return (
        bool(values)
        and all(type(v) in kinds for v in values)
        and all(cls(member.value) is member for member in cls)
        and TEXT.admits_all(texts)
        and PACKED_INT.admits_all(numbers)
        and not any(base.__module__.startswith("mashumaro") for base in cls.__mro__)
    )
