"""Tasks that share a process answer as if each had one of its own, whichever way their code takes to what they share.

The oracle is the plain function, called in a process that is forked for each call.
"""

from __future__ import annotations

import builtins
import contextlib
import csv
import faulthandler
import functools
import gc
import io
import itertools
import json
import logging
import operator
import os
import pickle
import random
import resource
import shelve
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import types
import warnings
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from flytekit import map_task, task, workflow

import flytenb
from flytenb.reach.state_uses import state_use_of
from flytenb.reach.working_directory import HAS_OWN_CWD
from tests.forks import fork

mpl.use("agg")

PAUSE = 0.005
"""Long enough for other tasks to come between, were they let."""
VARIABLE = "FLYTENB_TEST_SHARED"


def slow(value: Any) -> str:
    time.sleep(PAUSE)
    return str(value)


# --- files ---------------------------------------------------------------------------------------------------------

NAMES = {"out": "dict_name.txt"}


class Names:
    out = "class_name.txt"

    def __init__(self) -> None:
        self.path = Path("instance_name.txt")

    def write(self, n: int) -> str:
        self.path.write_text(str(n))
        time.sleep(PAUSE)
        return self.path.read_text()


names = Names()
given_name = "argument.txt"


def write_and_read(path: Any, n: int) -> str:
    with open(path, "w") as file:
        file.write(str(n))
        time.sleep(PAUSE)
        file.write("!")
    return Path(path).read_text()


def names_by_f_string(n: int) -> str:
    return write_and_read(f"f_{'string'}_{n % 1}.txt", n)


def names_by_join(n: int) -> str:
    return write_and_read(os.path.join(os.curdir, "joined.txt"), n)


def names_by_cwd(n: int) -> str:
    return write_and_read(Path.cwd() / "from_cwd.txt", n)


def names_by_getcwd(n: int) -> str:
    return write_and_read(os.getcwd() + "/" + "from_getcwd.txt", n)


def names_by_dict(n: int) -> str:
    return write_and_read(NAMES["out"], n)


def names_by_class(n: int) -> str:
    return write_and_read(Names.out, n)


def names_by_instance(n: int) -> str:
    return names.write(n)


def names_by_loop(n: int) -> str:
    return "".join(write_and_read(name, n) for name in ["loop_a.txt", "loop_b.txt"])


def names_by_input(n: int) -> str:
    return write_and_read({0: "even.txt"}.get(n % 1, "odd.txt"), n)


def writes_by_a_command(n: int) -> str:
    subprocess.run(f"echo {n} > by_command.txt", shell=True, check=True)
    time.sleep(PAUSE)
    return Path("by_command.txt").read_text()


def writes_by_a_program(n: int) -> str:
    subprocess.run([sys.executable, "-S", "-c", f"open('by_program.txt', 'w').write('{n}')"], check=True)
    time.sleep(PAUSE)
    return Path("by_program.txt").read_text()


def copies_a_file(n: int) -> str:
    folder = tempfile.mkdtemp()
    Path(folder, "source.txt").write_text(str(n))
    shutil.copy(Path(folder, "source.txt"), "copied.txt")
    time.sleep(PAUSE)
    return Path("copied.txt").read_text()


def saves_a_frame(n: int) -> str:
    frame = pd.DataFrame({"a": [n]})
    frame.to_csv("frame.csv")
    time.sleep(PAUSE)
    return str(pd.read_csv("frame.csv")["a"].tolist())


def saves_an_array(n: int) -> str:
    np.save("array.npy", np.array([n]))
    time.sleep(PAUSE)
    return str(np.load("array.npy"))


def opens_a_database(n: int) -> str:
    with contextlib.closing(sqlite3.connect("a.db")) as base:
        base.execute("drop table if exists t")
        base.execute("create table t (n)")
        base.execute("insert into t values (?)", (n,))
        base.commit()
        time.sleep(PAUSE)
        return str(base.execute("select * from t").fetchall())


def opens_a_shelf(n: int) -> str:
    with shelve.open(os.path.join(".", "shelf")) as shelf:
        shelf["n"] = n
        time.sleep(PAUSE)
        return str(shelf["n"])


def packs_a_zip(n: int) -> str:
    with zipfile.ZipFile("packed.zip", "w") as packed:
        packed.writestr("n.txt", str(n))
    time.sleep(PAUSE)
    with zipfile.ZipFile("packed.zip") as packed:
        return packed.read("n.txt").decode()


def opens_by_descriptor(n: int) -> str:
    number = os.open("descriptor.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(number, str(n).encode())
    os.close(number)
    time.sleep(PAUSE)
    return Path("descriptor.txt").read_text()


def pickles(n: int) -> str:
    with open(str(Path("pickled") / ".." / "pickled.pkl").replace("pickled/../", ""), "wb") as file:
        pickle.dump(n, file)
    time.sleep(PAUSE)
    return str(pickle.loads(Path("pickled.pkl").read_bytes()))


def makes_a_directory(n: int) -> str:
    shutil.rmtree("made", ignore_errors=True)
    os.makedirs("made/inner")
    time.sleep(PAUSE)
    Path("made", "inner", f"{n}.txt").touch()
    time.sleep(PAUSE)
    return str(sorted(os.listdir("made/inner")))


# --- the environment -----------------------------------------------------------------------------------------------


def set_in(mapping: Any, n: int) -> None:
    mapping[VARIABLE] = str(n)


@contextlib.contextmanager
def variable(n: int) -> Iterator[None]:
    os.environ[VARIABLE] = str(n)
    yield


def with_a_variable(function: Callable[[int], str]) -> Callable[[int], str]:
    @functools.wraps(function)
    def wrapper(n: int) -> str:
        os.environ.update({VARIABLE: str(n)})
        return function(n)

    return wrapper


class Settings:
    def __init__(self, mapping: Any) -> None:
        self.mapping = mapping

    def set(self, n: int) -> None:
        self.mapping[VARIABLE] = str(n)


setter = functools.partial(set_in, os.environ)


def look(before: str | None) -> str:
    return f"{before} {slow('')}{os.getenv(VARIABLE)}"


def sets_an_alias(n: int) -> str:
    before, env = os.environ.get(VARIABLE), os.environ
    env[VARIABLE] = str(n)
    return look(before)


def hands_it_to_a_helper(n: int) -> str:
    before = os.environ.get(VARIABLE)
    set_in(os.environ, n)
    return look(before)


def hands_it_to_a_class(n: int) -> str:
    before = os.environ.get(VARIABLE)
    Settings(os.environ).set(n)
    return look(before)


def hands_it_to_a_partial(n: int) -> str:
    before = os.environ.get(VARIABLE)
    setter(n)
    return look(before)


def asks_by_getattr(n: int) -> str:
    before = os.environ.get(VARIABLE)
    getattr(os, "environ")[VARIABLE] = str(n)  # noqa: B009
    return look(before)


def imports_it(n: int) -> str:
    from os import environ as mapping

    before = mapping.get(VARIABLE)
    mapping |= {VARIABLE: str(n)}
    return look(before)


def enters_a_context(n: int) -> str:
    before = os.environ.get(VARIABLE)
    with variable(n):
        return look(before)


@with_a_variable
def is_decorated(n: int) -> str:
    return look("")


def calls_a_lambda(n: int) -> str:
    before = os.environ.get(VARIABLE)
    (lambda mapping: mapping.update({VARIABLE: str(n)}))(os.environ)
    return look(before)


def deletes_it(n: int) -> str:
    os.environ[VARIABLE] = "x"
    del os.environ[VARIABLE]
    return look("")


def puts_behind(n: int) -> str:
    asked = ["printenv", VARIABLE]
    before = subprocess.run(asked, stdout=subprocess.PIPE, check=False).stdout
    os.putenv(VARIABLE, str(n))
    time.sleep(PAUSE)
    return f"{before!r} {subprocess.run(asked, stdout=subprocess.PIPE, check=False).stdout!r}"


def moves_the_clock(n: int) -> str:
    os.environ["TZ"] = f"XYZ{n}"
    time.tzset()
    time.sleep(PAUSE)
    return str(time.timezone)


# --- objects and variables -----------------------------------------------------------------------------------------


class Model:
    count = 0
    marks: list[int] = []

    def __init__(self) -> None:
        self.level = 0
        self.items: list[int] = []

    def set(self, n: int) -> None:
        self.level = n

    @classmethod
    def mark(cls, n: int) -> None:
        cls.count = n

    @property
    def height(self) -> int:
        return self.level

    @height.setter
    def height(self, n: int) -> None:
        self.level = n


model = Model()
STATE = {"n": 0}
alias = STATE
last: deque[int] = deque(maxlen=1)
tally: Counter[str] = Counter()
generator = random.Random(0)
numbers = itertools.count()
space = types.SimpleNamespace(n=0)
buffer = io.StringIO()
table = np.zeros(2)
count = 0


def calls_a_method(n: int) -> str:
    model.set(n)
    return slow("") + str(model.level)


def calls_a_bound_method(n: int) -> str:
    put = model.set
    put(n)
    return slow("") + str(model.level)


def sets_a_property(n: int) -> str:
    model.height = n
    return slow("") + str(model.height)


def calls_a_class_method(n: int) -> str:
    Model.mark(n)
    return slow("") + str(Model.count)


def changes_through_a_new_object(n: int) -> str:
    Model().marks[:] = [n]
    return slow("") + str(Model.marks)


def sets_by_type(n: int) -> str:
    type(model).count = n
    return slow("") + str(Model.count)


def updates_a_dict(n: int) -> str:
    STATE.update(n=n)
    return slow("") + str(STATE["n"])


def updates_an_alias(n: int) -> str:
    alias["n"] = n
    return slow("") + str(STATE["n"])


def sets_by_operator(n: int) -> str:
    operator.setitem(STATE, "n", n)
    return slow("") + str(STATE["n"])


def sets_by_vars(n: int) -> str:
    vars(model)["level"] = n
    return slow("") + str(model.level)


def appends(n: int) -> str:
    last.append(n)
    return slow("") + str(last[0])


def counts(n: int) -> str:
    tally.clear()
    tally.update({"a": n})
    return slow("") + str(tally)


def seeds_its_generator(n: int) -> str:
    generator.seed(n)
    return slow(generator.random()) + str(generator.random())


def sets_in_a_namespace(n: int) -> str:
    space.n = n
    return slow("") + str(space.n)


def writes_to_a_buffer(n: int) -> str:
    buffer.seek(0)
    buffer.truncate()
    buffer.write(str(n))
    return slow("") + buffer.getvalue()


def fills(n: int) -> str:
    table.fill(n)
    return slow("") + str(table)


def adds_in_place(n: int) -> str:
    global table
    table = np.zeros(2)
    table += n
    return slow("") + str(table)


def has_a_default(n: int) -> str:
    return keeps(n)


def keeps(n: int, kept: list[int] = [0]) -> str:  # noqa: B006
    kept[0] = n
    return slow("") + str(kept)


def has_an_attribute(n: int) -> str:
    keeps.level = n  # type: ignore[attr-defined]
    return slow("") + str(keeps.level)  # type: ignore[attr-defined]


def rebinds_through_globals(n: int) -> str:
    globals()["count"] = n
    return slow("") + str(count)


def make_counter() -> tuple[Callable[[int], None], Callable[[], int]]:
    value = 0

    def put(n: int) -> None:
        nonlocal value
        value = n

    def get() -> int:
        return value

    return put, get


put_value, get_value = make_counter()


def shares_a_variable(n: int) -> str:
    put_value(n)
    return slow("") + str(get_value())


# --- the process ---------------------------------------------------------------------------------------------------


class Collecting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


def adds_a_handler(n: int) -> str:
    logger, handler = logging.getLogger("flytenb.test.shared"), Collecting()
    before = len(logger.handlers), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.info("a %d", n)
    time.sleep(PAUSE)
    logger.info("b %d", n)
    return f"{before} {handler.seen}"


def sets_a_level(n: int) -> str:
    before = logging.getLogger("flytenb.test.level").level
    logging.getLogger("flytenb.test.level").setLevel(n)
    time.sleep(PAUSE)
    return f"{before} {logging.getLogger('flytenb.test.level').level}"


def redirects_a_descriptor(n: int) -> str:
    with tempfile.TemporaryFile() as file:
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        os.write(1, f"a{n}".encode())
        time.sleep(PAUSE)
        os.write(1, f"b{n}".encode())
        os.dup2(kept, 1)
        os.close(kept)
        file.seek(0)
        return file.read().decode()


def limits_itself(n: int) -> str:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (n if before[0] != 0 else 0, before[1]))
    time.sleep(PAUSE)
    return f"{before} {resource.getrlimit(resource.RLIMIT_CORE)}"


def sets_polars_up(n: int) -> str:
    pl.Config.set_tbl_rows(n)
    time.sleep(PAUSE)
    return str(json.loads(pl.Config.save())["environment"].get("POLARS_FMT_MAX_ROWS"))


def plots_by_pandas(n: int) -> str:
    before = len(open_figures())
    pd.DataFrame({"a": [1, n]}).plot(figsize=(n, 1))
    time.sleep(PAUSE)
    return f"{before} {len(open_figures())}"


def open_figures() -> list[int]:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return [*helpers.Gcf.figs] if helpers is not None else []


def shows_a_summary(n: int) -> str:
    taken = io.StringIO()
    with contextlib.redirect_stdout(taken):
        pd.DataFrame({f"column{n}": [n]}).info(memory_usage=False)
        time.sleep(PAUSE)
    return taken.getvalue()


def puts_a_module_in(n: int) -> str:
    before = "flytenb_made_up" in sys.modules
    sys.modules["flytenb_made_up"] = types.ModuleType(f"made_up_{n}")
    time.sleep(PAUSE)
    return f"{before} {sys.modules['flytenb_made_up'].__name__}"


def sets_a_hook(n: int) -> str:
    before = [getattr(hook, "args", ()) in ((1,), (2,), (3,)) for hook in (sys.excepthook, threading.excepthook)]
    sys.excepthook = functools.partial(print, n)
    threading.excepthook = functools.partial(print, n)
    time.sleep(PAUSE)
    return f"{before} {sys.excepthook.args} {threading.excepthook.args}"  # type: ignore[attr-defined]


def collects_seldom(n: int) -> str:
    before = gc.get_threshold()
    gc.set_threshold(n + 900)
    time.sleep(PAUSE)
    return f"{before} {gc.get_threshold()[0]}"


def waits_for_sockets(n: int) -> str:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(n)
    time.sleep(PAUSE)
    return f"{before} {socket.getdefaulttimeout()}"


def goes_deep(n: int) -> str:
    before = sys.getrecursionlimit() > 10_000
    sys.setrecursionlimit(20_000 + n)
    time.sleep(PAUSE)
    return f"{before} {sys.getrecursionlimit()}"


def traces_memory(n: int) -> str:
    before = tracemalloc.is_tracing()
    tracemalloc.start(n)
    time.sleep(PAUSE)
    return f"{before} {tracemalloc.get_traceback_limit()}"


def handles_faults(n: int) -> str:
    faulthandler.disable()
    time.sleep(PAUSE)
    return str(faulthandler.is_enabled())


def divides_by_zero(n: int) -> str:
    before = np.geterr()["divide"]
    np.seterr(divide="raise" if n % 2 else "ignore")
    time.sleep(PAUSE)
    return f"{before} {np.geterr()['divide']}"


def registers_a_dialect(n: int) -> str:
    csv.register_dialect("flytenb", delimiter=str(n))
    time.sleep(PAUSE)
    return csv.get_dialect("flytenb").delimiter


def shows_warnings(n: int) -> str:
    seen: list[str] = []
    warnings.showwarning = lambda message, *_: seen.append(f"{n} {message}")
    warnings.simplefilter("always")
    time.sleep(PAUSE)
    warnings.warn(f"of {n}", stacklevel=1)
    return str(seen)


def adds_a_builtin(n: int) -> str:
    before = hasattr(builtins, "flytenb_builtin")
    builtins.flytenb_builtin = n  # type: ignore[attr-defined]
    time.sleep(PAUSE)
    return f"{before} {builtins.flytenb_builtin}"  # type: ignore[attr-defined]


def moves_temporary_files(n: int) -> str:
    before = tempfile.tempdir is None or "flytenb_" not in tempfile.tempdir
    tempfile.tempdir = f"/flytenb_{n}"
    time.sleep(PAUSE)
    return f"{before} {tempfile.gettempdir()}"


BODIES: list[Callable[[int], str]] = [
    body
    for body in list(globals().values())
    if isinstance(body, types.FunctionType)
    and list(body.__annotations__.items()) == [("n", "int"), ("return", "str")]
    and body.__module__ == __name__
]


def in_a_process(body: Callable[[int], str], n: int) -> str:
    """What a process of its own answers."""
    read_end, write_end = os.pipe()
    child = fork()
    if child == 0:
        try:
            answer = body(n)
        except BaseException as e:
            answer = repr(e)
        os.write(write_end, answer.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


class Tracing:
    """What the bodies need of tracemalloc: CPython crashes if it is stopped while another thread allocates memory."""

    limit = 0

    @classmethod
    def start(cls, limit: int = 1) -> None:
        cls.limit = limit

    @classmethod
    def stop(cls) -> None:
        cls.limit = 0

    @classmethod
    def is_tracing(cls) -> bool:
        return cls.limit > 0

    @classmethod
    def get_traceback_limit(cls) -> int:
        return cls.limit or 1


@pytest.fixture(autouse=True)
def harmless_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("start", "stop", "is_tracing", "get_traceback_limit"):
        monkeypatch.setattr(tracemalloc, name, getattr(Tracing, name))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_is_long() -> None:
    assert len(BODIES) >= 60


@pytest.mark.sampled(9)
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_tasks_at_once_answer_as_in_a_process_each(body: Callable[[int], str]) -> None:
    wanted = [in_a_process(body, n) for n in (1, 2, 3)]
    assert flytenb.run(map_task(task(body)), n=[1, 2, 3]).result == wanted


PAIRS = [tuple(random.Random(seed).sample(BODIES, 4)) for seed in range(16)]


@pytest.mark.sampled(8)
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("bodies", PAIRS, ids=lambda bodies: "-".join(body.__name__ for body in bodies))
def test_different_tasks_at_once_answer_as_in_a_process_each(bodies: tuple[Callable[[int], str], ...]) -> None:
    first, second, third, fourth = (task(body) for body in bodies)
    wanted = tuple([in_a_process(body, n) for n in (1, 2)] for body in bodies)

    @workflow
    def together() -> tuple[list[str], list[str], list[str], list[str]]:
        return (
            map_task(first)(n=[1, 2]), map_task(second)(n=[1, 2]), map_task(third)(n=[1, 2]), map_task(fourth)(n=[1, 2])
        )  # fmt: skip

    assert tuple(flytenb.run(together).result) == wanted


# --- what must not wait --------------------------------------------------------------------------------------------

frozen = {"rate": 3}
log: list[int] = []


def computes(n: int) -> str:
    return str(sum(i * n for i in range(5)))


def reads_a_table(n: int) -> str:
    return str(frozen["rate"] * n)


def only_logs(n: int) -> str:
    log.append(n)
    return str(n)


def replaces_letters(n: int) -> str:
    return "abc".replace("a", str(n)).rename if False else "abc".replace("a", str(n))  # type: ignore[attr-defined]


def works_on_a_frame(n: int) -> str:
    frame = pd.DataFrame({"a": [n]}).rename(columns={"a": "b"}).replace(1, 2)
    return str(frame.to_dict()) + frame.to_csv()


def writes_to_a_temporary_directory(n: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.txt")
        return write_and_read(path, n)


def writes_below_a_temporary_directory(n: int) -> str:
    folder = Path(tempfile.mkdtemp())
    (folder / "inner").mkdir()
    pd.DataFrame({"a": [n]}).to_csv(folder / "inner" / f"{n}.csv")
    return str(n)


def dumps_to_a_buffer(n: int) -> str:
    taken = io.BytesIO()
    pickle.dump(n, taken)
    np.save(taken, np.array([n]))
    return json.dumps({"n": n})


def only_reads_a_file(n: int) -> str:
    return str(os.path.exists("data.csv")) + str(n)


def runs_a_harmless_command(n: int) -> str:
    return str(subprocess.run(["sleep", "0"], check=True).returncode + n)


def has_a_generator(n: int) -> str:
    return str(np.random.default_rng(n).random())


PLAIN = [computes, reads_a_table, only_logs, replaces_letters, works_on_a_frame, writes_to_a_temporary_directory,
         writes_below_a_temporary_directory, dumps_to_a_buffer, only_reads_a_file, runs_a_harmless_command,
         has_a_generator]  # fmt: skip


@pytest.mark.parametrize("body", PLAIN, ids=lambda body: body.__name__)
def test_what_meets_nothing_never_waits(body: Callable[[int], str]) -> None:
    use, _ = state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)
    assert use.conflict_with(use) is None


@pytest.mark.parametrize("body", PLAIN, ids=lambda body: body.__name__)
def test_what_touches_no_file_waits_for_none(body: Callable[[int], str]) -> None:
    plain, _ = state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)
    writer, _ = state_use_of(task(names_by_join), has_own_cwd=HAS_OWN_CWD)
    assert plain.conflict_with(writer) is None


def prefix_a(n: int) -> str:
    return write_and_read(f"a_{n}.txt", n)


def prefix_b(n: int) -> str:
    return write_and_read(f"b_{n}.txt", n)


def test_names_that_can_t_be_equal_don_t_meet() -> None:
    one, other = (state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)[0] for body in (prefix_a, prefix_b))
    assert one.conflict_with(other) is None
    assert one.conflict_with(one) == "files a_*.txt"


def writes_a_file(path: str, n: int) -> None:
    Path(path).write_text("x")


def opens_a_file(path: str, n: int) -> None:
    with open(path, "a") as file:
        file.write(str(n))


def numbers_a_file(path: str, n: int) -> None:
    Path(f"{path}_{n}.txt").write_text("x")


def joins_a_file(path: str, n: int) -> None:
    Path(os.path.join(path, f"part{n}")).write_text("x")


def divides_a_file(path: str, n: int) -> None:
    (Path("results") / path / str(n) / "x.txt").write_text("x")


def adds_a_file(path: str, n: int) -> None:
    open("a/" + path + ".csv", "w").close()


def pads_a_file(path: str, n: int) -> None:
    Path(f"{path}{n:02d}").write_text("x")


def strips_a_file(path: str, n: int) -> None:
    Path(path.strip()).write_text("x")


def counts_a_file(path: str, n: int) -> None:
    Path(f"{path}{n + 1}").write_text("x")


def runs_into_a_file(path: str, n: int) -> None:
    Path(f"{path}{n}{n + n}").write_text("x")


@pytest.mark.parametrize(
    ("body", "inputs", "others", "meets"),
    [
        (writes_a_file, {"path": "a"}, {"path": "b"}, False),
        (writes_a_file, {"path": "a"}, {"path": "./a"}, True),
        (writes_a_file, {"path": "d"}, {"path": "d/a"}, True),
        (writes_a_file, {"path": "s3://d/a"}, {"path": "s3://d/a"}, False),
        (opens_a_file, {"path": "/tmp/a"}, {"path": "/tmp/b"}, False),
        (opens_a_file, {"path": "/tmp/a"}, {"path": "/tmp/../tmp/a"}, True),
        (numbers_a_file, {"path": "a", "n": 1}, {"path": "a", "n": 2}, False),
        (numbers_a_file, {"path": "a_1", "n": 1}, {"path": "a", "n": 1}, False),
        (numbers_a_file, {"path": "a", "n": 1}, {"path": "a", "n": 1}, True),
        (joins_a_file, {"path": "d", "n": 1}, {"path": "d", "n": 2}, False),
        (joins_a_file, {"path": "", "n": 1}, {"path": ".", "n": 1}, True),
        (joins_a_file, {"path": "d", "n": 1}, {"path": "e", "n": 1}, False),
        (adds_a_file, {"path": "x"}, {"path": "y"}, False),
        # What an input was changed to isn't known: these may meet whatever they are given.
        (divides_a_file, {"path": "x", "n": 1}, {"path": "y", "n": 2}, True),
        (pads_a_file, {"path": "a", "n": 1}, {"path": "a", "n": 2}, True),
        (strips_a_file, {"path": "a"}, {"path": "b"}, True),
        (counts_a_file, {"path": "a", "n": 1}, {"path": "a", "n": 2}, True),
        (runs_into_a_file, {"path": "a", "n": 1}, {"path": "a", "n": 2}, True),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_files_named_by_inputs_meet_where_the_names_are_one(
    body: Callable[..., None], inputs: dict[str, Any], others: dict[str, Any], meets: bool
) -> None:
    use, _ = state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)
    assert use.conflict_with(use)
    one, other = use.with_inputs(inputs), use.with_inputs(others)
    assert (one.conflict_with(other) is not None) is meets


def marks(n: int) -> str:
    Path("done").touch()
    return str(Path("done").exists())


def replaces_the_mark(n: int) -> None:
    Path("done").write_text("x")


def test_tasks_that_touch_one_file_run_at_once_but_not_beside_one_that_writes_it() -> None:
    touching, writing = (state_use_of(task(body), has_own_cwd=HAS_OWN_CWD)[0] for body in (marks, replaces_the_mark))
    assert touching.conflict_with(touching) is None
    assert touching.conflict_with(writing) == "file done"


def test_a_file_that_one_task_leaves_is_there_for_the_next(folder: Path) -> None:
    @task
    def leaves(n: int) -> int:
        Path(f"left_{n}.txt").write_text("here")
        return n

    @task
    def finds(n: int) -> str:
        return Path(f"left_{n}.txt").read_text() + Path("data.txt").read_text()

    (folder / "data.txt").write_text("!")

    @workflow
    def both(n: int) -> str:
        return finds(n=leaves(n=n))  # type: ignore[no-any-return]

    assert flytenb.run(both, n=3).result == "here!"
    assert (folder / "left_3.txt").read_text() == "here"
