"""Mocks of `flytekit.testing` answer in a run wherever their entity is used: with what they were made to answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from flytekit import (
    LaunchPlan,
    Workflow,
    conditional,
    dynamic,
    eager,
    map_task,
    reference_launch_plan,
    reference_task,
    reference_workflow,
    task,
    workflow,
)
from flytekit.core.legacy_map_task import map_task as legacy_map_task
from flytekit.testing import patch, task_mock

import flytenb
from flytenb.bridge.patches.applied import Patches
from flytenb.errors import StubError
from flytenb.model import CacheStatus, Phase

SETTINGS = [{}, {"strict": True}, {"workers": 1}, {"processes": True}]


class Both(NamedTuple):
    total: int
    text: str


@task
def inc(n: int) -> int:
    return n + 1


@task(cache=True, cache_version="mocked")
def kept(n: int) -> int:
    return n + 1


@task
async def inc_later(n: int) -> int:
    return n + 1


patches = Patches()
patches.apply("stubs")  # flytekit refuses a task that has no return


@task
def unwritten(n: int) -> int:
    """Still to be written."""


patches.undo()


@task
def both(n: int) -> Both:
    return Both(n, str(n))


@workflow
def twice(n: int) -> int:
    return inc(n=inc(n=n))


@workflow
def named(n: int) -> Both:
    return both(n=n)


twice_plan = LaunchPlan.get_or_create(twice, "twice_mocked")
imperative = Workflow(name="imperative_mocked")
imperative.add_workflow_input("n", int)
imperative.add_workflow_output("o", imperative.add_entity(inc, n=imperative.inputs["n"]).outputs["o0"])


@dynamic
def many(n: int) -> list[int]:
    return [inc(n=i) for i in range(n)]


@dynamic
def inner_dynamic(n: int) -> int:
    return twice(n=inc(n=n))


@eager
async def eagerly(n: int) -> int:
    return await inc_later(n=inc(n=n)) + twice(n=n)


@eager
async def inner_eager(n: int) -> int:
    return await eagerly(n=n)


@reference_task(project="p", domain="d", name="far_task", version="v")
def far_task(n: int) -> int:
    return n


@reference_workflow(project="p", domain="d", name="far_flow", version="v")
def far_flow(n: int) -> int:
    return n


@reference_launch_plan(project="p", domain="d", name="far_plan", version="v")
def far_plan(n: int) -> int:
    return n


mapped = map_task(inc)


@workflow
def calls_all(n: int) -> tuple[int, int, int, int]:
    return twice(n=n), twice_plan(n=n), inc(n=n), inner_dynamic(n=n)


@workflow
def maps(ns: list[int]) -> list[int]:
    return legacy_map_task(inc)(n=map_task(inc)(n=ns))


@workflow
def maps_itself(ns: list[int]) -> list[int]:
    return mapped(n=ns)


@workflow
def maps_plans(ns: list[int]) -> list[int]:
    return map_task(twice_plan)(n=ns)


@workflow
def chooses(n: int) -> int:
    return conditional("c").if_(n > 0).then(twice(n=n)).else_().then(inc(n=n))


@workflow
def far(n: int) -> tuple[int, int, int]:
    return far_task(n=n), far_flow(n=n), far_plan(n=n)


@workflow
def around(n: int) -> tuple[int, str]:
    return imperative(n=n), named(n=n).text


@workflow
def dynamics(n: int) -> tuple[list[int], int]:
    return many(n=n), inner_dynamic(n=n)


@workflow
def stubs(n: int) -> int:
    return inc(n=unwritten(n=n))


def hundred(n: int) -> int:
    return n * 100


ANSWERS: list[tuple[list[Any], Any, dict[str, Any], Any]] = [
    ([inc], twice, {"n": 2}, 20000),
    ([twice], twice, {"n": 2}, 200),
    ([twice], twice_plan, {"n": 2}, 200),
    ([twice], calls_all, {"n": 2}, (200, 200, 3, 300)),
    ([inc], calls_all, {"n": 2}, (20000, 20000, 200, 2000000)),
    ([twice, inc], calls_all, {"n": 2}, (200, 200, 200, 20000)),
    ([inc], maps, {"ns": [1, 2]}, [10000, 20000]),
    ([twice], maps_plans, {"ns": [1, 2]}, [100, 200]),
    ([twice], chooses, {"n": 2}, 200),
    ([inc], chooses, {"n": -2}, -200),
    ([far_task, far_flow, far_plan], far, {"n": 2}, (200, 200, 200)),
    ([far_flow], far_flow, {"n": 2}, 200),
    ([imperative], imperative, {"n": 2}, 200),
    ([inner_dynamic], calls_all, {"n": 2}, (4, 4, 3, 200)),
    ([inner_dynamic], inner_dynamic, {"n": 2}, 200),
    ([inc], inner_dynamic, {"n": 2}, 200 * 100 * 100),
    ([eagerly], eagerly, {"n": 2}, 200),
    ([eagerly], inner_eager, {"n": 2}, 200),
    ([inc_later], eagerly, {"n": 2}, 300 + 4),
    ([inc_later], inc_later, {"n": 2}, 200),
    ([twice, inc], eagerly, {"n": 2}, 201 + 200),
    ([unwritten], stubs, {"n": 2}, 201),
    ([unwritten], unwritten, {"n": 2}, 200),
]


def run_mocked(entities: list[Any], entity: Any, inputs: dict[str, Any], settings: dict[str, Any]) -> Any:
    if not entities:
        return flytenb.options(**settings).run(entity, **inputs).result
    with task_mock(entities[0]) as mock:
        mock.side_effect = hundred
        return run_mocked(entities[1:], entity, inputs, settings)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("mocked", "entity", "inputs", "expected"), ANSWERS)
def test_a_mock_answers_wherever_its_entity_is_used(
    mocked: list[Any], entity: Any, inputs: dict[str, Any], expected: Any, settings: dict[str, Any]
) -> None:
    found = run_mocked(mocked, entity, inputs, settings)
    assert (tuple(found) if isinstance(expected, tuple) else found) == expected


def test_mocks_of_lists_and_of_several_outputs() -> None:
    with task_mock(many) as lists, task_mock(named) as pairs, task_mock(mapped) as maps, task_mock(both) as tuples:
        lists.return_value = [7, 8]
        pairs.return_value = Both(5, "five")
        maps.return_value = [9]
        tuples.return_value = (1, "one")
        assert tuple(flytenb.run(dynamics, n=2).result) == ([7, 8], 5)
        assert flytenb.run(around, n=2).result[1] == "five"
        assert tuple(flytenb.run(both, n=2).result) == (1, "one")
        assert flytenb.run(maps_itself, ns=[1, 2]).result == [9]


def test_a_mock_is_gone_with_its_block() -> None:
    for entity in (twice, inc, inc_later, far_task, many, inner_dynamic, eagerly, unwritten):
        with task_mock(entity):
            pass
    assert flytenb.run(twice, n=2).result == 4
    assert flytenb.run(inc_later, n=2).result == 3
    assert flytenb.run(many, n=2).result == [1, 2]
    assert flytenb.run(eagerly, n=2).result == 8
    with pytest.raises(flytenb.errors.FlytenbError, match="has nothing to run here"):
        flytenb.run(far_task, n=2)
    with pytest.raises(StubError):
        flytenb.run(unwritten, n=2)


@patch(twice)
def patched(mock: Any) -> Any:
    mock.return_value = 77
    result = flytenb.run(calls_all, n=2).result
    mock.assert_any_call(n=2)
    return result


def test_a_patch_counts_its_calls() -> None:
    assert patched()[:2] == (77, 77)


def test_the_error_of_a_mock_is_the_node_s() -> None:
    with task_mock(twice) as mock:
        mock.side_effect = KeyError("no network in tests")
        run = flytenb.start(calls_all, n=2).wait()
    assert run.phase is Phase.FAILED
    assert run.error is not None
    assert repr(run.error.exception) == "KeyError('no network in tests')"


def test_what_a_mock_answers_must_be_of_the_declared_type() -> None:
    with task_mock(twice) as mock:
        mock.return_value = "many"
        run = flytenb.start(twice, n=2).wait()
    assert "Failed to convert outputs" in str(run.error)


def test_what_a_mock_answers_is_not_kept_in_the_cache() -> None:
    with task_mock(kept) as mock:
        mock.return_value = 1000
        run = flytenb.run(kept, n=987)
        assert (run.result, run.nodes["n0"].cache_status) == (1000, CacheStatus.DISABLED)
    assert flytenb.run(kept, n=987).result == 988
    with task_mock(kept) as mock:
        mock.return_value = 1000
        assert flytenb.run(kept, n=987).result == 1000


def test_a_mocked_workflow_is_not_one_of_the_nodes_of_its_picture() -> None:
    with task_mock(twice) as mock:
        mock.return_value = 5
        run = flytenb.run(twice, n=2)
    assert list(run.nodes) == ["twice"]
    assert "n0" in run.graph.nodes
