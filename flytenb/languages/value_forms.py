"""Forms of values in other languages: the shape of a Python type, and its values as plain data and back."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import os
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from flytenb.bridge.type_engine import FlyteDirectory, FlyteFile, StructuredDataset
from flytenb.errors import DefinitionError
from flytenb.languages.language import CellPort
from flytenb.languages.tables import read_table
from flytenb.wording.types import type_text

Convert = Callable[[Any], Any]

_SCALARS: dict[Any, str] = {
    bool: "b",
    int: "i",
    float: "d",
    str: "s",
    datetime.datetime: "T",
    datetime.timedelta: "D",
    datetime.date: "a",
    type(None): "n",
}
_READ_BY_COPILOT = frozenset("bidTDfF")
"""The shapes of outputs that the container writes as co-pilot reads them. It cuts white space off a text and reads only
1024 bytes of it, and it reads a date as a time."""


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class ValueForm:
    """How values of one Python type look in another language.

    Attributes:
        shape: as in `CellPort`.
        is_given: whether an input has the form of a raw container's input, without being encoded.
        to_plain: makes plain data of a value.
        from_plain: makes a value of plain data.
    """

    shape: str
    is_given: bool
    to_plain: Convert = _same
    from_plain: Convert = _same

    @property
    def input(self) -> CellPort:
        """The form of an input."""
        return CellPort(self.shape, is_encoded=not self.is_given)

    @property
    def output(self) -> CellPort:
        """The form of an output."""
        return CellPort(self.shape, is_encoded=self.shape not in _READ_BY_COPILOT)


def form_of(python_type: Any) -> ValueForm:
    """Return the form of a type's values.

    Raises:
        DefinitionError: for a type that has none in another language.
    """
    if isinstance(python_type, str):
        raise DefinitionError(f"expected a type, got the text {python_type!r:.100}", hint="write it without quotes")
    if get_origin(python_type) is Annotated:
        return form_of(get_args(python_type)[0])
    if python_type in (None, type(None)):
        return ValueForm("n", is_given=False)
    if python_type in _SCALARS:
        convert = float if python_type is float else _same
        return ValueForm(_SCALARS[python_type], True, convert, convert)
    if get_origin(python_type) is Literal:
        return _form_of_choice(python_type)
    if get_origin(python_type) in (Union, types.UnionType):
        return _form_of_union(python_type)
    if get_origin(python_type) is list or python_type is list:
        return _form_of_list(python_type)
    if get_origin(python_type) is dict or python_type is dict:
        return _form_of_dict(python_type)
    if python_type is os.PathLike:
        return ValueForm("f", is_given=True)
    found = _form_of_class(python_type) if isinstance(python_type, type) else None
    if found is not None:
        return found
    raise DefinitionError(
        f"{type_text(python_type)} has no form in another language",
        hint="convert it in a Python task: to a list, a dictionary, a dataclass, a frame or a file",
    )


def _form_of_class(python_type: type) -> ValueForm | None:
    if issubclass(python_type, FlyteDirectory):
        return ValueForm("F", is_given=True)
    if issubclass(python_type, FlyteFile):
        return ValueForm("f", is_given=True)
    if issubclass(python_type, StructuredDataset):
        return ValueForm(
            "t", False, lambda dataset: read_table(_open_frame(dataset)), lambda frame: python_type(dataframe=frame)
        )
    if (python_type.__module__.partition(".")[0], python_type.__name__) == ("pandas", "DataFrame"):
        return ValueForm("t", False, read_table)
    if issubclass(python_type, enum.Enum):
        if not all(isinstance(member.value, str) for member in python_type):
            raise DefinitionError(f"expected an enum of text, as Flyte has it, got {type_text(python_type)}")
        return ValueForm("s", True, lambda value: value.value, python_type)
    fields = _fields(python_type)
    return None if fields is None else _form_of_record(python_type, fields)


def _open_frame(dataset: StructuredDataset) -> Any:
    import pandas as pd

    return dataset.dataframe if isinstance(dataset.dataframe, pd.DataFrame) else dataset.open(pd.DataFrame).all()


def _form_of_choice(python_type: Any) -> ValueForm:
    kinds = {type(choice) for choice in get_args(python_type)}
    if len(kinds) != 1 or not kinds <= _SCALARS.keys():
        raise DefinitionError(f"expected choices of one simple type, got {type_text(python_type)}")

    def chosen(value: Any) -> Any:
        if value not in get_args(python_type):
            raise ValueError(f"expected {type_text(python_type)}, got {value!r:.100}")
        return value

    return ValueForm(_SCALARS[kinds.pop()], True, chosen, chosen)


def _form_of_list(python_type: Any) -> ValueForm:
    if not get_args(python_type):
        raise DefinitionError("expected a list with the type of its items, got list", hint="list[float]")
    item = form_of(get_args(python_type)[0])
    if item.shape == "n":
        raise DefinitionError(f"Flyte has no {type_text(python_type)}", hint="pass the number of items")
    return ValueForm(
        f"l {item.shape}",
        item.is_given,
        lambda values: [item.to_plain(value) for value in values],
        lambda values: [item.from_plain(value) for value in values],
    )


def _form_of_dict(python_type: Any) -> ValueForm:
    if not get_args(python_type):
        return ValueForm("j", False, _same, _json)
    key, value_type = get_args(python_type)
    if key is not str:
        raise DefinitionError(f"expected a dictionary with text as keys, got {type_text(python_type)}")
    item = form_of(value_type)
    # Encoded, because not every text can be the name of a file.
    return ValueForm(
        f"m {item.shape}",
        False,
        lambda values: {name: item.to_plain(value) for name, value in values.items()},
        lambda values: {name: item.from_plain(value) for name, value in values.items()},
    )


def _json(value: Any, place: str = "") -> Any:
    """Return a value of JSON; the lines format has more types.

    Raises:
        TypeError: for a value of another type, with its place.
    """
    if not isinstance(value, dict | list | str | int | float | None):
        got = f"{type_text(type(value))} {str(value)!r:.100}"
        raise TypeError(f"expected a value that JSON has, got {got}, at {place or 'the top'}: give it as text")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        _json(item, f"{place}[{key!r}]")
    return value


def _form_of_union(python_type: Any) -> ValueForm:
    kinds = [kind for kind in get_args(python_type) if kind is not type(None)]
    if len(kinds) > 1:
        unknown = [kind for kind in kinds if kind not in _SCALARS]
        if unknown:
            raise DefinitionError(
                f"expected a union of simple types, got {type_text(python_type)}",
                hint=f"{type_text(unknown[0])} can't be told from the others in another language",
            )
        return ValueForm("j", False, _same, lambda value: _one_of(python_type, kinds, value))
    inner = form_of(kinds[0])
    if inner.shape in ("f", "F"):
        raise DefinitionError(f"{type_text(python_type)} has no form in another language", hint="give a file always")
    return ValueForm(
        f"o {inner.shape}",
        False,
        lambda value: None if value is None else inner.to_plain(value),
        lambda value: None if value is None else inner.from_plain(value),
    )


def _one_of(union: Any, kinds: list[Any], value: Any) -> Any:
    if type(value) is int and int not in kinds and float in kinds:
        return float(value)
    if type(value) not in get_args(union):
        raise ValueError(f"expected {type_text(union)}, got {type_text(type(value))} {value!r:.100}")
    return value


def _fields(python_type: type) -> Mapping[str, Any] | None:
    """Return the types of a record's fields, None if the type isn't a record."""
    if dataclasses.is_dataclass(python_type):
        hints = get_type_hints(python_type, include_extras=True)
        return {field.name: hints[field.name] for field in dataclasses.fields(python_type) if field.init}
    if hasattr(python_type, "model_fields"):
        return {name: field.annotation for name, field in python_type.model_fields.items()}
    return None


def _form_of_record(python_type: Any, types_of_fields: Mapping[str, Any]) -> ValueForm:
    fields = {name: form_of(kind) for name, kind in types_of_fields.items()}
    if any(form.shape in ("f", "F", "t") for form in fields.values()):
        raise DefinitionError(
            f"{type_text(python_type)} has a field with a file or a frame, which another language can't be given",
            hint="give the file or the frame as an input of its own",
        )
    shape = " ".join(["r", str(len(fields)), *(f"{name} {form.shape}" for name, form in fields.items())])
    return ValueForm(
        shape,
        False,
        lambda value: {name: form.to_plain(getattr(value, name)) for name, form in fields.items()},
        lambda plain: python_type(**{name: form.from_plain(plain[name]) for name, form in fields.items()}),
    )
