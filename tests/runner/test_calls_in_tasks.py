"""What a task's own code calls runs as in a pod; the oracle is flytekit's own execution of the task in a pod's mode."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import flytekit
import pytest
from diskcache import Cache as Store
from flytekit import LaunchPlan, PythonFunctionTask, dynamic, eager, map_task, reference_task, task, workflow
from flytekit.core.context_manager import ExecutionState, FlyteContextManager
from flytekit.core.legacy_map_task import map_task as legacy_map_task
from flytekit.core.local_cache import LocalTaskCache
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.extend import TaskPlugins
from flytekit.models.literals import Literal, LiteralMap, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from flytekit.testing import task_mock

import flytenb
from flytenb.model import CacheStatus
from flytenb.runner.resources import resources

pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")  # flytekit's, of each call


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_clean() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path)), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


class Pair(NamedTuple):
    left: int
    right: str


@task
def inc(n: int) -> int:
    return n + 1


@task
def add(n: int, by: int = 10) -> int:
    return n + by


@task
def nothing(n: int) -> None:
    print(n)


@task
def pair(n: int) -> Pair:
    return Pair(n, str(n))


@task
async def inc_later(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


@task
def fails(n: int) -> int:
    if n:
        raise KeyError(f"no {n}")
    return n


@workflow
def twice(n: int = 3) -> int:
    return inc(n=inc(n=n))


@workflow
def adds(n: int) -> int:
    return add(n=n)


@dynamic
def many(n: int) -> list[int]:
    return [inc(n=i) for i in range(n)]


@eager
async def eagerly(n: int) -> int:
    return inc(n=n) + await inc_later(n=n)


@reference_task(project="p", domain="d", name="far", version="v")
def far(n: int) -> int:
    return n


@task
def nested(n: int) -> int:
    return inc(n=n) + 1


@task
def passed_on(n: int) -> int:
    return inc(n=n)


class Config:
    pass


class Converting(PythonFunctionTask):
    def dispatch_execute(self, ctx: Any, input_literal_map: Any) -> Any:
        return super().dispatch_execute(ctx, input_literal_map)


TaskPlugins.register_pythontask_plugin(Config, Converting)
plan = LaunchPlan.get_or_create(twice, "twice_of_seven", fixed_inputs={"n": 7})


async def _gather() -> list[int]:
    return list(await asyncio.gather(inc_later(n=1), inc_later(n=2)))


def _in_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(inc(n=1) + 1))
    thread.start()
    thread.join()
    return found[0]


def _in_pool() -> list[int]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda n: inc(n=n) + 1, range(8)))


def _mocked() -> int:
    with task_mock(inc) as mock:
        mock.side_effect = lambda n: n * 100
        return inc(n=2) + 1


def _mocked_reference() -> int:
    with task_mock(far) as mock:
        mock.side_effect = lambda n: n * 100
        return far(n=2) + 1


CALLS: dict[str, Callable[[], Any]] = {
    "sum": lambda: inc(n=1) + 1,
    "positional": lambda: inc(1) + 1,
    "text": lambda: f"{inc(n=1)}",
    "default": lambda: add(n=1) + add(1, 2),
    "chain": lambda: inc(n=inc(n=1)),
    "nothing": lambda: nothing(n=1),
    "named tuple": lambda: pair(n=1).right * 2,
    "comparison": lambda: [n for n in range(4) if inc(n=n) > 2],
    "map": lambda: sum(map_task(inc)(n=[1, 2])),
    "map with a bound input": lambda: map_task(partial(add, by=1))(n=[1, 2]),
    "legacy map": lambda: legacy_map_task(inc)(n=[1, 2]),
    "workflow": lambda: twice(n=1) + 1,
    "workflow with a default": lambda: twice() + adds(n=1),
    "launch plan": lambda: plan() + 1,
    "dynamic": lambda: many(n=3)[1:],
    "eager": lambda: asyncio.run(eagerly(n=1)),
    "async": lambda: asyncio.run(inc_later(n=1)) + 1,
    "async, several": lambda: asyncio.run(_gather()),
    "thread": _in_thread,
    "thread pool": _in_pool,
    "mocked": _mocked,
    "mocked reference": _mocked_reference,
    "reference": lambda: far(n=1),
    "passes on what it called": lambda: passed_on(n=1) + 1,
    "computes with what it called": lambda: nested(n=1),
    "failing": lambda: fails(n=1),
    "wrong type": lambda: inc(n="one"),
    "unknown input": lambda: inc(m=1),
    "context": lambda: flytekit.current_context().execution_id is not None,
}


@task
def calls(which: str) -> str:
    return repr(CALLS[which]())


@task
async def calls_later(which: str) -> str:
    return await asyncio.to_thread(lambda: repr(CALLS[which]()))


@cache
def in_a_pod(which: str) -> str:
    """What a pod answers, or the name of the error that it ends with."""
    context = FlyteContextManager.current_context()
    state = context.new_execution_state().with_params(mode=ExecutionState.Mode.TASK_EXECUTION)
    given = LiteralMap({"which": flytekit.core.type_engine.TypeEngine.to_literal(context, which, str, None)})
    with FlyteContextManager.with_context(context.with_execution_state(state)) as inner:
        try:
            text: str = calls.dispatch_execute(inner, given).literals["o0"].scalar.primitive.string_value
        except Exception as e:
            return type(e.__cause__).__name__
    return text


def here(entity: Any, which: str, settings: dict[str, Any]) -> str:
    run = flytenb.options(**settings).start(entity, which=which).wait()
    return type(run.error.exception).__name__ if run.error else run.result


SETTINGS = [{}, {"strict": True}, {"workers": 1}, pytest.param({"processes": True}, marks=pytest.mark.slow)]


@pytest.mark.sampled(7)
@pytest.mark.usefixtures("no_pip_in_decks")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("which", list(CALLS))
def test_a_call_in_a_task_answers_as_in_a_pod(which: str, settings: dict[str, Any]) -> None:
    assert here(calls, which, settings) == in_a_pod(which)


def test_what_a_pod_answers_is_a_plain_function_s() -> None:
    assert [in_a_pod(which) for which in ("sum", "text", "map", "dynamic", "named tuple")] == [
        "3", "'2'", "5", "[2, 3]", "'11'",
    ]  # fmt: skip


@pytest.mark.parametrize("which", ["sum", "map", "workflow", "nothing"])
def test_a_call_in_an_async_task_answers_as_in_a_pod(which: str) -> None:
    assert here(calls_later, which, {}) == in_a_pod(which)


ran: list[str] = []


@task(cache=True, cache_version="called in a task")
def kept(n: int) -> int:
    ran.append("kept")
    return n


@task(cache=True, cache_version="called in a task, too")
def keeps(n: int) -> int:
    ran.append("keeps")
    return kept(n=n)


@task
def calls_kept(n: int) -> int:
    return kept(n=n) + keeps(n=n) + asyncio.run(asyncio.to_thread(lambda: kept(n=n)))


@task(cache=True, cache_version="in a plugin", task_config=Config())
def plugin(n: int) -> int:
    ran.append("plugin")
    return n


@pytest.mark.parametrize("settings", [{}, {"strict": True}, {"workers": 1}], ids=str)
def test_what_a_task_calls_is_not_answered_by_flytekit_s_cache(settings: dict[str, Any]) -> None:
    for _ in range(2):
        ran.clear()
        assert flytenb.options(**settings).run(calls_kept, n=1).result == 3
        assert ran == ["kept", "keeps", "kept", "kept"]


def test_a_plugin_is_answered_by_the_cache_of_runs_alone() -> None:
    ran.clear()
    for _ in range(2):
        assert flytenb.options(cache=False).run(plugin, n=1).result == 1
    assert ran == ["plugin", "plugin"]
    for _ in range(2):
        assert flytenb.run(plugin, n=1).result == 1
    assert ran.count("plugin") <= 3


@task
def secret() -> str:
    return str(flytekit.current_context().secrets.get("group", "key")) + str(inc(n=1))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_secrets_are_looked_up_as_in_a_local_run(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUP_KEY", "hidden")
    if settings.get("processes"):
        resources.processes.close()  # a process keeps the environment it started with
    assert flytenb.options(**settings).run(secret).result == "hidden2"


# --- what runs around a task's function -------------------------------------------------------------------------------


class Rows(list[int]):
    """A type whose values can be read only in a session, like frames of Spark."""


class RowsTransformer(TypeTransformer[Rows]):
    def __init__(self) -> None:
        super().__init__("rows", Rows)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: Any, python_val: Rows, python_type: Any, expected: Any) -> Literal:
        assert ctx.user_space_params.session == "open"
        return Literal(scalar=Scalar(primitive=Primitive(string_value=",".join(map(str, python_val)))))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Rows:
        assert ctx.user_space_params.session == "open"
        return Rows(map(int, lv.scalar.primitive.string_value.split(",")))


TypeEngine.register(RowsTransformer())


@dataclass
class Session:
    """Configuration of tasks that run in a session."""


opened: list[str] = []


class SessionTask(PythonFunctionTask[Session]):
    def __init__(self, task_config: Session, task_function: Any, **options: Any) -> None:
        super().__init__(task_config, task_function, task_type="session", **options)

    def pre_execute(self, user_params: Any) -> Any:
        opened.append(str(self.name).rpartition(".")[2])
        return user_params.builder().add_attr("SESSION", "open").build()


TaskPlugins.register_pythontask_plugin(Session, SessionTask)


@task(task_config=Session())
def count_to(n: int) -> Rows:
    return Rows(range(n))


@task(task_config=Session())
def sum_of(rows: Rows) -> int:
    return sum(rows)


@task(task_config=Session(), cache=True, cache_version="1")
def sum_once(rows: Rows) -> int:
    return sum(rows)


@task(task_config=Session(), cache=True, cache_version="1")
def double_once(n: int) -> int:
    return 2 * n


@workflow
def summed(n: int) -> int:
    return sum_of(rows=count_to(n=n))


@workflow
def summed_once(n: int) -> int:
    return double_once(n=sum_once(rows=count_to(n=n)))


@pytest.mark.parametrize("settings", [{}, {"strict": True}], ids=str)
def test_inputs_are_converted_with_what_pre_execute_has_set_up(settings: dict[str, Any]) -> None:
    assert flytenb.options(**settings).run(summed, n=4).result == summed(n=4) == 6


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("settings", [{}, {"strict": True}], ids=str)
def test_a_hit_prepares_only_what_its_key_needs(settings: dict[str, Any]) -> None:
    opened.clear()
    assert flytenb.options(**settings).run(summed_once, n=4).result == 12
    assert opened == ["count_to", "sum_once", "double_once"]
    opened.clear()
    again = flytenb.options(**settings).run(summed_once, n=4)
    assert [again.nodes[path].cache_status for path in ("n1", "n2")] == [CacheStatus.HIT, CacheStatus.HIT]
    assert (again.result, opened) == (12, ["count_to", "sum_once"])
