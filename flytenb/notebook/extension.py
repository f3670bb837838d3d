"""The IPython extension: loads flytenb into a shell and removes it again, leaving the shell unchanged.

Loading returns before flytekit is imported; the import goes on in the background.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from flytenb.bridge.patches.applied import Patches
from flytenb.bridge.patches.import_gate import ImportGate
from flytenb.errors import FlytekitError, headline
from flytenb.notebook import shell_changes
from flytenb.notebook.cell_source import cell_of_file, read_cell, read_history, read_running_cell
from flytenb.notebook.held_runs import HeldRuns
from flytenb.notebook.import_hook import ImportHook
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.notebook.pages import pages
from flytenb.session.host import host

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from flytenb.runner.run import Run
    from flytenb.session.following import Follow
    from flytenb.session.swept_runs import Sweep

_loaded: dict[int, Extension] = {}
"""The extension of each shell that has one, by the shell's id."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Load the extension: `%load_ext flytenb`."""
    load(shell)


def load(shell: InteractiveShell, *, has_output: bool = True) -> Extension:
    """Load the extension and return it; `has_output` is whether cells have outputs, in which runs are shown."""
    if id(shell) not in _loaded:
        pages.open()
        _loaded[id(shell)] = Extension(shell, has_output=has_output)
    return _loaded[id(shell)]


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Unload the extension: `%unload_ext flytenb`. Loading it again restores the session."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.unload()
    if not _loaded:
        pages.close()
        styling = sys.modules.get("flytenb.render.styling")
        if styling is not None:
            styling.set_style(None)


def wait_for_flytekit() -> None:
    """Wait for the import in the background: two threads must not import the same packages in opposite order."""
    for extension in list(_loaded.values()):
        extension.wait()


class Extension:
    """What flytenb adds to one shell.

    Args:
        shell: the shell.
        has_output: whether cells have outputs, in which runs are shown.

    Attributes:
        session: the session of the shell; it outlives the extension.
    """

    def __init__(self, shell: InteractiveShell, *, has_output: bool = True) -> None:
        self.shell = shell
        self._has_output = has_output
        self.session = host.session_of(shell)
        self.session.namespace = shell.user_ns
        self.session.cells.extend(read_history(shell, self.session.cells.last_number))
        self._patches = Patches()
        self._held_runs = HeldRuns(self.session, shell)
        self._unrecorded: list[tuple[dict[str, Any], int | None, str]] = []
        self._run_files: dict[str, str] = {}
        self._process = os.getpid()
        self._import_error: Exception | None = None
        self._is_reported = False
        self._undo = contextlib.ExitStack()
        self._undo.callback(self._patches.undo)
        self._undo.callback(host.open(self.session))
        self._patch_flytekit()
        self._change_shell()
        self._import = threading.Thread(target=self._import_flytekit, name="flytenb-warmup", daemon=True)
        self._gate = ImportGate(self._import)
        self._import.start()

    def unload(self) -> None:
        """Undo all changes, the last one first, also after one that fails."""
        self.wait()
        self._undo.close()

    # --- flytekit ------------------------------------------------------------------------------------------------

    def _patch_flytekit(self) -> None:
        """Patch flytekit now, or as soon as it is imported."""
        if sys.modules.get("flytekit") is not None:
            self._patch_imported(was_found=True)
            return
        hook = ImportHook("flytekit", self._patch_imported)
        hook.install()
        self._undo.callback(hook.remove)

    def _patch_imported(self, *, was_found: bool = False) -> None:
        self._patches.restore_tracebacks(self.shell, was_found=was_found)
        self._patches.restore_interrupt(was_found=was_found)
        self._shorten_tracebacks()
        self._patches.apply()
        from flytenb.bridge.patches import containers

        self._patches.set(containers, "engine_of_calls", _engine_of_calls)

    def _shorten_tracebacks(self) -> None:
        from flytenb.notebook.failures.tracebacks import Tracebacks

        tracebacks = Tracebacks(self.shell, self.session)
        self._patches.set(self.shell, "_showtraceback", tracebacks.show)
        self._patches.set(self.shell, "showtraceback", tracebacks.choose)

    def _import_flytekit(self) -> None:
        """Import what the first verb needs; an error is kept until the end of the next cell, and raised by verbs."""
        try:
            importlib.import_module("flytekit")
            api = importlib.import_module("flytenb.api")
            importlib.import_module("flytenb.notebook.live.run_view")
        except Exception as error:
            self._import_error = error
            return
        finally:
            self._gate.open()
        self._import_error = None
        from flytenb.reach.code_parts import cell_finders
        from flytenb.runner.resources import resources

        finder = partial(cell_of_file, self.shell, self._run_files)
        cell_finders.append(finder)
        self._undo.callback(cell_finders.remove, finder)
        self._undo.callback(resources.close)
        self._undo.callback(self._detach_runs)
        self.session.show_follow = self._show_follow
        self.session.show_sweep = self._show_sweep
        self._undo.callback(self.session.stop_following)
        self._undo.callback(api.on_run(self._watch))
        if self._has_output:
            # The first layout on a machine compiles the engine, which takes seconds: begin before it is needed.
            pages.layouts.submit(_prepare_layout)

    def wait(self) -> None:
        """Wait until the import in the background is over."""
        if self._import is not threading.current_thread() and self._import.is_alive():
            self._import.join()

    def make_ready(self) -> None:
        """Wait for flytekit and record the cells that were run meanwhile.

        Raises:
            FlytekitError: if flytekit can't be imported, after another attempt: it may have been installed since.
        """
        wait_for_flytekit()
        if self._import_error is not None:
            importlib.invalidate_caches()
            self._import_flytekit()
        if self._import_error is not None:
            self._is_reported = True
            raise self._flytekit_error()
        self._record_cells()

    def _flytekit_error(self) -> FlytekitError:
        cause = self._import_error
        assert cause is not None
        is_missing = isinstance(cause, ModuleNotFoundError) and cause.name in ("flytekit", None)
        error = FlytekitError(
            f"flytekit can't be imported, and flytenb needs it: {headline(cause)}",
            hint=f"{sys.executable} -m pip install flytekit" if is_missing else "import flytekit shows where it fails",
        )
        error.__cause__ = cause
        return error

    # --- the shell -----------------------------------------------------------------------------------------------

    def _change_shell(self) -> None:
        shell = self.shell
        magics = FlyteMagics(shell, session=self.session, ready=self.make_ready)
        undo = self._undo.callback
        undo(shell_changes.add_help_cells(shell))
        undo(shell_changes.add_run_files(shell, self._run_files))
        undo(shell_changes.add_prompts_of_outputs(shell))
        undo(shell_changes.add_magics(shell, magics))
        undo(shell_changes.add_displays(shell, _entity_bundle, _value_bundle, self._show_run))
        undo(shell_changes.add_cell_hook(shell, "pre_run_cell", self._before_cell))
        undo(shell_changes.add_cell_hook(shell, "post_run_cell", self._after_cell))
        undo(shell_changes.add_completion(shell, self.session, lambda: not self._import.is_alive()))

    def _before_cell(self, info: Any) -> None:
        self.session.settle()
        self.session.cells.begin(read_running_cell(self.shell, info, self.session.cells.last_number))

    def _after_cell(self, result: Any) -> None:
        """Record what the cell defined; before flytekit is imported, keep a copy of the variables."""
        source = getattr(getattr(result, "info", None), "raw_cell", "") or ""
        if os.getpid() == self._process:
            pages.tell_caught(self.session.short_error or getattr(result, "error_in_exec", None))
        if result is not None and getattr(result, "info", None) is not None:
            self.session.cells.add(read_cell(self.shell, result))
        self._unrecorded.append((dict(self.shell.user_ns), getattr(result, "execution_count", None), source))
        self._patches.follow_classes(self.shell.user_ns)
        if not self._import.is_alive():
            self._record_cells()
            self._held_runs.look()
        if os.getpid() == self._process:
            pages.record()

    def _record_cells(self) -> None:
        """Record the entities of the cells run so far; if flytekit is missing, print that once."""
        if self._import_error is not None:
            self._unrecorded.clear()
            if not self._is_reported:
                self._is_reported = True
                print(self._flytekit_error(), file=sys.stderr)  # noqa: T201 - no verb was called that could raise it
            return
        while self._unrecorded:
            self.session.update(*self._unrecorded.pop(0))
        self.session.look()

    # --- runs ----------------------------------------------------------------------------------------------------

    def _watch(self, run: Run) -> Callable[[], None]:
        """Add a run to the session and show it; return what to call when the wait for it is over."""
        from flytenb.notebook.failures.error_cards import attach
        from flytenb.notebook.live.run_view import RunView

        self.session.keep(run)
        # A fork of the kernel has no page that listens to it, and no layout thread.
        if not self._has_output or os.getpid() != self._process:
            return lambda: None
        run._viewer = self._explore_run
        view = RunView(run, self.shell)
        run._show_end = view.end
        view.begin()

        def end() -> None:
            view.end()
            attach(run, self.shell)

        return end

    def _detach_runs(self) -> None:
        """Follow executions on clusters no more."""
        for run in self.session.runs:
            run._detach()

    def _show_run(self, run: Run) -> None:
        from flytenb.notebook.live.run_view import show_run

        show_run(run, self.shell)

    def _show_follow(self, follow: Follow) -> None:
        from flytenb.notebook.live.follow_view import FollowView

        if self._has_output:
            view = FollowView(follow, self.shell)
            view.begin()
            follow.show = view.note

    def _show_sweep(self, sweep: Sweep) -> None:
        from flytenb.notebook.live.sweep_view import watch_sweep

        watch_sweep(sweep, self.shell)

    def _explore_run(self, run: Run) -> None:
        from flytenb.notebook.live.run_view import explore

        explore(run, self.shell)


def _prepare_layout() -> None:
    from flytenb.errors import LayoutError
    from flytenb.render.layout import lay_out

    with contextlib.suppress(LayoutError):
        lay_out("digraph { a }")


def _entity_bundle(entity: Any, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of an entity and its metadata."""
    wait_for_flytekit()
    from flytenb.display.entity_card import entity_bundle

    return entity_bundle(entity, host.session.marked)


def _value_bundle(value: Any, include: Any = None, exclude: Any = None) -> dict[str, Any]:
    """Return the MIME bundle of a value."""
    from flytenb.display.show import show

    return show(value)._repr_mimebundle_()


def _engine_of_calls() -> tuple[str, bool]:
    """Return the session's settings for raw containers that a cell calls."""
    from flytenb.session.options import Options

    settings = Options().settings
    return settings.engine, settings.network
