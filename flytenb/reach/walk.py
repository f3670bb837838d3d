"""What code reaches: own functions, classes, modules and values, and which installed things it may use.

The walk begins at a function and follows whatever it can take: names, closures, defaults, attributes, decorators,
the members of classes, the objects inside objects. What is installed is where it ends.
"""

from __future__ import annotations

import builtins
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path, PurePath
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from flytenb.reach import outside
from flytenb.reach.bytecode import Origin, Use, uses_of
from flytenb.reach.names import scope_of
from flytenb.reach.notes import note_of
from flytenb.reach.objects import OpaqueError, WatchingWalker, hashed
from flytenb.reach.outside import Paths
from flytenb.reach.ownership import is_installed, is_own_class, is_own_module, version_of
from flytenb.reach.plain import is_frozen, is_scalar, plain_bytes

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "missing"})()
"""What a name stands for that nothing is bound to."""


class Doubt(NamedTuple):
    """Something that code reaches and that can't be read, so that the digest doesn't hold it.

    Attributes:
        where: the own function or class that reaches it.
        what: what it is, in words.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class _End(NamedTuple):
    """Where a use leads to.

    Attributes:
        value: an object; a module of which no more can be followed; MISSING.
        rest: the attributes that are still to be read of it.
        taken: the first installed module on the way and the attributes asked of it.
    """

    value: Any
    rest: tuple[str, ...]
    taken: tuple[ModuleType, tuple[str, ...]] | None


class Reacher(WatchingWalker):
    """Walks over everything that code reaches, with a digest of it.

    Attributes:
        doubts: what could not be read, and why.
        taken: the installed things that own code takes: an object or the name of a module, and the attributes that are
            asked of it.
        variables: the environment variables that it reads; an empty one means all.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.doubts: dict[Doubt, None] = {}
        self.taken: list[tuple[Any, tuple[str, ...]]] = []
        self.variables: dict[str, None] = {}
        self._paths = Paths()
        self._where: list[str] = []
        self._sources: set[str] = set()

    def of(self, value: Any) -> bytes:
        """Return the digest of an object; what can't be read is noted as a doubt."""
        if type(value) is str and self._where:  # of a class, a default, a closure, an object
            self._paths.add([value])
        try:
            return super().of(value)
        except (OpaqueError, RecursionError) as e:
            self.doubt("what it reaches is too deep" if isinstance(e, RecursionError) else str(e))
            return hashed(b"doubt")

    def doubt(self, what: str) -> None:
        """Note that something can't be read."""
        self.doubts[Doubt(self._where[-1] if self._where else "", what)] = None

    def take(self, value: Any, attributes: tuple[str, ...] = ()) -> None:
        """Note that something installed is taken."""
        self.taken.append((value, attributes))

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Name the own function, class or module that is being looked at."""
        self._where.append(name)
        try:
            yield
        finally:
            self._where.pop()

    def files(self) -> bytes:
        """Return the digest of the files at the constant paths that have been reached."""
        try:
            return self.measure(self._paths.digest)
        except OpaqueError as e:
            self.doubt(str(e))
            return b""

    def of_named(self, held: Mapping[Any, Any]) -> bytes:
        """Return the digest of values and their names; a name isn't a text that the code reads."""
        names = tuple(held)
        said = marshal.dumps(names, 2) if is_frozen(names) else self.of(names)
        return hashed(said, *map(self.of, held.values()))

    def reach(self, code: CodeType, scope: dict[str, Any], cells: dict[str, Any], *, is_source: bool = False) -> bytes:
        """Return the digest of what code takes from outside of itself.

        Args:
            code: of a function, or of a module that isn't loaded.
            scope: its globals.
            cells: its free variables.
            is_source: whether nothing of it has run yet, so that everything it imports counts.
        """
        uses = uses_of(code)
        for what in outside.doubts_about(uses):
            self.doubt(what)
        self._paths.add(uses.strings)
        self._paths.note(uses)
        used = {use.origin.name for use in uses.uses if use.origin.kind == "free"}
        pieces = [self.of(cell.cell_contents) for name, cell in cells.items() if name not in used and _is_bound(cell)]
        return hashed(*pieces, *(self._of_use(use, scope, cells, is_source) for use in uses.uses))

    def _of_use(self, use: Use, scope: dict[str, Any], cells: dict[str, Any], is_source: bool) -> bytes:
        unloaded = _unloaded(use, scope)
        if unloaded is not None:
            return self._of_unloaded(unloaded, use)
        end = _follow(use, scope, cells)
        if use.origin.kind == "global" and use.origin.name == "__file__" and type(end.value) is str:
            self._paths.folders[str(Path(end.value).parent)] = None
            return hashed(b"file")
        if use.origin.kind == "global" and use.origin.name not in scope and end.value is not MISSING:
            self.take(f"builtins.{use.origin.name}", end.rest)
        if end.taken is not None:
            self.take(*end.taken)
        elif not is_own(end.value) and not is_scalar(end.value):
            self.take(end.value, end.rest)
        if use.how == "keep" and not is_source:
            return b""
        if use.how == "write" and isinstance(end.value, str | PurePath):  # what the file holds says nothing then
            self.watch(lambda _: [_follow(use, scope, cells).value], None)
            return hashed(b"path", os.fspath(end.value).encode("utf-8", "surrogateescape"))
        note = note_of(end.value, end.rest, use.how)
        if note is not None:
            return self.measure(lambda: hashed(b"note", plain_bytes(_note_now(use, scope, cells)) or b""))
        self.watch(lambda _: [_follow(use, scope, cells).value], None)
        return self._of_end(end, use, scope)

    def _of_end(self, end: _End, use: Use, scope: dict[str, Any]) -> bytes:
        value, rest = end.value, end.rest
        name = outside.variable_of(value, rest, use, scope)
        if name is not None:
            if name == outside.NOTHING:
                return b""
            self.variables[name] = None
            return self.measure(lambda: outside.variable(name))
        dotted = ".".join((_name_of(end.taken[0]), *end.taken[1])) if end.taken is not None else ""
        if (what := outside.doubt_about(value, dotted)) is not None and use.how != "keep":
            self.doubt(what)
        if end.taken is not None:
            self.add_texts(value)
            held = self.of(value) if is_own(value) or plain_bytes(value) is not None else b""
            return hashed(b"installed", dotted.encode(), version_of(dotted).encode(), held)
        if is_module(value) and rest:  # it has no such attribute, or makes it when it is asked
            makes = scope_of(value).get("__getattr__")
            return hashed(b"lacking", ".".join(rest).encode(), self.of(value if rest[0] == "__dict__" else makes))
        if value is MISSING:
            return hashed(b"missing", ".".join((use.origin.name, *rest)).encode())
        self.add_texts(value)
        return hashed(b"use", ".".join(rest).encode(), self.of(value))

    def add_texts(self, value: Any) -> None:
        """Note the paths in an object that code reads: files at them count."""
        if isinstance(value, PurePath):
            self._paths.add([os.fspath(value)])
        elif type(value) in (list, tuple, set, frozenset):
            self._paths.add(str(part) for part in [*value][:1000] if isinstance(part, str | PurePath))
        elif type(value) is dict:
            self._paths.add(str(part) for part in [*value.values()][:1000] if isinstance(part, str | PurePath))

    # --- modules that aren't loaded ---

    def _of_unloaded(self, name: str, use: Use) -> bytes:
        """A module that is imported when the code runs: its source, and that of the own modules which it imports."""
        self.watch(_loaded, name)
        spec = find_spec(name)
        if spec is None or _is_installed_spec(spec):
            self.take(name, use.attributes)
            dotted = ".".join((name, *use.attributes))
            if (what := outside.doubt_about(None, dotted)) is not None and use.how != "keep":
                self.doubt(what)
            said = hashed(b"installed", dotted.encode(), version_of(name).encode(), b"")
            return hashed(b"missing", name.encode()) if spec is None else b"" if use.how == "keep" else said
        if name in self._sources:
            return hashed(b"source", name.encode())
        self._sources.add(name)
        parent = name.rpartition(".")[0]
        above = self._of_unloaded(parent, Use(Origin("from", parent))) if parent and parent not in sys.modules else b""
        if not str(spec.origin).endswith(".py"):
            origin = str(spec.origin)
            return hashed(b"binary", name.encode(), above, self.measure(lambda: outside.content(origin)))
        with self.at(name):
            return hashed(b"source", name.encode(), above, self._of_source(spec))

    def _of_source(self, spec: ModuleSpec) -> bytes:
        origin = str(spec.origin)
        self.measure(lambda: outside.content(origin))
        try:
            code = compile(Path(origin).read_bytes(), origin, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as e:
            self.doubt(f"its source can't be read: {e}")
            return b""
        scope = {"__package__": spec.parent, "__name__": spec.name, "__file__": origin}
        return hashed(self.of(code), self.reach(code, scope, {}, is_source=True))


# --- where uses lead to ----------------------------------------------------------------------------------------------


def _follow(use: Use, scope: dict[str, Any], cells: dict[str, Any]) -> _End:
    """Follow a use through modules to the first object that isn't one."""
    value, rest = _begin(use.origin, scope, cells), use.attributes
    taken = None
    while is_module(value):
        if taken is None and not is_own_module(value):
            taken = (value, rest)
        inner = scope_of(value).get(rest[0], MISSING) if rest else MISSING
        if inner is MISSING:
            break
        value, rest = inner, rest[1:]
    return _End(value, rest, taken)


def _begin(origin: Origin, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    if origin.kind == "global":
        return scope[origin.name] if origin.name in scope else getattr(builtins, origin.name, MISSING)
    if origin.kind == "free":
        cell = cells.get(origin.name)
        return cell.cell_contents if cell is not None and _is_bound(cell) else MISSING
    return sys.modules.get(full_name(origin, scope), MISSING)


def _note_now(use: Use, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    end = _follow(use, scope, cells)
    return note_of(end.value, end.rest, use.how)


def _unloaded(use: Use, scope: dict[str, Any]) -> str | None:
    """Return the name of the module that a use imports, if it isn't loaded; also where only a part of it is."""
    if use.origin.kind not in ("import", "from"):
        return None
    name = full_name(use.origin, scope)
    if name not in sys.modules:
        return name
    if use.origin.kind == "from" and use.attributes:
        inner = f"{name}.{use.attributes[0]}"  # `from package import module`
        module = sys.modules[name]
        is_part = inner not in sys.modules and use.attributes[0] not in scope_of(module) and is_own_module(module)
        return inner if is_part and find_spec(inner) is not None else None
    return None


def _loaded(name: str) -> list[Any]:
    return [sys.modules.get(name)]


def full_name(origin: Origin, scope: dict[str, Any]) -> str:
    """Return the absolute name of an imported module."""
    name = origin.name
    if origin.level:
        try:
            name = importlib.util.resolve_name("." * origin.level + name, scope.get("__package__") or "")
        except ImportError:
            return name
    return name.partition(".")[0] if origin.kind == "import" else name


def find_spec(name: str) -> ModuleSpec | None:
    """Find a module without importing the package that it is in."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__spec__", None)
    package, _, _ = name.rpartition(".")
    try:
        if not package:
            return importlib.util.find_spec(name)
        above = find_spec(package)
        places = None if above is None else above.submodule_search_locations
        return None if places is None else PathFinder.find_spec(name, list(places))
    except (ImportError, ValueError, AttributeError):
        return None


def is_module(value: Any) -> bool:
    """Tell whether an object is a module; a module's class may be the user's own."""
    return issubclass(type(value), ModuleType)


def is_own(value: Any) -> bool:
    """Tell whether a function, class, module or object is the user's own, an object by its class."""
    if type(value) is FunctionType:
        return not is_installed(value.__code__.co_filename)
    if is_module(value):
        return is_own_module(value)
    return is_own_class(value if isinstance(value, type) else type(value))


def _is_bound(cell: Any) -> bool:
    try:
        return cell.cell_contents is not MISSING
    except ValueError:
        return False


def _is_installed_spec(spec: ModuleSpec) -> bool:
    if spec.origin is None:  # a namespace package
        return all(is_installed(f"{place}/") for place in spec.submodule_search_locations or ())
    return is_installed(spec.origin) or not Path(spec.origin).is_absolute()


def _name_of(module: ModuleType) -> str:
    return str(scope_of(module).get("__name__"))
