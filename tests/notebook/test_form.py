"""The input form without a browser: every kind of control takes a value, gives it back, and writes it as Python."""

from __future__ import annotations

import datetime
import enum
import gc
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import annotated_types
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flytekit import LaunchPlan, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from pydantic import BaseModel, Field, field_validator

import flytenb
from flytenb.errors import InputError, NotAnEntityError
from flytenb.notebook.forms.control import ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext, make_control
from flytenb.notebook.forms.control_registry import CONTROLS
from flytenb.notebook.forms.controls.times import format_duration, parse_duration
from flytenb.notebook.forms.controls.variables import VariableControl
from flytenb.notebook.forms.form import Form
from flytenb.notebook.forms.labels import label
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.types.plain_data import refusal
from flytenb.types.value_changes import first_change

UTC = datetime.UTC
HERE = str(Path(__file__))
FOLDER = str(Path(__file__).parents[1] / "golden")


class Color(enum.Enum):
    RED = "red"
    BLUE = "<b>blue</b>"


@dataclass
class Point:
    x: float
    y: float = 2.0


@dataclass
class Region:
    corner: Point
    points: list[Point] = field(default_factory=list)
    names: dict[str, Color] = field(default_factory=dict)
    inside: Optional["Region"] = None  # noqa: UP045, UP037


class Model(BaseModel):
    a: int
    b: list[str] = ["x"]
    c: Annotated[float, Field(ge=0, le=1)] = 0.5


class Even(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def check_a(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"{value} is odd")
        return value


class Picky:
    """Only a variable or JSON could hold it."""


Marked = Annotated[int, "marked"]

FRAME = pd.DataFrame({"a": [1, 2]})
TABLE = pa.table({"a": [1]})
POLARS = pl.DataFrame({"a": [1]})
ARRAY = np.arange(3)
DATASET = StructuredDataset(dataframe=FRAME)
NAMES: dict[str, Any] = {
    "datetime": datetime,
    "Color": Color,
    "Point": Point,
    "Region": Region,
    "Model": Model,
    "FlyteFile": FlyteFile,
    "frame": FRAME,
    "table": TABLE,
    "polars": POLARS,
    "array": ARRAY,
    "dataset": DATASET,
    "limit": 7,
    "words": ["a", "b"],
    "_hidden": 7,
    "flytenb": flytenb,
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Widgets are kept in a table of their own; a test leaves none behind."""
    yield
    import ipywidgets

    ipywidgets.Widget.close_all()


def control_for_type(declared: Any, folder: Path | None = None, names: dict[str, Any] = NAMES) -> Any:
    return make_control(declared, ControlContext("x", CONTROLS, lambda: names, lambda: folder or Path()))


def control_for_variable(declared: Any, names: dict[str, Any]) -> VariableControl:
    return VariableControl(declared, ControlContext("x", CONTROLS, lambda: names, Path))


KINDS: list[tuple[Any, Any]] = [
    (int, 0),
    (int, -(2**63)),
    (Annotated[int, range(1, 11)], 10),
    (Annotated[int, annotated_types.Interval(gt=0, lt=5)], 4),
    (Annotated[int, annotated_types.Ge(3)], 3),
    (float, 2.5),
    (float, 1e-300),
    (float, float("inf")),
    (Annotated[float, Field(ge=0, le=1)], 0.25),
    (bool, True),
    (str, ""),
    (str, "one\ntwo 'three' \"four\" <b>é</b>"),
    (bytes, b"\x00\xff'"),
    (type(None), None),
    (Color, Color.BLUE),
    (Literal["a", "b"], "b"),
    (Literal[1, 2], 2),
    (datetime.date, datetime.date(2024, 2, 29)),
    (datetime.datetime, datetime.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
    (datetime.timedelta, datetime.timedelta(days=-2, hours=3, microseconds=7)),
    (list[int], [1, 2, 3]),
    (list[int], []),
    (list[list[str]], [["a"], []]),
    (dict[str, float], {"a": 1.5, "b": -0.0}),
    (dict[int, str], {1: "a"}),
    (dict[str, list[Point]], {"a": [Point(1.0)]}),
    (Point, Point(1.0, 3.0)),
    (
        Region,
        Region(Point(1.0), [Point(2.0), Point(3.0, 4.0)], {"k": Color.RED}, Region(Point(5.0))),
    ),
    (list[Point], [Point(1.0), Point(2.0)]),
    (Model, Model(a=3, b=[], c=1.0)),
    (Optional[int], None),  # noqa: UP045
    (Optional[int], 5),  # noqa: UP045
    (int | str, "5"),
    (int | str, 5),
    (Point | None, Point(1.0)),
    (list[int] | Color | None, [1]),
    (list[int] | Color | None, Color.RED),
    (Annotated[Point, "a note"], Point(1.0)),
    (FlyteFile, FlyteFile(HERE)),
    (FlyteFile["py"], FlyteFile["py"](HERE)),
    (FlyteDirectory, FlyteDirectory(FOLDER)),
    (pd.DataFrame, FRAME),
    (pl.DataFrame, POLARS),
    (pa.Table, TABLE),
    (np.ndarray, ARRAY),
    (StructuredDataset, DATASET),
    (pd.DataFrame | None, FRAME),
    (dict, {"a": [1, None, {"b": 2.5}]}),
    (set[int], {1, 2}),
    (tuple[int, str], (1, "a")),
    (Any, [1, "a"]),
]
IDS = [f"{i}-{str(t)[:40]}".replace("\n", " ") for i, (t, _) in enumerate(KINDS)]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("declared", "value"), KINDS, ids=IDS)
def test_a_control_gives_back_what_it_was_given(declared: Any, value: Any) -> None:
    control = control_for_type(declared)
    control.write(value)
    assert first_change(value, control.read()) is None


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("declared", "value"), KINDS, ids=IDS)
def test_what_a_control_holds_can_be_written_as_python(declared: Any, value: Any) -> None:
    control = control_for_type(declared)
    control.write(value)
    source = PythonSource(NAMES)
    code = control.code(source)
    names = dict(NAMES)
    exec("\n".join(source.imports), names)
    assert first_change(value, eval(code, names)) is None


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("declared", "value"), KINDS, ids=IDS)
def test_a_notebook_without_any_imports_gets_them(declared: Any, value: Any) -> None:
    known = {name: held for name, held in NAMES.items() if not isinstance(held, type) and name != "datetime"}
    control = control_for_type(declared, names=known)
    control.write(value)
    source = PythonSource(known)
    code = control.code(source)
    names = dict(known)
    exec("\n".join(source.imports), names)
    assert first_change(value, eval(code, names)) is None


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("declared", "value"),
    [
        # flytekit looks for the end of a type that holds itself until Python's stack is full.
        pytest.param(declared, value, id=name, marks=[pytest.mark.slow] * (declared is Region))
        for (declared, value), name in zip(KINDS, IDS, strict=True)
    ],
)
def test_what_a_control_holds_is_what_its_type_takes(declared: Any, value: Any) -> None:
    control = control_for_type(declared)
    control.write(value)
    # Those that flytekit refuses wherever they stand have a control all the same: a dataclass may hold them.
    reported = refusal(control.read(), declared)
    assert reported == "" or declared in (tuple[int, str],), reported


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (int, 5),
        (Annotated[int, range(1, 11)], 5),
        (bool, True),
        (str, "a"),
        (Color, Color.BLUE),
        (Literal["a", "b"], "b"),
        (datetime.date, datetime.date(2024, 1, 1)),
        (datetime.datetime, datetime.datetime(2024, 1, 1)),
        (datetime.timedelta, datetime.timedelta(1)),
        (list[int], [1]),
        (dict[str, int], {"a": 1}),
        (Region, Region(Point(1.0))),
        (int | None, 5),
        (FlyteFile, FlyteFile(HERE)),
        (pd.DataFrame, FRAME),
        (dict, {"a": 1}),
    ],
    ids=str,
)
def test_a_control_tells_when_its_value_changes(declared: Any, value: Any) -> None:
    control = control_for_type(declared, names=NAMES | {"newer": FRAME.copy()})
    reported: list[int] = []
    control.watch(lambda: reported.append(1))
    control.write(value)
    assert reported


def typed(control: Any, text: str) -> Any:
    control.field.value = text
    return control


WRONG: list[tuple[Any, str, str]] = [
    (int, "", "a whole number is missing"),
    (int, "3.5", "expected a whole number, got '3.5'"),
    (int, "<b>", "expected a whole number, got '<b>'"),
    (Annotated[int, annotated_types.Ge(3)], "2", "must be at least 3, got 2"),
    (Annotated[int, annotated_types.Gt(3)], "3", "must be more than 3, got 3"),
    (Annotated[float, annotated_types.Lt(1)], "1", "must be less than 1, got 1.0"),
    (Annotated[float, annotated_types.Ge(0)], "nan", "must be at least 0, got nan"),
    (Annotated[float, annotated_types.Interval(ge=0, le=1)], "nan", "must be at least 0, got nan"),
    (Annotated[int, range(1, 11)], "11", "must be at most 10, got 11"),
    (Annotated[int, range(1, 11)], "", "a whole number is missing"),
    (float, "one", "expected a number, got 'one'"),
    (bytes, "text", "expected bytes such as b'…', got 'text'"),
    (datetime.timedelta, "soon", "expected a duration such as 1h 30m, got 'soon'"),
    (datetime.timedelta, " ", "a duration is missing"),
    (dict, "", "JSON is missing"),
    (dict, "{", "expected JSON"),
    (set[int], '["a"]', "invalid value"),
]


@pytest.mark.parametrize(("declared", "text", "message"), WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_what_is_no_value_is_told_in_words(declared: Any, text: str, message: str) -> None:
    with pytest.raises(ControlError, match=r".") as raised:
        typed(control_for_type(declared), text).read()
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (int, True),
        (int, "5"),
        (Annotated[int, range(1, 5)], 5),
        (float, 1),
        (str, 5),
        (bool, 1),
        (Color, "red"),
        (Literal["a"], "b"),
        (datetime.date, datetime.datetime(2024, 1, 1)),
        (datetime.datetime, "2024"),
        (datetime.timedelta, 5),
        (list[int], (1, 2)),
        (list[int], list(range(31))),
        (dict[str, int], [1]),
        (Point, Region(Point(1.0))),
        (int | None, "a"),
        (FlyteFile, 5),
        (pd.DataFrame, FRAME.copy()),
        pytest.param(dict, {"a": object()}, id="dict-{'a': an object}"),
    ],
    ids=str,
)
def test_a_control_refuses_what_it_can_not_show(declared: Any, value: Any) -> None:
    with pytest.raises(ControlError):
        control_for_type(declared).write(value)


def test_a_mistake_inside_says_where_it_is() -> None:
    control = control_for_type(Region)
    control.write(Region(Point(1.0), [Point(2.0)]))
    control._fields["points"]._rows.rows[0][0]._fields["y"].field.value = "two"
    with pytest.raises(ControlError, match=r"^\.points\[0\]\.y: expected a number, got 'two'$"):
        control.read()


def test_a_class_that_refuses_its_fields_is_quoted() -> None:
    control = control_for_type(Even)
    control._fields["a"].field.value = "5"
    with pytest.raises(ControlError, match=r"invalid Even: .*5 is odd"):
        control.read()


def test_a_key_that_is_there_twice_is_told() -> None:
    control = control_for_type(dict[str, int])
    control.write({"a": 1, "b": 2})
    control._rows.rows[1][0].field.value = "a"
    with pytest.raises(ControlError, match="duplicate key 'a'"):
        control.read()


def test_a_type_that_holds_itself_has_a_control() -> None:
    control = control_for_type(Region)
    value = Region(Point(1.0), inside=Region(Point(2.0), inside=Region(Point(3.0))))
    control.write(value)
    assert control.read() == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h 30m", 5400),
        ("1.5 hours", 5400),
        ("2 days, 1:30:00", 2 * 86400 + 5400),
        ("0:00:01.5", 1.5),
        ("-5m", -300),
        ("250ms", 0.25),
        ("7us", 7e-6),
        ("1d2h3m4s", 93784),
        ("0s", 0),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5x", "h", "1:2:3:4", "5m5", "s5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ControlError):
        parse_duration(text)


@pytest.mark.parametrize("value", [datetime.timedelta.min, datetime.timedelta.max, datetime.timedelta(microseconds=-1)])
def test_a_duration_is_written_so_that_it_reads_the_same(value: datetime.timedelta) -> None:
    if value is not datetime.timedelta.min:  # its opposite can't be held
        assert parse_duration(format_duration(value)) == value


def test_uploaded_files_lie_in_the_form_s_own_directory(tmp_path: Path) -> None:
    control = control_for_type(FlyteFile, tmp_path)
    control.upload.value = [upload("../../etc/passwd", b"content")]
    path = Path(control.read().path)
    assert path.name == "passwd"
    assert tmp_path in path.parents
    assert path.read_bytes() == b"content"
    many = control_for_type(FlyteDirectory, tmp_path)
    many.upload.value = [upload("a.txt", b"1"), upload("C:\\temp\\b.txt", b"2")]
    assert sorted(p.name for p in Path(many.read().path).iterdir()) == ["a.txt", "b.txt"]


def upload(name: str, content: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "type": "",
        "size": len(content),
        "content": memoryview(content),
        "last_modified": datetime.datetime.now(UTC),
    }


def test_a_file_that_is_not_there_is_told() -> None:
    control = control_for_type(FlyteFile)
    control.path.value = "/no/such/file"
    with pytest.raises(ControlError, match="no file or directory at '/no/such/file'"):
        control.read()
    control.path.value = "s3://bucket/file"
    assert str(control.read().path) == "s3://bucket/file"


def test_variables_that_fit_are_listed_newest_first() -> None:
    control = control_for_type(pd.DataFrame, names=NAMES | {"second": FRAME.copy(), "Frame": pd.DataFrame, "pd": pd})
    assert [name for _, name in control.choice.options] == ["second", "frame"]
    assert control.name == "second"


def test_only_lists_of_the_right_items_are_listed() -> None:
    names = {"words": ["a"], "numbers": [1, 2], "none": [], "table": {"a": 1}, "texts": {"a": "b"}}
    assert [name for _, name in control_for_variable(list[int], names).choice.options] == ["none", "numbers"]
    assert [name for _, name in control_for_variable(dict[str, int], names).choice.options] == ["table"]


@dataclass
class Long:
    many: list[int] = field(default_factory=lambda: list(range(100)))
    x: int = 1


def test_a_default_inside_that_no_control_can_show_is_kept() -> None:
    control = control_for_type(Long)
    assert control.read() == Long()
    assert eval(control.code(PythonSource({"Long": Long})), {"Long": Long}) == Long()
    control.write(Long([5], 2))
    assert control.read() == Long([5], 2)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        (Annotated[int, range(1, 11)], "int, 1 … 10"),
        (Annotated[float, Field(gt=0)], "float, &gt; 0"),
        (Annotated[float, Field(ge=0, lt=1)], "float, ≥ 0, &lt; 1"),
        (Annotated[int, Field(le=9)], "int, ≤ 9"),
        (int, "int"),
    ],
    ids=str,
)
def test_bounds_stand_by_the_type(declared: Any, text: str) -> None:
    assert f"<code>{text}</code>" in label("n", declared).value


def test_a_variable_that_is_gone_is_told() -> None:
    names = dict(NAMES)
    control = control_for_type(pd.DataFrame, names=names)
    del names["frame"]
    with pytest.raises(ControlError, match="variable 'frame' no longer exists"):
        control.read()
    control.refresh()
    with pytest.raises(ControlError, match="no variable of type DataFrame"):
        control.read()


def test_a_control_of_one_s_own_comes_before_the_built_in_ones() -> None:
    import ipywidgets

    @flytenb.control_for(Picky)
    def picky(declared: Any, context: ControlContext) -> ValueControl:
        return ValueControl(ipywidgets.Text(), lambda text: Picky(), lambda value: "picky")

    @flytenb.control_for(lambda declared: declared is Marked)
    def marked(declared: Any, context: ControlContext) -> Any:
        return NotImplemented

    control = control_for_type(list[Picky])
    control.write([Picky()])
    assert control._rows.rows[0][0].field.value == "picky"
    # Who gives way leaves the type to the next.
    assert typed(control_for_type(Marked), "5").read() == 5


# --- the form ------------------------------------------------------------------------------------------------------


@task
def survey(num: int, start: Point, color: Color = Color.RED, xs: list[int] = [1], wide: Optional[float] = None) -> str:  # noqa: B006, UP045
    """Survey a region.

    Args:
        num: how many <b>points</b>
        color: of what
    """
    return f"{num} {start} {color.name} {xs} {wide}"


ORIGIN = Point(1.0)


@workflow
def flow(num: int = 3, start: Point = ORIGIN) -> str:
    return survey(num=num, start=start)


plan = LaunchPlan.get_or_create(flow, "form_plan", default_inputs={"num": 5}, fixed_inputs={"start": Point(9.0)})


@task
def nothing() -> int:
    return 1


def made(entity: Any = survey, **given: Any) -> Form:
    started: list[Any] = given.pop("started", [])

    def start(entity: Any, /, **inputs: Any) -> Any:
        started.append((entity, inputs))
        return f"run {len(started)}"

    return Form(entity, given.pop("start", start), names=given.pop("names", {**NAMES, "survey": survey}), **given)


def filled(form: Form) -> Form:
    form.fields["num"].control.field.value = "5"
    form.fields["start"].control.write(Point(1.0))
    return form


def test_a_form_starts_with_the_defaults() -> None:
    form = made()
    assert form.fields["color"].read() is Color.RED
    assert form.fields["xs"].read() == [1]
    assert form.fields["wide"].read() is None
    with pytest.raises(InputError) as raised:
        _ = form.values
    assert "num: a whole number is missing" in raised.value.message
    assert "start.x: a number is missing" in raised.value.message


def test_the_line_does_what_the_button_does() -> None:
    form = filled(made())
    assert form.line == (
        "flytenb.run(survey, num=5, start=Point(x=1.0, y=2.0), color=Color.RED, xs=[1], wide=None)"
    )  # fmt: skip
    run = eval(form.line, {**NAMES, "survey": survey})
    assert run.result == "5 Point(x=1.0, y=2.0) RED [1] None"


def test_the_line_imports_what_the_notebook_lacks() -> None:
    form = filled(made(names={"survey": survey}))
    names: dict[str, Any] = {"survey": survey}
    *imports, call = form.line.split("\n")
    assert "import flytenb" in imports
    exec("\n".join(imports), names)
    assert eval(call, names).result.startswith("5 Point")


def test_the_button_starts_a_run_and_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    started: list[Any] = []
    form = filled(made(started=started))
    form.widgets.button.click()
    ((entity, inputs),) = started
    assert entity is survey
    assert inputs == {"num": 5, "start": Point(1.0), "color": Color.RED, "xs": [1], "wide": None}
    assert form.run == "run 1"
    assert "run 1" in capsys.readouterr().out
    assert "survey is running" in form.widgets._status.value


def test_a_bad_value_starts_nothing_and_is_told_at_its_field() -> None:
    started: list[Any] = []
    form = filled(made(started=started))
    form.fields["num"].control.field.value = "five"
    form.widgets.button.click()
    assert started == []
    assert form.fields["num"].problem == "expected a whole number, got 'five'"
    assert "num=…" in form.line
    assert "expected a whole number, got &#x27;five&#x27;" in form.widgets.widget.children[2].children[-1].value
    form.fields["num"].control.field.value = "6"
    assert form.fields["num"].problem == ""


def test_what_only_the_type_engine_refuses_is_told_too() -> None:
    form = filled(made())
    form.fields["num"].control.field.value = str(2**63)
    assert "Value out of range" in form.fields["num"].problem


def test_a_run_that_does_not_start_says_why_and_the_kernel_lives() -> None:
    def refuse(entity: Any, /, **inputs: Any) -> Any:
        raise RuntimeError("<img src=x onerror=alert(1)>")

    form = filled(made(start=refuse))
    assert form.submit() is None
    assert "RuntimeError: " in form.widgets._status.value
    assert "<img" not in form.widgets._status.value


def test_any_input_can_be_a_variable() -> None:
    form = filled(made())
    form.fields["num"].origin.value = "variable"
    assert form.values["num"] == 7
    assert "num=limit" in form.line
    form.fields["num"].origin.value = "value"
    assert form.values["num"] == 5


def test_an_input_with_a_default_can_be_left_at_it() -> None:
    form = filled(made())
    form.fields["color"].origin.value = "default"
    assert "color" not in form.values
    assert "color" not in form.line
    assert "default" not in made().fields["num"].origin.options


def test_a_default_that_no_control_can_show_is_left_at_it() -> None:
    @task
    def test_many(xs: list[int] = list(range(1000))) -> int:  # noqa: B006
        return len(xs)

    form = made(test_many)
    assert form.fields["xs"].is_default
    assert form.values == {}
    assert form.line.endswith("flytenb.run(test_many)")


def test_the_last_inputs_are_remembered_by_name() -> None:
    memory: dict[str, Any] = {}
    first = filled(made(memory=memory))
    first.fields["xs"].control.write([4, 5])
    first.fields["num"].origin.value = "variable"
    first.fields["color"].origin.value = "default"
    first.submit()
    second = made(memory=memory)
    assert second.values == first.values
    assert second.line == first.line
    # What doesn't fit any more is asked for again.
    third = made(memory=memory, names={"survey": survey, "flytenb": flytenb})
    assert third.fields["num"].origin.value == "value"
    assert third.fields["xs"].read() == [4, 5]


def test_a_launch_plan_asks_only_for_what_it_leaves_open() -> None:
    form = made(plan)
    assert list(form.fields) == ["num"]
    assert form.values == {"num": 5}


def test_an_entity_without_inputs_has_a_button() -> None:
    started: list[Any] = []
    form = made(nothing, started=started)
    form.widgets.button.click()
    assert started == [(nothing, {})]
    assert "no inputs" in repr(form)


def test_what_is_no_entity_has_no_form() -> None:
    with pytest.raises(NotAnEntityError):
        flytenb.form(5)


def test_a_form_that_can_not_be_shown_says_what_to_type() -> None:
    text = repr(made())
    assert "survey · input form" in text
    assert "required" in text
    assert "flytenb.run(survey, num=…, start=…)" in text
    bundle = made()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<b>points" not in bundle["text/html"]
    assert "&lt;b&gt;points" in bundle["text/html"]


def test_hostile_words_stay_words_in_every_widget() -> None:
    import ipywidgets
    from ipywidgets.widgets.widget import _instances

    form = made()
    assert form.fields
    labels = [w.value for w in _instances.values() if isinstance(w, ipywidgets.HTML)]
    assert any("how many &lt;b&gt;points&lt;/b&gt;" in value for value in labels)
    assert not any("<b>points" in value for value in labels)
    assert form.fields["color"].control.field.options[1][0] == "BLUE = '<b>blue</b>'"
    assert not any(getattr(w, "description_allow_html", False) for w in _instances.values())


def test_uploads_go_with_their_form() -> None:
    form = made()
    folder = form.widgets._uploads()
    assert folder.is_dir()
    form.widgets.widget.close_all()
    del form
    gc.collect()
    assert not folder.exists()


@pytest.mark.slow
def test_widgets_are_loaded_when_a_form_is_made_and_not_before() -> None:
    code = """
import sys, flytenb, flytenb.api
before = "ipywidgets" in sys.modules
flytenb.control_for(int)(lambda declared, place: NotImplemented)
between = "ipywidgets" in sys.modules
from tests.flows.task_alone import scale
form = flytenb.form(scale)
repr(form), form._repr_mimebundle_()
shown = "ipywidgets" in sys.modules
form.fields
print(before, between, shown, "ipywidgets" in sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert out.stdout.splitlines()[-1:] == ["False False False True"], out.stderr
