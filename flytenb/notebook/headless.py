"""A notebook without a kernel: its cells run in a shell of this process, only as far as they define entities."""

from __future__ import annotations

import ast
import builtins
import contextlib
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.errors import CellError, UnknownNameError, UsageError, closest
from flytenb.notebook.cell_source import resolve_source
from flytenb.notebook.extension import load, unload_ipython_extension
from flytenb.notebook.failures.short_error import cell_error_lines
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verbs import VERBS
from flytenb.ship.cells import CellRun
from flytenb.ship.defining_statements import DefiningStatements
from flytenb.ship.statements import KINDS, Statement, read_statements

if TYPE_CHECKING:
    from flytenb.session import Session


@dataclass(frozen=True)
class FileCell:
    """A code cell of a file.

    Attributes:
        number: its place among the code cells, from 1.
        source: its text.
        may_fail: whether it is meant to fail.
    """

    number: int
    source: str
    may_fail: bool = False


class HeadlessNotebook:
    """The cells of a file, and the shell in which some of them have run.

    Args:
        name: the file, for messages.
        cells: its code cells.
        shell: the shell.
        session: its session.
    """

    def __init__(self, name: str, cells: Sequence[FileCell], shell: Any, session: Session) -> None:
        self.shell = shell
        self.session = session
        self._name = name
        self._cells = cells
        self._runs = [CellRun(c.number, *_source_and_kind(shell, c.source), key=str(c.number)) for c in cells]
        self._program = [(run, read_statements(run)) for run in self._runs]
        self._defining = DefiningStatements([s for _, statements in self._program for s in statements])

    @property
    def entities(self) -> list[str]:
        """The names of what seem to be entities, without running anything."""
        return self._defining.entities

    def define(self, names: Collection[str] = (), *, everything: bool = False) -> None:
        """Run the cells, once: what some names need, by default all entities; what is printed goes to standard error.

        Args:
            names: variables of the notebook, or expressions of them.
            everything: whether all cells run as they are, experiments included.

        Raises:
            UnknownNameError: for a name that no cell binds.
            CellError: for a cell that fails, with its number.
        """
        names = [each for name in names for each in names_in(name)]
        if not everything:
            bound = {name for _, statements in self._program for s in statements for name in s.binds}
            for name in names:
                if name not in bound and not hasattr(builtins, name):
                    hint = closest(name, self.entities) or "define a task or workflow in a cell"
                    raise UnknownNameError(f"{self._name} defines no {name!r}", hint=hint)
        chosen = self._defining.choose(names)
        with contextlib.redirect_stdout(sys.stderr):
            for cell, (run, statements) in zip(self._cells, self._program, strict=True):
                self._run(cell, cell.source if everything else _reduced(cell.source, run, statements, chosen))

    def _run(self, cell: FileCell, source: str) -> None:
        self.shell.execution_count = cell.number
        done = self.shell.run_cell(source if source.strip() else "#", store_history=True, cell_id=str(cell.number))
        error = done.error_before_exec or done.error_in_exec
        if error is not None and not cell.may_fail:
            if isinstance(error, KeyboardInterrupt):
                raise error
            lines = "\n".join(cell_error_lines(error, self.shell))
            raise CellError(f"cell {cell.number} of {self._name} failed:\n{lines}") from error

    def invoke(self, verb: str, argument: str, options: dict[str, Any]) -> Any:
        """Return the result of a verb of `%flyte`."""
        names = self.shell.user_ns
        return VERBS[verb].handler(Invocation(verb, argument, options, self.shell, self.session, names, VERBS))

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of the notebook; an unknown name is reported with the closest ones."""
        return Invocation("", expression, {}, self.shell, self.session, self.shell.user_ns, VERBS).entity()


def names_in(expression: str) -> list[str]:
    """Return the names in an expression.

    Raises:
        UsageError: if it isn't an expression.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        hint = "give the name of a variable"
        raise UsageError(f"expected a name, got {expression!r}: {error.msg}", hint=hint) from None
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _source_and_kind(shell: Any, raw: str) -> tuple[str, str, str]:
    kind, arguments, source = resolve_source(shell, raw)
    return source, kind, arguments


def _reduced(raw: str, run: CellRun, statements: Sequence[Statement], chosen: set[Statement]) -> str:
    """Return a cell's code with the statements that aren't chosen replaced by empty lines."""
    kept = [statement for statement in statements if statement in chosen]
    if raw.lstrip().startswith("%%container"):
        return raw if kept else ""
    if run.kind not in ("", *KINDS) or not kept:
        return ""
    lines = run.source.split("\n")
    for statement in statements:
        if statement not in chosen:
            for number in statement.lines:
                if not any(number in each.lines for each in kept):
                    lines[number - 1] = ""
    return "\n".join([f"%%{run.kind} {run.arguments}"] * bool(run.kind) + lines)


@contextlib.contextmanager
def open_headless(name: str, cells: Sequence[FileCell], folder: Path) -> Iterator[HeadlessNotebook]:
    """Open a shell of this process with the extension, in which the modules of a folder can be imported."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    main = sys.modules["__main__"]
    with contextlib.ExitStack() as undo, tempfile.TemporaryDirectory(prefix="flytenb-") as settings:
        undo.callback(sys.modules.__setitem__, "__main__", main)
        sys.path.insert(0, str(folder))
        undo.callback(sys.path.remove, str(folder))
        config = Config({"HistoryManager": {"enabled": False}})
        shell: Any = InteractiveShell(ipython_dir=settings, config=config)  # type: ignore[no-untyped-call]
        extension = load(shell, has_output=False)
        undo.callback(unload_ipython_extension, shell)
        extension.make_ready()
        shell.ast_node_interactivity = "none"
        shell.showtraceback = shell.showsyntaxerror = lambda *args, **options: None
        yield HeadlessNotebook(name, cells, shell, extension.session)
