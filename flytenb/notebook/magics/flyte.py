"""`%flyte` and the cell magics: find the names, call one verb, return its object. Errors are raised, never printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand

from flytenb.errors import MAGIC_LINE, UsageError, closest
from flytenb.notebook.magics.cell import cell_number, define
from flytenb.notebook.magics.debug import debug, find_failure, last_failed
from flytenb.notebook.magics.line import Call, parse_call, parse_names, split_verb, strip_end
from flytenb.notebook.magics.options import OPTIONS, Help
from flytenb.session import Session

_ARGUMENTS = "%arguments"
"""No identifier, so it hides nobody's variable."""


@magics_class
class FlyteMagics(Magics):
    """The magics of one shell."""

    def __init__(self, shell: Any, session: Session, ready: Callable[[], None]) -> None:
        super().__init__(shell)
        self.shell: Any = shell
        self._session = session
        self._ready = ready
        self._bodies: set[str] = set()

    @no_var_expand
    @needs_local_scope
    @line_magic
    def flyte(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Draw, run and look at what the notebook defines.

        %flyte                                   the tasks, workflows and launch plans of this notebook
        %flyte draw wf [--depth N] [--upstream NODE] [--downstream NODE] [--between A B] [--save FILE]
        %flyte run wf(n=3) [--workers N] [--processes] [--background] [--strict] [--no-cache]
        %flyte runs                              what has run
        %flyte error [NODE]                      the whole traceback of the last error shown in short
        %flyte debug [NODE]                      a failed node's inputs as variables, its body as a new cell
        %flyte form wf                           an input form with a button that runs it
        %flyte show EXPRESSION [--explore]       a value, as its declared type
        %flyte type TYPE [--sample EXPRESSION]   what Flyte makes of a type, and of a value of it
        %flyte help [VERB]                       this, or more of one verb; so does %flyte VERB?

        `run` takes a Python call, evaluated in the notebook, and gives back the run: `run = %flyte run wf(n=3)`.
        """
        self._ready()
        verb, rest = split_verb(strip_end(line))
        verb = "help" if verb in ("--help", "-h") else verb
        verbs = {
            "": self._list,
            "draw": self._draw,
            "form": self._form,
            "run": self._run,
            "runs": self._runs,
            "show": self._show,
            "type": self._type,
            "error": self._error,
            "debug": self._debug,
            "help": self._help,
        }
        if verb not in verbs:
            raise UsageError(f"%flyte has no verb {verb!r}", hint=closest(verb, OPTIONS))
        if rest == "-h" or rest.split()[-1:] == ["--help"]:
            return Help(verb, verbs[verb])
        names = {**self.shell.user_ns, **(local_ns or {})}
        self._session.update(self.shell.user_ns, cell_number(self.shell), "")
        return verbs[verb](rest, names)

    def _list(self, rest: str, names: dict[str, Any]) -> Any:
        """List the tasks, workflows and launch plans of this notebook: kind, cell, fresh or stale, last run."""
        from flytenb.notebook.listing import Listing

        return Listing.of_session(self._session)

    def _help(self, rest: str, names: dict[str, Any]) -> Any:
        """Tell what there is, or more of one verb: `%flyte help run`."""
        if not rest:
            return Help("", FlyteMagics.flyte)
        if rest not in OPTIONS:
            raise UsageError(f"%flyte has no verb {rest!r}", hint=closest(rest, OPTIONS))
        return Help(rest, getattr(self, f"_{rest}"))

    def _runs(self, rest: str, names: dict[str, Any]) -> Any:
        """List what has run, oldest first: when, how long, how it ended.

        `runs = %flyte runs` keeps the list: `runs[-1]` is the last run.
        """
        from flytenb.notebook.listing import Listing

        if rest:
            raise UsageError(
                f"what is {rest!r} for?", hint="%flyte runs lists them, and runs = %flyte runs keeps the list"
            )
        return Listing.of_runs(self._session.runs)

    def _draw(self, rest: str, names: dict[str, Any]) -> Any:
        """Draw an entity, or a part of it.

        --upstream NODE         only the node and what it depends on
        --downstream NODE       only the node and what depends on it
        --between NODE NODE     only what lies on a way from one to the other
        --depth N               so many levels of subworkflows are open
        --save FILE             write it too: .svg, .png, .dot, .html, .mmd or .txt

        A node is told by its path or by its task's name.
        """
        from flytenb import api

        expression, options = parse_names(rest, OPTIONS["draw"], verb="draw")
        entity = self._evaluate_entity(expression, names)
        depth = options.get("depth")
        drawing = api.draw(
            entity,
            upstream=options.get("upstream"),
            downstream=options.get("downstream"),
            between=options.get("between"),
            depth=None if depth is None else _whole("depth", depth),
        )
        if "save" in options:
            drawing.save(options["save"])
        return drawing

    def _run(self, rest: str, names: dict[str, Any]) -> Any:
        """Run a call, evaluated in the notebook, and give back the run: `run = %flyte run wf(n=3)`.

        --workers N     so many nodes at once
        --processes     tasks in processes of their own, for pure Python work
        --background    come back at once; `run.wait()`, `run.cancel()`, `await run`
        --strict        every value goes through a literal, as on a cluster
        --no-cache      ask no cache
        """
        from flytenb import api

        call, options = parse_call(rest, OPTIONS["run"], verb="run")
        entity, inputs = self._evaluate_call(call, names)
        settings: dict[str, Any] = {}
        if "workers" in options:
            settings["workers"] = _whole("workers", options["workers"])
        for switch in ("strict", "processes"):
            if switch in options:
                settings[switch] = True
        if "no-cache" in options:
            settings["cache"] = False
        prepared = api.options(**settings)
        return prepared.start(entity, **inputs) if "background" in options else prepared.run(entity, **inputs)

    def _show(self, rest: str, names: dict[str, Any]) -> Any:
        """Show a value as its declared type.

        --explore    look at it by choosing: pages, order and search of rows, slices
        """
        from flytenb import api
        from flytenb.notebook import interactive

        expression, options = parse_names(rest, OPTIONS["show"], verb="show")
        show = interactive.explore if "explore" in options else api.show
        return show(self._evaluate(expression, names))

    def _form(self, rest: str, names: dict[str, Any]) -> Any:
        """Show an input form of an entity.

        Its button starts a run, and it has the Python line that does the same.
        """
        from flytenb.notebook import interactive

        expression, _ = parse_names(rest, {}, verb="form")
        return interactive.form(self._evaluate_entity(expression, names))

    def _type(self, rest: str, names: dict[str, Any]) -> Any:
        """Tell what Flyte makes of a type: its transformer and why this one, its literal type.

        --sample EXPRESSION    a value of it, to be followed there and back
        """
        from flytenb import api

        expression, options = parse_names(rest, OPTIONS["type"], verb="type")
        given = {name: self._evaluate(text, names) for name, text in options.items()}
        return api.lens(self._evaluate(expression, names), **given)

    def _error(self, rest: str, names: dict[str, Any]) -> Any:
        """Show the whole traceback of the last error shown in short: every frame, cause and context.

        `%flyte error n2` or `%flyte error fit` shows that of one node of the last failed run.
        """
        from flytenb.display.runs.error_card import FullError

        if rest:
            failed = last_failed(self._session.runs)
            return FullError.at(failed, find_failure(failed, rest))
        shown = self._session.folded
        run = self._session.run_of(shown)
        if shown is not None and run is None:
            return FullError.whole(shown)
        return FullError.of(run or last_failed(self._session.runs))

    def _debug(self, rest: str, names: dict[str, Any]) -> Any:
        """Put what a failed node was given into variables, and its function into a new cell.

        `%flyte debug` takes the node that made the last run fail, `%flyte debug n2` or
        `%flyte debug fit` another one. A name that is taken is left alone, and you are told.
        `%debug` then starts in the frame that failed.
        """
        return debug(self.shell, self._session.runs, rest, self._bodies)

    # --- names ---------------------------------------------------------------------------------------------------

    def _evaluate(self, expression: str, names: dict[str, Any]) -> Any:
        return eval(compile(expression, MAGIC_LINE, "eval"), names)

    def _evaluate_entity(self, expression: str, names: dict[str, Any]) -> Any:
        if expression.isidentifier() and expression not in names:
            return self._session.find(expression)
        return self._evaluate(expression, names)

    def _evaluate_call(self, call: Call, names: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from flytenb.bridge.execution.calls import name_positional

        entity = self._evaluate_entity(call.function, names)
        code = compile(call.with_function(_ARGUMENTS), MAGIC_LINE, "eval")
        positional, named = eval(code, {**names, _ARGUMENTS: lambda *args, **kwargs: (args, kwargs)})
        return entity, name_positional(entity, positional, named)

    # --- cells ---------------------------------------------------------------------------------------------------

    @no_var_expand
    @cell_magic
    def task(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a task; the line is the argument list of `@task`.

        Functions whose name starts with an underscore stay functions; imports and classes run as they are.
        """
        self._define("task", line, cell)

    @no_var_expand
    @cell_magic
    def workflow(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a workflow; the line is the argument list of `@workflow`."""
        self._define("workflow", line, cell)

    @no_var_expand
    @cell_magic
    def dynamic(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a dynamic; the line is the argument list of `@dynamic`."""
        self._define("dynamic", line, cell)

    @no_var_expand
    @cell_magic
    def eager(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell an eager task; the line is the argument list of `@eager`."""
        self._define("eager", line, cell)

    def _define(self, kind: str, line: str, cell: str) -> None:
        self._ready()
        define(self.shell, kind, strip_end(line), cell)


def _whole(option: str, text: str) -> int:
    least = 0 if option == "depth" else 1
    if not text.isdigit() or int(text) < least:
        raise UsageError(f"--{option} takes a whole number from {least} on, not {text!r}")
    return int(text)
