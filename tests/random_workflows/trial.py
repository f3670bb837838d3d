"""One run of a random program, and what is wrong with it."""

from __future__ import annotations

import atexit
import dataclasses
import gc
import os
import shutil
import sys
import tempfile
import threading
import traceback
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import cloudpickle
from flytekit import LaunchPlan, task
from flytekit.core import local_cache
from flytekit.core.context_manager import FlyteEntities
from flytekit.core.local_cache import LocalTaskCache

import flytenb
from flytenb.bridge.execution.files import recent_handouts
from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import Expected, Failure, Story, expect
from tests.random_workflows.program import SHARED, Program, vocabulary_source
from tests.random_workflows.tasks import TASKS
from tests.waiting import PATIENCE, are_workers_idle, is_soon


@task
def _trivial(x: int) -> int:
    return x + 1


def try_seed(seed: int) -> str:
    """Return what is wrong with the run of a seed's program, '' if nothing is."""
    return try_program(generate(seed))


def try_program(program: Program) -> str:
    """Return what is wrong with the run of a program, '' if nothing is; a run that hangs is left behind."""
    found: list[str] = []

    def attempt() -> None:
        try:
            found.append(_attempt(program))
        except BaseException:
            found.append(f"raised outside of the run:\n{traceback.format_exc()}")

    # flytekit keeps an event loop for each name of a thread.
    thread = threading.Thread(target=attempt, name="attempt", daemon=True)
    thread.start()
    thread.join(2 * PATIENCE)
    if not found:
        frame = sys._current_frames().get(thread.ident or 0)
        return f"hangs:\n{''.join(traceback.format_stack(frame))}"
    return found[0]


def _attempt(program: Program) -> str:
    expected = expect(program)
    may_go_on = bool(program.mode.cancel_after is not None or expected.failures)
    with _module(program, shares=_may_share(program, may_go_on=may_go_on)) as module:
        options = flytenb.options(
            workers=program.mode.workers, strict=program.mode.strict, processes=program.mode.processes
        )
        inputs = dict(program.inputs)
        run = options.start(module.wf, **inputs)
        if program.mode.cancel_after is not None:
            threading.Event().wait(program.mode.cancel_after)
            run.cancel()
        wrong = _judge(run.wait(PATIENCE), expected, module, cancelled=program.mode.cancel_after is not None)
        if not wrong and program.mode.cache:
            Path(module.LOG).write_text("")
            second = Expected(expected.outputs, expected.failures, expected.again, expected.again)
            wrong = _judge(options.start(module.wf, **inputs).wait(PATIENCE), second, module, cancelled=False)
            wrong = wrong and f"the second run, answered from the cache: {wrong}"
        del run
        if may_go_on and not wrong and not is_soon(are_workers_idle, PATIENCE):
            wrong = "a task goes on"
    return wrong or _goes_on()


def _goes_on() -> str:
    """Tell whether the next run works."""
    run = flytenb.start(_trivial, x=1).wait(PATIENCE)
    return "" if str(run.phase) == "SUCCEEDED" and run.result == 2 else f"the next run is {run.phase}: {run.error}"


# --- the module ------------------------------------------------------------------------------------------------------


VOCABULARY = "random_vocabulary"
VOCABULARIES = 4
"""How many modules have the shared tasks, each with a log and a seed that stay: what flytenb knows of a task holds."""


def _may_share(program: Program, *, may_go_on: bool) -> bool:
    """Tell whether a program may take the tasks from a module that other programs use.

    None of its tasks may run when the next program begins: of what may go on after the run, only what threads of runs
    execute is waited for.
    """
    if program.mode.processes or "Gather" in str(program.entities):
        return False
    return not may_go_on or (not any(TASKS[name].is_async for name in program.tasks()) and "Eager" not in str(program))


@contextmanager
def _module(program: Program, *, shares: bool) -> Iterator[ModuleType]:
    """Write the program as a module, import it, and take back what its import left behind.

    Args:
        shares: take the tasks from a module that is made once. It is cheaper, and only right where no task of this run
            can still be running when the next one begins.
    """
    folder = Path(tempfile.mkdtemp(prefix="program-"))
    number = program.seed % VOCABULARIES
    log, seed = (_log(tempfile.gettempdir(), os.getpid(), number), number) if shares else (folder / "log", program.seed)
    log.write_text("")
    settings = {"LOG": str(log), "SEED": seed, "VERSION": uuid.uuid4().hex}
    if shares and settings["LOG"] != _vocabulary(number).LOG:
        vars(_vocabulary(number)).update(settings)
    known, plans = len(FlyteEntities.entities), set(LaunchPlan.CACHE)
    name = f"random_program_{program.seed}"
    source = program.source(vocabulary=f"{VOCABULARY}_{number}" if shares else "")
    try:
        module = _import(name, source, folder, settings)
        if program.mode.processes:
            cloudpickle.register_pickle_by_value(module)
        yield module
    finally:
        if program.mode.processes:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])
        sys.modules.pop(name, None)
        del FlyteEntities.entities[known:]
        for plan in set(LaunchPlan.CACHE) - plans:
            del LaunchPlan.CACHE[plan]
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _vocabulary(number: int) -> ModuleType:
    folder = Path(tempfile.mkdtemp(prefix="vocabulary-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _import(f"{VOCABULARY}_{number}", vocabulary_source(SHARED), folder, {"LOG": ""})


@cache
def _log(home: str, process: int, number: int) -> Path:
    """The file in which the tasks of a vocabulary log their calls, one in each process and home."""
    folder = Path(tempfile.mkdtemp(prefix="program-", dir=home))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / f"log-{process}-{number}"


def import_all() -> None:
    """Import what every run imports and make the shared tasks, without a thread: processes are forked afterwards."""
    for number in range(VOCABULARIES):
        _vocabulary(number)
    assert flytenb.start
    assert threading.enumerate() == [threading.main_thread()]


def _import(name: str, source: str, folder: Path, settings: dict[str, Any]) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    module = ModuleType(name)
    vars(module).update(settings, __file__=str(path))
    sys.modules[name] = module
    exec(compile(source, str(path), "exec"), vars(module))
    return module


# --- the verdict -----------------------------------------------------------------------------------------------------


def _judge(run: Any, expected: Expected, module: ModuleType, *, cancelled: bool) -> str:
    phase = str(run.phase)
    # A subworkflow that is compiled while a dynamic task runs has ids that begin with `dn`, else with `n`.
    phases = {path.replace("dn", "n"): str(node.phase) for path, node in run.nodes.items()}
    logged = Counter(Path(module.LOG).read_text().splitlines())
    if phase not in ("SUCCEEDED", "FAILED", "ABORTED"):
        return f"the run doesn't end: {phase}, {phases}"
    unfinished = {path: p for path, p in phases.items() if p in ("RUNNING", "QUEUED")}
    if unfinished:
        return f"the run is {phase} and these nodes aren't over: {unfinished}"
    if phase == "ABORTED":
        if not cancelled:
            return "the run is ABORTED, but wasn't cancelled"
        return _compare_calls(logged, expected.story.relaxed())
    if phase != ("FAILED" if expected.failures else "SUCCEEDED"):
        words = [f.words for f in expected.failures]
        return f"the run is {phase}, expected {f'FAILED by one of {words}' if words else 'SUCCEEDED'}: {run.error}"
    if expected.failures:
        wrong = _compare_failure(run, expected.failures)
    else:
        wrong = _compare_outputs(run.result, expected.outputs or ())
    return wrong or _compare_phases(phases, expected.story) or _compare_calls(logged, expected.story)


def _compare_failure(run: Any, failures: tuple[Failure, ...]) -> str:
    said = str(run.error.exception)
    if not any(f.words in said for f in failures):
        return f"the error is {said!r}, expected one of {sorted({f.words for f in failures})}"
    try:
        _ = run.result
    except Exception as e:
        return "" if e is run.error.exception else f"run.result raises {e!r}, the error is {run.error.exception!r}"
    return "run.result raises nothing although the run failed"


def _compare_outputs(result: Any, expected: tuple[Any, ...]) -> str:
    found = tuple(result) if len(expected) > 1 else (result,)
    if len(found) != len(expected):
        return f"the result has {len(found)} outputs, expected {len(expected)}"
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        wrong = difference_of(a, b)
        if wrong:
            return f"output {i}: {wrong}"
    return ""


def _compare_phases(phases: dict[str, str], story: Story) -> str:
    expected = {path.replace("dn", "n"): allowed for path, allowed in story.phases.items()}
    wrong = {
        path: f"{phases.get(path)}, expected {' or '.join(sorted(allowed))}"
        for path, allowed in expected.items()
        if phases.get(path) not in allowed and (path in phases or "/" not in path)
    }
    # What isn't foretold is inside of what didn't run.
    unknown = {p: x for p, x in phases.items() if p not in expected and x not in ("SKIPPED", "ABORTED")}
    return f"phases: {wrong or unknown}" if wrong or unknown else ""


def _compare_calls(logged: Counter[str], story: Story) -> str:
    least, most = story.least, story.most
    missing = {e: f"{logged[e]} times, expected {n}" for e, n in least.items() if logged[e] < n}
    extra = {e: f"{n} times, expected at most {most[e]}" for e, n in logged.items() if n > most[e]}
    return f"calls: {missing | extra}" if missing or extra else ""


def difference_of(found: Any, expected: Any) -> str:
    """Return how a value differs from what the oracle has for it; types count, classes by their name."""
    kind = type(found).__name__
    if kind == "FlyteFile":
        found = Path(found).read_text()
    elif kind == "FlyteDirectory":
        found = {p.name: p.read_text() for p in Path(found).iterdir()}
    elif kind == "DataFrame":
        return "" if found.equals(expected) and list(found.dtypes) == list(expected.dtypes) else f"{found}"
    if type(found).__name__ != type(expected).__name__:
        return f"{found!r} is a {type(found).__name__}, expected {expected!r}"
    if dataclasses.is_dataclass(expected):
        return difference_of(vars(found), vars(expected))
    if isinstance(expected, dict):
        if found.keys() != expected.keys():
            return f"{found!r}, expected {expected!r}"
        return next(filter(None, (difference_of(found[k], v) for k, v in expected.items())), "")
    if isinstance(expected, list | tuple):
        if len(found) != len(expected):
            return f"{found!r}, expected {expected!r}"
        return next(filter(None, map(difference_of, found, expected)), "")
    if hasattr(expected, "value") and hasattr(found, "value"):
        found, expected = found.value, expected.value
    return "" if found == expected else f"{found!r}, expected {expected!r}"


# --- many seeds ------------------------------------------------------------------------------------------------------

MOST_THREADS, MOST_FILES = 60, 200
"""What runs may add: the fixed pool's threads, each with an event loop and its three files. One a seed is more."""


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def _files() -> list[str]:
    return [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]


@contextmanager
def own_home() -> Iterator[Path]:
    """Give runs a directory for temporary files and a cache of their own."""
    here, cache_home = Path(tempfile.mkdtemp(prefix="home-")), tempfile.mkdtemp(prefix="cache-")
    with (
        patch.object(local_cache, "CACHE_LOCATION", cache_home),
        patch.object(LocalTaskCache, "_initialized", False),
        patch.object(tempfile, "tempdir", str(here)),
        # A node may be stopped in a destructor, which pytest would take for an error of a test.
        patch.object(sys, "unraisablehook", lambda _: None),
    ):
        yield here
    for path in (here, cache_home):
        shutil.rmtree(path, ignore_errors=True)


def try_seeds(seeds: range, home: Path) -> str:
    """Return what is wrong with the first seed that goes wrong, or what is left behind after all of them."""
    before = len(_threads()), len(_files())
    for seed in seeds:
        wrong = try_seed(seed)
        # A run that hangs makes those after it hang as well.
        if wrong:
            return f"seed {seed}: {wrong}\n  again, and smaller: python -m tests.random_workflows {seed}"
    recent_handouts.clear()
    gc.collect()
    # What a program itself writes isn't the run's: a task that was cancelled may write its last line late.
    own = ("random_vocabulary", "vocabulary-", "program-")
    left: list[Path] = []

    def is_nothing_left() -> bool:
        """Tell so, soon after the runs: the directory of a run that was cancelled is removed by a thread."""
        found = [Path(folder, name) for folder, _, names in os.walk(home) for name in names]
        files_left = [path.relative_to(home) for path in found]
        left[:] = [path for path in files_left if not any(part.startswith(own) for part in path.parts)]
        return not left

    is_soon(is_nothing_left, 30)
    threads, files = _threads(), _files()
    if left or len(threads) > before[0] + MOST_THREADS or len(files) > before[1] + MOST_FILES:
        return f"left after seeds {seeds}: files {left}, open files {files}, threads {threads}"
    return ""
