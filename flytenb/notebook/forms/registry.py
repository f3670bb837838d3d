"""Which control asks for which type, in the tiers of the displays; what a control does is left to `control`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flytenb.display.registry import Display, Registry
from flytenb.wording.types import bare

if TYPE_CHECKING:
    from flytenb.notebook.forms.control import Control
    from flytenb.notebook.forms.place import Place

Maker = Callable[[Any, "Place"], "Control"]
"""Takes the declared type and the place; returns a control, or `NotImplemented` to leave it to the next maker."""


class ControlRegistry(Registry):
    """Makers of controls in tiers: the exact type, its ancestors in order, predicates (newest first), the tier below.

    Keys are as for displays, but what is looked up is a declared type, without its `Annotated`; a predicate is asked
    about the declared type as it is written.
    """

    def candidates(self, value: Any) -> Iterator[Display]:
        plain = bare(value)
        if isinstance(plain, type):
            yield from self._by_type(plain)
        yield from self._by_predicate(value)
        if self._below is not None:
            yield from self._below.candidates(value)

    def _by_predicate(self, declared: Any) -> Iterator[Display]:
        for entry in tuple(self._predicates):
            abstract = getattr(entry.fits, "abstract", None)
            if abstract is not None:
                plain = bare(declared)
                if isinstance(plain, type) and issubclass(plain, abstract):
                    yield entry.display
            elif _fits(entry.fits, declared):
                yield entry.display


def _fits(predicate: Callable[[Any], Any], declared: Any) -> bool:
    try:
        return bool(predicate(declared))
    except Exception:
        # Predicates meet every type there is; one that stumbles over a stranger simply doesn't fit.
        return False


FALLBACK = ControlRegistry()
BUILT_IN = ControlRegistry(below=FALLBACK)
CONTROLS = ControlRegistry(below=BUILT_IN)
"""The registry that `flytenb.control_for` fills and forms read."""

control_for = CONTROLS.display_for
