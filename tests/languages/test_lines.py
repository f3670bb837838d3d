"""The lines format in Python: what is written is read back, what can't be written is refused with its place."""

from __future__ import annotations

import ast
import datetime
import inspect
import math
import struct
from typing import Any

import pytest
from hypothesis import given

from flytenb.languages import lines, scalar_lines, shape_notation, tables
from flytenb.languages.lines import DEEPEST, dumps, loads
from flytenb.languages.preludes import prelude
from flytenb.languages.shape_notation import read_shape
from tests.examples import examples
from tests.languages.values import ENCODED, NASTY, Limits, shown, typed_values


@pytest.mark.parametrize("module", [tables, shape_notation, scalar_lines, lines, prelude])
def test_what_programs_contain_is_python_3_8(module: Any) -> None:
    ast.parse(inspect.getsource(module), feature_version=(3, 8))


@pytest.mark.parametrize(("shape", "value"), ENCODED)
def test_a_value_of_every_shape_is_read_back(shape: str, value: Any) -> None:
    assert shown(loads(dumps(value, shape))) == shown(value)


@examples(60)
@given(typed_values(Limits(integer=2**63 - 1, first=datetime.datetime.min, last=datetime.datetime.max)))
def test_any_value_is_read_back(pair: tuple[str, Any]) -> None:
    shape, value = pair
    text = dumps(value, shape)
    assert text.endswith("\n") and shown(loads(text)) == shown(value)


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        (True, "b", "b1\n"),
        (-5, "i", "i-5\n"),
        (0.1, "d", "d0.1\n"),
        (-0.0, "d", "d-0.0\n"),
        (-math.inf, "d", "d-Inf\n"),
        ("a\\b\nc\r", "s", "sa\\\\b\\nc\\r\n"),
        (datetime.datetime(1969, 12, 31, 23, 59, 59, 500000, datetime.UTC), "T", "T-1 500000000\n"),
        (datetime.timedelta(milliseconds=-1500), "D", "D-1 -500000000\n"),
        ([1.5, None], "l o d", f"x2\n{struct.pack('>2d', 1.5, 0).hex()}\n1\n"),
        (["\\N", None], "l o s", "vs2\n\\\\N\n\\N\n"),
        ({"x": 1, "y": []}, "r 2 x i y l b", "m2\nx\ni1\ny\nvb0\n"),
        ({"q": [1, "a", None]}, "j", "m1\nq\nl3\ni1\nsa\nn\n"),
    ],
)
def test_the_text_is_that_of_the_format(value: Any, shape: str, text: str) -> None:
    assert dumps(value, shape) == text


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (2**63, "i", "expected an int of at most 64 bits, got 9223372036854775808"),
        (True, "i", "expected an int, got bool True"),
        (2**53 + 1, "d", "expected a number that a float can hold, got 9007199254740993"),
        ("\ud800", "s", "expected text without half a surrogate pair, got '\\ud800'"),
        ([1.0, "a"], "l d", "expected a float, got str 'a', at [1]"),
        ({"a": [{"b": None}]}, "m l r 1 b s", "expected a str, got NoneType None, at ['a'][0]['b']"),
        ([{"x": 1}], "l r 1 y i", "expected a record with the fields y, got dict {'x': 1}, at [0]"),
        (
            datetime.datetime(2030, 1, 1),
            "T",
            "expected a datetime with a time zone, got datetime.datetime(2030, 1, 1, 0, 0)",
        ),
        ([{1}], "j", "expected a value that JSON has, got set {1}, at [0]"),
        ("x", "f", "a value of shape 'f' has no lines: it is a file itself"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(value: Any, shape: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        dumps(value, shape)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["", "q\n", "i1", "l2\ni1\n", "i1\ni2\n", "m2\na\ni1\na\ni2\n", "sa\\x\n", "vi2\n1\n", "x1\n00\n\n"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        loads(text)


@pytest.mark.parametrize("shape", ["", "q", "l", "r 2 x d", "i i", "r x", "l  d"])
def test_a_shape_that_is_not_one_is_refused(shape: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_shape(shape)


def test_deep_values_need_no_deep_recursion() -> None:
    value: Any = "\n"
    for i in range(DEEPEST):
        value = [value] if i % 2 else {"key": value}
    text = dumps(value, "j")
    assert dumps(loads(text), "j") == text
    with pytest.raises(ValueError, match="at most 1000 levels"):
        dumps([value], "j")
    with pytest.raises(ValueError, match="at most 1000 levels"):
        loads("l1\n" + text)


def test_a_list_that_contains_itself_is_refused() -> None:
    value: list[Any] = [NASTY]
    value.append(value)
    with pytest.raises(ValueError, match="at most 1000 levels"):
        dumps(value, "j")


def test_a_deep_shape_needs_no_deep_recursion() -> None:
    value: Any = [1]
    for _ in range(900):
        value = [value]
    assert loads(dumps(value, "l " * 901 + "i")) == value
