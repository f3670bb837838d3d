"""Settings and registries of Python's own modules: a task that changes one affects no other task and not the cells.

On a cluster each task has its own process, so any other task finds what a new process has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import flytenb
from flytenb.reach.state_uses import state_use_of
from tests.notebook_cells import NotebookCells

PRELUDE = """
import calendar, codecs, copyreg, csv, decimal, doctest, email.charset, faulthandler, gc, gettext, json, logging
import builtins, linecache, mimetypes, multiprocessing, os, resource, shutil, signal, socket, sqlite3, string, sys
import tempfile, threading, time, urllib.request, warnings, webbrowser, xml.etree.ElementTree as ET, zoneinfo
import zoneinfo._tzpath
from copyreg import dispatch_table
from decimal import DefaultContext
class Own: pass
LOG = logging.getLogger("flytenb.a_test")
def ignore(*args): pass
def indent(encoder): encoder.indent = 4
def joined(a, b): return a + b
"""
TABLE = {
    "default context": ("decimal.DefaultContext.prec = 5", "decimal.Context().prec"),
    "traps of a context": ("decimal.DefaultContext.traps[decimal.Inexact] = True", "repr(decimal.DefaultContext)"),
    "context by import from": ("DefaultContext.prec = 5", "decimal.DefaultContext.prec"),
    "names of levels": ("logging.addLevelName(20, 'MINE')", "logging.getLevelName(20)"),
    "disabled levels": ("logging.disable(50)", "logging.root.manager.disable"),
    "record factory": ("logging.setLogRecordFactory(Own)", "logging.getLogRecordFactory()"),
    "class of loggers": ("logging.setLoggerClass(type('L', (logging.Logger,), {}))", "logging.getLoggerClass()"),
    "captured warnings": ("logging.captureWarnings(True)", "warnings.showwarning"),
    "attribute of a logger": ("logging.getLogger('flytenb.a_test').propagate = False", "LOG.propagate"),
    "attribute of a held logger": ("LOG.disabled = True", "LOG.disabled"),
    "handlers of a logger": ("logging.getLogger('flytenb.a_test').handlers.append(Own())", "[*LOG.handlers]"),
    "exceptions of logging": ("logging.raiseExceptions = False", "logging.raiseExceptions"),
    "callbacks of gc": ("gc.callbacks.append(ignore)", "[*gc.callbacks]"),
    "disabled gc": ("gc.disable()", "gc.isenabled()"),
    "frozen objects": ("gc.freeze() if not gc.get_freeze_count() else None", "gc.get_freeze_count() > 0"),
    "recursion limit": ("sys.setrecursionlimit(1234)", "sys.getrecursionlimit()"),
    "switch interval": ("sys.setswitchinterval(0.001)", "sys.getswitchinterval()"),
    "digits of integers": ("sys.set_int_max_str_digits(0)", "sys.get_int_max_str_digits()"),
    "linking": ("sys.setdlopenflags(sys.getdlopenflags() ^ os.RTLD_GLOBAL)", "sys.getdlopenflags()"),
    "trace of threads": ("threading.settrace(ignore)", "threading.gettrace()"),
    "profile of threads": ("threading.setprofile(ignore)", "threading.getprofile()"),
    "start method": ("multiprocessing.set_start_method('spawn', force=True)", "multiprocessing.get_start_method()"),
    "exception hook": ("sys.excepthook = ignore", "sys.excepthook"),
    "exception hook of threads": ("threading.excepthook = ignore", "threading.excepthook"),
    "path hooks": ("sys.path_hooks.append(ignore)", "[*sys.path_hooks]"),
    "finders": ("sys.meta_path.append(Own())", "[*sys.meta_path]"),
    "error handler": ("codecs.register_error('strict', codecs.ignore_errors)", "codecs.lookup_error('strict')"),
    "timeout of sockets": ("socket.setdefaulttimeout(3)", "socket.getdefaulttimeout()"),
    "temporary directory": ("tempfile.tempdir = '/nowhere'", "tempfile.gettempdir()"),
    "types of files": ("mimetypes.add_type('x/mine', '.mine')", "mimetypes.guess_type('a.mine')"),
    "table of types": ("mimetypes.types_map['.mine'] = 'x/mine'", "mimetypes.types_map.get('.mine')"),
    "pickling": ("copyreg.pickle(Own, ignore)", "Own in copyreg.dispatch_table"),
    "table of pickling": ("copyreg.dispatch_table[Own] = ignore", "Own in copyreg.dispatch_table"),
    "table by import from": ("dispatch_table[Own] = ignore", "Own in copyreg.dispatch_table"),
    "table by its class": ("dict.__setitem__(dispatch_table, Own, ignore)", "Own in copyreg.dispatch_table"),
    "attribute of a class": ("json.JSONEncoder.item_separator = ';'", "json.JSONEncoder.item_separator"),
    "attribute by setattr": ("setattr(json.JSONEncoder, 'item_separator', ';')", "json.JSONEncoder.item_separator"),
    "attribute by a joined name": (
        "setattr(json.JSONEncoder, joined('item_', str('separator')), ';')", "json.JSONEncoder.item_separator",
    ),
    "attribute by its metaclass": (
        "type.__setattr__(json.JSONEncoder, 'item_separator', ';')", "json.JSONEncoder.item_separator",
    ),
    "new attribute": ("setattr(json.JSONEncoder, joined('my', 'own'), 1)", "'myown' in vars(json.JSONEncoder)"),
    "object of a module": ("json._default_encoder.indent = 3", "json.dumps([1])"),
    "object in a helper": ("indent(json._default_encoder)", "json.dumps([1])"),
    "items of vars": ("vars(string)['digits'] = '9'", "string.digits"),
    "update of vars": ("vars(string).update(digits='9')", "string.digits"),
    "update of __dict__": ("string.__dict__.update(digits='9')", "string.digits"),
    "attribute of a module by a joined name": ("setattr(string, joined('dig', 'its'), '9')", "string.digits"),
    "time zone": ("os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", "time.timezone"),
    "time zone by putenv": ("os.putenv('TZ', 'Asia/Tokyo'); time.tzset()", "time.timezone"),
    "soft limit": (
        "resource.prlimit(0, resource.RLIMIT_NOFILE, (512, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))",
        "resource.getrlimit(resource.RLIMIT_NOFILE)",
    ),
    "signal": ("signal.signal(signal.SIGUSR1, ignore)", "signal.getsignal(signal.SIGUSR1)"),
    "timer": ("signal.setitimer(signal.ITIMER_REAL, 1000)", "signal.getitimer(signal.ITIMER_REAL)"),
    "opener": ("urllib.request.install_opener(urllib.request.build_opener())", "urllib.request._opener"),
    "namespaces": ("ET.register_namespace('mine', 'http://mine')", "{**ET._namespace_map}"),
    "adapters": ("sqlite3.register_adapter(Own, str)", "{**sqlite3.adapters}"),
    "converters": ("sqlite3.register_converter('mine', str)", "{**sqlite3.converters}"),
    "browsers": ("webbrowser.register('mine', None)", "{**webbrowser._browsers}"),
    "archives": ("shutil.register_archive_format('mine', ignore)", "shutil.get_archive_formats()"),
    "unpacked archives": ("shutil.register_unpack_format('mine', ['.m'], ignore)", "shutil.get_unpack_formats()"),
    "translation": ("gettext.install('mine')", "hasattr(builtins, '_')"),
    "time zone files": ("zoneinfo.reset_tzpath(['/nowhere'])", "zoneinfo.TZPATH"),
    "character sets": ("email.charset.add_charset('mine')", "{**email.charset.CHARSETS}"),
    "dialects": ("csv.register_dialect('mine', delimiter=';')", "csv.list_dialects()"),
    "first day of the week": ("calendar.setfirstweekday(6)", "calendar.firstweekday()"),
    "flags of doctest": ("doctest.register_optionflag('MINE')", "'MINE' in doctest.OPTIONFLAGS_BY_NAME"),
    "lines of files": ("linecache.cache['mine'] = (1, None, [], 'mine')", "'mine' in linecache.cache"),
}  # fmt: skip


@pytest.fixture(scope="module")
def notebook() -> Iterator[NotebookCells]:
    cells = NotebookCells("notebook_of_settings")
    cells.run(PRELUDE)
    yield cells
    del sys.modules["notebook_of_settings"]


def define(notebook: NotebookCells, change: str, look: str) -> tuple[Any, Any, Any]:
    """Return a task that changes a setting and then looks, a task that looks, and a function that does."""
    notebook.run(
        f"@task\ndef change() -> str:\n    {change}\n    return repr({look})",
        f"@task\ndef look() -> str:\n    return repr({look})",
        f"def now(): return repr({look})",
    )
    return notebook.change, notebook.look, notebook.now


@pytest.mark.parametrize(("change", "look"), TABLE.values(), ids=TABLE)
def test_a_changed_setting_affects_no_other_task_and_no_cell(change: str, look: str, notebook: NotebookCells) -> None:
    changing, looking, now = define(notebook, change, look)
    before = now()
    found = flytenb.run(changing).result
    assert now() == before
    assert found != before or "freeze" in change  # pytest's own configuration has frozen objects
    changes, looks = (state_use_of(each, has_own_cwd=True)[0] for each in (changing, looking))
    assert changes.conflict_with(looks) is not None


class SaysItIsAModule:
    """Has no namespace and says that it is a module, as libraries of cffi do."""

    __slots__ = ()
    __class__ = property(lambda self: ModuleType)  # type: ignore[assignment]


def test_objects_that_say_they_are_modules_are_no_obstacle(
    notebook: NotebookCells, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = SaysItIsAModule()
    monkeypatch.setitem(sys.modules, "a_library_of_cffi", library)  # type: ignore[arg-type]
    notebook.run("seen = []")
    notebook.run("import a_library_of_cffi as library")
    notebook.run("@task\ndef note() -> int:\n    seen.append(type(library))\n    return len(seen)")
    use = state_use_of(notebook.note, has_own_cwd=True)[0]
    assert "everything" not in use.writes
    assert any("seen" in str(each) for each in use.writes)
