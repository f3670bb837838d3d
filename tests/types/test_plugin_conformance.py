"""The checks of task plugins: good ones pass them all, and each way to be wrong fails its own rows."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flytekit import ImageSpec, PythonFunctionTask, Resources, current_context, dynamic, kwtypes, task, workflow
from flytekit.configuration import SerializationSettings
from flytekit.core.base_sql_task import SQLTask
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonInstanceTask
from flytekit.extend import TaskPlugins
from flytekit.extend.backend.base_connector import AsyncConnectorExecutorMixin
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.models.task import K8sPod, Sql
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.bridge.execution import pod
from flytenb.bridge.execution.pod import PodResult
from flytenb.display.conformance_card import Conformance
from flytenb.errors import UsageError
from flytenb.runner.resources import resources
from flytenb.types.conformance import time_limit
from flytenb.types.samples import NoSampleError
from tests.flows import plugin_prebuilt, sql
from tests.flows.plugin_user import share


@dataclass
class Times:
    """Configuration of the plugin: how many times a text is repeated."""

    times: int = 2


class TimesTask(PythonFunctionTask[Times]):
    """Repeats what its function returns, with a hook on either side."""

    def __init__(self, task_config: Times, task_function: Any, **kwargs: Any) -> None:
        kwargs = {"task_type": "times", **kwargs}
        super().__init__(task_config=task_config, task_function=task_function, **kwargs)

    def pre_execute(self, user_params: Any) -> Any:
        return user_params.builder().add_attr("MARK", "!").build()

    def execute(self, **kwargs: Any) -> Any:
        return super().execute(**kwargs) * self.task_config.times

    def post_execute(self, user_params: Any, rval: Any) -> Any:
        return rval + "?"

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return {"times": self.task_config.times}


TaskPlugins.register_pythontask_plugin(Times, TimesTask)


@task(task_config=Times(3), requests=Resources(cpu="1"), environment={"GREETING": "hello"})
def greet(name: str, last: str = "") -> str:
    return f"{os.environ.get('GREETING', 'hello')} {name}{last}{current_context().mark} "


class Count(PythonInstanceTask[None]):
    """A task without a function."""

    def __init__(self, name: str, amount: int = 1, **kwargs: Any) -> None:
        interface = Interface(kwtypes(text=str), kwtypes(size=int))
        super().__init__(**{"task_type": "count", **kwargs}, name=name, task_config=None, interface=interface)
        self.amount = amount

    def execute(self, **kwargs: Any) -> Any:
        return len(kwargs["text"]) + self.amount


count = Count("count", 5)
words = ShellTask(
    name="words",
    script="printf '%s' {inputs.text} | wc -c > {outputs.counted}",
    inputs=kwtypes(text=str),
    output_locs=[OutputLocation(var="counted", var_type=FlyteFile, location="{ctx.working_directory}/count.txt")],
)


class Query(SQLTask[None]):
    """A query that SQLite answers here."""

    execute = sql.MemoryQuery.execute

    def get_sql(self, settings: SerializationSettings) -> Sql:
        return Sql(statement=self.query_template, dialect=Sql.Dialect.ANSI)


rows = Query(
    "rows", sql.numbers.query_template, inputs=kwtypes(limit=int), outputs=kwtypes(rows=list[int]), task_type="q"
)


@dynamic
def grows(x: int) -> str:
    return greet(name="a")


@task(container_image=ImageSpec(name="own", registry="localhost:1"))
def with_image(x: int) -> int:
    return x


def failed(result: Conformance) -> list[str]:
    return [row.name for row in result.failed]


def skipped(result: Conformance) -> list[str]:
    return [row.name for row in result.rows if not row.is_checked]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("good", "inputs"),
    [
        (greet, {"name": "Bo", "last": "."}),
        (greet, None),
        (count, {"text": "abc"}),
        (words, None),
        (share, {"total": 9}),
    ],
    ids=["function", "made inputs", "instance", "shell", "another module"],
)
def test_a_good_plugin_passes_every_check_in_a_pod_too(good: Any, inputs: Any) -> None:
    result = flytenb.check_plugin(good, inputs)
    assert result.ok, result
    assert skipped(result) == []
    assert len(result.rows) == 10


@pytest.mark.slow
def test_a_pre_built_container_is_given_the_template_of_its_task() -> None:
    result = flytenb.check_plugin(plugin_prebuilt.greet, {"name": "Bo"})
    assert result.ok, result
    assert skipped(result) == ["is loaded again"]


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (rows, ["is loaded again", "its pod runs"]),
        (grows, ["hooks in order", "its pod runs"]),
        (with_image, ["serialises", "container, pod or query", "custom and config are plain", "is loaded again",
                      "its pod runs"]),
    ],
    ids=["a query", "a dynamic", "an image that is built"],
)  # fmt: skip
def test_what_can_not_be_checked_is_said_and_is_no_failure(found: Any, left: list[str]) -> None:
    result = flytenb.check_plugin(found)
    assert result.ok, result
    assert skipped(result) == left
    assert f"{len(left)} couldn't be done" in repr(result)
    assert "not checked: " in repr(result)


# --- each fault -------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pods give the outputs of the call here, for faults that show before a pod runs."""
    natives = pod.natives

    def answer(task: Any, template: Any, inputs: Any, folder: Path, seconds: float) -> PodResult:
        return PodResult(natives(task, pod.call_as_pod(task, inputs)))

    monkeypatch.setattr(pod, "run_pod", answer)


class Unequal:
    """A configuration that forgets part of itself in a pickle."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __getstate__(self) -> dict[str, Any]:
        return {"times": 0}


class Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()


class OfUnequal(TimesTask):
    pass


for _config in (Unequal, Locked):
    TaskPlugins.register_pythontask_plugin(_config, OfUnequal)


class Unregistered(TimesTask):
    pass


class Failing(Count):
    def execute(self, **kwargs: Any) -> Any:
        raise RuntimeError("no such table")


class Mistyped(Count):
    def execute(self, **kwargs: Any) -> Any:
        return "three"


class NoParameters(Count):
    def pre_execute(self, user_params: Any) -> Any:
        print("set up")


class NoResult(Count):
    def post_execute(self, user_params: Any, rval: Any) -> Any:
        if rval < 0:
            return rval
        return None


class Unhooked(Count):
    def dispatch_execute(self, ctx: Any, input_literal_map: Any) -> Any:
        from flytekit.core.type_engine import TypeEngine

        size = self.execute(text=input_literal_map.literals["text"].scalar.primitive.string_value)
        return TypeEngine.dict_to_literal_map(ctx, {"size": size})


class Random(Count):
    answers = itertools.count()

    def execute(self, **kwargs: Any) -> Any:
        return next(self.answers)


class Restless(Count):
    numbers = itertools.count()

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"number": next(self.numbers)}


class Refusing(Count):
    def get_custom(self, settings: Any) -> dict[str, Any]:
        raise KeyError("account")


class Unencodable(Count):
    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"times": float("nan")}


class Seeded(Count):
    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"seed": 2**53 + 1}


class Imageless(Count):
    def get_image(self, settings: Any) -> str:
        return ""


class Podded(Count):
    def get_container(self, settings: Any) -> None:
        return None

    def get_k8s_pod(self, settings: Any) -> K8sPod:
        return K8sPod(pod_spec={"containers": [{"name": "main", "image": "project/image:v1"}]})

    def get_config(self, settings: Any) -> dict[str, str]:
        return {"primary_container_name": self.name}


class Silent(SQLTask[None]):
    execute = sql.MemoryQuery.execute


def changed(name: str) -> str:
    return name


def refused(name: str) -> str:
    return name


def unregistered(name: str) -> str:
    return name


changed = OfUnequal(Unequal(2), changed)  # type: ignore[assignment]
refused = OfUnequal(Locked(), refused)  # type: ignore[assignment]
unregistered = Unregistered(Times(), unregistered)  # type: ignore[assignment]


remote_state = {"is here": False}


class Stateful(Count):
    def execute(self, **kwargs: Any) -> Any:
        return 1 if remote_state["is here"] else 2


class Homesick(Count):
    def execute(self, **kwargs: Any) -> Any:
        if not remote_state["is here"]:
            raise FileNotFoundError("no connection here")
        return 1


stateful, homesick = Stateful("stateful"), Homesick("homesick")
main_pod = Podded("main")

FAULTS: dict[str, tuple[Any, list[str]]] = {
    "no task type": (Count("a", task_type=""), ["task type"]),
    "a version that is no number": (Count("a", task_type_version="1"), ["task type", "serialises"]),
    "a config that pickle changes": (changed, ["config survives pickling"]),
    "a config that pickle refuses": (
        refused,
        ["config survives pickling", "runs here", "serialises"],
    ),
    "another plugin for its config": (unregistered, ["registered for its config"]),
    "a failure": (Failing("a"), ["runs here"]),
    "another type": (Mistyped("a"), ["runs here"]),
    "pre_execute without a result": (NoParameters("a"), ["hooks in order"]),
    "post_execute without a result": (NoResult("a"), ["runs here"]),
    "no hooks": (Unhooked("a"), ["hooks in order"]),
    "another answer each time": (Random("a"), ["hooks in order", "its pod runs"]),
    "another template each time": (Restless("a"), ["serialises"]),
    "a template that raises": (Refusing("a"), ["serialises"]),
    "custom that is no JSON": (Unencodable("a"), ["custom and config are plain"]),
    "a number that a cluster can't store": (Seeded("a"), ["custom and config are plain"]),
    "no image": (Imageless("a"), ["container, pod or query"]),
    "a pod without its primary container": (Podded("a"), ["container, pod or query"]),
    "a query that isn't sent": (
        Silent("a", "select 1", inputs={}, outputs=kwtypes(rows=list[int]), task_type="q"),
        ["container, pod or query"],
    ),
}
for _number, (_broken, _) in enumerate(FAULTS.values()):
    globals()[f"broken_{_number}"] = _broken  # pods look for it by its name
FAULTS["no name in its module"] = (Count("a"), ["serialises"])


@pytest.mark.sampled(5)
@pytest.mark.usefixtures("no_pods")
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_its_own_rows_with_a_fix(fault: str) -> None:
    broken, rows_failed = FAULTS[fault]
    result = flytenb.check_plugin(broken)
    assert failed(result) == rows_failed, result
    assert not result.ok
    assert all(row.what and row.fix for row in result.failed)
    html = result._repr_mimebundle_()["text/html"]
    assert all(row.name in html for row in result.rows)


@pytest.mark.usefixtures("no_pods")
def test_a_pod_with_its_primary_container_is_right() -> None:
    assert failed(flytenb.check_plugin(main_pod)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "what"), [(stateful, "2"), (homesick, "no connection here")])
def test_state_of_this_process_shows_in_the_pod(broken: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(remote_state, "is here", True)
    result = flytenb.check_plugin(broken)
    assert failed(result) == ["its pod runs"], result
    assert what in result.failed[0].what


class Opaque:
    """A class that says nothing about what it needs."""

    def __init__(self, secret: object) -> None:
        self.secret = secret


def test_only_tasks_are_checked_and_inputs_that_can_not_be_made_are_asked_for() -> None:
    @task
    def opaque(x: Opaque) -> int:
        return 1

    @workflow
    def flow() -> None: ...

    for wrong in (TimesTask, Times(), flow, PythonTask, None):
        with pytest.raises(UsageError, match="expected a task"):
            flytenb.check_plugin(wrong)
    with pytest.raises(NoSampleError) as caught:
        flytenb.check_plugin(opaque)
    assert "check_plugin(task, {'x': …})" in str(caught.value.hint)


class ExitsTask(TimesTask):
    """Ends the process where it is asked for its configuration, and changes the process where it runs."""

    def execute(self, **kwargs: Any) -> Any:
        os.environ["LEFT_BEHIND"] = "yes"
        os.chdir("/")
        return super().execute(**kwargs)

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        raise SystemExit(3)


def test_a_plugin_neither_ends_the_checks_nor_changes_the_process() -> None:
    before = Path.cwd()
    found = flytenb.check_plugin(ExitsTask(Times(2), lambda: "x", task_type="exits"), {})
    assert not found.ok
    assert "SystemExit" in str(found)
    assert (Path.cwd(), os.environ.get("LEFT_BEHIND")) == (before, None)


# --- hooks that don't end ---------------------------------------------------------------------------------------------

reached, go_on = threading.Event(), threading.Event()
blocks: tuple[str, int] = ("", 0)
"""The method that blocks, and the number of earlier calls."""
blocked = itertools.count()


def block(which: str) -> None:
    if which == blocks[0] and next(blocked) >= blocks[1]:
        reached.set()
        go_on.wait()


class Blocker:
    """Configuration of a plugin that may hang."""

    def __eq__(self, other: object) -> bool:
        block("__eq__")
        return True

    def __reduce__(self) -> Any:
        block("__reduce__")
        return Blocker, ()


class Stuck(PythonInstanceTask[Any]):
    def __init__(self) -> None:
        super().__init__("stuck", Blocker(), task_type="stuck", interface=Interface(outputs=kwtypes(o0=int)))

    def pre_execute(self, user_params: Any) -> Any:
        block("pre_execute")
        return user_params

    def execute(self, **kwargs: Any) -> int:
        block("execute")
        return 3

    def post_execute(self, user_params: Any, rval: Any) -> Any:
        block("post_execute")
        return rval

    def get_custom(self, settings: Any) -> dict[str, Any]:
        block("get_custom")
        return {}


stuck = Stuck()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the time of a check be up when it has reached what blocks, and not before."""

    def wait(over: Any, seconds: float, begin: Callable[[], None]) -> bool:
        begin()
        while not over.is_set() and not reached.is_set():
            over.wait(0.01)
        return bool(over.is_set())

    monkeypatch.setattr(time_limit, "wait", wait)
    yield
    release()


def release() -> None:
    """Let what blocks go on, and wait for its thread."""
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "flytenb-check":
            thread.join(20)


@pytest.mark.usefixtures("no_pods", "impatient")
@pytest.mark.parametrize(
    ("method", "earlier", "row"),
    [
        ("__eq__", 0, "config survives pickling"),
        ("__reduce__", 0, "config survives pickling"),
        ("pre_execute", 0, "runs here"),
        ("execute", 0, "runs here"),
        ("post_execute", 0, "runs here"),
        ("pre_execute", 1, "hooks in order"),
        ("execute", 1, "hooks in order"),
        ("get_custom", 0, "serialises"),
        ("get_custom", 1, "serialises"),
    ],
)
def test_a_hook_that_does_not_end_is_named(
    method: str, earlier: int, row: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(f"{__name__}.blocks", (method, earlier))
    monkeypatch.setattr(f"{__name__}.blocked", itertools.count())
    reached.clear()
    go_on.clear()
    result = flytenb.check_plugin(stuck)
    assert failed(result) == [row]
    where = method if method not in ("__eq__", "__reduce__") else ""
    assert result.failed[0].what.startswith(f"no end after 2 min{f', in {where}, line ' if where else ''}")
    position = [each.name for each in result.rows].index(row)
    assert all(each.what == f"not checked: '{row}' doesn't end" for each in result.rows[position + 1 :])
    print("shown")
    release()
    assert capsys.readouterr().out == "shown\n"


def test_a_check_that_loops_is_stopped() -> None:
    ended, looping = threading.Event(), threading.Event()

    def loop() -> None:
        try:
            while True:
                looping.set()
        finally:
            ended.set()

    with pytest.raises(time_limit.NoEndError, match="there"):
        time_limit.call_in_time(loop, 0.01, lambda: not looping.wait(20), lambda: "there")
    assert ended.wait(20)


def test_a_check_begins_when_the_main_thread_takes_calls() -> None:
    def is_waiting() -> bool:
        return resources.main_thread.is_waiting

    assert all(time_limit.call_in_time(is_waiting, 600, lambda: False, lambda: "") for _ in range(100))


@task
def needs_main_thread() -> str:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, before)
    return threading.current_thread().name


@pytest.mark.usefixtures("no_pods")
def test_a_task_that_needs_the_main_thread_has_it() -> None:
    rows = {row.name: row for row in flytenb.check_plugin(needs_main_thread).rows}
    assert rows["runs here"].ok
    assert rows["hooks in order"].what == "pre_execute → execute → post_execute"


class Served(AsyncConnectorExecutorMixin, PythonTask[Any]):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("served", "served", None, Interface(outputs=kwtypes(o0=int)))


def test_the_hooks_of_a_task_of_a_connector_are_not_called() -> None:
    rows = {row.name: row for row in flytenb.check_plugin(Served()).rows}
    assert not rows["hooks in order"].is_checked
