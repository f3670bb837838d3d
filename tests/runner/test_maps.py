"""How many elements of a map must succeed; the oracle counts as propeller's handler of array nodes does."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flytekit import LaunchPlan, map_task, task, workflow
from flytekit.core.legacy_map_task import map_task as legacy_map_task
from flytekit.core.type_engine import TypeTransformerFailedError
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.errors import InputError
from flytenb.model import Kind, Phase

SETTINGS = [{}, {"strict": True}, {"workers": 1}, {"processes": True}]


@task
def half(n: int) -> int:
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n // 2


@task
def maybe_half(n: int) -> int | None:
    if n % 2:
        raise ValueError(f"{n} is odd")
    return n // 2 or None


@task
def silent(n: int) -> None:
    if n % 2:
        raise ValueError(f"{n} is odd")


@task
def count(found: list[int | None]) -> str:
    return repr(found)


@task
def total(found: list[int]) -> int:
    return sum(found)


@workflow
def half_flow(n: int) -> int:
    return half(n=n)


half_plan = LaunchPlan.get_or_create(half_flow, "half_plan")


def propeller(total: int, failed: int, min_successes: int | None, ratio: float | None) -> bool:
    """Whether the handler goes on to Succeeding; elements end one after the other, those that fail first.

    `nodes/array/handler.go`, 1.16.8; a 32-bit ratio is multiplied as a 64-bit number. flytekit's message holds a ratio
    wherever there is one, and its own local run lets a number that isn't 0 go before it.
    """
    needed = total
    if min_successes:
        needed = min_successes
    elif ratio is not None:
        needed = math.ceil(float(np.float32(ratio)) * float(total))
    elif min_successes == 0:
        needed = 0
    for done in range(total + 1):
        failed_count = min(done, failed)
        success_count = done - failed_count
        if total - failed_count < needed:
            return False
        if success_count >= needed and done == total:
            return True
    return False


ASKED: list[dict[str, Any]] = [
    {},
    {"min_successes": 1},
    {"min_successes": 3},
    {"min_successes": 4, "min_success_ratio": 0.1},
    {"min_successes": 1, "min_success_ratio": 0.9},
    {"min_successes": 0},
    {"min_successes": 0, "min_success_ratio": None},
    {"min_successes": 2, "min_success_ratio": None},
    {"min_success_ratio": 0.0},
    {"min_success_ratio": 0.5},
    {"min_success_ratio": 0.6},
    {"min_success_ratio": 0.34},
    {"min_success_ratio": None},
]
COUNTS = [(total, failed) for total in (0, 1, 2, 3, 5, 10) for failed in sorted({0, 1, total // 2, 4, total})
          if failed <= total]  # fmt: skip


def as_odd_and_even(total: int, failed: int) -> list[int]:
    return [1] * failed + list(range(2, 2 * (total - failed) + 2, 2))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_as_many_elements_must_succeed_as_on_a_cluster(asked: dict[str, Any]) -> None:
    mapped = map_task(half, **asked)
    for total, failed in COUNTS:
        given = as_odd_and_even(total, failed)
        run = flytenb.start(mapped, n=given).wait()
        can = propeller(total, failed, asked.get("min_successes"), asked.get("min_success_ratio", 1.0))
        assert (run.phase is Phase.SUCCEEDED) == can, (asked, total, failed)
        if can:
            assert run.result == [None if n % 2 else n // 2 for n in given]


def test_six_tenths_of_ten_are_seven_since_a_message_holds_a_32_bit_number() -> None:
    mapped = map_task(half, min_success_ratio=0.6)
    assert flytenb.start(mapped, n=as_odd_and_even(10, 4)).wait().phase is Phase.FAILED
    assert flytenb.start(mapped, n=as_odd_and_even(10, 3)).wait().phase is Phase.SUCCEEDED


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.34, 0.0])
def test_a_legacy_map_counts_as_the_other_kind(ratio: float) -> None:
    mapped = legacy_map_task(half, min_success_ratio=ratio)
    for total, failed in COUNTS:
        given = as_odd_and_even(total, failed)
        run = flytenb.start(mapped, n=given).wait()
        assert (run.phase is Phase.SUCCEEDED) == propeller(total, failed, None, ratio), (ratio, total, failed)
        if run.phase is Phase.SUCCEEDED:
            assert run.result == [None if n % 2 else n // 2 for n in given]


def test_a_number_that_no_list_can_reach_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputError, match="needs 3 elements that succeed, got 2 in all"):
        _ = flytenb.run(map_task(half, min_successes=3), n=[2, 4])


# --- what the elements that failed look like -------------------------------------------------------------------------


@workflow
def into_optional(ns: list[int]) -> tuple[list[int | None], str]:
    found = map_task(half, min_successes=1)(n=ns)
    return found, count(found=found)


@workflow
def into_total(ns: list[int]) -> int:
    return total(found=map_task(half, min_successes=1)(n=ns))


@workflow
def of_optional(ns: list[int]) -> tuple[list[int | None], str]:
    found = map_task(maybe_half, min_successes=1)(n=ns)
    return found, count(found=found)


@workflow
def of_ratio(ns: list[int]) -> tuple[list[int | None], str]:
    found = map_task(half, min_success_ratio=0.3)(n=ns)
    return found, count(found=found)


@workflow
def of_legacy(ns: list[int]) -> tuple[list[int | None], str]:
    found = legacy_map_task(half, min_success_ratio=0.3)(n=ns)
    return found, count(found=found)


@workflow
def of_plans(ns: list[int]) -> tuple[list[int | None], str]:
    found = map_task(half_plan, min_successes=1)(n=ns)
    return found, count(found=found)


@workflow
def inside(ns: list[int]) -> tuple[list[int | None], str]:
    return into_optional(ns=ns)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("entity", [into_optional, of_optional, of_ratio, of_legacy, of_plans, inside])
def test_an_element_that_failed_is_none(entity: Any, settings: dict[str, Any]) -> None:
    run = flytenb.options(**settings).run(entity, ns=[3, 4, 6])
    assert tuple(run.result) == ([None, 2, 3], "[None, 2, 3]")
    assert run.nodes["n0"].outputs["o0"] == [None, 2, 3]
    assert tuple(flytenb.options(**settings).run(entity, ns=[2, 4]).result) == ([1, 2], "[1, 2]")


def test_a_task_that_takes_no_none_refuses_a_list_with_one() -> None:
    assert flytenb.run(into_total, ns=[2, 4]).result == 3
    run = flytenb.start(into_total, ns=[3, 4]).wait()
    assert run.phase is Phase.FAILED
    assert run.nodes["n1"].phase is Phase.FAILED
    assert isinstance(run.error.exception, TypeTransformerFailedError)


@task
def write(n: int, folder: str) -> FlyteFile:
    if n % 2:
        raise ValueError(f"{n} is odd")
    path = Path(folder) / f"{n}.txt"
    path.write_text(str(n // 2))
    return FlyteFile(str(path))


@task
def read(files: list[FlyteFile | None]) -> str:
    return " ".join("-" if f is None else Path(f).read_text() for f in files)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_files_beside_an_element_that_failed_are_handed_on(settings: dict[str, Any], tmp_path: Path) -> None:
    @workflow
    def files(ns: list[int], folder: str) -> str:
        return read(files=map_task(partial(write, folder=folder), min_successes=1)(n=ns))

    assert flytenb.options(**settings).run(files, ns=[1, 2, 4], folder=str(tmp_path)).result == "- 1 2"


def test_a_map_without_outputs_bears_failures_too() -> None:
    run = flytenb.run(map_task(silent, min_successes=1), n=[1, 2])
    assert (run.phase, run.result) == (Phase.SUCCEEDED, None)


def test_a_map_whose_inputs_are_all_bound_runs_once() -> None:
    @workflow
    def bound() -> list[int]:
        return map_task(partial(half, n=4))()

    assert flytenb.run(bound).result == [2]


# --- the legacy kind -------------------------------------------------------------------------------------------------


@task
def scaled(n: int, by: int) -> int:
    return n * by


@workflow
def legacy(ns: list[int]) -> list[int]:
    return legacy_map_task(partial(scaled, by=10), concurrency=2)(n=legacy_map_task(half)(n=ns))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_legacy_map_runs_as_flytekit_runs_it(settings: dict[str, Any]) -> None:
    assert flytenb.options(**settings).run(legacy, ns=[2, 4, 6]).result == legacy(ns=[2, 4, 6]) == [10, 20, 30]


@pytest.mark.parametrize("make", [map_task, legacy_map_task])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_map_that_is_run_itself_has_the_inputs_of_its_partial(make: Any, settings: dict[str, Any]) -> None:
    mapped = make(partial(scaled, by=10))
    for given in ({}, {"by": 3}):
        expected = mapped(n=[2, 4], **given)
        assert flytenb.options(**settings).run(mapped, n=[2, 4], **given).result == expected
    with pytest.raises(InputError, match=r"missing input 'n' [^;]*$"):
        flytenb.run(mapped)


def test_a_legacy_map_is_drawn_as_a_map() -> None:
    node = flytenb.start(legacy, ns=[2]).wait().graph.nodes["n1"]
    assert (node.kind, node.name) == (Kind.MAP, "scaled")
    assert node.settings == {"of": "scaled", "concurrency": 2, "bound": "by"}
