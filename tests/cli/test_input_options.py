"""Texts on the command line as inputs: each kind of type, and what is refused."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import rich_click as click
from flytekit import task
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from pydantic import BaseModel

from flytenb.cli.input_options import given_inputs, input_options


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@dataclass
class Point:
    x: float
    y: float = 2.0


@dataclass
class Line:
    points: list[Point]
    label: str | None = None


class Model(BaseModel):
    size: int


class Case(NamedTuple):
    declared: Any
    text: str
    value: Any


CASES = [
    Case(int, "3", 3),
    Case(int, "-3", -3),
    Case(float, "1.5", 1.5),
    Case(float, "1e3", 1000.0),
    Case(str, "3", "3"),
    Case(str, "[bold]a text[/]", "[bold]a text[/]"),
    Case(datetime, "2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5)),
    Case(date, "2024-01-02", date(2024, 1, 2)),
    Case(timedelta, "10 days", timedelta(days=10)),
    Case(timedelta, "1:30", timedelta(minutes=1, seconds=30)),
    Case(Level, "high", Level.HIGH),
    Case(Literal["a", "b"], "b", "b"),
    Case(int | None, "3", 3),
    Case(int | str, "3", 3),
    Case(int | str, "x", "x"),
    Case(list[int], "[1, 2]", [1, 2]),
    Case(dict[str, int], '{"a": 1}', {"a": 1}),
    Case(list[Point], '[{"x": 1}]', [Point(1.0)]),
    Case(dict[str, list[Point]], '{"a": [{"x": 1, "y": 3}]}', {"a": [Point(1.0, 3.0)]}),
    Case(Point, '{"x": 1.5}', Point(1.5)),
    Case(Line, '{"points": [{"x": 1}], "label": "a"}', Line([Point(1.0)], "a")),
    Case(Model, '{"size": 3}', Model(size=3)),
    Case(dict, '{"a": [1]}', {"a": [1]}),
]


def read(declared: Any, *arguments: str) -> dict[str, Any]:
    """The inputs of a task with the input `some_x` of a type, and `other` with a default."""

    def given(some_x: Any, other: int = 5) -> None: ...

    given.__annotations__ = {"some_x": declared, "other": int, "return": None}
    found: list[dict[str, Any]] = []
    options = list(input_options(task(given)))
    command = click.Command("run", params=options, callback=lambda **params: found.append(given_inputs(params)))
    command.main(list(arguments), "run", standalone_mode=False)
    return found[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.declared}-{case.text}")
def test_a_text_is_read_by_the_type_of_its_input(case: Case) -> None:
    assert read(case.declared, "--some_x", case.text) == {"some_x": case.value}
    assert type(read(case.declared, "--some-x", case.text)["some_x"]) is type(case.value)


def test_a_bool_is_a_pair_of_switches() -> None:
    assert read(bool, "--some_x") == {"some_x": True}
    assert read(bool, "--no_some_x", "--other", "3") == {"some_x": False, "other": 3}
    assert read(bool, "--no-some-x") == {"some_x": False}
    with pytest.raises(click.MissingParameter):
        read(bool)


def test_a_bool_that_is_not_given_has_its_default() -> None:
    @task
    def step(loud: bool = True, quiet: bool = False) -> bool:
        return loud

    command = click.Command("step", params=[*input_options(step)], callback=lambda **given: given_inputs(given))
    assert command.main([], standalone_mode=False) == {}
    assert command.main(["--no-loud"], standalone_mode=False) == {"loud": False}


def test_json_may_be_in_a_file(tmp_path: Path) -> None:
    for name, text in (("x.json", json.dumps({"x": 4})), ("x.yaml", "x: 4\n")):
        (tmp_path / name).write_text(text)
        assert read(Point, "--some_x", str(tmp_path / name)) == {"some_x": Point(4.0)}


@pytest.mark.parametrize(("declared", "make"), [(FlyteFile, Path.touch), (FlyteDirectory, Path.mkdir)])
def test_files_and_directories_are_paths(declared: Any, make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "there"
    with pytest.raises(click.BadParameter, match="got"):
        read(declared, "--some_x", str(path))
    make(path)
    value = read(declared, "--some_x", str(path))["some_x"]
    assert (type(value), str(value.path)) == (declared, str(path))


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (list[int], '["1"]'),
        (list[int], "[1.7]"),
        (list[int], "[true]"),
        (list[float], '["1"]'),
        (list[bool], '["no"]'),
        (dict[str, bool], '{"a": 0}'),
        (dict[str, list[int]], '{"a": [1, 2.5]}'),
        (int | list[int], '["1"]'),
    ],
)
def test_json_of_another_type_is_left_as_it_is_so_that_the_run_refuses_it(declared: Any, text: str) -> None:
    assert repr(read(declared, "--some_x", text)["some_x"]) in (repr(json.loads(text)), repr(text))


REFUSED = [
    Case(int, "1.5", "expected int, got '1.5'"),
    Case(float, "x", "expected float, got 'x'"),
    Case(Level, "middle", "expected one of low, high, got 'middle'"),
    Case(Literal["a", "b"], "c", "expected one of a, b, got 'c'"),
    Case(timedelta, "soon", "expected timedelta, got 'soon'"),
    Case(datetime, "soon", "got 'soon'"),
    Case(list[int], "1,2", "expected JSON or the path of a JSON or YAML file, got '1,2'"),
    Case(list[int], '{"a": 1}', "expected JSON or the path"),
    Case(Point, "{", "expected JSON or the path of a JSON or YAML file, got '{'"),
    Case(int, "\x1b[31m", "got '\\x1b[31m'"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.declared}-{case.text!r}")
def test_a_text_of_another_type_is_refused_with_a_reason(case: Case) -> None:
    with pytest.raises(click.BadParameter) as raised:
        read(case.declared, "--some_x", case.text)
    assert case.value in raised.value.message
    assert "\x1b" not in raised.value.message


def test_a_date_of_now_is_read() -> None:
    before = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=2)
    assert read(datetime, "--some_x", "now")["some_x"].replace(tzinfo=None) > before
