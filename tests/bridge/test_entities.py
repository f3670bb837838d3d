# ruff: noqa: UP045 (the old spellings are what is tested)
from __future__ import annotations

import datetime
import functools
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, NewType, Optional

import pytest
from flytekit import (
    ContainerTask,
    ImageSpec,
    LaunchPlan,
    Resources,
    StructuredDataset,
    Workflow,
    dynamic,
    eager,
    kwtypes,
    map_task,
    reference_task,
    task,
    workflow,
)
from flytekit.core.type_engine import TypeEngine
from flytekit.extras.sqlite3.task import SQLite3Config, SQLite3Task
from flytekit.extras.tasks.shell import ShellTask
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.bridge.entities import interface as entities
from flytenb.bridge.entities.interface import is_entity, is_stub, kind_of, read_interface, read_settings, short_name
from flytenb.bridge.entities.stub import Body, read_body
from flytenb.bridge.type_engine.literal_data import literal_type_text
from flytenb.errors import NotAnEntityError
from flytenb.model import Interface, Kind, Port
from flytenb.wording.values import SHORT, brief


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    tags: list[str] = field(default_factory=list)


UserId = NewType("UserId", int)


def loud(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


@task
def inc(x: int) -> int:
    return x + 1


@task
@loud
@loud
def decorated(x: int) -> int:
    return x


@dynamic
def dyn(x: int) -> int:
    return inc(x=x)


@eager
async def eag(x: int) -> int:
    return inc(x=x)


@workflow
def wf(x: int) -> int:
    return inc(x=x)


plan = LaunchPlan.get_or_create(wf, name="tests.entities.plan", default_inputs={"x": 3})
default_plan = LaunchPlan.get_or_create(wf)
container = ContainerTask(name="my.container", image="busybox", command=["true"], inputs=kwtypes(a=int))
shell = ShellTask(name="my shell", script="true", inputs=kwtypes(a=int))
by_hand = Workflow(name="built.by hand")


@reference_task(project="p", domain="d", name="far.away.task", version="v1")
def far(x: int) -> int: ...


class Mischief:
    """Whatever is asked of it, it breaks."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no class")


KINDS = [
    (inc, Kind.TASK, "inc"),
    (decorated, Kind.TASK, "decorated"),
    (dyn, Kind.DYNAMIC, "dyn"),
    (eag, Kind.EAGER, "eag"),
    (wf, Kind.SUBWORKFLOW, "wf"),
    (by_hand, Kind.SUBWORKFLOW, "built.by hand"),
    (plan, Kind.LAUNCH_PLAN, "tests.entities.plan"),
    (default_plan, Kind.LAUNCH_PLAN, "wf"),
    (container, Kind.CONTAINER, "my.container"),
    (shell, Kind.SHELL, "my shell"),
    (SQLite3Task("rows", "select 1", task_config=SQLite3Config(uri="rows.db")), Kind.SQL, "rows"),
    (far, Kind.REFERENCE, "task"),
    (map_task(inc), Kind.MAP, "inc"),
    (map_task(plan), Kind.MAP, "tests.entities.plan"),
]


@pytest.mark.parametrize(("entity", "kind", "name"), KINDS, ids=[k[2] + " " + k[1].value for k in KINDS])
def test_an_entity_is_known_by_kind_and_name(entity: Any, kind: Kind, name: str) -> None:
    assert is_entity(entity)
    assert kind_of(entity) is kind
    assert short_name(entity) == name


@pytest.mark.parametrize("obj", [1, "inc", None, print, Point, type(inc), LaunchPlan, types, [inc]])
def test_anything_else_is_no_entity(obj: Any) -> None:
    assert not is_entity(obj)
    with pytest.raises(NotAnEntityError, match=type(obj).__name__):
        kind_of(obj)


def test_an_object_that_breaks_when_asked_is_no_entity() -> None:
    assert not is_entity(Mischief())
    with pytest.raises(NotAnEntityError, match="Mischief"):
        kind_of(Mischief())


def test_asking_whether_a_task_is_an_entity_touches_no_attribute_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, name: str) -> Any:
        raise RuntimeError(f"{name} was asked for")

    monkeypatch.setattr(type(inc), "__getattribute__", refuse)
    assert is_entity(inc)


# --- stubs -------------------------------------------------------------------------------------------------------


def ellipsis(x: int) -> int: ...


def documented_ellipsis(x: int) -> int:
    """It says what it will do."""
    ...  # noqa: PIE790


def raises_bare(x: int) -> int:
    raise NotImplementedError


def raises_with_words(x: int) -> int:
    """Doc."""
    raise NotImplementedError("next week")


async def raises_later(x: int) -> int:
    raise NotImplementedError("next week")


async def ellipsis_later(x: int) -> int: ...


def only_documented(x: int) -> int:
    """Doc."""


def passes(x: int) -> int:
    pass


def returns(x: int) -> None:
    return


def returns_none(x: int) -> None:
    return None


def returns_ellipsis(x: int) -> Any:
    return ...


def raises_other(x: int) -> int:
    raise ValueError("not implemented")


def raises_computed(x: int) -> int:
    raise NotImplementedError(f"not for {x}")


def raises_sometimes(x: int) -> int:
    if x:
        raise NotImplementedError
    return x


def works(x: int) -> int:
    """Doc."""
    print(x)
    raise NotImplementedError


BODIES = [
    (ellipsis, Body.ELLIPSIS),
    (documented_ellipsis, Body.ELLIPSIS),
    (raises_bare, Body.ELLIPSIS),
    (raises_with_words, Body.ELLIPSIS),
    (raises_later, Body.ELLIPSIS),
    (ellipsis_later, Body.ELLIPSIS),
    (loud(loud(ellipsis)), Body.ELLIPSIS),
    (only_documented, Body.NOTHING),
    (passes, Body.NOTHING),
    (returns, Body.CODE),
    (returns_none, Body.CODE),
    (returns_ellipsis, Body.CODE),
    (raises_other, Body.CODE),
    (raises_computed, Body.CODE),
    (raises_sometimes, Body.CODE),
    (works, Body.CODE),
    (len, Body.CODE),
    (functools.partial(works, 1), Body.CODE),
]


@pytest.mark.parametrize(("function", "body"), BODIES, ids=[getattr(f, "__name__", "partial") for f, _ in BODIES])
def test_a_body_is_told_apart(function: Callable[..., Any], body: Body) -> None:
    assert read_body(function) is body


def test_without_source_an_empty_body_still_counts_as_empty() -> None:
    space: dict[str, Any] = {}
    exec("def f(x): ...\ndef g(x):\n    raise NotImplementedError('x')\ndef h(x): return x", space)
    assert [read_body(space[k]) for k in "fgh"] == [Body.NOTHING, Body.ELLIPSIS, Body.CODE]


@task
def todo(x: int) -> None: ...


@task
def barrier() -> None:
    """Wait for all; there is nothing else to do."""


@task
def maybe(x: int) -> int | None:
    pass


@workflow
def sketch() -> None:
    pass


def test_a_task_that_may_do_nothing_is_no_stub() -> None:
    assert [is_stub(e) for e in (todo, barrier, maybe, sketch, inc, container, far, plan)] == [
        *(True, False, False, True),
        *(False, False, False, False),
    ]
    assert [kind_of(e) for e in (todo, barrier, sketch)] == [Kind.STUB, Kind.TASK, Kind.STUB]


# --- interfaces --------------------------------------------------------------------------------------------------


class Named(NamedTuple):
    mean: float
    count: int


@task
def full(a: int, b: str | None = None, c: Color = Color.RED, d: str = "x" * 100) -> Named:
    """Do it all.

    And more of it.

    Args:
        a: the first
            of them
        b: maybe

    Returns:
        what came out
    """
    return Named(1.0, a)


def test_an_interface_has_types_defaults_and_docs() -> None:
    assert read_interface(full) == Interface(
        inputs=(
            Port("a", "int", None, "the first\nof them"),
            Port("b", "str | None", "None", "maybe"),
            Port("c", "Color", "Color.RED"),
            Port("d", "str", brief("x" * 100, SHORT)),
        ),
        outputs=(Port("mean", "float", None, "what came out"), Port("count", "int", None, "what came out")),
        doc="Do it all.\n\nAnd more of it.",
    )


def test_a_launch_plan_has_its_own_defaults_and_not_what_it_fixes() -> None:
    fixed = LaunchPlan.get_or_create(wf, name="tests.entities.fixed", fixed_inputs={"x": 3})
    assert read_interface(plan).inputs == (Port("x", "int", "3"),)
    assert read_interface(fixed).inputs == ()
    assert read_settings(fixed) == {"fixed": "x=3"}
    assert read_settings(plan) == {"defaults": "x=3"}


def test_a_map_task_takes_lists() -> None:
    mapped = map_task(inc, concurrency=2)
    assert read_interface(mapped).inputs == (Port("x", "list[int]"),)
    assert read_settings(mapped) == {"of": "inc", "concurrency": 2}


def test_settings_of_what_a_reference_points_to() -> None:
    assert read_settings(far) == {"of": "task", "project": "p", "domain": "d", "version": "v1"}


def test_an_image_spec_is_named_without_reading_its_files() -> None:
    spec = ImageSpec(name="img", registry="example.org", requirements="does-not-exist.txt")
    assert entities.name_image(spec) == "example.org/img"
    assert entities.name_image(ImageSpec(name="img")) == "img"


def test_a_limit_stands_in_for_a_request() -> None:
    settings: dict[str, Any] = {}
    spec = types.SimpleNamespace(requests=Resources(cpu="1"), limits=Resources(cpu="2", gpu=1))
    entities.add_resources(settings, spec)
    assert settings == {"cpu": "1", "gpu": 1}


# --- literal types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python_type", "name"),
    [
        (int, "int"),
        (datetime.datetime, "datetime"),
        (list[dict[str, float]], "list[dict[str, float]]"),
        (Optional[str], "str | None"),
        (Color, "Literal['red']"),
        (FlyteFile["csv"], "FlyteFile['csv']"),
        (FlyteDirectory, "FlyteDirectory"),
        (StructuredDataset, "StructuredDataset"),
        (Point, "dict"),
    ],
)
def test_a_literal_type_is_named_like_the_type_it_came_from(python_type: Any, name: str) -> None:
    assert literal_type_text(TypeEngine.to_literal_type(python_type)) == name


def test_an_unknown_literal_type_is_any() -> None:
    assert literal_type_text(LiteralType(simple=SimpleType.BINARY)) == "bytes"
    assert literal_type_text(LiteralType(simple=99)) == "Any"
