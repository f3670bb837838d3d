"""State of the process: what pages share is in one object that unloading closes; modules hold no other state."""

from __future__ import annotations

import ast
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import flytenb
from flytenb.notebook.explore.explorer import Explorer
from flytenb.notebook.pages import Pages, pages
from tests.kernel import Kernel

ROOT = Path(flytenb.__file__).parent
ROOMS = ["api.py", "parts.py", "session", "notebook"]
ALLOWED = {
    "session/host.py: host",  # the sessions of the process
    "notebook/extension.py: _loaded",  # the extension of each shell
    "notebook/pages.py: pages",  # what pages share
    "notebook/magics/verbs/__init__.py: VERBS",  # the table of verbs
    "notebook/forms/control_registry.py: FALLBACK",  # the extension point of input controls
    "notebook/forms/control_registry.py: BUILT_IN",
    "notebook/forms/control_registry.py: CONTROLS",
}


class Widget:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_only_the_latest_finished_widgets_stay_open_until_all_are_closed() -> None:
    made, widgets = Pages(), [Widget() for _ in range(20)]
    for widget in widgets:
        made.retire(widget)
    assert [w.is_closed for w in widgets] == [True] * 12 + [False] * 8
    made.close()
    assert all(w.is_closed for w in widgets)
    assert not made.finished


def test_closing_leaves_open_explorers_still() -> None:
    explorer = Explorer([{"a": n} for n in range(500)])
    assert "data-ft-set" in explorer.live.fragment
    explorer.open()
    assert explorer in pages.explorers
    pages.close()
    assert explorer._value is None
    assert "data-ft-set" not in explorer._repr_mimebundle_()["text/html"]


@pytest.mark.kernel
def test_unloading_closes_what_is_open() -> None:
    with Kernel() as kernel:
        kernel.run("from flytenb.notebook.pages import pages; import flytenb").ok()
        kernel.run("e = flytenb.explore([{'a': n} for n in range(500)]); html = e.open()").ok()
        assert kernel.value("len(pages.explorers)") == 1
        kernel.run("%unload_ext flytenb").ok()
        assert kernel.value("[len(pages.explorers), len(pages.finished)]") == [0, 0]


def module_state(file: Path) -> list[str]:
    """Names at the top level of a module that hold something which can change: containers and objects of ours."""
    found = []
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.Assign):
            names = [t.id for t in statement.targets if isinstance(t, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names = [statement.target.id]
        else:
            continue
        is_constant = all(name.lstrip("_").isupper() or name == "__all__" for name in names)
        value = statement.value
        if isinstance(value, ast.Call):
            called = ast.unparse(value.func).rpartition(".")[2]
            is_object = called[:1].isupper() or called in ("deque", "dict", "list", "set", "read_verbs", "object")
            is_table = is_constant and called not in (
                "Registry",
                "ControlRegistry",
                "read_verbs",
                "deque",
                "WeakKeyDictionary",
            )
            if is_object and not is_table:
                found += names
        elif isinstance(value, ast.Dict | ast.List | ast.Set) and not is_constant:
            found += names
    return found


def all_module_state() -> set[str]:
    files = [f for room in ROOMS for f in ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py"))]
    return {f"{file.relative_to(ROOT)}: {name}" for file in files for name in module_state(file)}


def test_modules_hold_no_other_state() -> None:
    # In a process without other threads: CPython 3.11 fails where two threads parse at once.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        found = pool.submit(all_module_state).result()
    assert found == ALLOWED
