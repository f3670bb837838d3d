"""Whatever a task does, the run ends true, the next one works and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import flytekit
import pytest
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import PythonFunctionTask, WorkflowFailurePolicy, dynamic, eager, map_task, task, workflow
from flytekit.core.context_manager import FlyteContextManager, FlyteEntities
from flytekit.core.node_creation import create_node
from flytekit.core.task import TaskPlugins
from flytekit.extend import TypeEngine, TypeTransformer
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
)
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.errors import InputError, RunCancelledError, TravelError, WorkerLostError
from flytenb.model import Phase
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from tests.waiting import PATIENCE, are_workers_idle, is_executed, wait_for

calls: list[Any] = []
go_on = threading.Event()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calls.clear()
    go_on.clear()
    yield
    go_on.set()


def start(entity: Any, settings: Settings | None = None, /, **inputs: Any) -> Run:
    return Run(entity, inputs, settings or Settings())._begin()


def run(entity: Any, settings: Settings | None = None, /, **inputs: Any) -> Run:
    return start(entity, settings, **inputs).wait(PATIENCE)


# --- tasks that misbehave --------------------------------------------------------------------------------------------


class Odd(BaseException):
    pass


@task
def misbehaves(how: str) -> int:
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "odd":
        raise Odd("odd")
    if how == "recursion":
        return misbehaves.task_function(how=how)
    if how == "wrong type":
        return "text"  # type: ignore[return-value]
    if how == "too many":
        return 1, 2  # type: ignore[return-value]
    if how == "too large":
        return 2**70
    return 1


@workflow
def misbehaving(how: str) -> int:
    return misbehaves(how=how)


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("exit", SystemExit),
        ("interrupt", KeyboardInterrupt),
        ("odd", Odd),
        ("recursion", RecursionError),
        ("wrong type", Exception),
        ("too many", TypeError),
        ("too large", Exception),
    ],
)
@pytest.mark.parametrize("processes", [False, True], ids=["threads", "processes"])
def test_a_task_that_misbehaves_fails_its_node_and_the_next_run_works(
    how: str, kind: type[BaseException], processes: bool
) -> None:
    settings = Settings(processes=processes)
    done = run(misbehaving, settings, how=how)
    assert (done.phase, done.nodes["n0"].phase) == (Phase.FAILED, Phase.FAILED)
    assert done.error is not None
    assert isinstance(done.error.exception, kind)
    assert run(misbehaving, settings, how="not at all").result == 1


@task
def prints_much(times: int) -> int:
    for _ in range(times):
        print("x" * 10_000)
    return times


@pytest.mark.parametrize("processes", [False, True], ids=["threads", "processes"])
def test_a_task_that_prints_without_end_fills_no_memory(processes: bool) -> None:
    done = run(prints_much, Settings(processes=processes), times=2_000)
    assert done.phase is Phase.SUCCEEDED
    log = done.nodes["n0"].log
    assert 1_000_000 <= len(log) < 1_100_000
    assert "dropped" in log


def test_what_a_node_prints_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    done = run(prints_much, times=1)
    assert done.nodes["n0"].log == "x" * 10_000 + "\n"
    print("mine")
    assert capsys.readouterr().out == "mine\n"


@eager
async def prints_elsewhere(x: int) -> int:
    await asyncio.to_thread(print, "on another thread")
    return x


def test_what_an_eager_task_prints_by_another_thread_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(prints_elsewhere, x=1).nodes["n0"].log == "on another thread\n"
    assert capsys.readouterr().out == ""


class Chatty(threading.Thread):
    def run(self) -> None:
        print("a thread of its own class")


@task
def prints_in_threads(x: int) -> int:
    chatty, timer = Chatty(), threading.Timer(0, print, ("a timer",))
    for thread in (chatty, timer):
        thread.start()
        thread.join()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print, "a pool").result()
    print("the task")
    return x


def test_what_threads_of_a_task_print_is_the_tasks_and_nobody_elses_is(capsys: pytest.CaptureFixture[str]) -> None:
    wait_for(are_workers_idle)  # a thread of an earlier run keeps the way to start threads replaced
    plain = threading.Thread.start
    going = start(waits_in_thread, x=1)
    done = run(prints_in_threads, x=1)
    others = threading.Thread(target=print, args=("outside of nodes",))
    others.start()
    others.join()
    assert done.nodes["n0"].log == "a thread of its own class\na timer\na pool\nthe task\n"
    assert capsys.readouterr().out == "outside of nodes\n"
    go_on.set()
    going.wait(PATIENCE)
    wait_for(lambda: threading.Thread.start is plain)


def test_a_way_to_start_threads_that_somebody_puts_in_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for(are_workers_idle)
    plain = threading.Thread.start
    going = start(waits_in_thread, x=1)

    def theirs(thread: threading.Thread) -> None:
        plain(thread)

    monkeypatch.setattr(threading.Thread, "start", theirs)
    go_on.set()
    going.wait(PATIENCE)
    wait_for(are_workers_idle)
    assert threading.Thread.start is theirs
    assert run(waits_in_thread, x=1).phase is Phase.SUCCEEDED
    wait_for(are_workers_idle)
    assert threading.Thread.start is theirs


@task
def waits_in_thread(x: int) -> int:
    waiting = threading.Thread(target=go_on.wait, args=(PATIENCE,))
    waiting.start()
    waiting.join()
    return x


@task
def prints_and_tells(times: int) -> int:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = "x" * 1_000_000
    for _ in range(times):
        print(text)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def test_a_process_keeps_of_what_its_task_prints_as_much_as_its_node() -> None:
    kilobytes = run(prints_and_tells, Settings(processes=True), times=200).result
    assert kilobytes < 50_000


@task
def dies(x: int) -> int:
    os._exit(9)
    return x


@task
def forks(x: int) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return x


@pytest.mark.slow
def test_a_process_that_dies_is_told_and_replaced() -> None:
    settings = Settings(processes=True)
    done = run(dies, settings, x=1)
    assert done.error is not None
    assert isinstance(done.error.exception, WorkerLostError)
    assert "'dies'" in str(done.error.exception)
    assert run(misbehaving, settings, how="no").result == 1


def test_a_task_that_forks_runs() -> None:
    assert run(forks, Settings(processes=True), x=1).result == 1


lock = threading.Lock()


@task
def holds_a_lock(x: int) -> int:
    with lock:
        return x


def test_what_can_t_travel_to_a_process_is_named() -> None:
    done = run(holds_a_lock, Settings(processes=True), x=1)
    assert done.error is not None
    assert isinstance(done.error.exception, TravelError)
    assert "'holds_a_lock'" in str(done.error.exception)


class Stone:
    def __init__(self, weight: int) -> None:
        self.weight = weight


class StoneTransformer(TypeTransformer[Stone]):
    def __init__(self) -> None:
        super().__init__("Stone", Stone)

    def get_literal_type(self, t: type[Stone]) -> LiteralType:
        return LiteralType(simple=SimpleType.INTEGER)

    def to_literal(self, ctx: Any, value: Stone, python_type: Any, expected: Any) -> Literal:
        if value.weight < 0:
            raise RuntimeError("a stone has weight")
        return Literal(scalar=Scalar(primitive=Primitive(integer=value.weight)))

    def to_python_value(self, ctx: Any, literal: Literal, expected: Any) -> Stone:
        if literal.scalar.primitive.integer > 100:
            raise RuntimeError("too heavy")
        return Stone(literal.scalar.primitive.integer)


TypeEngine.register(StoneTransformer())


@task
def quarry(weight: int) -> Stone:
    return Stone(weight)


@task
def lift(stone: Stone) -> int:
    return stone.weight


@workflow
def stones(weight: int) -> int:
    return lift(stone=quarry(weight=weight))


@pytest.mark.parametrize(("weight", "node", "words"), [(-1, "n0", "has weight"), (101, "n1", "too heavy")])
def test_a_transformer_that_raises_fails_the_node_where_it_does(weight: int, node: str, words: str) -> None:
    done = run(stones, weight=weight)
    assert done.error is not None
    assert (done.error.path, words in str(done.error.exception)) == (node, True)
    assert run(stones, weight=5).result == 5


# --- bad input -------------------------------------------------------------------------------------------------------


@task
def takes(a: int, b: str, c: float = 1.0) -> int:
    return a


def test_every_bad_input_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Run(takes, {"d": 1, "bb": 2}, Settings())
    for word in ("unexpected input 'd'", "unexpected input 'bb'", "missing input 'a' (int)", "missing input 'b' (str)"):
        assert word in str(caught.value)
    assert "did you mean 'b'?" in caught.value.hint
    with pytest.raises(InputError) as caught:
        Run(takes, {"a": "one", "b": 2}, Settings())
    assert "expected int for input 'a', got 'one'" in str(caught.value)
    assert "expected str for input 'b', got 2" in str(caught.value)


# --- cancelling ------------------------------------------------------------------------------------------------------


@task
def spins(x: int) -> int:
    calls.append("began")
    while not go_on.is_set():
        pass
    calls.append("went on")
    return x


@workflow
def spinning(x: int) -> int:
    return spins(x=spins(x=x))


@workflow
def spinning_map(xs: list[int]) -> list[int]:
    return map_task(spins)(x=xs)


@dynamic
def spinning_dynamic(x: int) -> int:
    return spins(x=x)


@eager
async def spinning_eager(x: int) -> int:
    return spins(x=x)


@pytest.mark.parametrize(
    ("entity", "inputs"),
    [
        (spinning, {"x": 1}),
        (spinning_map, {"xs": [1, 2]}),
        (spinning_dynamic, {"x": 1}),
        (spinning_eager, {"x": 1}),
        (spins, {"x": 1}),
    ],
    ids=lambda value: getattr(value, "name", "").rpartition(".")[2],
)
def test_a_cancelled_run_is_over_at_once_and_its_tasks_are_asked_to_stop(entity: Any, inputs: dict[str, Any]) -> None:
    started = start(entity, **inputs)
    wait_for(lambda: calls)
    assert started.cancel().phase is Phase.ABORTED
    assert {n.phase for n in started.nodes.values()} <= {Phase.ABORTED, Phase.SUCCEEDED}
    with pytest.raises(RunCancelledError):
        _ = started.result
    wait_for(lambda: not is_executed(spins.task_function))  # only a request ends its loop
    assert "went on" not in calls
    assert run(misbehaving, how="no").result == 1


@task
def quick(x: int) -> int:
    return x


@task
def noted(x: int) -> int:
    calls.append("noted")
    return x


@task(timeout=timedelta(milliseconds=50))
def sleeps_in_c(x: int) -> int:
    calls.append("began")
    go_on.wait(PATIENCE)
    return x


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def loses_its_only_worker(x: int) -> tuple[int, int]:
    return sleeps_in_c(x=x), noted(x=x)


@workflow
def has_one_in_the_queue(x: int) -> tuple[int, int]:
    first = quick(x=x)
    return noted(x=x), spins(x=first)


def test_another_worker_goes_on_for_one_that_is_lost_to_a_task() -> None:
    started = start(loses_its_only_worker, Settings(workers=1), x=1)
    assert started.wait(PATIENCE).phase is Phase.FAILED
    assert [started.nodes[path].phase for path in ("n0", "n1")] == [Phase.TIMED_OUT, Phase.SUCCEEDED]
    go_on.set()


def test_what_waited_for_its_turn_never_begins_once_its_run_is_cancelled() -> None:
    started = start(has_one_in_the_queue, Settings(workers=1), x=1)
    wait_for(lambda: "began" in calls)
    assert started.cancel().phase is Phase.ABORTED
    wait_for(lambda: not is_executed(spins.task_function))
    wait_for(are_workers_idle)
    assert calls == ["began"]


@task
async def awaits(x: int) -> int:
    calls.append("began")
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0)
        calls.append("cleaned up")
    return x


@eager
async def awaits_eagerly(x: int) -> int:
    return await awaits.task_function(x)


@workflow
def awaits_too_long(x: int) -> int:
    return create_node(awaits, x=x).with_overrides(timeout=timedelta(hours=1)).o0


@pytest.mark.parametrize("entity", [awaits, awaits_eagerly, awaits_too_long], ids=["task", "eager", "too long"])
def test_a_coroutine_is_woken_from_what_it_awaits_and_cleans_up(
    entity: Any, an_hour_passes: Callable[[], None]
) -> None:
    started = start(entity, x=1)
    wait_for(lambda: calls)
    if entity is awaits_too_long:
        an_hour_passes()
    else:
        started.cancel()
    wait_for(lambda: "cleaned up" in calls)
    assert started.wait(PATIENCE).phase is (Phase.FAILED if entity is awaits_too_long else Phase.ABORTED)


@task
def writes(x: int) -> FlyteFile:
    path = Path(flytekit.current_context().working_directory) / "out"
    path.write_text("text")
    return FlyteFile(str(path))


def test_a_disk_without_room_for_a_working_directory_fails_the_node_that_needs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", full)
        done = run(writes, x=1)
        assert run(misbehaving, how="no").result == 1
    assert (done.phase, done.nodes["n0"].phase) == (Phase.FAILED, Phase.FAILED)
    assert "No space left" in str(done.error)
    assert run(writes, x=1).phase is Phase.SUCCEEDED


def test_cancelling_twice_or_too_late_does_nothing() -> None:
    done = run(misbehaving, how="no")
    assert done.cancel().phase is Phase.SUCCEEDED


@task
def marks(path: str) -> int:
    Path(path).write_text("began")
    while True:
        time.sleep(0.01)
    return 1


@pytest.mark.slow
def test_a_cancelled_process_is_really_ended(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    started = start(marks, Settings(processes=True), path=str(mark))
    wait_for(mark.exists)
    assert started.cancel().phase is Phase.ABORTED
    assert run(misbehaving, Settings(processes=True), how="no").result == 1


@dataclass
class JobMeta(ResourceMeta):
    number: int


class SlowConnector(AsyncConnectorBase):
    name = "Slow"

    def __init__(self) -> None:
        super().__init__(task_type_name="slow_job", metadata_type=JobMeta)

    async def create(self, task_template: Any, output_prefix: str, inputs: Any = None, **kwargs: Any) -> JobMeta:
        calls.append("create")
        return JobMeta(len(calls))

    async def get(self, resource_meta: JobMeta, **kwargs: Any) -> Resource:
        if go_on.is_set():
            return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": 7}, message="done")
        return Resource(phase=TaskExecution.RUNNING, message="working")

    async def delete(self, resource_meta: JobMeta, **kwargs: Any) -> None:
        calls.append("delete")


ConnectorRegistry.register(SlowConnector())


@dataclass
class SlowConfig:
    size: int = 1


class SlowTask(AsyncConnectorExecutorMixin, PythonFunctionTask[SlowConfig]):
    def __init__(self, task_config: SlowConfig, task_function: Any, **kwargs: Any) -> None:
        super().__init__(task_config=task_config, task_function=task_function, task_type="slow_job", **kwargs)


TaskPlugins.register_pythontask_plugin(SlowConfig, SlowTask)


@task(task_config=SlowConfig())
def slow_job() -> int:
    return 0


@task(task_config=SlowConfig(), timeout=timedelta(hours=1))
def late_job() -> int:
    return 0


@workflow
def jobs() -> list[int]:
    return [slow_job() for _ in range(4)]


def test_several_connector_jobs_are_waited_for_at_the_same_time_without_a_worker() -> None:
    started = start(jobs, Settings(workers=1))
    wait_for(lambda: calls.count("create") == 4)
    go_on.set()
    done = started.wait(PATIENCE)
    assert (done.phase, done.result) == (Phase.SUCCEEDED, [7, 7, 7, 7])
    assert "working" in done.nodes["n0"].log
    assert "delete" not in calls


def test_a_cancelled_job_is_deleted() -> None:
    started = start(jobs)
    wait_for(lambda: calls.count("create") == 4)
    assert started.cancel().phase is Phase.ABORTED
    wait_for(lambda: calls.count("delete") == 4)


def test_a_late_job_is_timed_out_and_deleted(an_hour_passes: Callable[[], None]) -> None:
    started = start(late_job)
    wait_for(lambda: "create" in calls)
    an_hour_passes()
    done = started.wait(PATIENCE)
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    wait_for(lambda: "delete" in calls)


# --- in parallel -----------------------------------------------------------------------------------------------------

barrier = threading.Barrier(3, timeout=PATIENCE)


@task
def meets(x: int) -> str:
    barrier.wait()
    return threading.current_thread().name


@workflow
def meeting() -> list[str]:
    return [meets(x=i) for i in range(3)]


def test_independent_nodes_run_at_the_same_time_on_named_threads() -> None:
    done = run(meeting)
    assert done.phase is Phase.SUCCEEDED
    assert len(set(done.result)) == 3
    assert all(name.startswith("flytenb-") for name in done.result)


@task
def whose(x: str) -> str:
    return f"{x} {threading.current_thread().name}"


@workflow
def one_after_the_other() -> str:
    x = whose(x="")
    for _ in range(5):
        x = whose(x=x)
    return x


def test_a_chain_goes_on_on_one_thread() -> None:
    assert len(set(run(one_after_the_other).result.split())) == 1


@eager
async def asks_three(x: int) -> list[str]:
    return list(await asyncio.gather(*[meets_async(x=i) for i in range(3)]))


@task
async def meets_async(x: int) -> str:
    barrier.wait()
    return "met"


def test_what_an_eager_task_awaits_together_runs_together() -> None:
    done = run(asks_three, x=1)
    assert done.result == ["met"] * 3
    assert {path for path in done.nodes if "/" in path} == {"n0/e0", "n0/e1", "n0/e2"}


# --- what is left behind ---------------------------------------------------------------------------------------------


@task
def uses_directories(x: int) -> str:
    here = flytekit.current_context().working_directory
    Path(here, "note").write_text("note")
    flytekit.current_context().checkpoint.write(b"state")
    return str(here)


@workflow
def leaves_nothing(x: int) -> str:
    uses_directories(x=x)
    return uses_directories(x=x)


def test_a_node_has_a_directory_of_its_own_and_it_is_gone_afterwards() -> None:
    wait_for(are_workers_idle)
    before = set(Path(tempfile.gettempdir()).iterdir())
    done = run(leaves_nothing, x=1)
    assert done.phase is Phase.SUCCEEDED, done.error
    assert done.nodes["n0"].outputs != done.nodes["n1"].outputs
    assert not Path(done.result).exists()
    assert {p for p in set(Path(tempfile.gettempdir()).iterdir()) - before if p.name.startswith("flytenb-run")} == set()


@workflow
def small(x: int) -> int:
    a = misbehaves(how="no")
    return takes(a=takes(a=a, b="b"), b="c")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_runs_leave_no_thread_no_entity_no_context_and_no_file() -> None:
    run(small, x=1)
    run(as_spawned, x=1)
    wait_for(are_workers_idle)
    before = (len(FlyteEntities.entities), FlyteContextManager.size())
    threads = set(threading.enumerate())
    files = open_files()
    for _ in range(100):
        assert run(small, x=1).phase is Phase.SUCCEEDED
        assert run(as_spawned, x=1).phase is Phase.SUCCEEDED
    wait_for(are_workers_idle)
    gc.collect()
    # flytekit keeps one loop, with three handles, for each thread that has compiled, and each thread of the pool one of
    # its own from its first conversion on; which of them do is chance.
    loops = {thread.name for thread in set(threading.enumerate()) - threads}
    assert loops <= {f"{thread.name} : loop-runner" for thread in threads}
    assert (len(FlyteEntities.entities), FlyteContextManager.size()) == before
    pool = [thread for thread in threads if re.fullmatch(r"flytenb-\d+", thread.name)]
    assert 3 * len(pool) < 100, "a file for each run would not be noticed"
    assert open_files() <= files + 3 * (len(loops) + len(pool)) + 1


@dynamic
def as_spawned(x: int) -> int:
    return takes(a=x, b="b")


@pytest.mark.slow
def test_ten_thousand_runs_in_one_process_are_flat() -> None:
    """Memory after the second half is what it was after the first, within what an allocator keeps back."""

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(5_000):
        run(small, x=1)
    half = resident()
    for _ in range(5_000):
        run(small, x=1)
    assert resident() - half < 20e6


# --- isolation -------------------------------------------------------------------------------------------------------

kept: list[list[int]] = []


@task
def makes(n: int) -> list[int]:
    made = list(range(n))
    kept.append(made)
    return made


@task
def spoils(xs: list[int]) -> list[int]:
    kept[-1].append(99)
    xs.clear()
    return xs


@task
def reads(xs: list[int], after: list[int]) -> list[int]:
    return xs


@workflow
def spoiling(n: int) -> list[int]:
    made = makes(n=n)
    return reads(xs=made, after=spoils(xs=made))


@pytest.mark.parametrize("strict", [False, True])
def test_nobody_spoils_what_others_were_given(strict: bool) -> None:
    done = run(spoiling, Settings(strict=strict), n=3)
    assert done.result == [0, 1, 2]
    assert done.nodes["n0"].outputs == {"o0": [0, 1, 2]}
    done.nodes["n0"].outputs["o0"].clear()
    done.result.clear()
    assert done.result == [0, 1, 2]


# --- the handle ------------------------------------------------------------------------------------------------------


def test_a_run_can_be_awaited() -> None:
    async def both() -> list[int]:
        first, second = start(misbehaving, how="no"), start(small, x=1)
        return [(await first).result, (await second).result]

    assert asyncio.run(both()) == [1, 1]


def test_waiting_may_end_before_the_run() -> None:
    started = start(spins, x=1)
    assert started.wait(0.05).phase is Phase.RUNNING
    go_on.set()
    assert started.wait(PATIENCE).phase is Phase.SUCCEEDED


def test_a_listener_that_raises_is_told_no_more_and_the_run_goes_on() -> None:
    heard: list[str] = []

    def broken(event: Any) -> None:
        raise RuntimeError("not listening")

    with pytest.warns(UserWarning, match="not listening"):
        made = Run(misbehaving, {"how": "no"}, Settings(), [broken, lambda event: heard.append(event.kind)])
        done = made._begin().wait(PATIENCE)
        wait_for(lambda: len(heard) == len(done.events))
        wait_for(are_workers_idle)  # which has delivered the warning too
    assert done.phase is Phase.SUCCEEDED
    assert len(heard) == len(done.events)


def test_an_unknown_node_is_named_with_the_closest() -> None:
    done = run(small, x=1)
    assert done.nodes["misbehaves"].path == "n0"
    with pytest.raises(LookupError, match="no node 'misbehavs' in the run of 'small'"):
        _ = done.nodes["misbehavs"]
    with pytest.raises(LookupError, match="takes") as caught:
        _ = done.nodes["takes"]
    assert "'n1', 'n2'" in str(caught.value)


@task
def writes_a_file(text: str) -> FlyteFile:
    path = Path(flytekit.current_context().working_directory) / "same-name.txt"
    path.write_text(text)
    return FlyteFile(str(path))


@task
def writes_a_directory(text: str) -> FlyteDirectory:
    path = Path(flytekit.current_context().working_directory) / "made"
    path.mkdir()
    (path / "inner.txt").write_text(text)
    return FlyteDirectory(str(path))


@task
def writes_in_place(path: str, text: str) -> FlyteFile:
    Path(path).write_text(text)
    return FlyteFile(path)


@workflow
def files(path: str) -> tuple[FlyteFile, FlyteDirectory, FlyteFile, FlyteFile]:
    first = writes_in_place(path=path, text="first")
    second = writes_in_place(path=path, text="second")
    return writes_a_file(text="here"), writes_a_directory(text="inside"), first, second


def test_files_outlive_the_directories_in_which_they_were_made_and_whatever_is_written_there_later(
    tmp_path: Path,
) -> None:
    done = run(files, Settings(workers=1), path=str(tmp_path / "shared"))
    assert done.error is None, done.error.full()
    file, directory, first, second = done.result
    assert Path(str(file)).read_text() == "here"
    assert (Path(str(directory)) / "inner.txt").read_text() == "inside"
    assert (Path(str(first)).read_text(), Path(str(second)).read_text()) == ("first", "second")
