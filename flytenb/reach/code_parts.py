"""The parts of the code that a task or workflow reaches, each with the place where it is defined and a digest."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from flytenb.bridge.entities.kind import function_of, inner_workflow, is_entity
from flytenb.reach import variables_and_files
from flytenb.reach.bytecode import NameUse
from flytenb.reach.code_description import describe
from flytenb.reach.code_reader import CodeReader
from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import Target, is_module, is_own, module_name
from flytenb.reach.object_digest import OpaqueError, hashed
from flytenb.reach.object_state import state_as_read
from flytenb.reach.process_settings import setting_bytes


@dataclass(frozen=True, order=True)
class CodePart:
    """One part of the code that a task or workflow reaches.

    Attributes:
        kind: `"task"`, `"workflow"`, `"function"`, `"class"`, `"module"` or `"constant"`; of what code reads besides
            objects, `"variable"` of the environment, `"file"`, process-wide `"setting"`, `"patch"` of a library,
            `"registration"` of an own class or function with a library; `"identity"`: which objects are the same.
        name: the qualified name, with the module unless it is the notebook; the path of a file.
        place: where it is defined: file and line, or cell and line; of a class or constant the file or the notebook;
            empty for what isn't code.
        digest: of this part alone; what it reaches are other parts.
    """

    kind: str
    name: str
    place: str
    digest: str


Key = tuple[str, str]
"""The kind and the name of a part."""
_FRAME = re.compile(r'^([ |]+)File "([^"\n]+)"', flags=re.MULTILINE)
"""The file of a frame of a traceback, behind a line in those of groups."""
cell_finders: list[Callable[[str], int | str | None]] = []
"""Return the number of the cell that was compiled under a file name, None for other files: one for each notebook."""


class _Collector(CodeReader):
    """Makes the digest of code and collects its parts, each with its kind, name and place.

    Attributes:
        uses: which parts each part uses directly, by kind and name.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(describe, state_as_read)
        self._found: dict[int, tuple[tuple[str, str, str], Any]] = {}
        self._constants: dict[tuple[str, str, str], Any] = {}  # by name: equal numbers are one object
        self._variables: dict[str, None] = {}
        self._inside: list[Key] = []
        self.uses: dict[Key, set[Key]] = {}
        self._of_all = self.of(value)

    def external_parts(self) -> Iterator[CodePart]:
        """Yield what the code reads besides objects; call it after `with_external_state`."""
        for name in self._variables:
            yield CodePart("variable", name or "all", "", hashed(variables_and_files.variable(name)).hex())
        for name, read in self.external_state.readers():
            yield CodePart("setting", name, "", hashed(setting_bytes(read())).hex())
        with suppress(OpaqueError):  # which is a doubt
            for path, pieces in self.external_state.paths.found():
                yield CodePart("file", path, "", hashed(*pieces).hex())
        for cls, found in self.patched():
            for name, member in found.items():
                named = f"{cls.__module__}.{cls.__qualname__}.{name}"
                yield CodePart("patch", named, "", _PartReader(member, is_part=False).digest)
        for place, pairs in self.registered():
            digests = {_PartReader(pair, is_part=False).digest for pair in pairs}
            yield CodePart("registration", place, "", hashed("".join(sorted(digests)).encode()).hex())
        yield CodePart("identity", "of shared objects", "", hashed(self._aliases.digest()).hex())

    def of(self, value: Any) -> bytes:
        if id(value) not in self._found:
            kind = _kind_of(value)
            if not kind:
                return super().of(value)
            self._found[id(value)] = (kind, _name_of(value), _place_of(value)), value
        kind, name, _ = self._found[id(value)][0]
        self._note_use((kind, name))
        self._inside.append((kind, name))
        try:
            return super().of(value)
        finally:
            self._inside.pop()

    def _note_use(self, used: Key) -> None:
        if self._inside:
            self.uses.setdefault(self._inside[-1], set()).add(used)

    def of_all_variables(self) -> bytes:
        self._add_variable(variables_and_files.ALL)
        return super().of_all_variables()

    def _add_variable(self, name: str) -> None:
        self._variables[name] = None
        self._note_use(("variable", name or "all"))

    def _of_target(self, target: Target, use: NameUse, scope: dict[str, Any]) -> bytes:
        variable = variables_and_files.variable_of(target.value, target.rest, use, scope)
        if variable is not None and variable != variables_and_files.NOTHING:
            self._add_variable(variable)
        elif _is_constant(target, use, scope):
            named = ("constant", _constant_name(use, scope), _file_of(_home_of(use, scope)[0]))
            self._constants[named] = target.value
            self._note_use(named[:2])
            self._inside.append(named[:2])
            try:
                return super()._of_target(target, use, scope)
            finally:
                self._inside.pop()
        return super()._of_target(target, use, scope)

    def _named(self) -> list[tuple[tuple[str, str, str], Any]]:
        """Return the objects with a name, by kind, name and place."""
        return [*self._found.values(), *self._constants.items()]


class PartsReader(_Collector):
    """Makes the digest of code and collects its parts.

    Attributes:
        key: the kind and the name of the entity.
        digest: what the cache key of a task contains of its code.
        parts: by kind and name.
    """

    def __init__(self, entity: Any) -> None:
        super().__init__(entity)
        self.key = key_of(entity)
        self.digest = self.with_external_state(self._of_all).hex()
        parts = {CodePart(*named, _PartReader(value).digest) for named, value in self._named()}
        self.parts = (*sorted(parts), *sorted(set(self.external_parts())))


class ImportedParts(_Collector):
    """The parts of code that are in own modules, which another process imports from their files.

    Attributes:
        digests: of each part alone, by kind and name.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.digests = {
            f"{kind} {name}": _PartReader(value).digest
            for (kind, name, _), value in self._named()
            if kind != "module" and _is_imported(name)
        }
        self.with_external_state(b"")
        self.digests |= {f"{part.kind} {part.name}": part.digest for part in self.external_parts()}


def _is_imported(name: str) -> bool:
    """Whether a part belongs to a module: the name of one of the notebook begins with no module's."""
    home = name
    while home:
        home = home.rpartition(".")[0]
        if home in sys.modules:
            return is_own(sys.modules[home])
    return False


class _PartReader(CodeReader):
    """Makes the digest of one part, in which others are known by their names."""

    def __init__(self, part: Any, *, is_part: bool = True) -> None:
        super().__init__(describe, state_as_read)
        self._part = part if is_part else None
        self.digest = self.of(part).hex()

    def of(self, value: Any) -> bytes:
        if value is not self._part and (kind := _kind_of(value)):
            return hashed(kind.encode(), _name_of(value).encode())
        return super().of(value)

    def of_all_variables(self) -> bytes:
        return b"all variables"

    def _of_target(self, target: Target, use: NameUse, scope: dict[str, Any]) -> bytes:
        variable = variables_and_files.variable_of(target.value, target.rest, use, scope)
        if variable is not None:
            return hashed(b"variable", variable.encode())
        if _is_constant(target, use, scope):
            return hashed(b"constant", _constant_name(use, scope).encode(), ".".join(target.rest).encode())
        return super()._of_target(target, use, scope)


def key_of(entity: Any) -> Key:
    """Return the kind and the name of an entity as a part of code."""
    return _kind_of(entity), _name_of(entity)


def _kind_of(value: Any) -> str:
    """The kind of part that an object is, empty for other objects."""
    if is_entity(value):
        return "task" if inner_workflow(value) is None else "workflow"
    if type(value) is FunctionType:
        return "function" if is_own(value) and value.__code__.co_filename != "<string>" else ""  # not of a dataclass
    if isinstance(value, type):
        return "class" if is_own(value) else ""
    return "module" if is_module(value) and is_own(value) else ""


def _is_constant(target: Target, use: NameUse, scope: dict[str, Any]) -> bool:
    value = target.value
    is_named = use.origin.kind == "global" and use.origin.name in scope and target.taken is None
    is_code = bool(_kind_of(value)) or isinstance(value, type) or (callable(value) and not is_own(value))
    return is_named and (not is_code or type(value) in (partial, MethodType))


def _constant_name(use: NameUse, scope: dict[str, Any]) -> str:
    """The name in the code; one that is taken from a module, after the name of the module."""
    scope, name = _home_of(use, scope)
    module = str(scope.get("__name__", ""))
    return name if module == "__main__" else f"{module}.{name}"


def _home_of(use: NameUse, scope: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The globals of the module that holds what a use leads to, and its name there."""
    name = use.origin.name
    for attribute in use.attributes:
        if not is_module(scope.get(name)):
            break
        scope, name = scope_of(scope[name]), attribute
    return scope, name


def _name_of(value: Any) -> str:
    if is_entity(value):
        function = function_of(value)
        is_cells = getattr(function, "__module__", "") == "__main__"  # whatever flytekit calls the file of the cell
        return str(function.__qualname__ if is_cells else value.name).removeprefix("__main__.")
    if is_module(value):
        return module_name(value)
    module = "" if value.__module__ == "__main__" else f"{value.__module__}."
    return f"{module}{value.__qualname__}"


def _cell_of(filename: str) -> int | str | None:
    """Return the number of the cell, or the file executed by `%run`, whose code has a file name."""
    found = (find(filename) for find in cell_finders)
    return next((cell for cell in found if cell), None)


def cell_name(filename: str) -> str:
    """Return the name of the notebook cell that was compiled under a file name (`Cell In[3]`), `""` for other files.

    The code of a file that `%run` has executed as cells has the name of the file.
    """
    found = _cell_of(filename)
    return f"Cell In[{found}]" if isinstance(found, int) else found or ""


def with_cell_names(trace: str) -> str:
    """Return a traceback in which frames of cells name the cell instead of a temporary file."""

    def named(found: re.Match[str]) -> str:
        cell = cell_name(found[2])
        return f"{found[1]}{cell}" if cell else found[0]

    return _FRAME.sub(named, trace)


def _place_of(value: Any) -> str:
    function = function_of(value) if is_entity(value) else value
    if type(function) is FunctionType:
        path, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
        if found := _cell_of(function.__code__.co_filename):
            return f"{f'cell {found}' if isinstance(found, int) else Path(found).name}, line {line}"
        is_cell = function.__module__ == "__main__" and not path.is_file()
        return f"this notebook, line {line} of its cell" if is_cell else f"{path.name}:{line}"
    module = value if is_module(value) else sys.modules.get(getattr(value, "__module__", ""))
    return _file_of({} if module is None else scope_of(module))


def _file_of(scope: dict[str, Any]) -> str:
    file = scope.get("__file__")
    return Path(file).name if isinstance(file, str) else "this notebook"
