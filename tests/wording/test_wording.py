"""Values, types, quantities and kinds read the same wherever they are shown."""

from __future__ import annotations

import ast
import collections.abc
import dataclasses
import datetime
import enum
import re
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import numpy as np
import pandas as pd
import pytest
from flytekit import HashMethod, kwtypes, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.model import Phase
from flytenb.render.drawing import draw
from flytenb.runner.node_run import NodeRun
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.session.listing import Listing
from flytenb.wording.kinds import constant_text, entity_text, kind_text, phase_text
from flytenb.wording.quantities import bytes_text, count_text, duration_text, more_text, number_text, range_text
from flytenb.wording.text import clip_line
from flytenb.wording.types import bare, field_types, is_annotation, member_of, type_text, union_members
from flytenb.wording.values import Unquoted, brief, clean, clip

PACKAGE = Path(flytenb.__file__).parent
T = typing.TypeVar("T")
Bound = typing.TypeVar("Bound", bound=int)
Either = typing.TypeVar("Either", int, str)
UserId = typing.NewType("UserId", int)


class Colour(enum.Enum):
    RED = "r"


@dataclasses.dataclass
class Point:
    x: float


class Outer:
    class Inner:
        pass


class Report(FlyteFile):
    pass


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Bare:
    pass


# --- types -----------------------------------------------------------------------------------------------------------

TYPES: list[tuple[Any, str]] = [
    (int, "int"),
    (None, "None"),
    (type(None), "None"),
    (Any, "Any"),
    (Point, "Point"),
    (Outer.Inner, "Outer.Inner"),
    (list, "list"),
    (typing.List, "list"),  # noqa: UP006
    (list[Point], "list[Point]"),
    (typing.List[Point], "list[Point]"),  # noqa: UP006
    (typing.Dict[str, typing.List[int]], "dict[str, list[int]]"),  # noqa: UP006
    (dict[str, Point | None], "dict[str, Point | None]"),
    (tuple[int, ...], "tuple[int, ...]"),
    (type[int], "type[int]"),
    (Optional[int], "int | None"),  # noqa: UP045
    (None | int | str, "int | str | None"),
    (Union[str, None, float], "str | float | None"),  # noqa: UP007
    (Union[int, Annotated[int, "x"]], "int"),  # noqa: UP007
    (Literal["a", 1, Colour.RED], "Literal['a', 1, Colour.RED]"),
    (Annotated[list[int], "note"], "list[int]"),
    (Annotated[Point, HashMethod(str)], "Point"),
    (list[Annotated[int, "x"]], "list[int]"),
    (Annotated[StructuredDataset, kwtypes(a=int)], "StructuredDataset"),
    (pd.DataFrame, "DataFrame"),
    (np.ndarray, "ndarray"),
    (FlyteFile, "FlyteFile"),
    (FlyteFile["csv"], "FlyteFile['csv']"),
    (FlyteDirectory["png"], "FlyteDirectory['png']"),
    (Report, "Report"),
    (collections.abc.Callable[[int, str], bool], "Callable[[int, str], bool]"),
    (collections.abc.Callable[..., bool], "Callable[..., bool]"),
    (typing.Callable, "Callable"),
    (collections.abc.Iterator[int], "Iterator[int]"),
    (typing.Iterator[Point], "Iterator[Point]"),
    (UserId, "UserId"),
    (T, "T"),
    (list[T], "list[T]"),
    (Bound, "Bound"),
    (typing.ForwardRef("Later"), "Later"),
    ("Later", "Later"),
    (datetime.timedelta, "timedelta"),
]


@pytest.mark.parametrize(("declared", "text"), TYPES, ids=[text for _, text in TYPES])
def test_a_type_reads_as_it_is_written(declared: Any, text: str) -> None:
    assert type_text(declared) == text


def test_a_class_of_a_function_is_named_without_the_function() -> None:
    class Local:
        class Inner:
            pass

    assert [type_text(Local), type_text(list[Local.Inner])] == ["Local", "list[Local.Inner]"]


def test_a_metaclass_cannot_change_the_name_of_a_type() -> None:
    class Lying(type):
        def __getattribute__(cls, name: str) -> Any:
            raise RuntimeError("no")

    class Honest(metaclass=Lying):
        pass

    assert type_text(Honest) == "Honest"


def test_a_type_variable_means_its_bound_or_its_constraints() -> None:
    assert [bare(Bound), bare(Either), bare(T), bare(UserId)] == [int, int | str, Any, int]


def test_annotations_are_told_from_values() -> None:
    assert all(is_annotation(declared) for declared, _ in TYPES if not isinstance(declared, str))
    assert not any(is_annotation(value) for value in (3, "int", [int], Point(1.0), Colour.RED))


def test_the_member_of_a_union_is_named_only_when_it_is_sure() -> None:
    members = union_members(int | str | None)
    assert member_of(3, members) is int
    assert member_of(None, members) is type(None)
    assert member_of(True, union_members(bool | int)) is bool
    assert member_of([1], union_members(list[int] | list[str])) is None
    assert member_of(2.5, members) is None
    assert member_of(2.5, (Any, int)) is None


def test_fields_whose_types_cannot_be_resolved_stay_as_written() -> None:
    @dataclasses.dataclass
    class Odd:
        x: NoSuchType  # noqa: F821
        y: int

    assert field_types(Odd) == {"x": "NoSuchType", "y": "int"}


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (1.5, "1.5"),
        (None, "None"),
        ("it's", '"it\'s"'),
        ([1, 2], "[1, 2]"),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({3, 1}, "{1, 3}"),
        ({"a": [1]}, "{'a': [1]}"),
        (Point(1.0), "Point(x=1.0)"),
        ({"k": Point(1)}, "{'k': Point(x=1)}"),
        ([Colour.RED], "[Colour.RED]"),
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (b"ab", "b'ab'"),
        (range(3), "range(0, 3)"),
        (Point, "class Point"),
        (Outer.Inner, "class Outer.Inner"),
        (Outer.Inner(), "<Outer.Inner object>"),
        (datetime.timedelta(seconds=90), "0:01:30"),
        (datetime.datetime(2024, 1, 2, 3), "2024-01-02 03:00:00"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 88 more]"),
        (10**5000, "<int of 16,610 bits>"),
        (np.zeros((3, 4)), "ndarray float64 3 × 4"),
        (pd.DataFrame({"a": [1, 2]}), "DataFrame 2 × 1"),
        (object(), "<object object>"),
        (iter([]), "<list_iterator object>"),
        (Bare(), "<Bare object>"),
        ([Rude()], "[<Rude, whose repr raised RuntimeError>]"),
        ("a\nb", "'a\\nb'"),
        (Unquoted("s3://bucket/key"), "s3://bucket/key"),
        ([Unquoted("a pickled value")], "[a pickled value]"),
    ],
    ids=lambda part: part if isinstance(part, str) and part.isprintable() else "value",
)
def test_any_value_fits_one_line(value: Any, text: str) -> None:
    assert brief(value) == text


@pytest.mark.parametrize("limit", [8, 20, 40, 80, 500])
def test_the_line_is_never_longer_than_asked(limit: int) -> None:
    values = ("x" * 9000, [["y" * 90] * 9] * 9, {"k" * 90: 1}, Point("z" * 9000), b"w" * 9000, 10**5000, [*range(9999)])
    assert all(len(brief(value, limit)) <= limit for value in values)


def test_a_longer_line_shows_more_items() -> None:
    assert brief(list(range(100)), 500).count(",") > brief(list(range(100))).count(",")


def test_text_is_clipped_and_cleaned() -> None:
    assert clean("a\x00b\u202ec\ud800d\te\n") == "a\\x00b\\u202ec\\ud800d\te\n"
    assert clip("abcdef", 4) == clip_line("abcdef", 4) == "abc…"
    assert clip_line("a\n  b\r\nc\x1b", 40) == "a b c\\x1b"


# --- quantities and kinds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "<1 ms"),
        (0.0014, "1 ms"),
        (0.35, "350 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1, "1 s"),
        (1.3, "1.3 s"),
        (9.94, "9.9 s"),
        (12.5, "12.5 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60, "1 min"),
        (65, "1 min 5 s"),
        (120, "2 min"),
        (125.4, "2 min 5 s"),
        (3599.7, "1 h"),
        (11220.0, "3 h 7 min"),
        (86400, "1 d"),
        (90061, "1 d 1 h"),
        (-65, "-1 min 5 s"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_quantities_read_well() -> None:
    sizes = [bytes_text(n) for n in (1, 999, 1000, 999_949, 999_951, 10**15)]
    assert sizes == ["1 byte", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "1.0 PB"]
    assert [count_text(n, "row") for n in (0, 1, 1000)] == ["0 rows", "1 row", "1,000 rows"]
    assert count_text(1234, "entry", "entries") == "1,234 entries"
    assert [more_text(n, "row") for n in (1, 1000)] == ["1 more row", "1,000 more rows"]
    assert more_text(1000) == "1,000 more"
    assert [number_text(n) for n in (1.0, 1 / 3, 1e20, float("nan"), 7)] == ["1.0", "0.333333", "1e+20", "nan", "7"]
    assert range_text("1", "1") == "1"


def test_kinds_are_words() -> None:
    assert [kind_text(k) for k in ("task", "launch_plan", "subworkflow", "failure")] == [
        "task",
        "launch plan",
        "subworkflow",
        "failure handler",
    ]
    assert [entity_text(k) for k in ("task", "launch_plan", "subworkflow")] == ["task", "launch plan", "workflow"]
    assert constant_text("TIMED_OUT") == "timed out"
    assert [phase_text(p) for p in (*Phase, "REUSED")] == [
        "○ queued",
        "▶ running",
        "✓ succeeded",
        "✕ failed",
        "■ stopped",
        "– skipped",
        "◷ timed out",
        "↻ re-used",
    ]


# --- one run ---------------------------------------------------------------------------------------------------------


@task
def doubled(x: int) -> int:
    return 2 * x


@workflow
def flow(x: int) -> int:
    return doubled(x=x)


def test_a_duration_reads_the_same_wherever_a_run_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(flow, {"x": 1}, Settings(workers=1))._begin().wait()
    monkeypatch.setattr(Run, "duration", property(lambda self: 65.0))
    monkeypatch.setattr(NodeRun, "duration", property(lambda self: 65.0))
    bundle = run_bundle(run, show)
    shown = {
        "head": bundle["text/plain"].splitlines()[0],
        "rows": bundle["text/html"].partition("<details class")[2],
        "drawing": draw(run.graph, states=run._states).text,
        "details": NodeDetails.of(run, "n0", show).state,
        "listing": repr(Listing.of_runs([run])),
        "timeline": repr(run.timeline()),
        "comparison": repr(run.compare(run)),
        "run": repr(run),
        "node": repr(run.nodes["n0"]),
    }
    assert {place: "1 min 5 s" in text for place, text in shown.items()} == dict.fromkeys(shown, True)
    assert not [place for place, text in shown.items() if re.search(r"\b65(\.0+)? s\b", text)]


# --- one place -------------------------------------------------------------------------------------------------------

_UNIT = re.compile(r" (ms|s|sec|seconds?|min|minutes?|h|hours?|B|kB|MB|GB|KiB|MiB|GiB|bytes?)\b|s\b")
_OTHER_FORMATS = {
    "bridge/execution/go_text.py",  # durations as the Go services of a cluster write them
    "bridge/execution/task_error.py",  # errors as a pod writes them
    "languages/scalar_lines.py",  # it runs in containers, without the rest of flytenb
}


def _second_formats(tree: ast.AST) -> list[ast.AST]:
    """The expressions that format a duration, a size, a plural, or the name of a value's class."""
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for part, after in zip(node.values, node.values[1:], strict=False):
                is_number = isinstance(part, ast.FormattedValue) and isinstance(after, ast.Constant)
                if is_number and _UNIT.match(str(after.value)):
                    found.append(node)
            found += [part for part in node.values if "__name__" in (text := ast.unparse(part)) and "type(" in text]
        elif isinstance(node, ast.IfExp):
            sides = [side.value for side in (node.body, node.orelse) if isinstance(side, ast.Constant)]
            found += [node] if "s" in sides else []
    return found


def test_only_wording_formats_durations_sizes_plurals_and_class_names() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("wording/") and name not in _OTHER_FORMATS:
            formats = _second_formats(ast.parse(path.read_text(encoding="utf-8")))
            found += [f"{name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}" for node in formats]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    ["f'{x:.1f} s'", "f'{x} ms'", "f'{n:,} bytes'", "f'{noun}s'", "'' if n == 1 else 's'", "f'{type(x).__name__}'"],
)
def test_the_scan_finds_a_second_format(source: str) -> None:
    assert _second_formats(ast.parse(source))
