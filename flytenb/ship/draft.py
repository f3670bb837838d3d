"""The statements of entities and all that they reach, and what keeps them from leaving the notebook."""

from __future__ import annotations

import ast
import sys
from abc import ABCMeta
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.entities.kind import is_entity, is_remote
from flytenb.bridge.execution.connector import is_connector_task
from flytenb.errors import ExportError
from flytenb.reach.installed_names import home_of
from flytenb.reach.name_lookup import MISSING, is_module, is_own, module_name
from flytenb.reach.syntax_trees import parse_again
from flytenb.ship.cells import Cells
from flytenb.ship.cluster_rules import entities_of
from flytenb.ship.finding import Finding
from flytenb.ship.library_settings import settings_for
from flytenb.ship.module_files import files_below, imports_of, imports_of_file, is_own_name
from flytenb.ship.module_head import read_head
from flytenb.ship.module_text import ModuleText
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.reached_code import ReachedCode
from flytenb.ship.refusals import Refusals, name_of_entity
from flytenb.ship.statements import KINDS, Statement, read_statements

_GENERAL = ("flytekit", "flyteidl", "builtins", "typing", "dataclasses", "abc", "enum", "functools", "__future__")
"""Packages whose names say nothing about what a registration is for."""
_LISTED = 4
"""Names in the first line of a module."""
_REGISTERING = (ast.Expr, ast.If, ast.For, ast.Try, ast.With)


@dataclass(frozen=True)
class Draft:
    """What an export is made of.

    Attributes:
        names: the variables of the entities.
        text: the module's text.
        findings: what keeps it from being exported.
        modules: the user's own modules that it imports, which must be beside it.
        packages: the installed top-level packages that it and these modules import.
        entities: the entities that it defines, also those that only the code of a dynamic or eager task names.
        needed: the statements that it is made from.
    """

    names: tuple[str, ...]
    text: str
    findings: tuple[Finding, ...]
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    entities: tuple[Any, ...]
    needed: NeededStatements


def draft(entities: Sequence[Any], cells: Cells, namespace: Mapping[str, Any]) -> Draft:
    """Return the module of some entities, and what keeps it from being exported.

    Raises:
        ExportError: for an entity that no variable holds.
    """
    read = {cell: read_statements(cell) for cell in cells.current}
    needed = NeededStatements([statement for each in read.values() for statement in each], namespace)
    layout = [statement for cell in cells.in_order for statement in read[cell]]
    head = read_head(layout)
    names = tuple(_name_of(entity, namespace) for entity in entities)
    for name in names:
        needed.need(name)
    reached, unset = _settle(needed)
    decorators, added = _decorators(needed)
    if head.has_docstring and head.first is not None:
        needed.add(head.first)
    elif not head.text:
        head = head._replace(text=f'"""{_listed(_outer(names, entities))}, exported from a notebook."""')
    findings = [*Refusals(needed, reached, cells, head).find(), *unset]
    text = ModuleText(needed, layout, head, decorators, added).write()
    imports = imports_of(parse_again(text))
    own = _own_modules(needed, imports)
    defined = tuple(value for name in sorted(needed.names) if is_entity(value := namespace.get(name)))
    return Draft(names, text, tuple(findings), own, _packages(imports, own), defined, needed)


def defined_entities(cells: Cells, namespace: Mapping[str, Any]) -> list[Any]:
    """Return the tasks, workflows and launch plans that the cells define as they ran last, each once.

    Raises:
        ExportError: if there are none.
    """
    statements = [s for cell in cells.current for s in read_statements(cell) if not s.is_import]
    held = [namespace.get(name) for statement in statements for name in sorted(statement.binds)]
    found = {id(value): value for value in held if is_entity(value) and not is_remote(value)}
    if not found:
        raise ExportError("expected a notebook that defines tasks or workflows, got none", hint="define one in a cell")
    return [*found.values()]


def require_exportable(made: Draft) -> None:
    """Raise ExportError with everything that keeps a draft from being exported."""
    errors = [finding for finding in made.findings if finding.severity == "error"]
    if errors:
        reasons = "\n".join(f"  {finding}" for finding in errors)
        raise ExportError(f"can't export {', '.join(made.names)}:\n{reasons}")


def _name_of(entity: Any, namespace: Mapping[str, Any]) -> str:
    name = name_of_entity(entity, namespace)
    if not namespace:
        hint = "in a script, the file of the entity is a module already"
        raise ExportError("expected a notebook to export from, got none", hint=f"%load_ext flytenb; {hint}")
    if name is None:
        raise ExportError(f"no variable of the notebook holds {entity!r}", hint="assign it to a variable in a cell")
    return name


def _outer(names: Sequence[str], entities: Sequence[Any]) -> list[str]:
    """Return the names of entities that no other one uses; all if each is used."""
    used = {id(inner) for each in entities for inner in entities_of([each]) if inner is not each}
    return [name for name, each in zip(names, entities, strict=True) if id(each) not in used] or [*names]


def _listed(names: Sequence[str]) -> str:
    if len(names) > _LISTED:
        return f"{len(names)} tasks and workflows"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _settle(needed: NeededStatements) -> tuple[ReachedCode, list[Finding]]:
    """Add what the walk over code finds, what is registered and set for that, and find what can't be set."""
    reached = _add_reached(needed)
    names = set(needed.names)
    for statement in needed.program:
        if statement not in needed.statements and _registers(statement, names, needed):
            needed.registrations.append(statement)
    for statement in needed.registrations:
        needed.add(statement)
    reached = _add_reached(needed, reached)
    settings = [*settings_for(needed)]
    for setting in settings:
        if isinstance(setting, Statement):
            needed.add(setting)
    return reached, [setting for setting in settings if isinstance(setting, Finding)]


def _add_reached(needed: NeededStatements, known: ReachedCode | None = None) -> ReachedCode:
    """Add the names that code reaches until none is new; `known` is what was reached from fewer names."""
    while known is None or known.count != len(needed.names):
        known = ReachedCode(needed)
        for name in known.names:
            needed.need(name)
    return known


def _registers(statement: Statement, wanted: set[str], needed: NeededStatements) -> bool:
    """Whether a statement registers something for what some names need."""
    if statement.is_definition or not isinstance(statement.tree, _REGISTERING):
        return False
    calls = [node.func for node in ast.walk(statement.tree) if isinstance(node, ast.Call)]
    methods = [c for c in calls if isinstance(c, ast.Attribute) and c.attr.startswith("register")]
    names = [c.value.id for c in methods if isinstance(c.value, ast.Name)]
    if any(name in wanted and _takes_registrations(needed.namespace.get(name)) for name in names):
        return True
    if not any(_is_of(needed.namespace.get(name), "flytekit") for name in names):
        return False
    alone = NeededStatements(needed.program, needed.namespace)
    alone.add(statement)
    common = alone.names.keys() & wanted
    return any(_is_specific(needed.namespace.get(name)) for name in common) or not _task_types(needed).isdisjoint(
        node.value for s in alone.statements for node in ast.walk(s.tree) if isinstance(node, ast.Constant)
    )


def _takes_registrations(value: Any) -> bool:
    """Whether a value is an abstract class, or a function whose cases are registered."""
    return isinstance(value, ABCMeta) or hasattr(value, "dispatch")


def _task_types(needed: NeededStatements) -> set[str]:
    """Return the types of tasks that a connector may run, by which it is found."""
    held = [needed.namespace.get(name) for name in needed.names]
    return {str(getattr(entity, "task_type", "")) for entity in held if is_connector_task(entity)}


def _is_specific(value: Any) -> bool:
    """Whether a name in common makes a registration necessary."""
    return not any(_is_of(value, package) for package in _GENERAL)


def _is_of(value: Any, package: str) -> bool:
    return _home(value).partition(".")[0] == package


def _home(value: Any) -> str:
    """Return the module of a module, function, class or object."""
    if is_module(value):
        return module_name(value)
    return str(getattr(value, "__module__", None) or home_of(type(value)))


def _decorators(needed: NeededStatements) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the code of the decorator of each kind of cell, and what must be imported for it."""
    made: dict[str, str] = {}
    added: list[tuple[str, str]] = []
    for kind in KINDS:
        if not any(s.decorates and s.cell.kind == kind for s in needed.statements):
            continue
        bound = needed.namespace.get(kind, MISSING)
        made[kind] = kind
        if bound is MISSING:
            added.append(("flytekit", kind))
        elif _is_of(bound, "flytekit") and not is_entity(bound):
            needed.need(kind)
        else:
            made[kind] = f"flytekit.{kind}"
            added.append(("flytekit", ""))
    return made, added


def _own_modules(needed: NeededStatements, imports: set[str]) -> tuple[str, ...]:
    found = {name for name in imports if is_own_name(name)}
    for name in needed.names:
        value = needed.namespace.get(name)
        if _home(value) != "__main__" and (is_module(value) or callable(value)) and is_own(value):
            found.add(_home(value))
    return tuple(sorted(found))


def _packages(imports: set[str], own: Sequence[str]) -> tuple[str, ...]:
    """Return the top-level packages that a module and the user's own modules import, neither Python's nor own."""
    inner = (imports_of_file(data) for path, data in files_below(own) if path.endswith(".py"))
    installed = {name.partition(".")[0] for name in imports.union(*inner)} - sys.stdlib_module_names - {"__future__"}
    return tuple(sorted(name for name in installed if not is_own_name(name)))
