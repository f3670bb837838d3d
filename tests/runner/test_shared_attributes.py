"""Attributes by which a task changes what other tasks read: of the notebook's classes and of classes of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flytekit import task

from flytenb.reach.state_uses import state_use_of
from flytenb.reach.working_directory import HAS_OWN_CWD


class Model:
    size = 1


class Box:
    pass


BOX = Box()
SHARED = {"n": 0}
NAMES = ["size"]


def sets_a_class(name: str, n: int) -> None:
    setattr(Model, name, n)


def sets_a_class_in_a_loop(name: str, n: int) -> None:
    for each in NAMES:
        setattr(Model, each, n)


def sets_the_class_of_an_instance(name: str, n: int) -> None:
    setattr(type(Model()), name, n)


def sets_by_the_metaclass(name: str, n: int) -> None:
    type.__setattr__(Model, name, n)


def reads_a_class(n: int) -> int:
    return Model.size


def reads_an_instance(n: int) -> int:
    return Model().size


def sets_an_object(name: str, n: int) -> None:
    setattr(BOX, name, n)


def reads_an_object(n: int) -> Any:
    return BOX.size  # type: ignore[attr-defined]


def sets_through_an_instance(name: str, n: int) -> None:
    class Local:
        state: Any = None

    local = Local()
    local.state = SHARED
    local.state["n"] = n


def sets_through_its_argument(name: str, n: int) -> None:
    class Local:
        def __init__(self, state: Any) -> None:
            self.state = state

        def change(self) -> None:
            self.state["n"] = n

    Local(SHARED).change()


def sets_through_a_dataclass(name: str, n: int) -> None:
    @dataclass
    class Local:
        state: dict[str, int]

    Local(SHARED).state["n"] = n


def sets_through_a_class(name: str, n: int) -> int:
    class Local:
        state = SHARED

    Local().state["n"] = n
    return SHARED["n"]


def sets_through_a_list(name: str, n: int) -> None:
    class Local:
        states: Any = ()

    local = Local()
    local.states = [SHARED]
    local.states[0]["n"] = n


def sets_through_a_method(name: str, n: int) -> None:
    class Local:
        state: Any = None

        def filled(self) -> Any:
            self.state = SHARED
            return self

    Local().filled().state["n"] = n


def reads_the_shared(n: int) -> int:
    return SHARED["n"]


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        *((sets_a_class, each) for each in (reads_a_class, reads_an_instance)),
        *((sets_a_class_in_a_loop, each) for each in (reads_a_class, reads_an_instance)),
        *((sets_the_class_of_an_instance, each) for each in (reads_a_class, reads_an_instance)),
        *((sets_by_the_metaclass, each) for each in (reads_a_class, reads_an_instance)),
        (sets_an_object, reads_an_object),
        (sets_through_an_instance, reads_the_shared),
        (sets_through_its_argument, reads_the_shared),
        (sets_through_a_dataclass, reads_the_shared),
        (sets_through_a_class, reads_the_shared),
        (sets_through_a_list, reads_the_shared),
        (sets_through_a_method, reads_the_shared),
    ],
    ids=lambda body: body.__name__,
)
def test_a_change_by_an_attribute_is_kept_apart(changes: Callable[..., Any], reads: Callable[..., Any]) -> None:
    changing, reading = (state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)[0] for body in (changes, reads))
    assert changing.conflict_with(reading) is not None
    assert reading.conflict_with(reading) is None


def fills_its_own(name: str, n: int) -> int:
    class Local:
        def __init__(self, state: Any) -> None:
            self.state = state

    local = Local({})
    local.state["n"] = n
    return n + SHARED["n"]


def test_a_task_that_changes_only_objects_of_its_own_classes_runs_beside_others() -> None:
    use, _ = state_use_of(task(fills_its_own), has_own_cwd=HAS_OWN_CWD)
    assert use.conflict_with(use) is None
