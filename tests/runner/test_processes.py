"""Errors for values that a process can't return."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest
from flytekit import lazy_module, task

import flytenb
from flytenb.errors import TravelError
from tests.waiting import PATIENCE, wait_for


class StaysError(Exception):
    def __reduce__(self) -> str:
        raise RuntimeError("no pickle")


@task
def raises(x: int) -> int:
    if x:
        raise StaysError("the disk is red")
    return x


def test_an_error_that_cannot_travel_back_is_told_with_its_own_words_and_lines() -> None:
    with pytest.raises(TravelError, match="StaysError: the disk is red") as caught:
        flytenb.options(processes=True).run(raises, x=1)
    assert ", in raises" in str(caught.value.__cause__)
    assert "no pickle" in str(caught.value.hint)


@pytest.mark.slow
def test_processes_end_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
import os
import flytenb
from flytekit import task

@task
def where(x: int) -> int:
    return os.getpid()

print(flytenb.options(processes=True).run(where, x=1).result, flush=True)
os.kill(os.getpid(), 9)
""")
    done = subprocess.run([sys.executable, "-W", "ignore", script], stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    pid = int(done.stdout)
    wait_for(lambda: not Path(f"/proc/{pid}").exists())


class Later(ModuleType):
    """A module that is loaded when it is first used, as some packages have for their parts."""

    def __getattr__(self, name: str) -> object:
        return getattr(importlib.import_module("statistics"), name)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle it")


@pytest.mark.parametrize("module", [Later("statistics"), lazy_module("colorsys")], ids=["a subclass", "flytekit's"])
def test_a_lazy_module_in_a_decorator_is_sent_by_its_name(module: ModuleType) -> None:
    def named(fn: Callable[..., str], *, framework: ModuleType = module) -> Callable[..., str]:
        @functools.wraps(fn)
        def wrapper(*args: int, **kwargs: int) -> str:
            return fn(*args, **kwargs) + framework.__name__

        return wrapper

    @task
    @named
    def name_of(x: int) -> str:
        return str(x)

    name = object.__getattribute__(module, "__dict__")["__name__"]
    assert flytenb.options(processes=True).run(name_of, x=1).result == f"1{name}"


OWN_MODULES = """
import functools
import importlib
import sys
from pathlib import Path

import flytenb
from flytekit import task

sys.dont_write_bytecode = True

def write(number, folder):
    folder.mkdir(exist_ok=True)
    (folder / f"numbers_{folder.name}.py").write_text(f"NUMBER = {number}")
    (folder / f"answers_{folder.name}.py").write_text(f"from numbers_{folder.name} import NUMBER")

@functools.lru_cache
def twice(x):
    return 2 * x

@task
def cached_helper(x: int) -> int:
    return twice(x)

@task
def first() -> list[int]:
    import answers_first as inside
    return [answers_first.NUMBER, inside.NUMBER]

@task
def later() -> list[int]:
    import answers_later as inside
    return [answers_later.NUMBER, inside.NUMBER]

if __name__ == "__main__":
    in_processes = flytenb.options(processes=True)
    print(in_processes.run(cached_helper, x=4).result)
    for task in (first, later):
        folder = Path(__file__).parent / task.name.rpartition(".")[2]
        sys.path.insert(0, str(folder))  # of the first before there is a process, of the second after that
        for number in (1, 22, 333):  # of different sizes: Python compares times in seconds and sizes
            write(number, folder)
            for module in (f"numbers_{folder.name}", f"answers_{folder.name}"):
                globals()[module] = importlib.reload(importlib.import_module(module))
            print(in_processes.run(task).result, in_processes.run(task).result, flytenb.run(task).result)
"""


@pytest.mark.slow
def test_a_process_has_the_modules_of_the_kernel_as_they_were_loaded_last(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(OWN_MODULES)
    done = subprocess.run([sys.executable, "-W", "ignore", script], stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    expected = [" ".join([f"[{n}, {n}]"] * 3) for n in (1, 22, 333)]
    assert done.stdout.splitlines() == ["8", *expected * 2]


CACHED = """
import decimal
import importlib
import sys
from pathlib import Path

import flytenb
from flytekit import task

FOLDER = Path(__file__).parent
VERSION = sys.argv[1]
sys.dont_write_bytecode = True

def write(number):
    (FOLDER / "own_rules.py").write_text(f"STEP = {number}\\ndef add(x):\\n    return x + STEP\\n")
    (FOLDER / "own_lazy.py").write_text(f"def add(x):\\n    return x + {number}\\n")

write(1)
import own_rules

@task(cache=True, cache_version=VERSION)
def adds(x: int) -> int:
    return own_rules.add(x)

@task(cache=True, cache_version=VERSION)
def adds_lazily(x: int) -> int:
    import own_lazy
    return own_lazy.add(x)

@task(cache=True, cache_version=VERSION)
def divides(x: int) -> str:
    return str(decimal.Decimal(x) / 7)

def show(task, **options):
    run = flytenb.options(**options).run(task, x=1)
    print(task.name.rpartition(".")[2], run.result, run.nodes["n0"].cache_status, *options)

if __name__ == "__main__":
    for _ in range(2):
        show(adds, processes=True)
        show(adds_lazily, processes=True)
    write(50)
    show(adds_lazily, processes=True)
    show(adds_lazily)
    own_rules.STEP = 10  # not in the file
    show(adds, processes=True)
    show(adds)
    importlib.reload(own_rules)
    show(adds, processes=True)
    show(adds)
    decimal.getcontext().prec = 3  # a process has a context of its own
    show(divides, processes=True)
    show(divides)
"""


@pytest.mark.slow
def test_the_answer_of_a_process_is_stored_only_if_its_modules_are_those_of_the_kernel(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(CACHED)
    command = [sys.executable, "-W", "ignore", script, uuid.uuid4().hex]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.stdout.splitlines() == [
        "adds 2 POPULATED processes",
        "adds_lazily 2 POPULATED processes",
        "adds 2 HIT processes",
        "adds_lazily 2 HIT processes",
        "adds_lazily 51 POPULATED processes",
        "adds_lazily 51 HIT",
        "adds 2 MISS processes",  # of the module as it was loaded, which is not the one of the kernel now
        "adds 11 POPULATED",
        "adds 51 POPULATED processes",
        "adds 51 HIT",
        "divides 0.1428571428571428571428571429 MISS processes",
        "divides 0.143 POPULATED",
    ]


class Wrapper:
    """Looks like a function, as the wrappers of wrapt do."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.__wrapped__ = function
        self.__name__ = function.__name__

    __class__ = property(lambda self: FunctionType)  # type: ignore[assignment]

    def __call__(self, x: int) -> int:
        return int(self.__wrapped__(x)) + 100

    def __reduce__(self) -> tuple[Any, ...]:
        return Wrapper, (self.__wrapped__,)


@Wrapper
def wrapped(x: int) -> int:
    return x


@task
def calls_wrapped(x: int) -> int:
    helper = wrapped
    return helper(x)


def test_a_wrapper_is_never_replaced_by_what_it_wraps() -> None:
    assert flytenb.run(calls_wrapped, x=1).result == 101
    with pytest.raises(TravelError, match="the Wrapper around 'wrapped' would be lost"):
        flytenb.options(processes=True).run(calls_wrapped, x=1)


class LooksLikeModule:
    """As the libraries of cffi, which are entries of `sys.modules`."""

    __slots__ = ()
    __class__ = property(lambda self: ModuleType)  # type: ignore[assignment]


@pytest.mark.parametrize("entry", [None, 7, LooksLikeModule(), ModuleType("made_up")], ids=lambda v: type(v).__name__)
def test_an_entry_of_the_modules_may_be_anything(entry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "odd_entry", entry)
    assert flytenb.options(processes=True).run(raises, x=0).result == 0
