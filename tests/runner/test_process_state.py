"""Process-wide state: tasks that share a process answer as if each had one of its own, and leave it as it was.

The plain function, called once after the other, is the oracle.
"""

from __future__ import annotations

import asyncio
import contextlib
import decimal
import functools
import gc
import inspect
import io
import json
import locale
import logging
import math
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import altair
import duckdb
import matplotlib as mpl
import numpy as np
import pandas as pd
import plotly.io as pio
import pytest
from flytekit import PythonFunctionTask, PythonInstanceTask, dynamic, eager, kwtypes, map_task, task, workflow
from flytekit.core.interface import Interface
from flytekit.core.utils import ClassDecorator
from flytekit.extend import TaskPlugins
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.reach.state_kinds import KINDS
from flytenb.reach.state_uses import state_use_of
from flytenb.reach.working_directory import go_to
from tests.waiting import PATIENCE

mpl.use("agg")
import matplotlib.pyplot as plt

PAUSE = 0.005
"""Long enough for other tasks to come between, were they let."""
counter = 0
connection = sqlite3.connect(":memory:")
of_thread = threading.local()
of_thread.base = 40
OUT = "named.txt"


def seeded(n: int) -> str:
    random.seed(n)
    drawn = []
    for _ in range(3):
        time.sleep(PAUSE)
        drawn.append(random.random())
    return repr(drawn)


def seeded_arrays(n: int) -> str:
    np.random.seed(n)
    drawn = []
    for _ in range(3):
        time.sleep(PAUSE)
        drawn.append(float(np.random.rand()))
    return repr(drawn)


def goes_elsewhere(n: int) -> str:
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    time.sleep(PAUSE)
    Path("mine.txt").write_text(str(n))
    time.sleep(PAUSE)
    return f"{Path('mine.txt').read_text()} {Path(folder, 'mine.txt').exists()} {Path.cwd() == Path(folder).resolve()}"


def writes_a_name(n: int) -> str:
    with open("out.txt", "w") as file:
        file.write(str(n))
        time.sleep(PAUSE)
        file.write("!")
    return Path("out.txt").read_text()


def writes_a_local_name(n: int) -> str:
    path = "out2.txt"
    with open(path, "w") as file:
        file.write(str(n))
        time.sleep(PAUSE)
    return Path(path).read_text()


def writes_a_global_name(n: int) -> str:
    with open(OUT, "w") as file:
        file.write(str(n))
        time.sleep(PAUSE)
    with open(OUT) as file:
        return file.read()


def sets_a_variable(n: int) -> str:
    before = os.environ.get("FLYTENB_TEST_VARIABLE", "unset")
    os.environ["FLYTENB_TEST_VARIABLE"] = str(n)
    time.sleep(PAUSE)
    return f"{before} {os.getenv('FLYTENB_TEST_VARIABLE')}"


def updates_variables(n: int) -> str:
    os.environ.update(FLYTENB_TEST_VARIABLE=str(n))
    time.sleep(PAUSE)
    return os.environ["FLYTENB_TEST_VARIABLE"]


def redirects(n: int) -> str:
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        print(n, end=" ")
        time.sleep(PAUSE)
        print(n, end="")
    return buffer.getvalue()


def replaces_stdout(n: int) -> str:
    buffer = io.StringIO()
    sys.stdout = buffer
    print(n, end=" ")
    time.sleep(PAUSE)
    print(n, end="")
    return buffer.getvalue()


def plots(n: int) -> str:
    plt.figure()
    time.sleep(PAUSE)
    plt.plot([1, 2, n])
    plt.rcParams["lines.linewidth"] = n
    time.sleep(PAUSE)
    return f"{len(plt.gca().lines)} {plt.rcParams['lines.linewidth']}"


def patches(n: int) -> str:
    with mock.patch("math.floor", lambda x: n):
        time.sleep(PAUSE)
        return str(math.floor(0.5))


def assigns_to_a_module(n: int) -> str:
    before = math.tau
    math.tau = n
    try:
        time.sleep(PAUSE)
        return str(math.tau)
    finally:
        math.tau = before


def floors(n: int) -> str:
    time.sleep(PAUSE)
    return str(math.floor(n + 0.5))


def ignores_warnings(n: int) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(f"mine {n}", stacklevel=1)
        time.sleep(PAUSE)
        return str([str(w.message) for w in caught])


def filters_warnings(n: int) -> str:
    warnings.simplefilter("ignore")
    warnings.filterwarnings("error", message=f"number {n}")
    time.sleep(PAUSE)
    try:
        warnings.warn(f"number {n}", stacklevel=1)
    except UserWarning as e:
        return str(e)
    return "lost"


def sets_the_locale(n: int) -> str:
    locale.setlocale(locale.LC_ALL, "C" if n % 2 else "C.UTF-8")
    time.sleep(PAUSE)
    return str(locale.setlocale(locale.LC_ALL))


def rebinds_a_global(n: int) -> str:
    global counter
    counter = n
    time.sleep(PAUSE)
    return str(counter)


def replaces_arguments(n: int) -> str:
    sys.argv = ["program", str(n)]
    time.sleep(PAUSE)
    return str(sys.argv)


def computes_precisely(n: int) -> str:
    before = decimal.getcontext().prec
    decimal.getcontext().prec = n + 2
    time.sleep(PAUSE)
    return f"{before} {decimal.Decimal(1) / 3}"


def handles_a_signal(n: int) -> str:
    heard: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: heard.append(n))
    signal.raise_signal(signal.SIGUSR1)
    return str(heard)


def asks_for_a_loop(n: int) -> str:
    async def double() -> int:
        await asyncio.sleep(0)
        return 2 * n

    return str(asyncio.get_event_loop().run_until_complete(double()))


def asks_a_thread_local(n: int) -> str:
    return str(of_thread.base + n)


def asks_a_connection(n: int) -> str:
    return str(connection.execute("select ?", (n,)).fetchone())


def logs(n: int) -> str:
    logging.disable(n)
    time.sleep(PAUSE)
    level = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    return str(level)


class Config:
    level = 0


config = Config()
table = {"level": 0}


def sets_a_class_attribute(n: int) -> str:
    Config.level = n
    time.sleep(PAUSE)
    return str(Config.level)


def sets_an_attribute(n: int) -> str:
    config.level = n
    time.sleep(PAUSE)
    return str(config.level)


def sets_an_item(n: int) -> str:
    table["level"] = n
    time.sleep(PAUSE)
    return str(table["level"])


def leaves_a_module_changed(n: int) -> str:
    before = math.tau
    math.tau = n
    time.sleep(PAUSE)
    return f"{before} {math.tau}"


def sets_the_umask(n: int) -> str:
    before = os.umask(n)
    time.sleep(PAUSE)
    return f"{before} {os.umask(n)}"


def extends_the_import_path(n: int) -> str:
    sys.path.insert(0, f"/nowhere/{n}")
    time.sleep(PAUSE)
    return str([entry for entry in sys.path if entry.startswith("/nowhere/")])


def sets_numpy_up(n: int) -> str:
    np.set_printoptions(precision=n)
    time.sleep(PAUSE)
    return str(np.array([1 / 3]))


def sets_pandas_up(n: int) -> str:
    pd.set_option("display.max_rows", 10 + n)
    time.sleep(PAUSE)
    return str(pd.get_option("display.max_rows"))


def collects_nothing(n: int) -> str:
    gc.disable()
    time.sleep(PAUSE)
    return str(gc.isenabled())


def reads_another_input(n: int) -> str:
    sys.stdin = io.StringIO(str(n))
    time.sleep(PAUSE)
    return sys.stdin.read()


ENV = os.environ
GLOBAL_PATH = Path("global_path.txt")


def sets_a_variable_by_another_name(n: int) -> str:
    ENV["FLYTENB_TEST_VARIABLE"] = str(n)
    time.sleep(PAUSE)
    return str(os.environ["FLYTENB_TEST_VARIABLE"])


def starts_a_patch(n: int) -> str:
    mock.patch.object(math, "sqrt", lambda x: float(n)).start()
    time.sleep(PAUSE)
    return str(math.sqrt(4))


def sets_by_setattr(n: int) -> str:
    setattr(math, "sqrt", lambda x: float(n))  # noqa: B010
    time.sleep(PAUSE)
    return str(math.sqrt(4))


def imports_its_own_module(n: int) -> str:
    folder = tempfile.mkdtemp()
    Path(folder, "flytenb_plug_of_a_test.py").write_text(f"v = {n}")
    sys.path.insert(0, folder)
    import flytenb_plug_of_a_test  # type: ignore[import-not-found]

    return str(flytenb_plug_of_a_test.v)


def writes_a_global_path(n: int) -> str:
    GLOBAL_PATH.write_text(str(n))
    time.sleep(PAUSE)
    return GLOBAL_PATH.read_text()


def writes_a_default_name(n: int) -> str:
    return write_and_read(n)


def write_and_read(n: int, out: str = "default.txt") -> str:
    with open(out, "w") as file:
        file.write(str(n))
        time.sleep(PAUSE)
    return Path(out).read_text()


array = np.zeros(3)


def fills_an_array(n: int) -> str:
    array[:] = n
    time.sleep(PAUSE)
    return str(int(array.sum() // 3))


def handles_a_signal_in_a_loop(n: int) -> str:
    async def main() -> int:
        heard: list[int] = []
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: heard.append(n))
        os.kill(os.getpid(), signal.SIGUSR1)
        while not heard:
            await asyncio.sleep(0)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
        return heard[0]

    return str(asyncio.run(main()))


BODIES: list[Callable[[int], str]] = [
    seeded, seeded_arrays, goes_elsewhere, writes_a_name, writes_a_local_name, writes_a_global_name, sets_a_variable,
    updates_variables, redirects, replaces_stdout, plots, patches, assigns_to_a_module, ignores_warnings,
    filters_warnings, sets_the_locale, rebinds_a_global, replaces_arguments, computes_precisely, handles_a_signal,
    asks_for_a_loop, asks_a_connection, asks_a_thread_local, logs, sets_a_class_attribute,
    sets_an_attribute, sets_an_item,
    leaves_a_module_changed, sets_the_umask, extends_the_import_path, sets_numpy_up, sets_pandas_up, collects_nothing,
    reads_another_input, sets_a_variable_by_another_name, starts_a_patch, sets_by_setattr, imports_its_own_module,
    writes_a_global_path, writes_a_default_name, fills_an_array, handles_a_signal_in_a_loop,
]  # fmt: skip


def state() -> dict[str, Any]:
    """What a task must leave as it was."""
    return {
        "cwd": Path.cwd(),
        "environ": {**os.environ},
        "argv": [*sys.argv],
        "filters": [*warnings.filters],
        "locale": locale.setlocale(locale.LC_ALL),
        "random": random.getstate(),
        "numpy": repr(np.random.get_state()),
        "figures": plt.get_fignums(),
        "linewidth": plt.rcParams["lines.linewidth"],
        "signal": signal.getsignal(signal.SIGUSR1),
        "tau": math.tau,
        "floor": math.floor,
        "sqrt": math.sqrt,
        "plug": "flytenb_plug_of_a_test" in sys.modules,
        "precision": decimal.getcontext().prec,
        "disabled": logging.root.manager.disable,
        "path": [*sys.path],
        "printed": str(np.array([1 / 3])),
        "rows": pd.get_option("display.max_rows"),
        "is_collecting": gc.isenabled(),
        "stdin": sys.stdin,
        "is_interpreter": isinstance(sys.stdout, io.TextIOBase | io.IOBase) or hasattr(sys.stdout, "write"),
    }


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")
    yield
    locale.setlocale(locale.LC_ALL, before)


def unrouted(stream: Any) -> Any:
    """The stream itself: a task of another test that its run doesn't wait for any more may keep output routed."""
    return getattr(stream, "_original", stream)


def called_alone(body: Callable[[int], str], n: int) -> str:
    """What a process of its own answers, as far as these bodies go: the state is put back after each call."""
    argv, environ, cwd = sys.argv, {**os.environ}, Path.cwd()
    streams, path, mask, tau = (sys.stdout, sys.stderr, sys.stdin), [*sys.path], os.umask(0o022), math.tau
    root = math.sqrt
    os.umask(mask)
    handler, spoken = signal.getsignal(signal.SIGUSR1), locale.setlocale(locale.LC_ALL)
    rows = pd.option_context("display.max_rows", pd.get_option("display.max_rows"))
    with warnings.catch_warnings(), decimal.localcontext(), mpl.rc_context(), np.printoptions(), rows:
        try:
            if body is asks_for_a_loop:
                asyncio.set_event_loop(asyncio.new_event_loop())
            return body(n)
        finally:
            if body is asks_for_a_loop:
                asyncio.get_event_loop().close()
                asyncio.set_event_loop(None)
            sys.argv = argv
            os.environ.clear()
            os.environ.update(environ)
            sys.stdout, sys.stderr, sys.stdin = streams
            sys.path[:] = path
            os.umask(mask)
            math.tau = tau
            mock.patch.stopall()
            math.sqrt = root
            sys.modules.pop("flytenb_plug_of_a_test", None)
            gc.enable()
            os.chdir(cwd)
            signal.signal(signal.SIGUSR1, handler)
            locale.setlocale(locale.LC_ALL, spoken)
            plt.close("all")


@pytest.mark.sampled(5)
@pytest.mark.usefixtures("in_a_folder")
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_tasks_at_once_answer_as_one_after_the_other(body: Callable[[int], str]) -> None:
    wanted = [called_alone(body, n) for n in (1, 2, 3, 4)]
    entity = task(body)
    before = state()
    stdout = sys.stdout
    assert flytenb.options(workers=16).run(map_task(entity), n=[1, 2, 3, 4]).result == wanted
    assert unrouted(sys.stdout) is unrouted(stdout)
    assert state() == before


class Counted(ClassDecorator):
    """A decorator that is an object and uses nothing."""

    def execute(self, n: int) -> str:
        return self.task_function(n=n)

    def get_extra_config(self) -> dict[str, str]:
        return {}


class Seeded(Counted):
    """A decorator that is an object and sets what its function uses."""

    def execute(self, n: int) -> str:
        random.seed(n)
        time.sleep(PAUSE)
        return self.task_function(n=n)


def passed_on(function: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(function)
    def wrapper(n: int) -> str:
        return function(n=n)

    return wrapper


def draws(n: int) -> str:
    return repr((n, random.random()))


@pytest.mark.parametrize(
    "body",
    [Counted(seeded), Seeded(draws), passed_on(Seeded(draws)), Seeded(passed_on(draws))],
    ids=["function", "decorator", "below a wrapper", "above a wrapper"],
)
def test_state_is_found_in_class_decorators_and_below_them(body: Callable[[int], str]) -> None:
    wanted = [body(n=n) for n in (1, 2, 3, 4)]
    entity = task(body)
    nodes = [flytenb.options(workers=16).start(entity, n=n) for n in (1, 2, 3, 4)]
    assert [node.wait(PATIENCE).result for node in nodes] == wanted
    assert flytenb.options(workers=16).run(map_task(entity), n=[1, 2, 3, 4]).result == wanted


@dataclass
class Seed:
    """Configuration of tasks that are seeded before their function."""

    number: int


class SeededTask(PythonFunctionTask[Seed]):
    def __init__(self, task_config: Seed, task_function: Callable[..., Any], **options: Any) -> None:
        super().__init__(task_config, task_function, task_type="seeded", **options)

    def pre_execute(self, user_params: Any) -> Any:
        random.seed(self.task_config.number)
        time.sleep(PAUSE)
        return user_params


TaskPlugins.register_pythontask_plugin(Seed, SeededTask)


class DrawingTask(PythonInstanceTask[Seed]):
    def __init__(self, name: str, task_config: Seed) -> None:
        super().__init__(name, task_config, interface=Interface(kwtypes(n=int), kwtypes(o0=str)), task_type="drawing")

    def execute(self, n: int) -> str:
        random.seed(self.task_config.number)
        time.sleep(PAUSE)
        return repr((n, random.random()))


@pytest.mark.parametrize(
    "entities",
    [
        [task(task_config=Seed(number))(draws) for number in range(4)],
        [DrawingTask(f"drawing {number}", Seed(number)) for number in range(4)],
    ],
    ids=["around a function", "without a function"],
)
def test_state_is_found_in_the_methods_of_task_classes(entities: list[Any]) -> None:
    wanted = [repr((1, random.Random(number).random())) for number in range(4)]
    started = [flytenb.start(entity, n=1) for entity in entities]
    assert [run.wait(PATIENCE).result for run in started] == wanted


def passed_on_by_a_plugin(function: Callable[..., str]) -> Callable[..., str]:
    scope: dict[str, Any] = {"__name__": "flytekitplugins.memray.profiling", "functools": functools}
    source = inspect.getsource(passed_on).replace("Callable[..., str]", "object")
    exec(compile(source, f"{sysconfig.get_path('purelib')}/profiling.py", "exec"), scope)
    return scope["passed_on"](function)


def test_a_wrapper_counts_by_the_module_of_its_code() -> None:
    assert "memray" in state_use_of(task(passed_on_by_a_plugin(draws)), has_own_cwd=True)[0].writes


@pytest.mark.usefixtures("in_a_folder")
@pytest.mark.parametrize("body", [seeded, goes_elsewhere, writes_a_name, sets_a_variable, plots, handles_a_signal,
                                  replaces_arguments], ids=lambda body: body.__name__)  # fmt: skip
def test_processes_answer_the_same(body: Callable[[int], str]) -> None:
    wanted = [called_alone(body, n) for n in (1, 2, 3, 4)]
    assert flytenb.options(processes=True).run(map_task(task(body)), n=[1, 2, 3, 4]).result == wanted


@task
def sets_attributes_of_classes(n: int) -> str:
    json.JSONEncoder.item_separator = f" {n} "
    json.JSONEncoder.of_a_test = n
    json.JSONDecoder.of_a_test = n
    return json.JSONEncoder().encode([1, 2])


def test_attributes_of_installed_classes_are_restored() -> None:
    before = [{**vars(cls)} for cls in (json.JSONEncoder, json.JSONDecoder)]
    assert flytenb.run(map_task(sets_attributes_of_classes), n=[7, 8]).result == ["[1 7 2]", "[1 8 2]"]
    assert [{**vars(cls)} for cls in (json.JSONEncoder, json.JSONDecoder)] == before


@task
def sets_plotly(n: int) -> str:
    pio.templates.default = "plotly_dark"
    pio.renderers.default = "png"
    return f"{pio.templates.default} {pio.renderers.default} {n}"


@task
def sets_altair(n: int) -> str:
    altair.theme.enable("dark")
    altair.data_transformers.disable_max_rows()
    altair.renderers.enable("svg")
    return f"{altair.theme.active} {altair.data_transformers.options} {altair.renderers.active}"


def settings_of_charts() -> tuple[Any, ...]:
    transformers, renderers = altair.data_transformers, altair.renderers
    of_altair = altair.theme.active, transformers.active, dict(transformers.options), renderers.active
    return pio.templates.default, pio.renderers.default, *of_altair


@pytest.mark.parametrize("body", [sets_plotly, sets_altair], ids=lambda body: body.task_function.__name__)
def test_settings_of_chart_libraries_are_restored(body: Any) -> None:
    before = settings_of_charts()
    use, _ = state_use_of(body, has_own_cwd=True)
    assert use.conflict_with(use) is not None
    result = flytenb.run(body, n=1).result
    assert "dark" in result
    assert settings_of_charts() == before


@task
def uses_the_default_connection(n: int) -> int:
    duckdb.execute("create or replace table of_a_test as select ? as n", [n])
    return int(duckdb.sql("select n from of_a_test").fetchall()[0][0])


def test_the_default_connection_of_duckdb_is_used_by_one_task_at_a_time() -> None:
    assert flytenb.run(map_task(uses_the_default_connection), n=[1, 2, 3, 4]).result == [1, 2, 3, 4]
    use, _ = state_use_of(uses_the_default_connection, has_own_cwd=True)
    assert use.conflict_with(use) == "duckdb's default connection"


def test_a_patch_reaches_no_other_task() -> None:
    patching, plain = task(patches), task(floors)

    @workflow
    def both() -> tuple[list[str], list[str]]:
        return map_task(patching)(n=[70, 80, 90]), map_task(plain)(n=[1, 2, 3, 4, 5, 6])

    assert tuple(flytenb.run(both).result) == (["70", "80", "90"], ["1", "2", "3", "4", "5", "6"])


meeting = threading.Barrier(2)


@task
def meets(n: int) -> int:
    meeting.wait(PATIENCE)
    return n


@task
def draws_and_meets(n: int) -> float:
    meeting.wait(PATIENCE)
    return random.random()


@task
def prints_and_meets(n: int) -> int:
    print(n)
    meeting.wait(PATIENCE)
    return n


@task
def keeps_one_per_thread(n: int) -> int:
    if not hasattr(of_thread, "kept"):
        of_thread.kept = []
    of_thread.kept.append(n)
    meeting.wait(PATIENCE)
    return n


@flytenb.uses("the camera")
def films(n: int) -> int:
    return busy(n)


def records(n: int) -> int:
    return busy(n)


at_work: list[int] = []
most_at_work: list[int] = []


def busy(n: int) -> int:
    at_work.append(n)
    most_at_work.append(len(at_work))
    time.sleep(PAUSE)
    at_work.remove(n)
    return n


@pytest.mark.parametrize(
    "entity", [meets, draws_and_meets, prints_and_meets, keeps_one_per_thread], ids=lambda entity: entity.name
)
def test_tasks_that_change_no_common_state_go_on_side_by_side(entity: Any) -> None:
    assert len(flytenb.run(map_task(entity), n=[1, 2]).result) == 2


def test_what_is_declared_is_kept_apart() -> None:
    most_at_work.clear()
    flytenb.run(map_task(task(films)), n=[1, 2, 3, 4])
    assert max(most_at_work) == 1


def test_what_is_declared_on_a_helper_counts_for_its_task() -> None:
    @task
    def calls(n: int) -> int:
        return films(n)

    assert "the camera" in state_use_of(calls, has_own_cwd=True)[0].writes


def test_a_name_must_be_a_text() -> None:
    with pytest.raises(flytenb.FlytenbError, match="must be a text, got 3"):
        flytenb.uses(3)  # type: ignore[arg-type]


def test_why_a_node_waited_is_known() -> None:
    another_waits = threading.Event()

    @task
    def seeds_until_another_waits(n: int) -> int:
        random.seed(n)
        assert another_waits.wait(PATIENCE)
        return n

    run = flytenb.start(map_task(seeds_until_another_waits), n=[1, 2])
    run.listen(lambda event: another_waits.set() if event.kind == "wait" else None)
    run.wait(PATIENCE)
    waited = {why for node in run.nodes.values() for why in node.waited_for}
    assert waited
    assert all(re.fullmatch(r"random numbers \(used by n0/\d\)", why) for why in waited)
    assert {e.text for e in run.events if e.kind == "wait"} == waited


def test_the_declared_environment_is_set_for_the_task_alone() -> None:
    def read(n: int) -> str:
        time.sleep(PAUSE)
        return os.environ.get("FLYTENB_TEST_VARIABLE", "unset")

    first = task(environment={"FLYTENB_TEST_VARIABLE": "first"})(_named(read, "first"))
    second = task(environment={"FLYTENB_TEST_VARIABLE": "second"})(_named(read, "second"))
    plain = task(_named(read, "plain"))

    @workflow
    def three() -> tuple[list[str], list[str], list[str]]:
        return map_task(first)(n=[1, 2, 3]), map_task(second)(n=[1, 2, 3]), map_task(plain)(n=[1, 2, 3])

    wanted = (["first"] * 3, ["second"] * 3, ["unset"] * 3)
    assert tuple(flytenb.run(three).result) == wanted
    assert tuple(flytenb.options(processes=True).run(three).result) == wanted
    assert "FLYTENB_TEST_VARIABLE" not in os.environ


def _named(function: Callable[[int], str], name: str) -> Callable[[int], str]:
    def named(n: int) -> str:
        return function(n)

    named.__name__ = named.__qualname__ = f"environment_{name}"
    return named


def test_what_a_task_called_in_a_task_uses_counts_for_the_outer_one() -> None:
    inner = task(seeded)

    @task
    def outer(n: int) -> str:
        return inner(n=n)  # type: ignore[no-any-return]

    @dynamic
    def growing(n: int) -> str:
        return inner(n=n)  # type: ignore[no-any-return]

    assert "random" in state_use_of(outer, has_own_cwd=True)[0].writes
    assert state_use_of(growing, has_own_cwd=True, calls_run=False)[0].writes == set()


def test_eager_tasks_that_use_what_each_other_s_calls_use_end() -> None:
    seeds, draws = task(seeded), task(plots)

    @eager
    async def first(n: int) -> str:
        random.seed(n)
        return draws(n=n)  # type: ignore[no-any-return]

    @eager
    async def second(n: int) -> str:
        plt.figure()
        return seeds(n=n)  # type: ignore[no-any-return]

    runs = [flytenb.start(first, n=1), flytenb.start(second, n=2)]
    assert [run.wait(PATIENCE).result for run in runs] == [called_alone(plots, 1), called_alone(seeded, 2)]


def test_a_run_inside_a_task_may_use_what_the_task_uses() -> None:
    inner = task(seeded)

    @task
    def outer(n: int) -> str:
        random.seed(7)
        return flytenb.run(inner, n=n).result  # type: ignore[no-any-return]

    assert flytenb.start(outer, n=1).wait(PATIENCE).result == called_alone(seeded, 1)


def test_a_run_inside_a_task_for_the_main_thread_may_need_it_too() -> None:
    inner = task(handles_a_signal)

    @task
    def outer(n: int) -> str:
        return flytenb.run(inner, n=n).result  # type: ignore[no-any-return]

    assert flytenb.start(outer, n=1).wait(PATIENCE).result == "[1]"


def test_an_eager_task_and_what_it_calls_may_use_the_same() -> None:
    inner = task(seeded)

    @eager
    async def outer(n: int) -> str:
        random.seed(99)
        return inner(n=n)  # type: ignore[no-any-return]

    assert flytenb.run(outer, n=1).result == called_alone(seeded, 1)


def test_a_task_for_the_main_thread_waits_for_it_and_says_so() -> None:
    run = flytenb.start(task(handles_a_signal), n=5)
    over = threading.Event()
    run.listen(lambda event: over.set() if event.kind == "log" else None)
    assert over.wait(PATIENCE)
    assert "run.wait()" in run.nodes["n0"].log
    assert run.wait(PATIENCE).result == "[5]"


def scripted(folder: Path, script: str) -> list[str]:
    """The lines that a script prints; tasks need their source in a file."""
    path = folder / "script.py"
    path.write_text(script)
    command = [sys.executable, "-W", "ignore", str(path)]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE, env=env)
    return done.stdout.splitlines() or done.stderr.splitlines()


@pytest.mark.slow
def test_an_interrupt_of_the_main_thread_s_own_task_cancels_the_run(tmp_path: Path) -> None:
    script = """
import os, signal, sys, threading, time
import flytenb
from flytekit import task

@task
def waits(n: int) -> int:
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    time.sleep(600)
    return n

signal.signal(signal.SIGINT, signal.default_int_handler)  # flytekit's own ends the process
try:
    flytenb.run(waits, n=1)
except KeyboardInterrupt:
    print("interrupted")
@task
def one() -> int:
    return 1
print(flytenb.run(one).result)
"""
    assert scripted(tmp_path, script) == ["interrupted", "1"]


@pytest.mark.slow
def test_a_forked_process_can_run_and_says_whose_run_goes_on_elsewhere(tmp_path: Path) -> None:
    script = """
import os, threading, time
import flytenb
from flytekit import task

held = threading.Event()

@task
def waits(n: int) -> int:
    held.wait(600)
    return n

@task
def inc(n: int) -> int:
    return n + 1

assert flytenb.run(inc, n=1).result == 2
going = flytenb.start(waits, n=1)
child = os.fork()
if child == 0:
    try:
        going.wait(600)
    except flytenb.FlytenbError as e:
        print("says" if "goes on in process" in str(e) else e, flush=True)
    print(flytenb.run(inc, n=2).result, flush=True)
    os._exit(0)
os.waitpid(child, 0)
held.set()
print(going.wait(600).result, flush=True)
"""
    assert scripted(tmp_path, script) == ["says", "3", "1"]


def test_every_kind_has_a_name_that_can_be_declared() -> None:
    assert {"random", "environ", "stdout", "pyplot", "cwd", "main thread", "everything"} <= KINDS.keys()


# --- eager tasks ---------------------------------------------------------------------------------------------------


@task
def asks_for_the_variable(n: int) -> str:
    return os.environ.get("FLYTENB_TEST_VARIABLE", "unset")


@task
def draws_after(n: int) -> float:
    random.seed(n)
    return random.random()


@eager
async def sets_and_calls(n: int) -> str:
    os.environ["FLYTENB_TEST_VARIABLE"] = str(n)
    called = asks_for_the_variable(n=n)
    waited = await asyncio.gather(asyncio.to_thread(time.sleep, PAUSE), asyncio.sleep(PAUSE))
    return f"{called} {os.environ['FLYTENB_TEST_VARIABLE']} {len(waited)}"


@eager
async def seeds_and_calls(n: int) -> str:
    random.seed(n)
    first = random.random()
    draws_after(n=99)
    await asyncio.sleep(PAUSE)
    return repr([first, random.random()])


@eager(environment={"FLYTENB_TEST_VARIABLE": "declared"})
async def declares_and_calls(n: int) -> str:
    return f"{os.environ['FLYTENB_TEST_VARIABLE']} {asks_for_the_variable(n=n)} {os.environ['FLYTENB_TEST_VARIABLE']}"


@eager
async def redirects_and_calls(n: int) -> str:
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        print(n, end="")
        prints_alone(n=n)
        print(n, end="")
    return buffer.getvalue()


@task
def prints_alone(n: int) -> int:
    print("of the task")
    return n


@eager
async def calls_many(n: int) -> list[str]:
    os.environ["FLYTENB_TEST_VARIABLE"] = "outer"
    found = await asyncio.gather(*[sets_and_calls(n=i) for i in range(4)])
    return [*found, os.environ["FLYTENB_TEST_VARIABLE"]]


def drawn(n: int) -> str:
    generator = random.Random(n)
    return repr([generator.random(), generator.random()])


@pytest.mark.parametrize(
    ("entity", "wanted"),
    [
        (sets_and_calls, "unset 5 2"),
        (seeds_and_calls, drawn(5)),
        (declares_and_calls, "declared unset declared"),
        (redirects_and_calls, "55"),
        (calls_many, [*(f"unset {i} 2" for i in range(4)), "outer"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_an_eager_task_s_own_code_has_state_of_its_own(entity: Any, wanted: Any) -> None:
    before = state()
    runs = [flytenb.start(entity, n=5) for _ in range(3)]
    assert [run.wait(PATIENCE).result for run in runs] == [wanted] * 3
    assert state() == before


@eager
async def needs_the_main_thread(n: int) -> int:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return n


@eager
async def patches_for_all(n: int) -> str:
    with mock.patch("math.floor", lambda x: n):
        return str(math.floor(0.5))


@pytest.mark.parametrize(
    ("entity", "message"), [(needs_the_main_thread, "needs the main thread"), (patches_for_all, "what all tasks share")]
)
def test_what_an_eager_task_can_t_have_is_said(entity: Any, message: str) -> None:
    with pytest.raises(flytenb.FlytenbError, match=message) as caught:
        flytenb.run(entity, n=1)
    assert "call it from the eager task" in caught.value.hint


class Keeper:
    """Removes its directory when it goes, as a `TemporaryDirectory` does."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp()

    def __del__(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def kept(kind: Any, n: int) -> Any:
    keeper = Keeper()
    Path(keeper.path, "out.txt").write_text(str(n))
    made = kind(keeper.path if kind is FlyteDirectory else str(Path(keeper.path, "out.txt")))
    made.keeper = keeper
    return made


@dataclass
class Holder:
    file: FlyteFile
    folder: FlyteDirectory


@task
def gives_all(
    n: int,
) -> tuple[FlyteFile, FlyteDirectory, list[FlyteFile], dict[str, FlyteFile], FlyteFile | None, Holder]:
    file, folder = (lambda: kept(FlyteFile, n)), (lambda: kept(FlyteDirectory, n))
    return file(), folder(), [file()], {"a": file()}, file(), Holder(file(), folder())


def test_files_that_end_with_their_process_are_handed_over() -> None:
    file, folder, several, named, maybe, holder = flytenb.options(processes=True).run(gives_all, n=7).result
    paths = [file, f"{folder}/out.txt", several[0], named["a"], maybe, holder.file, f"{holder.folder}/out.txt"]
    assert [Path(path).read_text() for path in paths] == ["7"] * 7


def test_a_directory_that_was_made_anew_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "inner"
    for _ in range(3):
        folder.mkdir()
        go_to(str(folder))
        go_to(str(folder))
        Path("here").touch()
        assert (folder / "here").exists()
        shutil.rmtree(folder)
    go_to(str(folder))  # ignored
    go_to(str(tmp_path))
    assert Path.cwd() == tmp_path.resolve()


class Counter(threading.local):
    """Starts anew in each thread."""

    def __init__(self) -> None:
        self.count = 0


own_counter = Counter()
filled_by_tasks = threading.local()
filled_by_a_cell = threading.local()
filled_by_a_cell.count = 5


def fills_a_thread_local(n: int) -> int:
    before = getattr(filled_by_tasks, "count", 0)
    filled_by_tasks.count = n
    return before


def counts_on_from_the_cell(n: int) -> int:
    filled_by_a_cell.count += n
    return int(filled_by_a_cell.count)


def counts_anew(n: int) -> int:
    own_counter.count += n
    return own_counter.count


def fills_a_thread_local_of_a_class(n: int) -> int:
    return Connections().use()


class Connections:
    held = threading.local()

    def use(self) -> int:
        self.held.count = getattr(self.held, "count", 0) + 1
        return int(self.held.count)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (fills_a_thread_local, [0, 0, 0]),
        (counts_on_from_the_cell, [6, 7, 8]),
        (counts_anew, [1, 2, 3]),
        (fills_a_thread_local_of_a_class, [1, 1, 1]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_thread_local_is_that_of_the_cell_for_each_task(
    body: Callable[[int], int], wanted: list[int], workers: int
) -> None:
    entity = task(body)

    @workflow
    def thrice() -> list[int]:
        return [entity(n=1), entity(n=2), entity(n=3)]

    assert flytenb.options(workers=workers).run(thrice).result == wanted
    assert not vars(filled_by_tasks)
    assert vars(filled_by_a_cell) == {"count": 5}


def mode_of_a_file(n: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, str(n))
        path.touch()
        return path.stat().st_mode & 0o777


@pytest.mark.parametrize("processes", [False, True])
def test_tasks_have_the_umask_of_the_cell_that_starts_the_run(processes: bool) -> None:
    entity = map_task(task(mode_of_a_file))
    before = os.umask(0o022)
    try:
        for mask in (0o022, 0o077, 0o027):
            os.umask(mask)
            assert flytenb.options(processes=processes).run(entity, n=[1, 2]).result == [0o666 & ~mask] * 2
    finally:
        os.umask(before)


@task
def line_figure(n: int) -> object:
    figure, axes = plt.subplots()
    axes.plot([0, n])
    return figure


@task
def open_figures(figure: object) -> int:
    return len(plt.get_fignums())


@workflow
def with_figure(n: int = 1) -> tuple[object, int]:
    figure = line_figure(n=n)
    return figure, open_figures(figure=figure)


def test_a_figure_that_is_read_is_not_among_pyplots_which_a_notebook_would_show_again() -> None:
    run = flytenb.run(with_figure)
    before = plt.get_fignums()
    for value in (run.outputs["o0"], run.nodes["n0"].outputs["o0"], run.nodes["n1"].inputs["figure"]):
        assert type(value).__name__ == "Figure"
    assert plt.get_fignums() == before
    assert run.outputs["o1"] == 1  # as on a cluster
