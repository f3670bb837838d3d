"""Kinds of process-wide state: how uses of each are recognized, and what saves it before a task.

On a cluster each task has its own process, and this state ends with it.
"""

from __future__ import annotations

import asyncio
import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flytenb.reach import interpreter_captures, library_captures, registry_captures
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
            *_of("time", "localtime", "mktime", "ctime", "strftime", "tzname", "timezone", "altzone", "daylight"),
            *_of("datetime.datetime", "now", "today", "fromtimestamp", "astimezone", "timestamp"),
            "datetime.date.today",
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
        reads=("warnings.",),
        writes=(
            "logging.captureWarnings",
            *_of("warnings", "filterwarnings", "simplefilter", "resetwarnings", "catch_warnings"),
        ),
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
        writes=(
            *("logging.config.", *_of("logging", "basicConfig", "disable", "captureWarnings", "setLoggerClass")),
            *_of("logging", "addLevelName", "setLogRecordFactory"),
        ),
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
        reads=(*_of("sys", "excepthook", "unraisablehook", "displayhook", "breakpointhook"), "threading.excepthook"),
        objects=(*_of("sys", "excepthook", "unraisablehook", "displayhook", "breakpointhook"), "threading.excepthook"),
        capture=captures.attributes(
            *_of("sys", "excepthook", "unraisablehook", "displayhook", "breakpointhook"), "threading.excepthook"
        ),
    ),
    "interpreter": StateKind(
        "settings of the interpreter",
        reads=(
            *_of("sys", "getrecursionlimit", "gettrace", "getprofile", "getswitchinterval", "get_int_max_str_digits"),
            *_of("gc", "isenabled", "get_threshold", "get_freeze_count", "get_debug", "callbacks"),
            *_of("threading", "gettrace", "getprofile"),
            *("multiprocessing.get_start_method", "sys.getdlopenflags"),
        ),
        writes=(
            *_of("sys", "setrecursionlimit", "settrace", "setprofile", "setswitchinterval", "set_int_max_str_digits"),
            *_of("sys", "setdlopenflags", "set_coroutine_origin_tracking_depth", "set_asyncgen_hooks"),
            *_of("gc", "disable", "enable", "set_threshold", "freeze", "unfreeze", "set_debug"),
            *("multiprocessing.set_start_method", "tracemalloc.", "faulthandler."),
            *_of("threading", "stack_size", "settrace", "setprofile"),
        ),
        capture=interpreter_captures.interpreter,
    ),
    "limits": StateKind(
        "limits of the process",
        reads=("resource.getrlimit",),
        writes=_of("resource", "setrlimit", "prlimit"),
        capture=interpreter_captures.limits,
    ),
    "priority": StateKind(
        "priority and processors of the thread",
        writes=_of("os", "nice", "setpriority", "sched_setaffinity", "sched_setscheduler", "sched_setparam"),
        capture=interpreter_captures.priority,
    ),
    "event loop policy": StateKind(
        "event loop policy",
        reads=("asyncio.new_event_loop", "asyncio.run", "asyncio.get_event_loop_policy"),
        writes=("asyncio.set_event_loop_policy", "uvloop.install"),
        capture=captures.getter_and_setter("asyncio.get_event_loop_policy", "set_event_loop_policy"),
    ),
    "registries": StateKind(
        "registries of the standard library",
        reads=(
            *("csv.", "mimetypes.", "urllib.request.", "copyreg.", "pickle.", "sqlite3.", "xml.etree.ElementTree."),
            *("doctest.", "webbrowser.", "email.charset.", "zoneinfo.", "calendar."),
            *_of("codecs", "lookup", "lookup_error"),
            *_of("shutil", "get_archive_formats", "get_unpack_formats", "make_archive", "unpack_archive"),
        ),
        writes=(
            *_of("csv", "register_dialect", "unregister_dialect", "field_size_limit"),
            *_of("mimetypes", "add_type", "init", "types_map", "encodings_map", "suffix_map"),
            *_of("codecs", "register", "unregister", "register_error"),
            *("urllib.request.install_opener", "copyreg.pickle", "copyreg.dispatch_table", "gettext.install"),
            *_of("sqlite3", "register_adapter", "register_converter", "adapters", "converters"),
            *_of("shutil", "register_archive_format", "unregister_archive_format"),
            *_of("shutil", "register_unpack_format", "unregister_unpack_format"),
            *_of("email.charset", "add_charset", "add_alias", "add_codec"),
            *("xml.etree.ElementTree.register_namespace", "webbrowser.register", "zoneinfo.reset_tzpath"),
            *("calendar.setfirstweekday", "doctest.register_optionflag"),
        ),
        capture=registry_captures.registries,
    ),
    "mlflow": StateKind("MLflow's experiment", ("mlflow.",), ("flytekitplugins.mlflow.", *_MLFLOW)),
    "wandb": StateKind("the run of Weights & Biases", ("wandb.",), ("flytekitplugins.wandb.", *_WANDB)),
    "comet": StateKind("Comet's experiment", ("comet_ml.",), ("flytekitplugins.comet_ml.", "comet_ml.start")),
    "ray": StateKind("Ray's connection", ("ray.",), ("flytekitplugins.ray.", *_of("ray", "init", "shutdown"))),
    "memray": StateKind("memray's tracker", writes=("memray.Tracker", "flytekitplugins.memray.")),
    DECIMALS: StateKind("decimal context", reads=("decimal.",), capture=_give_decimal_context),
    MAIN_THREAD: StateKind(
        "the main thread",
        reads=_of("signal", "getsignal", "getitimer"),
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
        writes=(
            *("unittest.mock.patch", "mock.patch", "importlib.reload", "gettext.install", *_PATCHERS),
            *_of("resource", "setrlimit", "prlimit"),
        ),
        objects=("sys.modules",),
        capture=captures.patches,
    ),
}
"""The kinds by the names that `uses` accepts."""
