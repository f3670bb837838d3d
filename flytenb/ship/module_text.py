"""The text of a module from selected statements: imports first, then each statement after what it needs."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flytenb.locks import cached_property
from flytenb.reach.name_lookup import is_own
from flytenb.ship.module_head import Head
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statement_order import sort_statements
from flytenb.ship.statements import Statement

_WIDTH = 88
"""Longest line of an import, as by default of Black and ruff; longer ones have a name on each line."""


@dataclass(frozen=True)
class Imported:
    """One name that the module imports.

    Attributes:
        section: 0 for `__future__`, 1 for Python's own modules, 2 for installed ones, 3 for the user's.
        is_from: whether it is `from module import name`.
        module: the module.
        name: the name in the module, `""` for the module itself.
        alias: the name that it gets, `""` for its own.
        comment: the lines above it.
    """

    section: int
    is_from: bool
    module: str
    name: str = ""
    alias: str = ""
    text: str = ""


class ModuleText:
    """Writes a module.

    Args:
        needed: the statements.
        layout: all statements of the notebook, in the order in which their cells ran first.
        head: what it begins with.
        decorators: the decorator of each kind of cell, as code.
        added: names that the decorators need and the notebook doesn't import.
    """

    def __init__(
        self,
        needed: NeededStatements,
        layout: Sequence[Statement],
        head: Head,
        decorators: dict[str, str],
        added: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._needed = needed
        self._layout = layout
        self._head = head
        self._decorators = decorators
        self._imports = [_imported(module, name) for module, name in added]
        if needed.postpones_annotations:
            self._imports.append(_imported("__future__", "annotations"))

    @cached_property
    def order(self) -> list[Statement]:
        """The statements, each after those that it needs, else in the order in which their names were defined first."""
        return sort_statements(self._needed, self._layout)

    def write(self) -> str:
        """Return the text."""
        hoisted = [s for s in self.order if self._is_hoisted(s)]
        docstring = self._head.first if self._head.has_docstring else None
        rest = [s for s in self.order if s not in hoisted and not self._is_future(s) and s is not docstring]
        blocks = [self._head.text, import_block([*self._imports, *self._read_imports(hoisted)])]
        text = "\n\n".join(block for block in blocks if block)
        previous: Statement | None = None
        for statement in rest:
            if statement.above and statement is not self._head.first:
                text += "\n" * (1 + max(1, self._gap(previous, statement, has_comments=True))) + statement.above
                text += "\n" * (3 if statement.is_definition else 2) + self._text_of(statement)
            else:
                text += "\n" * (1 + self._gap(previous, statement)) + self._text_of(statement)
            previous = statement
        return text.rstrip() + "\n"

    def _is_future(self, statement: Statement) -> bool:
        return isinstance(statement.tree, ast.ImportFrom) and statement.tree.module == "__future__"

    def _is_hoisted(self, statement: Statement) -> bool:
        if not statement.is_import or self._is_future(statement):
            return False
        bound = [name for name in statement.binds if name in self._needed.names]
        return all(each.is_import for name in bound for each in self._needed.chain(name))

    # --- imports -----------------------------------------------------------------------------------------------------

    def _read_imports(self, statements: Sequence[Statement]) -> list[Imported]:
        found: list[Imported] = []
        for statement in statements:
            tree = statement.tree
            assert isinstance(tree, ast.Import | ast.ImportFrom)
            kept = [alias for alias in tree.names if self._is_needed(statement, alias)]
            module = "." * tree.level + (tree.module or "") if isinstance(tree, ast.ImportFrom) else ""
            is_plain = "#" not in statement.text
            for number, alias in enumerate(kept):
                name = alias.name if module else ""
                made = _imported(module or alias.name, name, alias.asname or "")
                if not is_plain and len(kept) == len(tree.names):
                    made = Imported(made.section, made.is_from, made.module, name, made.alias, statement.text)
                if is_plain or number == 0 or len(kept) != len(tree.names):
                    found.append(made)
        return found

    def _is_needed(self, statement: Statement, alias: ast.alias) -> bool:
        if alias.name == "*":
            return True
        name = alias.asname or alias.name.partition(".")[0]
        if not isinstance(statement.tree, ast.Import):
            name = alias.asname or alias.name
        return name in self._needed.names and statement in self._needed.chain(name)

    # --- statements --------------------------------------------------------------------------------------------------

    def _text_of(self, statement: Statement) -> str:
        if not statement.decorates or self._is_decorated(statement):
            return statement.text
        decorator = "@" + self._decorators[statement.cell.kind]
        if statement.cell.arguments:
            decorator += f"({statement.cell.arguments})"
        lines = statement.text.splitlines()
        first = next(at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
        return "\n".join([*lines[:first], decorator, *lines[first:]])

    def _is_decorated(self, statement: Statement) -> bool:
        """Whether the function is an entity before the cell's magic decorates it."""
        first = next(iter(getattr(statement.tree, "decorator_list", ())), None)
        called = getattr(first, "func", first)
        if isinstance(called, ast.Attribute):
            return isinstance(called.value, ast.Name) and called.value.id == "flytekit"
        found = self._needed.namespace.get(called.id) if isinstance(called, ast.Name) else None
        return str(getattr(found, "__module__", "")).startswith("flytekit.")

    def _gap(self, above: Statement | None, statement: Statement, *, has_comments: bool = False) -> int:
        """Return how many empty lines are between two statements, or above the comments between them."""
        if (statement.is_definition and not has_comments) or (above is not None and above.is_definition):
            return 2
        if above is None:
            return 1
        return min(statement.gap or 0, 1) if statement.before is above and statement.gap is not None else 1


# --- imports ---------------------------------------------------------------------------------------------------------


def _imported(module: str, name: str = "", alias: str = "") -> Imported:
    top = module.partition(".")[0]
    found = sys.modules.get(top)
    is_users = not top or (found is not None and is_own(found))
    section = 0 if top == "__future__" else 1 if top in sys.stdlib_module_names else 3 if is_users else 2
    return Imported(section, bool(name), module, name, "" if alias == (name or module) else alias)


def import_block(imports: Iterable[Imported]) -> str:
    """Return import statements, sorted as isort and ruff do: sections apart, one statement for each module.

    A name with an alias has a statement of its own.
    """
    sections: dict[int, list[str]] = {}
    joined: dict[tuple[int, str], list[str]] = {}
    for each in sorted(set(imports), key=_order):
        if each.text:
            joined[each.section, each.text] = []
        elif not each.is_from:
            joined[each.section, f"import {_renamed(each.module, each.alias)}"] = []
        elif each.alias:
            joined[each.section, f"from {each.module} import {_renamed(each.name, each.alias)}"] = []
        else:
            joined.setdefault((each.section, f"from {each.module} import "), []).append(each.name)
    for (section, text), names in joined.items():
        sections.setdefault(section, []).append(_statement(text, names))
    return "\n\n".join("\n".join(lines) for _, lines in sorted(sections.items()))


def _order(each: Imported) -> tuple[object, ...]:
    """Return the key by which imports are sorted: of the names of a module, constants and classes come first."""
    kind = 0 if len(each.name) > 1 and each.name.isupper() else 1 if each.name[:1].isupper() else 2
    return (
        *(each.section, each.is_from, _natural(each.module), each.module),
        *(kind, _natural(each.name), each.name, bool(each.alias), each.alias, each.text),
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key without case that puts `a2` before `a10`."""
    parts = (part for part in re.split(r"(\d+)", name.lower()) if part)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _renamed(name: str, alias: str) -> str:
    return f"{name} as {alias}" if alias else name


def _statement(text: str, names: list[str]) -> str:
    line = text + ", ".join(names)
    if len(line) <= _WIDTH or len(names) < 2:
        return line
    return text + "(\n" + "".join(f"    {name},\n" for name in names) + ")"
