"""Values of every shape that a container cell may get or give, and strategies for more of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

UTC = datetime.UTC
NASTY = "a'b\"c\\d\n\r\t\\N é 日本 😀 $x $(date) $$ {{.inputs.x}} `id` #{1} %s \n\n"
TEXTS = ["", " ", "\n", "\r\n", "\\", "\\n", "\\N", NASTY, "\u2028\x85\x0b", "\ufeff", "NA", "NULL", "0", "TRUE"]
FLOATS = [
    *(
        0.0,
        -0.0,
        1.0,
        0.1,
        1 / 3,
        1e22,
        1e23,
        -1e-7,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
    ),
    *(
        9007199254740993.0,
        0.30000000000000004,
        8.41e21,
        9.5367431640625e-07,
        7.2057594037927933e16,
        1e100,
    ),
    *(1.195091876325562e-277, 2.605830965690992e-54, 1.538507957117963e113),  # which R's as.numeric rounds wrongly
    *(float("inf"), float("-inf"), float("nan")),
]
INTS = [0, -1, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, -(2**53) + 1]
MOMENTS = [datetime.datetime(1970, 1, 1, tzinfo=UTC), datetime.datetime(2024, 2, 29, 23, 59, 59, 250000, tzinfo=UTC)]
MOMENTS += [datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), datetime.datetime(2200, 1, 1, tzinfo=UTC)]
SPANS = [datetime.timedelta(), datetime.timedelta(days=-1, seconds=3), datetime.timedelta(hours=1, milliseconds=1)]
SPANS += [datetime.timedelta(milliseconds=-1), datetime.timedelta(days=10000)]
DATES = [datetime.date(1970, 1, 1), datetime.date(1, 1, 1), datetime.date(2024, 2, 29), datetime.date(9999, 12, 31)]
SCALARS: dict[str, list[Any]] = {
    "b": [True, False], "i": INTS, "d": FLOATS, "s": TEXTS, "T": MOMENTS, "D": SPANS, "a": DATES
}  # fmt: skip
"""Values without parts, by their tag; these every language can hold."""

POINT = "r 3 x d label s tags l s"
ENCODED: list[tuple[str, Any]] = [
    *((tag, value) for tag, values in SCALARS.items() for value in values),
    *((f"l {tag}", values) for tag, values in SCALARS.items()),
    *((f"l {tag}", []) for tag in SCALARS),
    *((f"l {tag}", values[:1]) for tag, values in SCALARS.items()),
    *((f"l o {tag}", [None, *values, None]) for tag, values in SCALARS.items()),
    *((f"m {tag}", {f"key {i}": value for i, value in enumerate(values)}) for tag, values in SCALARS.items()),
    *((f"o {tag}", value) for tag, values in SCALARS.items() for value in (None, values[0])),
    ("m s", {}),
    ("m s", {text: text for text in TEXTS if text}),
    ("l l d", [[], [1.0], [2.0, 3.5]]),
    ("l l i", []),
    ("m l s", {"a": [], "b": ["x"]}),
    ("l m d", [{}, {"a": 1.0}]),
    ("o l d", None),
    ("o l d", [1.0]),
    ("l o l d", [None, [], [1.0]]),
    (POINT, {"x": 1.0, "label": "", "tags": []}),
    (f"l {POINT}", [{"x": 2.0, "label": "a", "tags": ["b"]}, {"x": float("nan"), "label": NASTY, "tags": []}]),
    (f"m o {POINT}", {"a": None, "b": {"x": -0.0, "label": "é", "tags": TEXTS}}),
    ("j", {"a": [1, 2.5, "x", None, True, {"b": []}, [1, 2], [0.5, 1.5]], "e": {}, "n": None, "s": ["x", "y"]}),
    ("j", {"a": [1], "b": [[0.5]], "c": [["x"], [True]], "d": [None], "e": [{"f": [[1, 2]]}], "g": [[[]]]}),
    ("r 1 inner r 2 a o i b l b", {"inner": {"a": None, "b": [True]}}),
]
"""Values that cross as lines."""


@dataclass(frozen=True)
class Limits:
    """What a language can hold exactly."""

    integer: int = 2**53 - 1
    unit: datetime.timedelta = datetime.timedelta(microseconds=1)
    first: datetime.datetime = datetime.datetime(1900, 1, 1)
    last: datetime.datetime = datetime.datetime(2200, 1, 1)
    key: str = ""


_EXCLUDED = {"exclude_categories": ["Cs"], "exclude_characters": "\0"}
_TEXT = st.text(st.characters(**_EXCLUDED), max_size=8)  # type: ignore[arg-type]
_KEY = st.text(st.characters(**_EXCLUDED), min_size=1, max_size=4)  # type: ignore[arg-type]


def scalars(limits: Limits) -> dict[str, st.SearchStrategy[Any]]:
    days = datetime.timedelta(days=30000)
    whole = st.timedeltas(-days, days).map(lambda d: d // limits.unit * limits.unit)
    moments = st.timedeltas(limits.first - datetime.datetime(1970, 1, 1), limits.last - datetime.datetime(1970, 1, 1))
    return {
        "b": st.booleans(),
        "i": st.integers(-limits.integer, limits.integer),
        "d": st.floats(),
        "s": _TEXT,
        "T": moments.map(lambda d: datetime.datetime(1970, 1, 1, tzinfo=UTC) + d // limits.unit * limits.unit),
        "D": whole,
        "a": st.dates(),
    }


def typed_values(limits: Limits) -> st.SearchStrategy[tuple[str, Any]]:
    """A shape and a value of it, nested at most three deep."""
    leaves = st.sampled_from([(tag, values) for tag, values in scalars(limits).items()])
    shapes = st.recursive(leaves, _around, max_leaves=3)
    return shapes.flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1]))


def _around(inner: Any) -> Any:
    return inner.flatmap(
        lambda pair: st.sampled_from([
            (f"l {pair[0]}", st.lists(pair[1], max_size=4)),
            (f"m {pair[0]}", st.dictionaries(_KEY, pair[1], max_size=3)),
            (f"r 2 one {pair[0]} two l s", st.fixed_dictionaries({"one": pair[1], "two": st.lists(_TEXT, max_size=2)})),
            *([] if pair[0][0] == "o" else [(f"o {pair[0]}", st.none() | pair[1])]),
        ])
    )  # fmt: skip


def shown(value: Any) -> str:
    """Every bit of a value as text: signs of zeros, types, NaN; the order of a dict doesn't count."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {shown(value[key])}" for key in sorted(value)) + "}"
    return f"[{', '.join(map(shown, value))}]" if isinstance(value, list) else repr(value)
