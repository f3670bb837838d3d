"""Uses of outside names in bytecode: which globals, free variables and imports code takes, and what it does with them.

Nothing is resolved here: a use is a name and the attributes asked of it, in the words of the code.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """Where a use begins.

    Attributes:
        kind: `"global"`, `"free"` (a variable of an enclosing function), `"import"` (the top package of the module) or
            `"from"` (the module itself).
        name: of the variable or module.
        level: how many packages up a relative import begins.
    """

    kind: str
    name: str
    level: int = 0


class NameUse(NamedTuple):
    """One place where code takes something from outside of itself.

    Attributes:
        origin: where it begins.
        attributes: the chain of attributes that is read from there.
        how: `"read"`; `"write"` if it is the path of a file that is only written to;
            `"call"` if the last attribute is called as a method, or the name itself; `"keep"` if it is only
            kept in a local variable, whose own uses are uses of this; `"store"`, `"delete"` and `"update"` of one of
            its items; `"count"` if the name is read only to be rebound (`n += 1`).
        key: the constant key or first argument, or the origin of one, that it is asked with.
    """

    origin: Origin
    attributes: tuple[str, ...] = ()
    how: str = "read"
    key: str | Origin | None = None


class NameUses(NamedTuple):
    """What code takes from outside of itself, the code inside of it too.

    Attributes:
        uses: each use once, in the order of the code.
        attributes: every attribute that is read of anything.
        strings: the constant texts that it loads, except those that it only opens for writing.
    """

    uses: tuple[NameUse, ...]
    attributes: frozenset[str]
    strings: tuple[str, ...]


_Path = tuple[Origin, tuple[str, ...]]
_Aliases = Mapping[tuple[bool, str], frozenset[_Path]]
"""Variables that hold what was taken from outside, by whether they are globals, and name."""

_SILENT = frozenset(["CACHE", "EXTENDED_ARG", "NOP", "RESUME", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL"])
_GLOBAL_LOADS = frozenset(["LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"])
_LOCAL_LOADS = frozenset(
    ["LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF", "LOAD_FAST_AND_CLEAR"]
)
_ATTRIBUTE_LOADS = frozenset(["LOAD_ATTR", "LOAD_METHOD"])
_LOCAL_STORES = frozenset(["STORE_FAST", "STORE_DEREF"])
_WRITING_METHODS = frozenset(["write_text", "write_bytes", "mkdir", "unlink", "touch"])


@lru_cache(maxsize=4096)
def uses_of(code: CodeType) -> NameUses:
    """Return what code takes from outside of itself."""
    reader = _Reader(code, frozenset(code.co_freevars), {})
    reader.read()
    return NameUses(tuple(reader.uses), frozenset(reader.attributes), tuple(reader.strings))


class _Reader:
    """Reads one code object in the order of its instructions, twice: a loop may use what is kept further down."""

    def __init__(self, code: CodeType, free: frozenset[str], outer: _Aliases) -> None:
        self._code = code
        self._free = free
        self._is_module = code.co_name == "<module>"
        self._instructions = [i for i in dis.get_instructions(code) if i.opname not in _SILENT]
        self._aliases: dict[tuple[bool, str], frozenset[_Path]] = dict(outer)
        self._written: set[int] = set()
        self.uses: dict[NameUse, None] = {}
        self.attributes: set[str] = set()
        self.strings: dict[str, None] = {}

    def read(self) -> None:
        for _ in range(2):
            self.uses.clear()
            self._read_own()
        self._read_strings()
        for constant in self._code.co_consts:
            if isinstance(constant, CodeType):
                self._read_inner(constant)

    def _read_inner(self, code: CodeType) -> None:
        free = frozenset(code.co_freevars)
        aliases = {k: paths for k, paths in self._aliases.items() if k[0] or k[1] in free}
        inner = _Reader(code, free & self._free, aliases)
        inner.read()
        self.uses.update(inner.uses)
        self.attributes |= inner.attributes
        self.strings.update(inner.strings)

    def _read_own(self) -> None:
        at = 0
        while at < len(self._instructions):
            instruction = self._instructions[at]
            if instruction.opname == "IMPORT_NAME":
                at = self._read_import(at)
            elif paths := self._loaded(instruction):
                at = self._read_chain(at, at + 1, paths, _is_call(instruction))
            else:
                if instruction.opname in _ATTRIBUTE_LOADS:
                    self.attributes.add(instruction.argval)
                at += 1

    def _loaded(self, instruction: dis.Instruction) -> frozenset[_Path]:
        name = instruction.argval
        if instruction.opname in _GLOBAL_LOADS:
            # A class body looks its own names up first; a name that it doesn't hold is a global.
            return self._aliases.get((True, name), frozenset()) | {(Origin("global", name), ())}
        if instruction.opname in _LOCAL_LOADS:
            own = frozenset({(Origin("free", name), ())}) if name in self._free else frozenset()
            return self._aliases.get((False, name), frozenset()) | own
        return frozenset()

    def _read_import(self, at: int) -> int:
        level, takes = (i.argval for i in self._instructions[at - 2 : at])
        name = self._instructions[at].argval
        whole = Origin("from", name, level)
        base: _Path = (whole if takes else Origin("import", name, level), ())
        self._add(NameUse(whole, (), "keep"))
        current, at = base, at + 1
        while at < len(self._instructions):
            instruction = self._instructions[at]
            if instruction.opname == "IMPORT_FROM":
                current = (base[0], (instruction.argval,)) if takes else (base[0], (*current[1], instruction.argval))
            elif instruction.opname in _LOCAL_STORES or instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
                self._keep(instruction, frozenset([current]))
                if not takes:
                    return at + 1
            elif instruction.opname == "IMPORT_STAR" or instruction.opname == "CALL_INTRINSIC_1":
                self._add(NameUse(whole))
            elif instruction.opname not in ("SWAP", "POP_TOP"):
                return at
            at += 1
        return at

    def _keep(self, instruction: dis.Instruction, paths: frozenset[_Path]) -> None:
        is_global = instruction.opname == "STORE_GLOBAL" or (instruction.opname == "STORE_NAME" and self._is_module)
        name = (is_global, instruction.argval)
        self._aliases[name] = self._aliases.get(name, frozenset()) | paths
        for origin, attributes in sorted(paths):
            self._add(NameUse(origin, attributes, "keep"))

    def _read_chain(self, start: int, at: int, paths: frozenset[_Path], is_called: bool) -> int:
        """Follow the attributes that are read of what was loaded, to the place where something else is done with it."""
        while (instruction := self._at(at)) is not None and instruction.opname in _ATTRIBUTE_LOADS:
            self.attributes.add(instruction.argval)
            paths = frozenset((origin, (*names, instruction.argval)) for origin, names in paths)
            is_called = _is_call(instruction)
            at += 1
        return self._read_named(start, at, paths) or self._read_end(start, at, paths, is_called)

    def _read_named(self, start: int, at: int, paths: frozenset[_Path]) -> int | None:
        """Read `getattr(x, "name")`, `import_module("name")`, `__import__("name")` as the attribute or module named."""
        name, call = self._text(at), self._at(at + 1)
        if name is None or call is None or call.opname != "CALL":
            return None
        before = self._at(start - 1) if start else None
        if before is not None and before.opname == "LOAD_GLOBAL" and before.argval == "getattr" and call.arg == 2:
            self.attributes.add(name)
            return self._read_chain(at + 1, at + 2, frozenset((o, (*names, name)) for o, names in paths), False)
        last = {(names[-1] if names else origin.name) for origin, names in paths}
        if last in ({"import_module"}, {"__import__"}) and call.arg == 1 and not name.startswith("."):
            whole = Origin("from", name)
            self._add(NameUse(whole, (), "keep"))
            base = whole if last == {"import_module"} else Origin("import", name)
            return self._read_chain(at + 1, at + 2, frozenset([(base, ())]), False)
        return None

    def _read_end(self, start: int, at: int, paths: frozenset[_Path], is_called: bool) -> int:
        instruction = self._at(at)
        if instruction is not None and (
            instruction.opname in _LOCAL_STORES or (instruction.opname == "STORE_NAME" and self._is_module)
        ):
            self._keep(instruction, paths)
            return at + 1
        key = self._key(start, at, is_called)
        for origin, attributes in sorted(paths):
            is_written = self._is_written_path(start, at, attributes)
            how = "write" if is_written else self._how(at, origin, attributes, is_called)
            self._add(NameUse(origin, attributes, how, key))
            if "open" in (origin.name, *attributes):
                self._read_open(at)
        return at

    def _is_written_path(self, start: int, at: int, attributes: tuple[str, ...]) -> bool:
        """Whether what was loaded is a path that is only written to, as in `open(x, "a")` or `Path(x).touch()`."""
        if attributes and (attributes[-1] in _WRITING_METHODS or attributes[-1] == "open"):
            return attributes[-1] != "open" or _is_writing(self._text(at))
        before, call, method = (self._at(i) if i >= 0 else None for i in (start - 1, at, at + 1))
        if attributes or before is None or not _is_call(before) or call is None:
            return False
        if before.argval == "open":
            return _is_writing(self._text(at))
        is_path = before.argval in ("Path", "PurePath") and call.opname == "CALL" and call.arg == 1
        if not is_path or method is None or method.opname not in _ATTRIBUTE_LOADS:
            return False
        return method.argval in _WRITING_METHODS or (method.argval == "open" and _is_writing(self._text(at + 2)))

    def _how(self, at: int, origin: Origin, attributes: tuple[str, ...], is_called: bool) -> str:
        opnames = [i.opname for i in self._instructions[at : at + 3]]
        if is_called:
            return "call"
        if opnames and opnames[0].startswith("LOAD_"):
            if opnames[1:2] == ["STORE_SUBSCR"]:
                return "store"
            if opnames[1:2] == ["DELETE_SUBSCR"]:
                return "delete"
            if opnames[1:] == ["COPY", "COPY"]:
                return "update"
        rebound = self._at(at + 2)
        is_rebound = rebound is not None and rebound.opname in ("STORE_GLOBAL", "STORE_DEREF")
        if opnames[1:2] == ["BINARY_OP"] and not attributes and is_rebound and rebound.argval == origin.name:  # type: ignore[union-attr]
            return "count"
        return "read"

    def _key(self, start: int, at: int, is_called: bool) -> str | Origin | None:
        following = self._at(at + 1)
        is_item = following is not None and following.opname == "BINARY_SUBSCR"
        if is_item or is_called:
            argument = self._at(at)
            if argument is not None and argument.opname == "LOAD_GLOBAL" and not _is_call(argument):
                is_whole = is_item or (following is not None and following.opname in ("CALL", "LOAD_CONST"))
                return Origin("global", argument.argval) if is_whole else None
            return self._text(at)
        instruction = self._at(at)
        if instruction is not None and instruction.opname == "CONTAINS_OP" and start:
            return self._text(start - 1)
        return None

    def _read_open(self, at: int) -> None:
        mode = self._text(at + 1)
        if self._text(at) is not None and _is_writing(mode):
            self._written.add(at)

    def _read_strings(self) -> None:
        for at, instruction in enumerate(self._instructions):
            if instruction.opname != "LOAD_CONST" or at in self._written:
                continue
            call, method = self._at(at + 1), self._at(at + 2)
            is_called = call is not None and call.opname == "CALL" and method is not None
            if is_called and method.opname in _ATTRIBUTE_LOADS:  # type: ignore[union-attr]
                name = method.argval  # type: ignore[union-attr]
                if name in _WRITING_METHODS or (name == "open" and _is_writing(self._text(at + 3))):
                    continue
            self.strings.update(dict.fromkeys(_texts(instruction.argval)))

    def _add(self, use: NameUse) -> None:
        self.uses[use] = None

    def _at(self, at: int) -> dis.Instruction | None:
        return self._instructions[at] if at < len(self._instructions) else None

    def _text(self, at: int) -> str | None:
        instruction = self._at(at)
        is_text = instruction is not None and instruction.opname == "LOAD_CONST" and type(instruction.argval) is str
        return instruction.argval if is_text else None  # type: ignore[union-attr]


def _is_writing(mode: str | None) -> bool:
    """Whether a file that is opened in this mode is only written to."""
    return mode is not None and bool(set(mode) & set("wax")) and "+" not in mode


def _is_call(instruction: dis.Instruction) -> bool:
    """Whether what an instruction loads is about to be called, as the compiler marks it."""
    if instruction.opname == "LOAD_METHOD":
        return True
    if instruction.opname == "LOAD_GLOBAL" or (instruction.opname == "LOAD_ATTR" and sys.version_info >= (3, 12)):
        return bool((instruction.arg or 0) & 1)
    return False


def _texts(constant: Any) -> Iterator[str]:
    if type(constant) is str:
        yield constant
    elif type(constant) in (tuple, frozenset):
        for inner in constant:
            yield from _texts(inner)
