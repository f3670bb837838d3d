"""End of a line that is being typed, and what completion offers there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flytenb.session.notebook_names import NotebookNames


@dataclass(frozen=True)
class Offer:
    """Texts of one kind that can replace `fragment` at the end of the line."""

    fragment: str
    texts: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Cursor:
    """The end of a `%flyte` line.

    Attributes:
        names: the names of the notebook.
        rest: the text between the verb and the cursor.
        verbs: the table of verbs.
    """

    names: NotebookNames
    rest: str
    verbs: Mapping[str, Any]

    @property
    def words(self) -> list[str]:
        """The words of `rest`; the last one is being typed and may be empty."""
        return self.rest.split(" ")

    @property
    def word(self) -> str:
        """The word that is being typed."""
        return self.words[-1]

    def offer(self, texts: Iterable[str], kind: str) -> Offer:
        """Offer the texts that continue the word."""
        return offer(self.word, texts, kind)


def offer(fragment: str, texts: Iterable[str], kind: str) -> Offer:
    """Offer the texts that begin with a fragment."""
    return Offer(fragment, tuple(text for text in texts if text.startswith(fragment)), kind)
