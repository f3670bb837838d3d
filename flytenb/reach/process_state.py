"""Kinds of process-wide state: how uses of each are recognized, and how it is restored after a task.

On a cluster each task has its own process, and this state ends with it.
"""

from __future__ import annotations

import asyncio
import decimal
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.reach import library_captures
from flytenb.reach import state_captures as captures
from flytenb.reach.state_captures import Restore
from flytenb.reach.working_directory import current_cwd, go_to

EVERYTHING = "everything"
MAIN_THREAD = "main thread"
EVENT_LOOP = "event loop"
DECIMALS = "decimal context"
PRIVATE = frozenset([EVENT_LOOP, DECIMALS])
"""State that each task has separately, so that tasks that use it needn't be kept apart."""


def _cwd() -> Restore:
    before = current_cwd()
    return lambda: go_to(before)


def _give_event_loop() -> Restore:
    """Set an event loop for `asyncio.get_event_loop()`, as in the main thread of a pod."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def restore() -> None:
        asyncio.set_event_loop(None)
        loop.close()

    return restore


def _give_decimal_context() -> Restore:
    """Set a copy of the decimal context: copied contexts of the kernel share one decimal context."""
    before = decimal.getcontext()
    decimal.setcontext(before.copy())
    return lambda: decimal.setcontext(before)


@dataclass(frozen=True, slots=True)
class StateKind:
    """One kind of process-wide state.

    Attributes:
        label: its name in messages.
        reads: names whose use reads it; a name that ends in `.` includes all names that start with it.
        writes: names whose use changes it.
        harmless: exceptions from `reads` and `writes`.
        objects: objects that are this state, by name; assigning or changing one writes it.
        methods: methods of any object that change it.
        capture: saves it and returns a function that restores it; None if it isn't restored.
    """

    label: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    harmless: frozenset[str] = frozenset()
    objects: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset()
    capture: Callable[[], Restore] | None = None


def _of(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{module}.{name}" for name in names)


_PATCHERS = ("pytest.MonkeyPatch", "_pytest.monkeypatch.MonkeyPatch")
_STARTERS = ("subprocess.", "os.system", "os.popen", *_of("os", "posix_spawn", "spawnv", "fork"))
_MLFLOW, _WANDB = _of("mlflow", "set_experiment", "autolog"), _of("wandb", "init", "finish")
KINDS: Mapping[str, StateKind] = {
    "random": StateKind(
        "random numbers",
        reads=("random.",),
        writes=_of("random", "seed", "setstate"),
        harmless=frozenset(_of("random", "Random", "SystemRandom")),
        capture=captures.random_numbers,
    ),
    "numpy.random": StateKind(
        "numpy's random numbers",
        reads=("numpy.random.", "sklearn.", "scipy.stats.", "statsmodels.", "xgboost.", "lightgbm."),
        writes=_of("numpy.random", "seed", "set_state"),
        harmless=frozenset(
            _of(
                "numpy.random",
                "default_rng",
                "Generator",
                "RandomState",
                "SeedSequence",
                "PCG64",
                "MT19937",
                "BitGenerator",
            )
        ),
        capture=captures.getter_and_setter("numpy.random.get_state", "set_state"),
    ),
    "torch seed": StateKind(
        "torch's random numbers",
        reads=(
            "torch.nn.",
            *_of("torch", "rand", "randn", "randint", "randperm", "bernoulli", "normal", "multinomial"),
        ),
        writes=_of("torch", "manual_seed", "seed", "set_rng_state"),
        capture=captures.getter_and_setter("torch.get_rng_state", "set_rng_state"),
    ),
    "cwd": StateKind("working directory", writes=("os.chdir", "os.fchdir", "contextlib.chdir"), capture=_cwd),
    "environ": StateKind(
        "environment variables",
        reads=(
            *_of("os", "environ", "getenv", "environb", "path.expandvars"),
            *_STARTERS,
            *_of("time", "localtime", "mktime", "ctime", "strftime", "tzname"),
        ),
        writes=(
            *("os.putenv", "os.unsetenv", "dotenv.load_dotenv", "time.tzset", *_PATCHERS),
            *_of("os.environ", "update", "setdefault", "pop", "popitem", "clear"),
        ),
        objects=("os.environ", "os.environb"),
        capture=captures.environ,
    ),
    "stdout": StateKind(
        "standard output",
        reads=("builtins.print", "sys.stdout", "sys.stderr", "pprint.", "traceback.print_exc"),
        writes=_of("contextlib", "redirect_stdout", "redirect_stderr"),
        objects=_of("sys", "stdout", "stderr", "stdin"),
        capture=captures.streams,
    ),
    "file descriptors": StateKind(
        "file descriptors",
        reads=("os.write", *_STARTERS),
        writes=("os.dup2", "os.closerange", "wurlitzer."),
        capture=captures.descriptors,
    ),
    "pyplot": StateKind(
        "pyplot",
        writes=(
            *(
                "matplotlib.pyplot.",
                "matplotlib.pyplot",
                "pylab.",
                "seaborn.",
                "matplotlib.rcParams",
                "pandas.plotting.",
            ),
            *("matplotlib.style.", *_of("matplotlib", "use", "rc", "rc_context", "rcdefaults", "rc_file")),
        ),
        objects=("matplotlib.rcParams",),
        methods=frozenset(["plot", "hist", "boxplot"]),
        capture=library_captures.pyplot,
    ),
    "warnings": StateKind(
        "warning filters",
        reads=("warnings.warn",),
        writes=_of("warnings", "filterwarnings", "simplefilter", "resetwarnings", "catch_warnings"),
        objects=_of("warnings", "filters", "showwarning", "formatwarning"),
        capture=captures.warning_filters,
    ),
    "locale": StateKind("locale", reads=("locale.",), writes=("locale.setlocale",), capture=captures.spoken_locale),
    "umask": StateKind("umask", writes=("os.umask",), capture=captures.umask),
    "import path": StateKind(
        "import path",
        writes=_of("sys.path", "append", "insert", "extend", "remove", "pop", "clear"),
        objects=_of("sys", "path", "meta_path", "path_hooks", "path_importer_cache"),
        capture=captures.import_path,
    ),
    "numpy settings": StateKind(
        "numpy's settings",
        writes=_of("numpy", "seterr", "seterrcall", "errstate", "set_printoptions", "printoptions", "setbufsize"),
        capture=library_captures.numpy_settings,
    ),
    "pandas options": StateKind(
        "pandas' options",
        writes=_of("pandas", "set_option", "reset_option", "option_context", "options"),
        capture=library_captures.pandas_options,
    ),
    "polars options": StateKind(
        "polars' options",
        writes=("polars.Config", "polars.config.", "polars.set_random_seed", "polars.enable_string_cache"),
        capture=library_captures.polars_options,
    ),
    "plotly": StateKind(
        "plotly's settings",
        writes=_of("plotly.io", "templates", "renderers", "templates.default", "renderers.default"),
        capture=library_captures.plotly_settings,
    ),
    "altair": StateKind(
        "altair's settings",
        writes=(
            *_of("altair", "theme", "theme.enable", "themes", "data_transformers", "renderers"),
            *_of("altair", "data_transformers.enable", "data_transformers.disable_max_rows", "renderers.enable"),
        ),
        capture=library_captures.altair_settings,
    ),
    "duckdb": StateKind(
        "duckdb's default connection",
        writes=_of("duckdb", "sql", "execute", "query", "default_connection", "from_df", "read_csv", "read_parquet"),
    ),
    "argv": StateKind(
        "sys.argv",
        reads=("sys.argv", "argparse.ArgumentParser"),
        objects=("sys.argv",),
        capture=captures.arguments,
    ),
    "logging": StateKind(
        "logging",
        reads=("logging.",),
        writes=("logging.config.", *_of("logging", "basicConfig", "disable", "captureWarnings", "setLoggerClass")),
        methods=frozenset(["addHandler", "removeHandler", "setLevel", "addFilter", "removeFilter", "assertLogs"]),
        capture=captures.loggers,
    ),
    "socket timeout": StateKind(
        "socket timeout",
        reads=("socket.", "urllib.request.", "http.client."),
        writes=("socket.setdefaulttimeout",),
        capture=captures.socket_timeout,
    ),
    "hooks": StateKind(
        "exception hooks",
        objects=(*_of("sys", "excepthook", "unraisablehook", "displayhook", "breakpointhook"), "threading.excepthook"),
        capture=captures.attributes(
            *_of("sys", "excepthook", "unraisablehook", "displayhook", "breakpointhook"), "threading.excepthook"
        ),
    ),
    "interpreter": StateKind(
        "settings of the interpreter",
        writes=(
            *_of("sys", "setrecursionlimit", "settrace", "setprofile", "setswitchinterval", "set_int_max_str_digits"),
            *_of("gc", "disable", "enable", "set_threshold", "freeze", "set_debug"),
            *("multiprocessing.set_start_method", "tracemalloc.", "faulthandler.", "threading.stack_size"),
        ),
        capture=captures.interpreter,
    ),
    "limits": StateKind("limits of the process", writes=("resource.setrlimit",), capture=captures.limits),
    "event loop policy": StateKind(
        "event loop policy",
        reads=("asyncio.new_event_loop", "asyncio.run", "asyncio.get_event_loop_policy"),
        writes=("asyncio.set_event_loop_policy", "uvloop.install"),
        capture=captures.getter_and_setter("asyncio.get_event_loop_policy", "set_event_loop_policy"),
    ),
    "registries": StateKind(
        "registries of the standard library",
        reads=("csv.", "mimetypes.", "urllib.request."),
        writes=(
            *_of("csv", "register_dialect", "unregister_dialect", "field_size_limit"),
            *_of("mimetypes", "add_type", "init", "types_map", "encodings_map", "suffix_map"),
            *("urllib.request.install_opener", "copyreg.pickle", "codecs.register", "codecs.register_error"),
        ),
        capture=captures.getter_and_setter("csv.field_size_limit", "field_size_limit"),
    ),
    "mlflow": StateKind("MLflow's experiment", ("mlflow.",), ("flytekitplugins.mlflow.", *_MLFLOW)),
    "wandb": StateKind("the run of Weights & Biases", ("wandb.",), ("flytekitplugins.wandb.", *_WANDB)),
    "comet": StateKind("Comet's experiment", ("comet_ml.",), ("flytekitplugins.comet_ml.", "comet_ml.start")),
    "ray": StateKind("Ray's connection", ("ray.",), ("flytekitplugins.ray.", *_of("ray", "init", "shutdown"))),
    "memray": StateKind("memray's tracker", writes=("memray.Tracker", "flytekitplugins.memray.")),
    DECIMALS: StateKind("decimal context", reads=("decimal.",), capture=_give_decimal_context),
    MAIN_THREAD: StateKind(
        "the main thread",
        writes=(
            *_of(
                "signal", "signal", "siginterrupt", "set_wakeup_fd", "alarm", "setitimer", "pthread_sigmask", "sigwait"
            ),
            *("tkinter.", "turtle.", "threading.main_thread"),
        ),
        methods=frozenset(["add_signal_handler"]),
    ),
    EVENT_LOOP: StateKind(
        "event loop",
        reads=("asyncio.get_event_loop", "asyncio.ensure_future", "asyncio.Future"),
        capture=_give_event_loop,
    ),
    EVERYTHING: StateKind(
        "the whole process",
        writes=("unittest.mock.patch", "mock.patch", "importlib.reload", "resource.setrlimit", *_PATCHERS),
        objects=("sys.modules",),
        capture=captures.patches,
    ),
}
"""The kinds by the names that `uses` accepts."""

_BY_OBJECT_NAME = {name: kind for kind, each in KINDS.items() for name in each.objects}


def kind_of_name(name: str) -> str | None:
    """Return the kind of state that an attribute of a module is, by its dotted name."""
    return _BY_OBJECT_NAME.get(name)


def kind_of_object(value: Any) -> str | None:
    """Return the kind of state that an object is."""
    for name, kind in _BY_OBJECT_NAME.items():
        module, _, attribute = name.rpartition(".")
        if module in sys.modules and vars(sys.modules[module]).get(attribute) is value and value is not None:
            return kind
    return None


def save_state(
    names: Iterable[str], assigned: Iterable[tuple[str | type, str]] = (), of_threads: Iterable[threading.local] = ()
) -> Restore:
    """Save kinds of state, attributes of modules and classes, `threading.local`s; return what restores them."""
    # Names of kinds are texts: the other names of a task's state have hashes in Python.
    found = [KINDS[name].capture for name in names if type(name) is str and name in KINDS]
    restores = [capture() for capture in found if capture is not None]
    restores += [captures.attribute(owner, name) for owner, name in assigned if name]
    return captures.all_of([*restores, *map(captures.of_thread, of_threads)])


def save_signals(of_thread: Iterable[threading.local]) -> Restore:
    """Save signal handlers, timers and what these hold, in the main thread; return a function that restores them."""
    return captures.all_of([captures.signals(), *map(captures.of_thread, of_thread)])


def set_environment(variables: Mapping[str, str]) -> Restore:
    """Set environment variables; return a function that restores the environment."""
    restore = captures.environ()
    os.environ.update({name: str(value) for name, value in variables.items()})
    return restore
