"""The table of patches: each names the upstream line that it replaces, says why, and is undone."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import flytekit
import pytest
from flytekit import task
from flytekit.core import tracker

import flytenb
from flytenb.bridge.patch import Patch, SharedPatch
from flytenb.bridge.patches.applied import Patches
from flytenb.bridge.patches.definitions import name_by_function
from flytenb.bridge.patches.table import PATCHES, all_patches

ROOT = Path(flytekit.__file__).parent

every_patch = pytest.mark.parametrize("patch", all_patches(), ids=lambda p: f"{p.owner.__name__}.{p.name}")


@every_patch
def test_a_patch_names_the_line_that_it_replaces(patch: Patch) -> None:
    file, _, line = patch.upstream.partition(":")
    replaced = getattr(patch.owner, patch.name)
    if isinstance(replaced, ModuleType):  # which a module of flytekit uses in some lines
        assert Path(str(patch.owner.__file__)) == ROOT / file
        if flytekit.__version__ == "1.16.31":
            lines = (ROOT / file).read_text().splitlines()
            assert all(f"{patch.name}." in lines[int(each) - 1] for each in line.split(","))
        return
    function: Any = inspect.unwrap(replaced)
    code = getattr(function, "__func__", function).__code__
    assert Path(code.co_filename) == ROOT / file
    if flytekit.__version__ == "1.16.31":
        assert code.co_firstlineno == int(line)


@every_patch
def test_a_patch_says_why(patch: Patch) -> None:
    assert inspect.getdoc(patch.replace)


def test_no_attribute_is_patched_twice_at_the_same_time() -> None:
    always = [(p.owner, p.name) for patches in PATCHES.values() for p in patches]
    assert len(set(always)) == len(always)


def state() -> dict[tuple[str, str], Any]:
    return {(p.owner.__name__, p.name): vars(p.owner).get(p.name, "absent") for p in all_patches()}


def test_all_that_is_applied_is_undone() -> None:
    before = state()
    patches = Patches()
    patches.apply()
    applied = state()
    assert {key for key in before if before[key] is not applied[key]} == {
        (p.owner.__name__, p.name) for subject in PATCHES.values() for p in subject
    }
    patches.apply()
    assert state() == applied
    patches.undo()
    assert state() == before


def test_the_patches_of_one_subject_can_be_applied_alone() -> None:
    before = state()
    patches = Patches()
    patches.apply("compile")
    changed = {key for key, value in state().items() if value is not before[key]}
    patches.undo()
    assert changed == {("PythonFunctionWorkflow", "compile")}


def test_what_was_absent_is_absent_again() -> None:
    module = ModuleType("some")
    patches = Patches()
    patches.set(module, "added", 1)
    patches.set(module, "added", 2)
    assert vars(module)["added"] == 2
    patches.undo()
    assert not hasattr(module, "added")


class Owner:
    @classmethod
    def made(cls) -> str:
        return cls.__name__

    def answer(self) -> int:
        return 1


class Heir(Owner):
    pass


def test_a_shared_patch_is_undone_by_its_last_user() -> None:
    def more(answer: Any) -> Any:
        return lambda self: answer(self) + 1

    patch = SharedPatch(Patch(Owner, "answer", more, ""))
    with patch:
        with patch:
            assert Owner().answer() == 2
        assert Owner().answer() == 2
    assert Owner().answer() == 1


def test_an_inherited_attribute_is_patched_on_the_heir_alone() -> None:
    undo = Patch(Heir, "made", lambda made: classmethod(lambda cls: f"patched {made()}"), "").apply()
    assert (Heir.made(), Owner.made()) == ("patched Heir", "Owner")
    undo()
    assert Heir.made() == "Heir"
    assert "made" not in vars(Heir)


def test_a_thread_local_that_only_the_importing_thread_sets_up_is_there_in_each_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class ExecutorSafeguard:  # as in Airflow 2.9
        _sentinel = threading.local()
        _sentinel.callers = {}

    module = ModuleType("airflow.models.baseoperator")
    vars(module)["ExecutorSafeguard"] = ExecutorSafeguard
    monkeypatch.setitem(sys.modules, module.__name__, module)

    @task
    def callers() -> int:
        return len(ExecutorSafeguard._sentinel.callers)

    for _ in range(2):
        assert flytenb.run(callers).result == 0
    assert ExecutorSafeguard._sentinel.callers == {}


def test_an_object_that_decorates_a_function_of_a_notebook_has_its_name() -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import functools\n"
        "class Counted:\n"
        "    def __init__(self, fn): functools.update_wrapper(self, fn)\n"
        "    def __call__(self, *args, **kwargs): return self.__wrapped__(*args, **kwargs)\n"
        "def f(x: int) -> int: return x\n",
        cell,
    )
    counted = cell["Counted"](cell["f"])
    extract = inspect.unwrap(tracker.extract_task_module)  # a shell of an earlier test may keep it patched
    with pytest.raises(TypeError, match="got Counted"):
        extract(counted)
    named = name_by_function(extract)
    assert named(counted) == named(cell["Counted"](counted)) == extract(cell["f"])
    assert named(cell["f"]) == extract(cell["f"])
    for wrapper in (functools.cache, functools.lru_cache(maxsize=3)):
        assert named(wrapper(cell["f"])) == named(cell["Counted"](wrapper(cell["f"]))) == extract(cell["f"])
