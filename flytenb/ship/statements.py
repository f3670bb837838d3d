"""The statements of cells: their text as it was written, the names that they bind, read and change."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flytenb.reach.syntax_trees import compile_module, parse
from flytenb.ship.cells import CellRun
from flytenb.ship.statement_names import Definition, StatementNames, changed_objects, mentioned_names, names_of

_P = ParamSpec("_P")
_T = TypeVar("_T")
KINDS = ("task", "workflow", "dynamic", "eager")
"""The magics whose cells define entities."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_TIMERS = ("time",)
"""Line magics that run a statement in the notebook."""


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top level of a cell.

    Attributes:
        cell: its cell.
        tree: the statement.
        text: its text with the comments directly above and behind it, and those indented below it.
        above: comments above it that an empty line separates from it.
        gap: the empty lines above all this in its cell; None for the first statement.
        before: the statement above it in its cell.
        decorates: whether the magic of its cell made an entity of it.
        binds: the names that it binds.
        reads: the names that it reads while it runs.
        reads_later: the names that its functions read when they are called.
        mentions: the names in texts that are annotations, or are looked up by `globals()["name"]` or `eval`.
        sets: the names that its functions set as globals.
        changes: the objects that it changes: the name and the first attribute, `""` for an item or the object itself.
        attributes: the attributes that it reads of anything.
        lines: its lines in the cell, of a line magic those of the magic, with all these comments.
        nodes: its tree and all that is in it.
        found: what `once_per_source` keeps, shared by the runs of the same source.
    """

    cell: CellRun
    tree: ast.stmt
    text: str
    above: str = ""
    gap: int | None = None
    before: Statement | None = None
    decorates: bool = False
    binds: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    reads_later: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    changes: frozenset[tuple[str, str]] = frozenset()
    attributes: frozenset[str] = field(default=frozenset(), repr=False)
    lines: range = range(0)
    nodes: tuple[ast.AST, ...] = field(default=(), repr=False)
    found: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def first_line(self) -> int:
        """The line of its first decorator, or of itself."""
        return first_line_of(self.tree)

    @property
    def is_import(self) -> bool:
        """Whether it is an import and nothing else."""
        return isinstance(self.tree, ast.Import | ast.ImportFrom)

    @property
    def is_definition(self) -> bool:
        """Whether it defines a function or a class."""
        return isinstance(self.tree, Definition)

    @property
    def body(self) -> ast.AST:
        """The code of a definition without its decorators, which run when it does; else the statement."""
        return ast.Module(self.tree.body, []) if isinstance(self.tree, Definition) else self.tree


def first_line_of(tree: ast.stmt) -> int:
    """Return the line of a statement's first decorator, or of itself."""
    decorators: list[ast.expr] = getattr(tree, "decorator_list", [])
    return min([tree.lineno, *(decorator.lineno for decorator in decorators)])


def read_statements(cell: CellRun) -> Sequence[Statement]:
    """Return the statements of a cell that have run, the same ones each time; none of a cell without Python code."""
    if "statements" not in cell.read:
        made: list[Statement] = []
        for each in _read_source(cell.source, cell.kind, cell.arguments, cell.failed_at):
            made.append(replace(each, cell=cell, before=made[-1] if made else None))
        cell.read["statements"] = made
    found: Sequence[Statement] = cell.read["statements"]
    return found


def once_per_source(read: Callable[Concatenate[Statement, _P], _T]) -> Callable[Concatenate[Statement, _P], _T]:
    """Keep what a function finds in a statement: a cell that runs again unchanged isn't read again."""

    @wraps(read)
    def read_once(statement: Statement, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        key = read, args, (*kwargs.items(),)
        if key not in statement.found:
            statement.found[key] = read(statement, *args, **kwargs)
        found: _T = statement.found[key]
        return found

    return read_once


@lru_cache(maxsize=1024)
def _read_source(source: str, kind: str, arguments: str, failed_at: int | None) -> Sequence[Statement]:
    """Return the statements of a run of a source."""
    cell = CellRun(None, source, kind, arguments, failed_at=failed_at)
    if cell.kind not in ("", *KINDS) or (cell.kind and cell.failed_at is not None):
        return []
    try:
        body = parse(cell.source).body
    except (SyntaxError, ValueError):
        return []
    found: list[Statement] = []
    for tree, text, above, gap, lines in _cut(cell.source, body):
        if cell.failed_at is not None and (tree.end_lineno or tree.lineno) >= cell.failed_at:
            break
        for inner, inner_text in _unwrap(tree, text):
            before = found[-1] if found else None
            found.append(_read(cell, inner, inner_text, above=above, gap=gap, before=before, lines=lines))
    return found


def _read(
    cell: CellRun,
    tree: ast.stmt,
    text: str,
    *,
    above: str,
    gap: int | None,
    before: Statement | None,
    lines: range,
) -> Statement:
    nodes = tuple(ast.walk(tree))
    names = StatementNames()
    names.read(compile_module(ast.Module([tree], []), "<cell>", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), now=True)
    if isinstance(tree, ast.ImportFrom) and tree.names[0].name == "*":
        names.binds.add("*")
    decorates = (
        bool(cell.kind) and isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef) and not tree.name.startswith("_")
    )
    reads = names.reads
    if decorates and cell.arguments:
        reads = reads | names_of(f"f({cell.arguments})") - {"f"}
    return Statement(
        cell,
        tree,
        text,
        above,
        gap,
        before,
        decorates,
        frozenset(names.binds),
        frozenset(reads),
        frozenset(names.later),
        frozenset(mentioned_names(nodes, names.reads | names.later)),
        frozenset(names.sets),
        frozenset(changed_objects(tree)),
        frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        lines,
        nodes,
    )


# --- text ------------------------------------------------------------------------------------------------------------


def _cut(source: str, body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, str, str, int | None, range]]:
    """Yield each statement with its text, the comments that stand apart above it, the empty lines above, its lines."""
    lines = _LINE_END.split(source)  # `splitlines` knows more ends than Python's parser
    end, gap_from = 0, None
    at = 0
    while at < len(body):
        tree = body[at]
        note = body[at + 1] if at + 1 < len(body) and _is_note(tree, body[at + 1]) else tree
        first = first_line_of(tree) - 1
        last = note.end_lineno or note.lineno
        at += 1 if note is tree else 2
        below = body[at] if at < len(body) else None
        shares = first < end or (below is not None and note is tree and below.lineno <= last)
        top = first
        while top > end and _is_comment(lines[top - 1]):
            top -= 1
        apart = [number for number in range(end, top) if _is_comment(lines[number])]
        above = "\n".join(lines[apart[0] : apart[-1] + 1]) if apart else ""
        behind = last if shares else end_of_comments(lines, note, below)
        text = _segment(source, tree) if shares else "\n".join(lines[top:behind]).rstrip()
        parts = [tree] if note is tree else [tree, note]
        is_cell = len(parts) == len(body) and text == source.strip("\n").rstrip() and not text.endswith("\\")
        if not (is_cell or _gives(text, parts)):
            text = ast.unparse(tree)
        begin = apart[0] if apart else top
        yield tree, text, above, None if gap_from is None else max(0, begin - gap_from), range(begin + 1, behind + 1)
        end = gap_from = behind


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def end_of_comments(lines: Sequence[str], statement: ast.stmt, below: ast.stmt | None) -> int:
    """Return the number of lines up to the end of a statement's comments: indented ones, those directly behind it.

    Comments directly above the next statement belong to that one; imports have none behind them, since they are sorted.
    """
    last = statement.end_lineno or statement.lineno
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return last
    top = len(lines) if below is None else first_line_of(below) - 1
    while below is not None and top > last and _is_comment(lines[top - 1]) and not _is_indented(lines[top - 1]):
        top -= 1
    end = last
    while end < top and _is_comment(lines[end]) and not _is_indented(lines[end]):
        end += 1
    for number in range(last, top):
        if lines[number].strip() and not (_is_comment(lines[number]) and _is_indented(lines[number])):
            break
        end = number + 1 if lines[number].strip() else end
    return end


def _is_indented(line: str) -> bool:
    return line.startswith((" ", "\t"))


def _is_note(tree: ast.stmt, below: ast.stmt) -> bool:
    """Whether a statement is the docstring of the assignment above it."""
    is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and type(below.value.value) is str
    return is_text and isinstance(tree, ast.Assign | ast.AnnAssign) and below.lineno == (tree.end_lineno or 0) + 1


def _gives(text: str, body: Sequence[ast.stmt]) -> bool:
    try:
        return list(map(ast.dump, parse(text).body)) == list(map(ast.dump, body))
    except SyntaxError:
        return False


def _segment(source: str, tree: ast.stmt) -> str:
    return ast.get_source_segment(source, tree) or ast.unparse(tree)


def _unwrap(tree: ast.stmt, text: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield a statement, or those that a line magic runs in the notebook."""
    call = tree.value if isinstance(tree, ast.Expr) else None
    body: list[ast.stmt] = []
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "get_ipython().run_line_magic":
        name, line = (getattr(argument, "value", "") for argument in call.args)
        with suppress(SyntaxError):
            body = parse(str(line)).body if name in _TIMERS else []
        yield from ((inner, _segment(str(line), inner)) for inner in body)
    if not body:
        yield tree, text
