"""State at the top level of modules: few objects, each listed here with the reason for its place.

State belongs to a session, a run or the resources of the process (`runner.resources`, `notebook.pages`). What else a
module may hold is listed in `ALLOWED`: memos that can be lost without harm, locks around an action of the whole
process, variables of a thread or context, the tables of the extension points, and what Python itself holds for good.
"""

from __future__ import annotations

import ast
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest

import flytenb

ROOT = Path(flytenb.__file__).parent
OWNERS = {"notebook/pages.py: pages", "runner/resources.py: resources", "session/host.py: host"}
EXTENSION_POINTS = {
    *(f"display/registry.py: {name}" for name in ("BUILT_IN", "FALLBACK", "PLUGINS", "REGISTRY")),
    *(f"notebook/forms/control_registry.py: {name}" for name in ("BUILT_IN", "CONTROLS", "FALLBACK")),
    "languages/language_registry.py: _registered",
    "render/styling.py: theme",
    "notebook/magics/verbs/__init__.py: VERBS",
}
MEMOS = {
    "bridge/cluster/known_specs.py: known_specs",
    "bridge/crossing/copier_lookup.py: _seen",
    "bridge/entities/decorators.py: _written",
    "bridge/workflow/compiler.py: _nodes",
    "bridge/workflow/reading_cache.py: _generation",
    "bridge/workflow/reading_cache.py: _kept",
    "bridge/workflow/reading_cache.py: _pending",
    "cache/store.py: _hits",
    "cache/store.py: _private",
    "model/graph_json.py: _decoder",
    "model/graph_json.py: _encoder",
    "reach/library_patches.py: _listed",
    "reach/library_patches.py: _members",
    "reach/library_patches.py: _scanned",
    "reach/look.py: _thread",
    "reach/moment.py: _current",
    "reach/staleness.py: _aside",
    "reach/staleness.py: _compiled_from",
    "reach/state_uses.py: _known",
    "reach/variables_and_files.py: _contents",
    "render/wasm.py: _idle",
    "runner/own_modules.py: _judged",
    "wording/text.py: _late",
}
LOCKS = {
    "bridge/crossing/crossing_value.py: _making",  # of a lock for each value that needs one
    "bridge/context.py: compile_lock",  # flytekit compiles in one context of the process
    "bridge/private.py: _opening",  # of flytekit's store
    "bridge/stopping.py: _asking",
    "cache/store.py: _counting",
    "cache/store.py: _replacing",
    "engines/choice.py: _lock",
    "locks.py: _locks",
    "locks.py: _reentrant",
    "locks.py: no_forks",
    "render/wasm.py: _compiling",
    "runner/own_modules.py: _lock",
}
OF_A_THREAD_OR_CONTEXT = {
    "bridge/cluster/login.py: _is_refused",
    "bridge/crossing/literal.py: _loops",
    "bridge/execution/kept_values.py: _refusal",
    "bridge/stopping.py: _current",
    "bridge/type_engine/transformers.py: _capture",
    "bridge/workflow/compile_errors.py: _begun",
    "cache/store.py: _reader",
    "reach/file_reads.py: _call",
    "reach/file_reads.py: _thread",
    "runner/capture.py: _sink",
    "runner/interrupts.py: _is_held_back",  # only the main thread sets it
    "runner/nesting.py: _level",
    "runner/scheduler.py: _thread",
    "ship/set_order.py: _is_reversed",
}
OF_THE_PROCESS = {
    "bridge/entities/container_cell.py: cell_resolver",  # a pod finds it by its name
    "bridge/execution/kept_values.py: _listening",  # Python can't remove an audit hook
    "bridge/cluster/spec_process.py: spec_process",  # it ends by itself, and is started again when it is needed
    "bridge/context.py: _announced",  # what is said once in a process
    "engines/choice.py: _said",  # what is said once in a process
    "engines/fork_server.py: fork_server",  # shell tasks and engines share it; `runner.resources` ends it
    "bridge/execution/files.py: recent_handouts",  # directories that outlive the call that returned a file of theirs
    "bridge/workflow/compile_errors.py: _conditionals_noted",  # a patch that several compiles share
    "reach/code_parts.py: cell_finders",  # the notebook, which knows its cells
    "bridge/workflow/compiler.py: observers",  # `reach.staleness`, which the bridge can't import
    "notebook/extension.py: _loaded",  # the extension of each shell
    "reach/file_reads.py: _listening",  # Python can't remove an audit hook
    "reach/file_reads.py: _watching",  # what the hook reports to
    "record/run_store.py: _inherited",  # connections that a forked process must neither use nor close
    "runner/own_modules.py: _agreed",  # which modules a process has imported
    "runner/own_modules.py: _seen",
}
ALLOWED = OWNERS | EXTENSION_POINTS | MEMOS | LOCKS | OF_A_THREAD_OR_CONTEXT | OF_THE_PROCESS
MAKERS = ("deque", "dict", "list", "set", "read_verbs", "defaultdict", "new_lock", "new_rlock")
TABLES = ("Registry", "read_verbs", "deque", "WeakKeyDictionary", "WeakSet")
"""What can change even if its name is that of a constant."""


def module_state(file: Path) -> set[str]:
    """Names at the top level of a module that hold something which can change: containers and objects of ours."""
    tree = ast.parse(file.read_text())
    found = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            names = {t.id for t in statement.targets if isinstance(t, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names = {statement.target.id}
        else:
            continue
        if _can_change(statement.value, all(name.lstrip("_").isupper() or name == "__all__" for name in names)):
            found |= names
    return found


def _can_change(value: ast.expr | None, is_constant: bool) -> bool:
    if isinstance(value, ast.Call):
        called = ast.unparse(value.func).rpartition(".")[2].lstrip("_")
        is_object = called[:1].isupper() or called in MAKERS
        return is_object and (not is_constant or called in TABLES)
    return isinstance(value, ast.Dict | ast.List | ast.Set) and not is_constant


def all_module_state() -> set[str]:
    return {f"{file.relative_to(ROOT)}: {name}" for file in ROOT.rglob("*.py") for name in module_state(file)}


def test_modules_hold_no_other_state(monkeypatch: pytest.MonkeyPatch) -> None:
    # In a process without other threads: CPython 3.11 fails where two threads parse at once. It would run the present
    # main module, which a shell of an earlier test may have replaced.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        found = pool.submit(all_module_state).result()
    assert found == ALLOWED
