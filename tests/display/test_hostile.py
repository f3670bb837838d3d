"""Whatever a value is or does: it is shown, within bounds, and its text never becomes markup."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import re
import typing
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.display.limits import Limits
from flytenb.display.part import Column, Entry, Facts, Group, Histogram, Note, Section, Table, Text, Tree, Value
from flytenb.display.rendering import render_part
from flytenb.display.show import show
from tests.examples import examples
from tests.page import Page

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}",
    "]]><svg onload=alert(1)>",
)
ALLOWED = re.compile(
    "div|span|code|pre|ul|li|details|summary|table|thead|tbody|tr|th|td|dl|dt|dd|svg|rect|figure|figcaption|img|audio"
    "|video|iframe|em|strong|small|p|h[1-4]|a|br|blockquote|ol|hr"
)
MAY_HAVE = re.compile(
    "class|tabindex|style|scope|open|src|alt|width|height|role|aria-label|x|y|controls|sandbox|referrerpolicy|title|srcdoc"
)
FRAME = '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\''


def assert_harmless(fragment: str) -> None:
    """Only elements and attributes that the template writes, and no address but data of ours."""
    for tag, attributes in Page(fragment).elements:
        assert ALLOWED.fullmatch(tag), tag
        assert all(MAY_HAVE.fullmatch(name) or (tag, name) == ("a", "href") for name in attributes), attributes
        assert (attributes.get("src") or "data:").startswith("data:")
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:", "vbscript:"))
        if tag == "iframe":
            assert attributes["sandbox"] == ""
            assert (attributes["srcdoc"] or "").startswith(FRAME)


def assert_shown(value: Any, declared: Any = None) -> None:
    shown = show(value, declared)
    assert len(shown.text) <= Limits().text
    assert len(shown.fragment.encode()) <= Limits().html
    assert_harmless(shown.fragment)
    json.dumps(shown._repr_mimebundle_()).encode()
    shown.text.encode()


@dataclasses.dataclass
class Record:
    text: str
    items: list[Any]


class Tag(enum.Enum):
    BAD = "<script>alert(1)</script>"


def carriers(attack: str) -> list[Any]:
    class Loud:
        def __repr__(self) -> str:
            return attack

    class Rich:
        def _repr_html_(self) -> str:
            return attack

    named = type(attack, (), {})
    return [
        attack,
        attack * 50,
        [attack],
        {attack: attack},
        {attack: {attack: [attack] * 20}},
        [{attack: attack}, {attack: 1}],
        (attack, 1),
        {attack},
        Record(attack, [attack]),
        [Record(attack, []), Record(attack, [attack])],
        Tag.BAD,
        attack.encode(),
        Loud(),
        [Loud(), Loud()],
        Rich(),
        {"rich": Rich()},
        named(),
        ValueError(attack),
        pd.DataFrame({attack: [attack, None]}, index=[attack, "b"]),
        pd.Series([attack], name=attack),
        pl.DataFrame({attack: [attack]}),
        pa.table({attack: [attack]}),
        np.array([attack, attack] * 20),
        np.array([(1,)], dtype=[(attack, "i4")]),
        type("Model", (), {"__doc__": attack, "__init__": lambda self: setattr(self, attack, attack)})(),
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_a_value_is_never_markup(attack):
    for value in carriers(attack):
        assert_shown(value)
        assert_harmless(show(value, name=attack).fragment)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_part_lets_text_become_markup(attack):
    part = Section(
        attack,
        (attack,),
        Group(
            (
                Value(attack, attack, (attack,), attack),
                *(Text(attack, style) for style in ("plain", "flow", "code", "markdown")),
                Note(attack),
                Facts([(attack, attack)]),
                Table([Column(attack, attack, attack)], [[attack]]),
                Tree([Entry(attack, attack, attack, (attack,), Note(attack))]),
                Histogram((1, 2), attack, attack),
            )
        ),
        attack,
    )
    assert_harmless(render_part(part).fragment)


def test_markdown_brings_neither_markup_nor_dangerous_links_nor_pictures():
    source = "[x](javascript:alert(1)) ![p](http://e.org/x.png) <img src=x onerror=alert(1)> [d](data:text/html,x)"
    page = Page(render_part(Text(source, "markdown")).fragment)
    assert "img" not in {tag for tag, _ in page.elements}
    assert_harmless(render_part(Text(source, "markdown")).fragment)


def test_a_frame_may_load_nothing_and_run_nothing():
    class Rich:
        def _repr_html_(self) -> str:
            return "<script src=http://example.org/x.js></script><img src=http://example.org/x.png>"

    page = Page(show(Rich()).fragment)
    (frame,) = page.frames
    assert "default-src 'none'" in frame
    assert [a["sandbox"] for t, a in page.elements if t == "iframe"] == [""]
    assert "scripts are disabled" in show(Rich()).text


def _raising(*names: str) -> Any:
    """Return an object each of whose given methods raises."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no")

    return type("Raising", (), dict.fromkeys(names, fail))()


def _returning(answer: Any, *names: str) -> Any:
    return type("Rubbish", (), {name: lambda *args, **kwargs: answer for name in names})()


_RICH = tuple(f"_repr_{kind}_" for kind in ("html", "svg", "png", "mimebundle", "markdown", "json", "latex"))


class LyingList(list):
    def __len__(self):
        return 10**9

    def __iter__(self):
        raise RuntimeError("no")


class LyingDict(dict):
    def items(self):
        raise RuntimeError("no")

    def __len__(self):
        return -5


class LyingClass:
    @property
    def __class__(self):
        raise RuntimeError("no")


@dataclasses.dataclass
class Unset:
    value: int = 3

    def __post_init__(self) -> None:
        del self.__dict__["value"]
        type(self).value = property(lambda self: 1 / 0)


class Meta(type):
    def __getattribute__(cls, name):
        if name in ("__repr__", "__qualname__"):
            raise RuntimeError("no")
        return super().__getattribute__(name)


class OddClass(metaclass=Meta):
    pass


_METHODS = ("__repr__", "__str__", "__len__", "__iter__", "__getattr__", "__eq__", "__hash__", "__bool__")
_ANSWERS = (None, 5, b"\xff", "", object, ("<b>", {}), {"a": 1})

# Made anew in each test: pytest itself looks at parameters, and these bite.
HOSTILE: dict[str, Any] = {
    "raises everywhere": lambda: _raising(*_METHODS),
    "raises on any attribute": lambda: _raising("__getattribute__"),
    "lying list": lambda: LyingList([1]),
    "lying dict": lambda: LyingDict(a=1),
    "lying class": LyingClass,
    "unset field": Unset,
    "odd metaclass": OddClass,
    "odd class": lambda: OddClass,
    "repr that is no text": lambda: _returning(5, "__repr__"),
    "endless repr": lambda: _returning("x" * 10_000_000, "__repr__"),
    "surrogate": lambda: _returning("\ud800", "__repr__", "_repr_html_"),
    "huge markup": lambda: _returning("<p>" * 1_000_000, "_repr_html_"),
    "error of an error": lambda: ValueError(_raising("__str__", "__repr__")),
    "decimal nan": lambda: decimal.Decimal("NaN"),
    "odd floats": lambda: [float("nan"), float("inf"), -0.0] * 20,
    "huge int among ints": lambda: [10**400, 1] * 30,
    "odd keys": lambda: {float("nan"): 1, None: 2, (1, 2): 3},
    "last moment": lambda: datetime.datetime.max,
    "longest duration": lambda: datetime.timedelta.max,
    "many empty lists": lambda: [[]] * 10_000,
    "huge range": lambda: range(10**12),
    "only newlines": lambda: "\n" * 100_000,
    "memoryview": lambda: memoryview(b"abc" * 100),
    "a type of typing": lambda: typing.List[int],  # noqa: UP006
    "NotImplemented": lambda: NotImplemented,
    "ellipsis": lambda: ...,
    **{f"raises in {name}": lambda name=name: _raising(name) for name in _RICH},
    **{
        f"{name} returns {answer!r:.9}": lambda name=name, answer=answer: _returning(answer, name)
        for name in _RICH
        for answer in _ANSWERS
    },
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", HOSTILE)
def test_values_that_raise_or_lie_are_shown(name):
    value = HOSTILE[name]()
    assert_shown(value)
    assert_shown([value, value])
    assert_shown({"key": value})


def test_cycles_are_told():
    inner: dict[str, Any] = {"long": "lorem ipsum " * 20}
    inner["self"] = inner
    text = show(inner).text
    assert "this value contains itself" in text or "<cycle>" in text
    both: list[Any] = [[1, "lorem ipsum " * 20]]
    both[0].append(both)
    assert_shown(both)


def test_depth_and_width_are_bounded_together():
    value: Any = "leaf " * 50
    for _ in range(40):
        value = [value] * 30
    assert_shown(value)


def test_what_would_take_too_long_is_left_out():
    text = show({"a": ["lorem ipsum " * 20]}, limits=Limits(seconds=-1)).text
    assert "'a'" in text
    assert text.count("lorem") < 10


def test_nothing_is_asked_once_it_is_late():
    asked = []

    class Slow:
        def __repr__(self) -> str:
            asked.append(self)
            return "slow"

    late = Limits(seconds=-1)
    text = show([Slow(), 3, "word"], limits=late).text
    assert asked == []
    assert "<Slow, left out>" in text
    assert "'word'" in text
    show(pd.DataFrame({"a": [Slow()] * 5}), limits=late)
    assert asked == []


def test_a_repr_is_asked_once_for_the_value_itself():
    asked = []

    class Slow:
        def __repr__(self) -> str:
            asked.append(self)
            return "slow"

    assert show(Slow()).text == "slow (Slow)"
    assert len(asked) == 1


class Panic(BaseException):
    """As libraries in Rust raise it: no Exception."""


@pytest.mark.parametrize("error", [SystemExit, Panic])
@pytest.mark.parametrize("name", ["__repr__", "_repr_html_"])
def test_what_is_no_exception_is_an_answer_too(name, error):
    def fail(self: Any) -> Any:
        raise error

    value = type("Raising", (), {name: fail})()
    for shown in (show(value), show([value])):
        assert "Raising" in shown.text
    assert error.__name__ in show(value).text


def test_a_person_may_interrupt_a_display():
    def interrupted(self: Any) -> Any:
        raise KeyboardInterrupt

    value = type("Slow", (), {"__repr__": interrupted})()
    with pytest.raises(KeyboardInterrupt):
        show(value)


def test_oversized_html_shrinks_until_it_fits():
    frames = {f"f{i}": pd.DataFrame({f"c{j}": ["lorem ipsum dolor" * 5] * 20 for j in range(20)}) for i in range(40)}
    limits = Limits(html=20_000)
    assert len(show(frames, limits=limits).fragment.encode()) <= 20_000


_TEXT = st.text(max_size=60) | st.sampled_from(ATTACKS)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | _TEXT
    | st.binary(max_size=40)
    | st.datetimes()
    | st.dates()
    | st.timedeltas()
    | st.decimals()
    | st.uuids()
    | st.sampled_from(list(Tag))
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.tuples(inner, inner)
        | st.dictionaries(_TEXT, inner, max_size=6)
        | st.builds(Record, text=_TEXT, items=st.lists(inner, max_size=4))
        | st.lists(st.builds(Record, text=_TEXT, items=st.lists(inner, max_size=2)), max_size=5)
        | st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3), max_size=5)
        | st.frozensets(_TEXT, max_size=5)
    ),
    max_leaves=25,
)


@examples(150, suppress_health_check=[HealthCheck.too_slow])
@given(_VALUES)
def test_any_nested_value_is_shown_within_its_bounds_and_harmlessly(value):
    assert_shown(value)


@examples(100, suppress_health_check=[HealthCheck.too_slow])
@given(_VALUES)
def test_text_and_html_tell_the_same_of_any_nested_value(value):
    # Wide enough that nothing is cut from the text alone.
    shown = show(value, limits=Limits(text=1_000_000))
    assert Page.words_of(shown.text) == Page(shown.fragment).facts
