"""Registry of displays: lookup by type, dotted name or predicate, in tiers."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from flytenb.errors import DefinitionError
from flytenb.locks import new_rlock
from flytenb.wording.packages import named

Display = Callable[[Any, Any], Any]
"""A function of a value and its `View` that returns a part, another value to show instead, or `NotImplemented`."""

Key = type | str | Callable[[Any], Any]
F = TypeVar("F", bound=Callable[..., Any])

GROUP = "flytenb.displays"
"""Entry point group; an entry's name is a dotted type name (`heavylib.Thing`), its object the display."""


@dataclass(frozen=True)
class KeyMatching:
    """How a registry matches its keys, and how an entry is written.

    Attributes:
        type_of: returns the class by which a subject is looked up, None to use predicates only.
        is_instance: whether a subject matches an abstract class.
        arguments: what an entry is called with, for error messages.
        example: a correct entry, for error messages.
        decorator: the public name of `register`, for error messages.
    """

    type_of: Callable[[Any], type | None] = type
    is_instance: Callable[[Any, type], bool] = isinstance
    arguments: str = "a value and a view"
    example: str = "def show_it(value, view): …"
    decorator: str = "display_for"


@dataclass(frozen=True)
class _Predicate:
    fits: Callable[[Any], Any]
    display: Display
    abstract: type | None = None


class Registry:
    """Displays in tiers: exact type, its ancestors in MRO order, predicates (newest first), then the tier below.

    A type may be given by its dotted name (`"pandas.DataFrame"`), which is resolved only against modules that are
    already imported. A class defined in a notebook (`__main__`) is identified by its name, so that re-running its
    cell keeps its display.

    Args:
        below: the next tier.
        matching: how keys are matched.
        load: returns more entries by dotted type name; called once, at the first lookup.
    """

    def __init__(
        self,
        below: Registry | None = None,
        matching: KeyMatching | None = None,
        load: Callable[[], dict[str, Display]] = dict,
    ) -> None:
        self._below = below
        self._matching = matching or KeyMatching()
        self._load = cache(load)
        self._types: dict[Any, Display] = {}
        self._names: dict[str, Display] = {}
        self._predicates: list[_Predicate] = []
        self._cache: WeakKeyDictionary[type, tuple[Display, ...]] = WeakKeyDictionary()
        self._lock = new_rlock()

    def register(self, type_or_predicate: Key) -> Callable[[F], F]:
        """Return a decorator that registers a function for a type, a dotted type name or a predicate.

        Raises:
            DefinitionError: if the key is none of these, or the function doesn't take the two arguments.
        """
        if not callable(type_or_predicate) and not isinstance(type_or_predicate, str):
            raise DefinitionError(
                f"expected a type, a dotted type name or a predicate, got {type_or_predicate!r}",
                f"write @{self._matching.decorator}(Coordinate) or @{self._matching.decorator}(lambda value: …)",
            )

        def decorate(display: F) -> F:
            _check_signature(display, self._matching)
            with self._lock:
                self._add(type_or_predicate, display)
                self._cache.clear()
            return display

        return decorate

    def candidates(self, subject: Any) -> Iterator[Display]:
        """Yield the displays that may show a subject, best first."""
        cls = self._matching.type_of(subject)
        if cls is not None:
            yield from self._by_type(cls)
        for entry in tuple(self._predicates):
            if _fits(entry.fits, subject):
                yield entry.display
        if self._below is not None:
            yield from self._below.candidates(subject)

    def _add(self, key: Key, display: Display) -> None:
        if isinstance(key, str):
            self._names[key] = display
            return
        if isinstance(key, type):
            self._types[_type_key(key)] = display
            if not isinstance(key, ABCMeta):
                return
            # A class that merely satisfies an abstract class doesn't have it in its MRO.
            abstract: type = key
            is_instance = self._matching.is_instance
            new = _Predicate(lambda subject: is_instance(subject, abstract), display, abstract)
            self._predicates = [new, *(p for p in self._predicates if p.abstract is not abstract)]
            return
        kept = (p for p in self._predicates if not _is_same(p, key, display))
        self._predicates = [_Predicate(key, display), *kept]

    def _by_type(self, cls: type) -> tuple[Display, ...]:
        found = self._cache.get(cls)
        if found is None:
            with self._lock:
                displays = {**self._load(), **self._names}
                by_name = {path: named(path) for path in displays if _may_name(path, cls)}
                by_class = {of: displays[path] for path, of in by_name.items()}
                found = tuple(dict.fromkeys(self._look_up(cls, by_class)))
                if None not in by_name.values():  # an import may still give a name to the class
                    self._cache[cls] = found
        return found

    def _look_up(self, cls: type, by_class: dict[Any, Display]) -> Iterator[Display]:
        for ancestor in cls.__mro__:
            for known in (self._types.get(_type_key(ancestor)), by_class.get(ancestor)):
                if known is not None:
                    yield known


class _EntryPointDisplay:
    """A display behind an entry point, imported when first called."""

    def __init__(self, point: EntryPoint) -> None:
        self._point = point
        self.__qualname__ = point.value
        self.__module__ = point.module

    def __call__(self, value: Any, view: Any) -> Any:
        return self._point.load()(value, view)


def plugin_displays() -> dict[str, Display]:
    """Return the displays that installed packages offer, by dotted type name; nothing is imported."""
    return {point.name: _EntryPointDisplay(point) for point in reversed(entry_points(group=GROUP))}


def _type_key(cls: type) -> Any:
    # Re-running a cell creates a new class of the same name.
    return (cls.__module__, cls.__qualname__) if cls.__module__ == "__main__" else cls


def _may_name(path: str, cls: type) -> bool:
    """Whether a dotted name can name the class or an ancestor, judged by their top-level packages."""
    root = path.partition(".")[0]
    return any(str(getattr(c, "__module__", "")).partition(".")[0] == root for c in cls.__mro__)


def _is_same(entry: _Predicate, fits: Callable[[Any], Any], display: Display) -> bool:
    """Whether a registration replaces an entry: its display or its predicate is the same, defined again."""
    if entry.display is display:
        return entry.fits is fits
    name = getattr(display, "__qualname__", "")
    if name.rpartition(".")[2] not in ("_", "<lambda>") and _identity(entry.display) == _identity(display):
        return True
    return _identity(entry.fits) == _identity(fits) and _code(entry.fits) == _code(fits)


def _identity(function: Any) -> tuple[str, str]:
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function))


def _code(function: Any) -> Any:
    if not isinstance(function, FunctionType):
        return function
    code = function.__code__
    return code.co_code, code.co_consts, code.co_names


def _fits(predicate: Callable[[Any], Any], subject: Any) -> bool:
    try:
        return bool(predicate(subject))
    except Exception:
        # A predicate is called with values of any type; raising means that it doesn't fit.
        return False


def _check_signature(display: Callable[..., Any], matching: KeyMatching) -> None:
    try:
        inspect.signature(display).bind(None, None)
    except TypeError:
        raise DefinitionError(
            f"{getattr(display, '__name__', display)!r} must take {matching.arguments}",
            f"write it as `{matching.example}`",
        ) from None
    except ValueError:
        return


FALLBACK = Registry()
BUILT_IN = Registry(below=FALLBACK)
PLUGINS = Registry(below=BUILT_IN, load=plugin_displays)
REGISTRY = Registry(below=PLUGINS)
"""The registry that `flytenb.display_for` fills and `flytenb.show` reads."""
