from __future__ import annotations

import collections.abc
import dataclasses
import enum
import typing
from typing import Annotated, Any, Literal

import pytest
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge.type_names import name_type
from flytenb.wording.quantities import bytes_text, count_text, number_text, range_text
from flytenb.wording.types import field_types, member_of, type_text, union_members
from flytenb.wording.values import brief, clean, clip


class Colour(enum.Enum):
    RED = "r"


@dataclasses.dataclass
class Point:
    x: float


TYPES = {
    int: "int",
    None: "None",
    type(None): "None",
    Any: "Any",
    list[int]: "list[int]",
    list: "list",
    typing.List[Point]: "list[Point]",  # noqa: UP006
    typing.Dict[str, typing.List[int]]: "dict[str, list[int]]",  # noqa: UP006
    dict[str, Point | None]: "dict[str, Point | None]",
    typing.Optional[int]: "int | None",  # noqa: UP045
    None | int | str: "int | str | None",
    tuple[int, ...]: "tuple[int, ...]",
    Literal["a", 1, Colour.RED]: "Literal['a', 1, Colour.RED]",
    Annotated[list[int], "note"]: "list[int]",
    FlyteFile["csv"]: "FlyteFile['csv']",
    FlyteDirectory: "FlyteDirectory",
    "Forward": "Forward",
    collections.abc.Callable[[int], str]: "Callable",
}


@pytest.mark.parametrize("declared", TYPES, ids=repr)
def test_types_are_spelled_for_a_reader(declared):
    assert type_text(declared) == TYPES[declared]


@pytest.mark.parametrize("declared", [t for t in TYPES if "Callable" not in str(t)], ids=repr)
def test_drawings_and_displays_spell_types_alike(declared):
    assert type_text(declared) == name_type(declared)


def test_the_member_of_a_union_is_named_only_when_it_is_sure():
    members = union_members(int | str | None)
    assert member_of(3, members) is int
    assert member_of(None, members) is type(None)
    assert member_of(True, union_members(bool | int)) is bool
    assert member_of([1], union_members(list[int] | list[str])) is None
    assert member_of(2.5, members) is None


def test_fields_whose_types_cannot_be_resolved_stay_as_written():
    @dataclasses.dataclass
    class Odd:
        x: NoSuchType  # noqa: F821
        y: int

    assert field_types(Odd) == {"x": "NoSuchType", "y": "int"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("it's", '"it\'s"'),
        ([1, 2], "[1, 2]"),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({3, 1}, "{1, 3}"),
        ({"a": [1]}, "{'a': [1]}"),
        (Point(1.0), "Point(x=1.0)"),
        (Colour.RED, "Colour.RED"),
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (b"ab", "b'ab'"),
        (range(3), "range(0, 3)"),
        (Point, "class Point"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 88 more]"),
        (object(), "<object object>"),
        (iter([]), "<list_iterator object>"),
        ("a\nb", "'a\\nb'"),
    ],
)
def test_any_value_fits_one_line(value, text):
    assert brief(value) == text


@pytest.mark.parametrize("limit", [8, 20, 80])
def test_the_line_is_never_longer_than_asked(limit):
    for value in ("x" * 500, [["y" * 90] * 9] * 9, {"k" * 90: 1}, Point("z" * 90), b"w" * 500):
        assert len(brief(value, limit)) <= limit


def test_what_no_page_can_show_is_written_as_its_escape():
    assert clean("a\x00b\u202ec\ud800d\te\n") == "a\\x00b\\u202ec\\ud800d\te\n"
    assert clip("abcdef", 4) == "abc…"


def test_quantities_read_well():
    assert [bytes_text(n) for n in (1, 999, 1000, 999_949, 999_951, 10**15)] == [
        "1 byte",
        "999 bytes",
        "1.0 kB",
        "999.9 kB",
        "1.0 MB",
        "1.0 PB",
    ]
    assert count_text(1234, "entry", "entries") == "1,234 entries"
    assert [number_text(n) for n in (1.0, 1 / 3, 1e20, float("nan"), 7)] == ["1.0", "0.333333", "1e+20", "nan", "7"]
    assert range_text("1", "1") == "1"
