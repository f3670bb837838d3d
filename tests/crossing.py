"""What the tests of the crossing share: types of every kind, and a comparison that tells everything apart."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import math
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Primitive
from flytekit.models.types import LiteralType
from mashumaro.config import BaseConfig
from mashumaro.mixins.json import DataClassJSONMixin
from mashumaro.types import SerializableType

from flytenb.bridge.crossing import packer, unpacker


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    CRIMSON = "red"  # noqa: PIE796


class Level(enum.StrEnum):
    LOW = "low"
    HIGH = "high"


class Rank(enum.IntEnum):
    FIRST = 1
    SECOND = 2


class Mixed(enum.Enum):
    TEXT = "text"
    NUMBER = 2.5
    PAIR = (1, 2)


class Forgetting(enum.EnumMeta):
    """Whatever it is asked for, it answers with the first."""

    def __call__(cls, value: Any, *args: Any, **kwargs: Any) -> Any:
        return next(iter(cls)) if cls._member_names_ else super().__call__(value, *args, **kwargs)


class Forgetful(enum.Enum, metaclass=Forgetting):
    FIRST = "first"
    SECOND = "second"


@dataclasses.dataclass
class Point:
    x: float
    y: float
    metadata: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class MixinPoint(DataClassJSONMixin):
    x: float
    y: float
    metadata: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Everything:
    """One field of each type that has a way inside a dataclass."""

    flag: bool = False
    whole: int = 0
    real: float = 0.0
    text: str = ""
    day: date = date(2020, 1, 1)
    time: datetime = datetime(2020, 1, 1)
    span: timedelta = timedelta()
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    rank: Rank = Rank.FIRST
    maybe: int | None = None
    maybe_point: Point | None = None
    wholes: list[int] = dataclasses.field(default_factory=list)
    maybes: list[float | None] = dataclasses.field(default_factory=list)
    points: list[Point] = dataclasses.field(default_factory=list)
    by_number: dict[int, str] = dataclasses.field(default_factory=dict)
    by_name: dict[str, list[Point]] = dataclasses.field(default_factory=dict)
    maybe_list: list[list[int]] | None = None


@dataclasses.dataclass
class MixinEverything(Everything, DataClassJSONMixin):
    more: str = "more"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    whole: int
    wholes: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Slotted:
    whole: int
    inner: Frozen | None = None


@dataclasses.dataclass
class Empty:
    pass


class Describing:
    def describe(self) -> str:
        return f"<{self}>"


@dataclasses.dataclass
class Described(Describing):
    name: str
    unit: ClassVar[str] = "m"


@dataclasses.dataclass
class ChildPoint(Point):
    z: float = 0.0


class UndecoratedPoint(Point):
    pass


# What has a say in its own crossing: by literal, whatever it does there.


@dataclasses.dataclass
class Counting:
    """Each time it is built it counts on."""

    count: int

    def __post_init__(self) -> None:
        self.count += 1


@dataclasses.dataclass
class OwnInit:
    count: int

    def __init__(self, count: int) -> None:
        self.count = count + 1


@dataclasses.dataclass
class Derived:
    base: int
    double: int = dataclasses.field(init=False, default=7)


@dataclasses.dataclass
class Seeded:
    whole: int
    seed: dataclasses.InitVar[int] = 3


@dataclasses.dataclass
class Renamed:
    whole: int = dataclasses.field(metadata={"alias": "number"})


@dataclasses.dataclass
class Serialised:
    whole: int = dataclasses.field(metadata={"serialize": lambda v: v + 1})


@dataclasses.dataclass
class Hooked(DataClassJSONMixin):
    whole: int

    @classmethod
    def __pre_deserialize__(cls, d: dict[Any, Any]) -> dict[Any, Any]:
        return {**d, "whole": d["whole"] + 1}


@dataclasses.dataclass
class Strict:
    """Writes what it is given into a set of its own."""

    whole: int

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value + 1)


@dataclasses.dataclass
class Reading:
    """Says one more than it knows."""

    whole: int

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        return value + 1 if name == "whole" else value


@dataclasses.dataclass
class Single:
    """There is only one of it."""

    whole: int

    def __new__(cls, *_: Any, **__: Any) -> Single:
        return ONLY.setdefault(cls, object.__new__(cls))


ONLY: dict[type, Any] = {}


class Doubled:
    """A descriptor: what is read is twice what was set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: Any, owner: type) -> int:
        return 1 if instance is None else getattr(instance, self.name) * 2

    def __set__(self, instance: Any, value: int) -> None:
        setattr(instance, self.name, value)


@dataclasses.dataclass
class WithDescriptor:
    whole: int = Doubled()  # type: ignore[assignment]


@dataclasses.dataclass
class Configured:
    whole: int

    class Config(BaseConfig):
        serialization_strategy = {int: {"serialize": lambda v: v + 1}}


@dataclasses.dataclass
class Serialising(SerializableType):
    whole: int

    def _serialize(self) -> dict[str, int]:
        return {"whole": self.whole + 1}

    @classmethod
    def _deserialize(cls, value: dict[str, int]) -> Serialising:
        return cls(**value)


@dataclasses.dataclass
class HoldsSerialising:
    inner: Serialising


@dataclasses.dataclass
class Tree:
    value: int
    left: Tree | None = None


@dataclasses.dataclass
class Loose:
    anything: Any = None
    pair: tuple[int, int] = (1, 2)
    some: set[int] = dataclasses.field(default_factory=set)
    either: int | str = 1


@dataclasses.dataclass(slots=True)
class SlottedUnit:
    """Flytekit sets class variables on instances, which slots refuse."""

    whole: int
    unit: ClassVar[str] = "m"


class Whole(int):
    pass


class Text(str):
    __slots__ = ()


def difference(a: Any, b: Any, at: str = "value") -> str:
    """Say where two values differ, in value or in exact type, or return ''."""
    if type(a) is not type(b):
        return f"{at}: {type(a).__name__} {a!r} against {type(b).__name__} {b!r}"
    if isinstance(a, float):
        same = (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
        return "" if same else f"{at}: {a!r} against {b!r}"
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return f"{at}: {len(a)} elements against {len(b)}"
        return _first(difference(x, y, f"{at}[{i}]") for i, (x, y) in enumerate(zip(a, b, strict=True)))
    if isinstance(a, dict):
        keys = difference(list(a), list(b), f"{at}.keys()")
        return keys or _first(difference(a[k], b[k], f"{at}[{k!r}]") for k in a)
    if dataclasses.is_dataclass(a):
        if hasattr(a, "__dict__"):
            return difference(vars(a), vars(b), f"{at}.__dict__")
        names = [f.name for f in dataclasses.fields(a)]
        return _first(difference(getattr(a, n), getattr(b, n), f"{at}.{n}") for n in names)
    if isinstance(a, np.ndarray):
        return _array_difference(a, b, at)
    if isinstance(a, pd.DataFrame):
        return _frame_difference(a, b, at)
    if isinstance(a, datetime):
        same = a == b and a.tzinfo == b.tzinfo and a.fold == b.fold
        return "" if same else f"{at}: {a!r} against {b!r}"
    return "" if a == b else f"{at}: {a!r} against {b!r}"


def _array_difference(a: Any, b: Any, at: str) -> str:
    for what in ("dtype", "shape"):
        if getattr(a, what) != getattr(b, what):
            return f"{at}.{what}: {getattr(a, what)} against {getattr(b, what)}"
    for flag in ("c_contiguous", "f_contiguous", "writeable"):
        if getattr(a.flags, flag) != getattr(b.flags, flag):
            return f"{at}.flags.{flag}: {getattr(a.flags, flag)} against {getattr(b.flags, flag)}"
    return "" if a.tobytes() == b.tobytes() else f"{at}: {a!r} against {b!r}"


def _frame_difference(a: Any, b: Any, at: str) -> str:
    try:
        pd.testing.assert_frame_equal(
            a, b, check_exact=True, check_index_type="exact", check_column_type="exact", check_flags=True, obj=at
        )
    except AssertionError as e:
        return str(e)
    labels = (list(a.columns), a.columns.name, a.columns.dtype, a.index.names, a.index.dtype, list(a.dtypes), a.attrs)
    others = (list(b.columns), b.columns.name, b.columns.dtype, b.index.names, b.index.dtype, list(b.dtypes), b.attrs)
    return _first(
        difference(list(x) if isinstance(x, tuple) else x, list(y) if isinstance(y, tuple) else y, f"{at} labels")
        for x, y in zip(labels, others, strict=True)
    )


def _first(differences: Any) -> str:
    return next((d for d in differences if d), "")


def scramble(value: Any) -> None:
    """Change whatever can be changed in a value, the deepest first."""
    if isinstance(value, list):
        for element in value:
            scramble(element)
        value.append("scrambled")
    elif isinstance(value, dict):
        for element in value.values():
            scramble(element)
        value["scrambled"] = "scrambled"
    elif isinstance(value, np.ndarray) and value.flags.writeable and not value.dtype.hasobject:
        value[...] = np.frombuffer(b"\1" * value.dtype.itemsize, dtype=value.dtype)[0]
    elif isinstance(value, pd.DataFrame):
        _scramble_frame(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            scramble(getattr(value, field.name))
            object.__setattr__(value, field.name, "scrambled")


def _scramble_frame(frame: pd.DataFrame) -> None:
    for name in frame.columns:
        with contextlib.suppress(ValueError, IndexError):  # read-only as a file gave it, or empty
            frame[name].array[0] = frame[name].array[-1]
            memory = frame[name].to_numpy()
            memory.flags.writeable = True
            memory[...] = memory[-1]
    with contextlib.suppress(ValueError, IndexError):
        memory = frame.index.to_numpy()
        memory.flags.writeable = True
        memory[...] = memory[-1]
    frame.index.name = "scrambled"
    frame.columns.name = "scrambled"
    frame["scrambled"] = 1


_declared: dict[int, tuple[Any, LiteralType]] = {}
"""Each type with its literal type, by the type's id: unions in another order are equal and yet declared differently."""


def declared_by_flytekit(python_type: Any) -> LiteralType:
    """The literal type, made once per type as it is for an interface."""
    if id(python_type) not in _declared:
        _declared[id(python_type)] = python_type, TypeEngine.to_literal_type(python_type)
    return _declared[id(python_type)][1]


def by_flytekit(python_type: Any, value: Any) -> Any:
    """What flytekit's own local run would hand on; the error itself if it refuses, there or in a pod.

    A pod reads times from bytes, which hold instants; the order of a map isn't kept there, and is compared here.
    """

    async def cross() -> Any:
        context = FlyteContextManager.current_context()
        declared = declared_by_flytekit(python_type)
        literal = await TypeEngine.async_to_literal(context, value, python_type, declared)
        literal.to_flyte_idl()  # a pod writes its outputs so
        _store_times(literal)
        return await TypeEngine.async_to_python_value(context, literal, python_type)

    try:
        return asyncio.run(cross())
    except UnicodeEncodeError as e:  # a ValueError with a layout of its own, which no other error can inherit
        return ValueError(str(e))
    except Exception as e:
        return e


def _store_times(literal: Any) -> None:
    """Write and read the times in a literal, in place, and leave everything else."""
    inner = literal.collection.literals if literal.collection else literal.map.literals.values() if literal.map else ()
    for each in inner:
        _store_times(each)
    if literal.scalar is not None and literal.scalar.union is not None:
        _store_times(literal.scalar.union.value)
    elif literal.scalar is not None and literal.scalar.primitive is not None and literal.scalar.primitive.datetime:
        literal.scalar._primitive = Primitive.from_flyte_idl(literal.scalar.primitive.to_flyte_idl())


def by_us(python_type: Any, value: Any, *, strict: bool = False) -> Any:
    """What flytenb hands on; the error itself if it refuses."""
    try:
        return unpacker(python_type, python_type, strict=strict)(packer(python_type, strict=strict)(value))
    except Exception as e:
        return e


def verdict(expected: Any, found: Any) -> str:
    """Say where two outcomes differ, errors by their class, or return ''."""
    if isinstance(expected, Exception) and isinstance(found, Exception):
        return "" if isinstance(found, type(expected)) else f"{found!r} instead of {expected!r}"
    return difference(expected, found)
