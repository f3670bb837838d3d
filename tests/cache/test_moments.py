"""A cache hit may rely on what was compared earlier in a moment; whatever may change what code reaches ends it.

Here no moment ends by the clock. The oracle is the same flow in plain Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flytekit import approve, dynamic, eager, map_task, task, workflow
from flytekit.core.local_cache import LocalTaskCache
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

import flytenb
from flytenb.reach import moment
from flytenb.reach.code_digest import CodeDigest
from flytenb.reach.moment import current_moment, end_moment
from flytenb.reach.object_digest import WatchingWalker

factor = 1


def set_factor(value: int) -> None:
    global factor
    factor = value


class Box:
    """A value whose conversion changes a global."""

    def __init__(self, held: int) -> None:
        self.held = held


class BoxTransformer(TypeTransformer[Box]):
    def __init__(self) -> None:
        super().__init__("box", Box)

    def get_literal_type(self, t: type[Box]) -> LiteralType:
        return LiteralType(simple=SimpleType.INTEGER)

    def to_literal(self, ctx: Any, python_val: Box, python_type: Any, expected: Any) -> Literal:
        return Literal(scalar=Scalar(primitive=Primitive(integer=python_val.held)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Box:
        set_factor(7)
        return Box(lv.scalar.primitive.integer)


@task(cache=True, cache_version="1")
def scaled(x: int) -> int:
    return x * factor


@task
def assign(x: int) -> int:
    set_factor(7)
    return x


@task(cache=True, cache_version="1")
def boxed(x: int) -> Box:
    return Box(x)


@task(cache=True, cache_version="1")
def unboxed(box: Box) -> int:
    return box.held


@workflow
def by_a_task(x: int) -> int:
    return scaled(x=assign(x=scaled(x=scaled(x=x))))


@workflow
def by_a_conversion(x: int) -> int:
    return scaled(x=unboxed(box=boxed(x=scaled(x=x))))


@workflow
def by_an_element(x: int) -> list[int]:
    first = scaled(x=x)
    return map_task(scaled)(x=map_task(assign)(x=both(x=first)))


@task
def both(x: int) -> list[int]:
    return [x, x]


@dynamic
def inner(x: int) -> int:
    set_factor(7)
    return scaled(x=x)


@workflow
def by_a_dynamic(x: int) -> int:
    return inner(x=scaled(x=x))


@eager
async def by_an_eager(x: int) -> int:
    before = scaled(x=x)
    set_factor(7)
    return before * 100 + scaled(x=x)


@workflow
def by_a_cell(x: int) -> int:
    seen = scaled(x=x)
    return scaled(x=approve(seen, "go", timeout=timedelta(hours=1)))


@pytest.fixture(autouse=True)
def timeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diskcache import Cache as Store

    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)
    monkeypatch.setattr(moment, "monotonic", lambda: 0.0)
    end_moment()


@pytest.fixture
def box_type() -> Iterator[None]:
    TypeEngine.register(BoxTransformer())
    yield
    del TypeEngine._REGISTRY[Box]


@pytest.mark.parametrize(
    ("flow", "expected"),
    [(by_a_task, 21), (by_a_conversion, 21), (by_an_element, [21, 21]), (by_a_dynamic, 21), (by_an_eager, 321)],
    ids=lambda each: getattr(each, "name", ""),
)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_change_between_two_hits_counts(box_type: None, flow: Any, expected: Any, workers: int) -> None:
    options = flytenb.options(workers=workers)
    for _ in range(3):  # the first run stores every answer, with the old factor and with the new one
        set_factor(1)
        assert options.run(flow, x=3).result == expected
    set_factor(1)


def test_a_change_while_a_gate_waits_counts() -> None:
    for _ in range(3):
        set_factor(1)
        run = flytenb.start(by_a_cell, x=3)
        while not run.waiting:
            run.wait(0.001)
        set_factor(7)
        run.approve("go")
        assert run.wait().result == 21
    set_factor(1)


def test_a_change_between_two_runs_counts() -> None:
    results = []
    for value in (1, 7, 1, 7):
        set_factor(value)
        results.append(flytenb.run(scaled, x=3).result)
    assert results == [3, 21, 3, 21]
    set_factor(1)


def test_code_is_compared_once_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    is_current = WatchingWalker.is_current
    monkeypatch.setattr(WatchingWalker, "is_current", lambda self: compared.append(self) or is_current(self))
    digest = CodeDigest(scaled)
    assert len({digest.now(in_moment=True) for _ in range(3)}) == 1
    assert len(compared) == 1
    digest.now()
    assert len(compared) == 2
    end_moment()
    digest.now(in_moment=True)
    assert len(compared) == 3


def test_a_moment_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    before = current_moment()
    monkeypatch.setattr(moment, "monotonic", lambda: moment._LONGEST)
    assert current_moment() is before
    monkeypatch.setattr(moment, "monotonic", lambda: 2 * moment._LONGEST)
    assert current_moment() is not before
