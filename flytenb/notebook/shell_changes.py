"""Changes to a shell: magics, completion, the cell hook, displays. Each function returns what undoes its change."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import display

from flytenb.bridge.patch import set_attribute
from flytenb.notebook.cell_source import names_of_run_file
from flytenb.notebook.emphasis import colored, is_colored_terminal
from flytenb.notebook.magics.complete import Completer, matcher
from flytenb.notebook.magics.line import rewrite_help

if TYPE_CHECKING:
    from flytenb.notebook.magics.flyte import FlyteMagics
    from flytenb.session import Session

Undo = Callable[[], None]

_ENTITY_TYPES = (
    ("flytekit.core.base_task", "Task"),
    ("flytekit.core.workflow", "WorkflowBase"),
    ("flytekit.core.launch_plan", "LaunchPlan"),
    ("flytekit.core.reference_entity", "ReferenceEntity"),
    ("flytekit.core.array_node", "ArrayNode"),
)
_VALUE_TYPES = (
    ("flytenb.runner.node_run", "Nodes"),
    ("flytenb.runner.timeline", "Timeline"),
    ("flytenb.runner.comparison", "Comparison"),
)

_TABLE_TYPES = (*_VALUE_TYPES, ("flytenb.session.listing", "Listing"))
"""Values with phases, which a terminal shows in color."""


def add_magics(shell: Any, magics: FlyteMagics) -> Undo:
    """Register magics."""
    manager = shell.magics_manager
    before = {kind: dict(table) for kind, table in manager.magics.items()}
    shell.register_magics(magics)

    def undo() -> None:
        for kind, table in before.items():
            for name in [n for n in manager.magics[kind] if n not in table]:
                del manager.magics[kind][name]
        manager.registry.pop(type(magics).__name__, None)
        if magics in shell.configurables:
            shell.configurables.remove(magics)

    return undo


def add_help_cells(shell: Any) -> Undo:
    """Let a cell `%flyte run?` show the help of a verb."""
    shell.input_transformers_cleanup.append(rewrite_help)
    return lambda: shell.input_transformers_cleanup.remove(rewrite_help)


def add_run_files(shell: Any, names: dict[str, str]) -> Undo:
    """Note the file names of the code that `%run` compiles from `.ipy` and `.ipynb` files, also of the present one."""
    execute = shell.safe_execfile_ipy

    def execute_named(fname: Any, *args: Any, **options: Any) -> Any:
        names.update(names_of_run_file(shell, Path(fname).expanduser().resolve()))
        return execute(fname, *args, **options)

    running = str(shell.user_ns.get("__file__", ""))
    if running.endswith((".ipy", ".ipynb")):
        names.update(names_of_run_file(shell, Path(running).expanduser().resolve()))
    return set_attribute(shell, "safe_execfile_ipy", execute_named)


def add_prompts_of_outputs(shell: Any) -> Undo:
    """Write the prompt `Out[3]:` in a terminal only before an output: a run shows itself, without one."""
    hook = shell.displayhook
    if getattr(shell, "kernel", None) is not None or hook is None:
        return lambda: None
    write, compute = hook.write_output_prompt, hook.compute_format_data

    def compute_with_prompt(result: Any) -> Any:
        is_ours = type(result).__module__.startswith("flytenb.")
        if not is_ours:
            write()
        found = compute(result)
        if is_ours and found[0]:
            write()
        return found

    undo_write = set_attribute(hook, "write_output_prompt", lambda: None)
    undo_compute = set_attribute(hook, "compute_format_data", compute_with_prompt)

    def undo() -> None:
        undo_compute()
        undo_write()

    return undo


def add_completion(shell: Any, session: Session, is_ready: Callable[[], bool]) -> Undo:
    """Add the completion of magic lines."""
    completer = getattr(shell, "Completer", None)
    if completer is None:
        return lambda: None
    ours = matcher(Completer(session, shell.user_ns), is_ready)
    completer.custom_matchers.append(ours)
    return lambda: completer.custom_matchers.remove(ours)


def add_cell_hook(shell: Any, event: str, hook: Callable[[Any], None]) -> Undo:
    """Call a function at an event of each cell, `pre_run_cell` or `post_run_cell`."""
    shell.events.register(event, hook)
    return lambda: shell.events.unregister(event, hook)


def add_displays(
    shell: Any,
    bundle: Callable[..., tuple[dict[str, Any], dict[str, Any]]],
    value_bundle: Callable[..., dict[str, Any]],
    show_run: Callable[[Any], None],
) -> Undo:
    """Add displays of entities, runs and what runs return.

    Args:
        shell: the shell.
        bundle: returns the MIME bundle of an entity and its metadata.
        value_bundle: returns the MIME bundle of a value.
        show_run: displays a run.
    """
    formatters = shell.display_formatter
    if formatters is None:
        return lambda: None
    bundles, displays = formatters.mimebundle_formatter, formatters.ipython_display_formatter
    for module, name in _ENTITY_TYPES:
        bundles.for_type_by_name(module, name, bundle)
    for module, name in _VALUE_TYPES:
        bundles.for_type_by_name(module, name, value_bundle)

    def show_sweep(sweep: Any) -> None:
        if sweep._shown_in != shell.execution_count:
            display(sweep._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]

    def show_follow(follow: Any) -> None:
        if follow._shown_in != shell.execution_count:
            display({"text/plain": repr(follow)}, raw=True)  # type: ignore[no-untyped-call]

    plain: Any = formatters.formatters["text/plain"]
    in_color = _TABLE_TYPES if is_colored_terminal(shell) else ()
    for module, name in in_color:
        plain.for_type_by_name(module, name, _print_colored)
    displays.for_type_by_name("flytenb.runner.run", "Run", show_run)
    displays.for_type_by_name("flytenb.session.swept_runs", "Sweep", show_sweep)
    displays.for_type_by_name("flytenb.session.following", "Follow", show_follow)

    def undo() -> None:
        for module, name in (*_ENTITY_TYPES, *_VALUE_TYPES):
            _remove_display(bundles, module, name)
        for module, name in in_color:
            _remove_display(plain, module, name)
        _remove_display(displays, "flytenb.runner.run", "Run")
        _remove_display(displays, "flytenb.session.swept_runs", "Sweep")
        _remove_display(displays, "flytenb.session.following", "Follow")

    return undo


def _print_colored(table: Any, printer: Any, cycle: bool) -> None:
    """Print a table with the colors of its phases."""
    from flytenb.display.show import show

    printer.text(colored(show(table).text))


def _remove_display(formatter: Any, module: str, name: str) -> None:
    """Remove a display, whether or not its type has been imported since."""
    formatter.deferred_printers.pop((module, name), None)
    kind = getattr(sys.modules.get(module), name, None)
    if kind is not None:
        formatter.type_printers.pop(kind, None)
