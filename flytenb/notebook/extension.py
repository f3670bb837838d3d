"""Load into a shell and leave it again as it was found: session, magics, reprs, cell hook, repairs.

Returns before flytekit is imported; that goes on in the background.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flytenb.bridge.patches.import_gate import ImportGate
from flytenb.bridge.patches.repairs import Repairs
from flytenb.errors import FlytekitError, headline
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_loaded: dict[int, Extension] = {}
_kept: dict[int, Session] = {}
_ENTITY_TYPES = (
    ("flytekit.core.base_task", "Task"),
    ("flytekit.core.workflow", "WorkflowBase"),
    ("flytekit.core.launch_plan", "LaunchPlan"),
    ("flytekit.core.reference_entity", "ReferenceEntity"),
    ("flytekit.core.array_node", "ArrayNode"),
)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext flytenb`."""
    if id(shell) not in _loaded:
        session = _kept.pop(id(shell), None) or Session()
        _loaded[id(shell)] = Extension(shell, session)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """`%unload_ext flytenb`; the session is kept in case it is loaded again."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.unload()
        _kept[id(shell)] = extension.session


def wait_until_warm() -> None:
    """Wait for the import in the background, so that two threads don't import the same rooms in opposite order."""
    for extension in list(_loaded.values()):
        thread = extension.warmup
        if thread is not threading.current_thread() and thread.is_alive():
            thread.join()


class Extension:
    """One shell's flytenb: what it added, and how to take it away."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self.shell = shell
        self.session = session
        self.repairs = Repairs()
        self._unread: list[tuple[dict[str, Any], int | None, str]] = []
        self._undo: list[Callable[[], None]] = []
        self._process = os.getpid()
        self._problem: Exception | None = None
        self._is_problem_told = False
        self._mend()
        self._install_magics()
        self._install_reprs()
        self._install_hooks()
        self._install_completion()
        self.warmup = threading.Thread(target=self._warm_up, name="flytenb-warmup", daemon=True)
        self._gate = ImportGate(self.warmup)
        self.warmup.start()

    def unload(self) -> None:
        """Take everything away again, last first."""
        if self.warmup.is_alive():
            self.warmup.join()
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self.repairs.undo()

    # --- flytekit ------------------------------------------------------------------------------------------------

    def _mend(self) -> None:
        """Repair flytekit now, or at the moment that anybody imports it."""
        if sys.modules.get("flytekit") is not None:
            self._mend_imported(was_found=True)
            return
        finder = _FlytekitFinder(self._mend_imported)
        sys.meta_path.insert(0, finder)
        self._undo.append(finder.withdraw)

    def _mend_imported(self, *, was_found: bool = False) -> None:
        self.repairs.mend_tracebacks(self.shell, was_found=was_found)
        self.repairs.mend_interrupt(was_found=was_found)
        self._fold_tracebacks()
        self.repairs.mend_flytekit()

    def _fold_tracebacks(self) -> None:
        from flytenb.notebook.failures.tracebacks import Tracebacks

        tracebacks = Tracebacks(self.shell, self.session)
        self.repairs.replace(self.shell, "_showtraceback", tracebacks.show)
        self.repairs.replace(self.shell, "showtraceback", tracebacks.choose)

    def _warm_up(self) -> None:
        """Import what the first verb needs; an error is kept for the next cell's end, not shown from a thread."""
        try:
            importlib.import_module("flytekit")
            api = importlib.import_module("flytenb.api")
            importlib.import_module("flytenb.notebook.live.run_view")
        except Exception as error:
            self._problem = error
            return
        finally:
            self._gate.open()
        self._problem = None
        self._undo.append(api.on_run(self.watch))
        self._undo.append(importlib.import_module("flytenb.notebook.interactive").remember_in(self.session.inputs))
        # The first layout on a machine compiles its engine, which takes seconds; nobody waits for this.
        importlib.import_module("flytenb.notebook.live.threads").lane.submit(_warm_layout)

    def make_ready(self) -> None:
        """Wait for the background, read the cells that it kept unread.

        Raises:
            FlytekitError: if flytekit can't be imported; it may have been installed meanwhile, so that is tried again.
        """
        wait_until_warm()
        if self._problem is not None:
            importlib.invalidate_caches()
            self._warm_up()
        if self._problem is not None:
            self._is_problem_told = True
            raise self._flytekit_error()
        self.read_cells()

    def _flytekit_error(self) -> FlytekitError:
        assert self._problem is not None
        is_missing = isinstance(self._problem, ModuleNotFoundError) and self._problem.name in ("flytekit", None)
        error = FlytekitError(
            f"flytekit can't be imported, and flytenb needs it: {headline(self._problem)}",
            hint=f"{sys.executable} -m pip install flytekit" if is_missing else "import flytekit shows where it fails",
        )
        error.__cause__ = self._problem
        return error

    def watch(self, run: Any) -> Callable[[], None]:
        """Keep a run that starts, and show it; return what to do when somebody has waited for its end."""
        from flytenb.display.runs.error_card import attach
        from flytenb.notebook.live.run_view import RunView

        self.session.keep(run)
        if os.getpid() != self._process:  # forked from the kernel: no page listens to it, and layouts need its threads
            return lambda: None
        run.viewer = self._explore
        view = RunView(run, self.shell)
        view.begin()

        def end() -> None:
            view.end()
            attach(run, self.shell)

        return end

    # --- the shell -----------------------------------------------------------------------------------------------

    def _install_magics(self) -> None:
        from flytenb.notebook.magics.line import rewrite_help

        self.shell.input_transformers_cleanup.append(rewrite_help)
        self._undo.append(lambda: self.shell.input_transformers_cleanup.remove(rewrite_help))
        manager = self.shell.magics_manager
        magics = FlyteMagics(self.shell, session=self.session, ready=self.make_ready)
        before = {kind: dict(table) for kind, table in manager.magics.items()}
        self.shell.register_magics(magics)

        def remove() -> None:
            for kind, table in before.items():
                for name in [n for n in manager.magics[kind] if n not in table]:
                    del manager.magics[kind][name]
            manager.registry.pop(type(magics).__name__, None)
            configurables: list[Any] = self.shell.configurables
            if magics in configurables:
                configurables.remove(magics)

        self._undo.append(remove)

    def _install_reprs(self) -> None:
        formatters = self.shell.display_formatter
        if formatters is None:
            return
        bundles = formatters.mimebundle_formatter
        for module, name in _ENTITY_TYPES:
            bundles.for_type_by_name(module, name, _entity_bundle)
            self._undo.append(lambda module=module, name=name: _forget(bundles, module, name))  # type: ignore[misc]
        shower = formatters.ipython_display_formatter
        shower.for_type_by_name("flytenb.runner.run", "Run", self._show_run)
        self._undo.append(lambda: _forget(shower, "flytenb.runner.run", "Run"))

    def _show_run(self, run: Any) -> None:
        from flytenb.notebook.live.run_view import show_run

        show_run(run, self.shell)

    def _explore(self, run: Any) -> None:
        from flytenb.notebook.live.run_view import explore

        explore(run, self.shell)

    def _install_hooks(self) -> None:
        events = self.shell.events
        events.register("post_run_cell", self._after_cell)
        self._undo.append(lambda: events.unregister("post_run_cell", self._after_cell))

    def _install_completion(self) -> None:
        from flytenb.notebook.magics.complete import Completer, matcher

        completer = getattr(self.shell, "Completer", None)
        if completer is None:
            return
        ours = matcher(Completer(self.session, self.shell.user_ns), lambda: not self.warmup.is_alive())
        completer.custom_matchers.append(ours)
        self._undo.append(lambda: completer.custom_matchers.remove(ours))

    def _after_cell(self, result: Any) -> None:
        """Note what the cell defined, once there is flytekit at all; until then only what it left behind."""
        source = getattr(getattr(result, "info", None), "raw_cell", "") or ""
        self._unread.append((dict(self.shell.user_ns), getattr(result, "execution_count", None), source))
        self.repairs.follow_classes(self.shell.user_ns)
        if not self.warmup.is_alive():
            self.read_cells()

    def read_cells(self) -> None:
        """Note what the cells run so far have defined; say once where that can't be, for want of flytekit."""
        if self._problem is not None:
            self._unread.clear()
            if not self._is_problem_told:
                self._is_problem_told = True
                print(self._flytekit_error(), file=sys.stderr)  # noqa: T201 - there is no verb that could raise it
            return
        while self._unread:
            self.session.update(*self._unread.pop(0))


def _warm_layout() -> None:
    from flytenb.errors import LayoutError
    from flytenb.render.layout import lay_out

    with contextlib.suppress(LayoutError):
        lay_out("digraph { a }")


def _entity_bundle(entity: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """How an entity shows itself as the last line of a cell."""
    wait_until_warm()
    from flytenb.display.entity_card import entity_bundle

    return entity_bundle(entity)


def _forget(formatter: Any, module: str, name: str) -> None:
    """Take a formatter back, whether or not its type has been met meanwhile."""
    formatter.deferred_printers.pop((module, name), None)
    kind = getattr(sys.modules.get(module), name, None)
    if kind is not None:
        formatter.type_printers.pop(kind, None)


class _FlytekitFinder(importlib.abc.MetaPathFinder):
    """Runs a job right after flytekit has been imported, whoever imports it, before they go on."""

    def __init__(self, job: Callable[[], None]) -> None:
        self._job = job

    def withdraw(self) -> None:
        """Wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "flytekit":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module
        loader, job = spec.loader, self._job

        def exec_module(module: ModuleType) -> None:
            execute(module)
            vars(loader).pop("exec_module", None)
            self.withdraw()
            job()

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
