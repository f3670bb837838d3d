"""Save process-wide state before a task and put it back after: on a cluster it ends with the task's process."""

from __future__ import annotations

import asyncio
import ctypes
import decimal
import gc
import importlib
import locale
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

_MISSING = object()
Restore = Callable[[], None]

_CLONE_FS = 0x200
"""Of `unshare`: a thread stops sharing its working directory, root and umask (linux/sched.h)."""


def take_own_cwd() -> bool:
    """Give this thread a working directory of its own, which only Linux can; tell whether it has one."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_FS) == 0)
    except (OSError, AttributeError):
        return False


def _try_on_a_thread() -> bool:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(take_own_cwd()))
    thread.start()
    thread.join()
    return found == [True]


HAS_OWN_CWD = _try_on_a_thread()
"""Whether worker threads have a working directory of their own."""


def current_cwd() -> str | None:
    """Return the working directory, None if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - asked once a run
    except OSError:
        return None


def go_to(cwd: str | None) -> None:
    """Make a directory this thread's working directory; one that has been removed is left out."""
    if cwd is not None:
        with suppress(OSError):
            os.chdir(cwd)


def save_state(names: Iterable[str], assigned: Iterable[tuple[str, str]] = ()) -> Restore:
    """Save these kinds of state, and attributes of modules; return what puts them back."""
    restores = [SAVERS[name]() for name in names if name in SAVERS]
    restores += [_save_attribute(module, name) for module, name in assigned]

    def restore() -> None:
        for one in reversed(restores):
            with suppress(Exception):  # the others are put back all the same
                one()

    return restore


def set_environment(variables: Mapping[str, str]) -> Restore:
    """Set environment variables; return what puts the environment back."""
    restore = _save_environ()
    os.environ.update({name: str(value) for name, value in variables.items()})
    return restore


def _save_attribute(module: str, name: str) -> Restore:
    owner = sys.modules[module]
    before = vars(owner).get(name, _MISSING)

    def restore() -> None:
        if before is not _MISSING:
            setattr(owner, name, before)
        elif name in vars(owner):
            delattr(owner, name)

    return restore


def _save_environ() -> Restore:
    before = dict(os.environ)

    def restore() -> None:
        has_moved = os.environ.get("TZ") != before.get("TZ")
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        if has_moved and hasattr(time, "tzset"):
            time.tzset()

    return restore


def _save_random() -> Restore:
    state = random.getstate()
    return lambda: random.setstate(state)


def _save_numpy_random() -> Restore:
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is None:
        return lambda: None
    state = numpy.get_state()
    return lambda: numpy.set_state(state)


def _save_torch_seed() -> Restore:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return lambda: None
    state = torch.get_rng_state()
    return lambda: torch.set_rng_state(state)


def _save_cwd() -> Restore:
    before = current_cwd()
    return lambda: go_to(before)


def _save_streams() -> Restore:
    before = sys.stdout, sys.stderr, sys.stdin

    def restore() -> None:
        sys.stdout, sys.stderr, sys.stdin = before

    return restore


def _save_pyplot() -> Restore:
    """Figures that the task leaves open are closed for pyplot; who holds one keeps it."""
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is None:
        return _close_figures
    settings = dict(matplotlib.rcParams)
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    before = set(pyplot.get_fignums()) if pyplot is not None else set()

    def restore() -> None:
        dict.update(matplotlib.rcParams, settings)
        _close_figures(before)

    return restore


def _close_figures(kept: Iterable[int] = ()) -> None:
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        for number in set(pyplot.get_fignums()) - set(kept):
            pyplot.close(number)


def _save_warnings() -> Restore:
    caught = warnings.catch_warnings()
    caught.__enter__()
    return lambda: caught.__exit__(None, None, None)


def _save_locale() -> Restore:
    before = locale.setlocale(locale.LC_ALL)

    def restore() -> None:
        locale.setlocale(locale.LC_ALL, before)

    return restore


def _save_argv() -> Restore:
    argv, before = sys.argv, [*sys.argv]

    def restore() -> None:
        sys.argv = argv
        argv[:] = before

    return restore


def _save_interpreter() -> Restore:
    limit, interval = sys.getrecursionlimit(), sys.getswitchinterval()
    is_collecting, thresholds = gc.isenabled(), gc.get_threshold()

    def restore() -> None:
        sys.setrecursionlimit(limit)
        sys.setswitchinterval(interval)
        sys.settrace(None)
        gc.set_threshold(*thresholds)
        (gc.enable if is_collecting else gc.disable)()

    return restore


def _save_umask() -> Restore:
    before = os.umask(0o077)
    os.umask(before)

    def restore() -> None:
        os.umask(before)

    return restore


def _save_patches() -> Restore:
    """Patches of `unittest.mock` that the task starts and doesn't stop."""
    mock: Any = sys.modules.get("unittest.mock")
    before = [*mock._patch._active_patches] if mock is not None else []

    def restore() -> None:
        mock: Any = sys.modules.get("unittest.mock")
        for patch in [*mock._patch._active_patches][::-1] if mock is not None else ():
            if all(patch is not other for other in before):
                patch.stop()

    return restore


def _save_import_path() -> Restore:
    """What the task imports from directories that it adds itself isn't there for the next one."""
    path, before, known = sys.path, [*sys.path], {*sys.modules}

    def restore() -> None:
        added = tuple(f"{entry}{os.sep}" for entry in {*sys.path} - {*before} if entry)
        for name in {*sys.modules} - known if added else ():
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(added):
                del sys.modules[name]
        importlib.invalidate_caches()
        sys.path = path
        path[:] = before

    return restore


def _save_numpy_settings() -> Restore:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return lambda: None
    errors, options = numpy.geterr(), numpy.get_printoptions()

    def restore() -> None:
        numpy.seterr(**errors)
        numpy.set_printoptions(**{name: value for name, value in options.items() if name != "override_repr"})

    return restore


def _save_pandas_options() -> Restore:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None:
        return lambda: None
    before = dict(_options(pandas.options.d))

    def restore() -> None:
        for name, value in [*_options(pandas.options.d)]:
            if value is not before.get(name, value):
                pandas.set_option(name, before[name])

    return restore


def _options(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The options of pandas with their full names."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _options(value, f"{above}{name}.")
        else:
            yield above + name, value


def _save_signals() -> Restore:
    """In the main thread: the handlers, and no alarm is left to go off later."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    timers = {which: signal.getitimer(which) for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL)}

    def restore() -> None:
        for which, (delay, interval) in timers.items():
            if signal.getitimer(which) != (delay, interval):
                signal.setitimer(which, delay, interval)
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    return restore


def _give_event_loop() -> Restore:
    """An event loop for `asyncio.get_event_loop()`, as the main thread of a pod has one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def restore() -> None:
        asyncio.set_event_loop(None)
        loop.close()

    return restore


def _give_decimal_context() -> Restore:
    """A copy: the context that the kernel has set is one object for all who have a copy of its variables."""
    before = decimal.getcontext()
    decimal.setcontext(before.copy())
    return lambda: decimal.setcontext(before)


SAVERS: Mapping[str, Callable[[], Restore]] = {
    "random": _save_random,
    "numpy.random": _save_numpy_random,
    "torch seed": _save_torch_seed,
    "cwd": _save_cwd,
    "environ": _save_environ,
    "stdout": _save_streams,
    "pyplot": _save_pyplot,
    "warnings": _save_warnings,
    "locale": _save_locale,
    "argv": _save_argv,
    "interpreter": _save_interpreter,
    "umask": _save_umask,
    "import path": _save_import_path,
    "everything": _save_patches,
    "numpy settings": _save_numpy_settings,
    "pandas options": _save_pandas_options,
    "event loop": _give_event_loop,
    "decimal context": _give_decimal_context,
}
"""What saves each kind of state; those that it lacks have nothing to be put back."""


def save_signals() -> Restore:
    """Save the handlers and timers of signals, in the main thread; return what puts them back."""
    return _save_signals()
