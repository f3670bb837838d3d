"""Which display shows which value, in tiers; calling it and what happens when it fails is left to `view`."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from threading import RLock
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from flytenb.errors import DefinitionError
from flytenb.wording.loaded import named

if TYPE_CHECKING:
    from flytenb.display.view import View

Display = Callable[[Any, "View"], Any]
"""Takes the value and a view; returns a part, or another value that is shown instead, or `NotImplemented`."""

Key = type | str | Callable[[Any], Any]
F = TypeVar("F", bound=Callable[..., Any])

GROUP = "flytenb.displays"
"""Entry points of this group: the name is a dotted type (`heavylib.Thing`), the value its display."""


@dataclass(frozen=True)
class _Predicate:
    fits: Callable[[Any], Any]
    display: Display


class Registry:
    """Displays in tiers: the exact type, its ancestors in order, predicates (newest first), then the tier below.

    Types may be given by a dotted name (`"pandas.DataFrame"`), which is looked up only among what is already
    imported. A class of the notebook is known by its name, so that re-running its cell keeps its display. It shows
    nothing itself.
    """

    def __init__(self, below: Registry | None = None) -> None:
        self._below = below
        self._types: dict[Any, Display] = {}
        self._names: dict[str, Display] = {}
        self._predicates: list[_Predicate] = []
        self._cache: WeakKeyDictionary[type, tuple[Display, ...]] = WeakKeyDictionary()
        self._lock = RLock()

    def display_for(self, type_or_predicate: Key) -> Callable[[F], F]:
        """Return a decorator that makes a function the display of a type, a dotted type name or a predicate.

        Raises:
            DefinitionError: if the function can't be called with a value and a view, or the key is none of these.
        """
        if not callable(type_or_predicate) and not isinstance(type_or_predicate, str):
            raise DefinitionError(
                f"{type_or_predicate!r} is neither a type nor a predicate",
                "write @display_for(Coordinate) or @display_for(lambda value: …)",
            )

        def decorate(display: F) -> F:
            _check_signature(display)
            with self._lock:
                self._add(type_or_predicate, display)
                self._cache.clear()
            return display

        return decorate

    def candidates(self, value: Any) -> Iterator[Display]:
        """Yield the displays that could show the value, the best first."""
        yield from self._by_type(type(value))
        for entry in tuple(self._predicates):
            if _fits(entry.fits, value):
                yield entry.display
        if self._below is not None:
            yield from self._below.candidates(value)

    def _add(self, key: Key, display: Display) -> None:
        if isinstance(key, str):
            self._names[key] = display
            return
        if isinstance(key, type):
            self._types[_type_key(key)] = display
            if not isinstance(key, ABCMeta):
                return
            # An abstract class is no ancestor of those that merely fulfil it.
            abstract: type = key
            self._predicates = [p for p in self._predicates if getattr(p.fits, "abstract", None) is not abstract]
            self._predicates.insert(0, _Predicate(_IsInstance(abstract), display))
            return
        self._predicates = [p for p in self._predicates if not _is_same(p, key, display)]
        self._predicates.insert(0, _Predicate(key, display))

    def _by_type(self, cls: type) -> tuple[Display, ...]:
        found = self._cache.get(cls)
        if found is None:
            with self._lock:
                found = tuple(dict.fromkeys(self._look_up(cls)))
                self._cache[cls] = found
        return found

    def _look_up(self, cls: type) -> Iterator[Display]:
        by_class = {named(path): display for path, display in self._names.items() if _may_name(path, cls)}
        for ancestor in cls.__mro__:
            for known in (self._types.get(_type_key(ancestor)), by_class.get(ancestor)):
                if known is not None:
                    yield known


class PluginRegistry(Registry):
    """The displays that installed packages offer; each is imported when a value of its type is first shown."""

    def __init__(self, below: Registry | None = None) -> None:
        super().__init__(below)
        self._is_read = False

    def _by_type(self, cls: type) -> tuple[Display, ...]:
        if not self._is_read:
            with self._lock:
                for point in entry_points(group=GROUP):
                    self._names.setdefault(point.name, _Loaded(point))
                self._is_read = True
        return super()._by_type(cls)


class _Loaded:
    """A display behind an entry point."""

    def __init__(self, point: EntryPoint) -> None:
        self._point = point
        self.__qualname__ = point.value
        self.__module__ = point.module

    def __call__(self, value: Any, view: View) -> Any:
        return self._point.load()(value, view)


class _IsInstance:
    """Whether a value is an instance of an abstract class, however that decides it."""

    def __init__(self, abstract: type) -> None:
        self.abstract = abstract

    def __call__(self, value: Any) -> bool:
        return isinstance(value, self.abstract)


def _type_key(cls: type) -> Any:
    # A class of the notebook is made anew each time its cell runs.
    return (cls.__module__, cls.__qualname__) if cls.__module__ == "__main__" else cls


def _may_name(path: str, cls: type) -> bool:
    """Whether a dotted name can mean the class or an ancestor, so that looking it up can't import anything."""
    root = path.partition(".")[0]
    return any(str(getattr(c, "__module__", "")).partition(".")[0] == root for c in cls.__mro__)


def _is_same(entry: _Predicate, fits: Callable[[Any], Any], display: Display) -> bool:
    """Whether a new registration replaces an entry: the same display or the same predicate, defined once more."""
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


def _fits(predicate: Callable[[Any], Any], value: Any) -> bool:
    try:
        return bool(predicate(value))
    except Exception:
        # Predicates meet every value there is; one that stumbles over a stranger simply doesn't fit.
        return False


def _check_signature(display: Callable[..., Any]) -> None:
    try:
        inspect.signature(display).bind(None, None)
    except TypeError:
        raise DefinitionError(
            f"{getattr(display, '__name__', display)!r} can't be called with a value and a view",
            "a display is written `def show_it(value, view): …`",
        ) from None
    except ValueError:
        return


FALLBACK = Registry()
BUILT_IN = Registry(below=FALLBACK)
PLUGINS = PluginRegistry(below=BUILT_IN)
REGISTRY = Registry(below=PLUGINS)
"""The registry that `flytenb.display_for` fills and `flytenb.show` reads."""

display_for = REGISTRY.display_for
