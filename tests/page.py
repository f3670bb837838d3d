"""What a browser would make of some HTML: its elements, and the words that a reader sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_DECORATION = re.compile(r"[─▁▂▃▄▅▆▇█]+")


class Page(HTMLParser):
    """Elements with their attributes, and visible words; what a frame holds counts as visible."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.frames: list[str] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        self._open.append(tag)
        if tag == "iframe":
            self.frames.append(found.get("srcdoc") or "")

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        # A folded line's short form is repeated by what it unfolds to.
        is_repeated = "summary" in self._open and "code" in self._open
        if not is_repeated and not {"style", "script"} & set(self._open):
            self._texts.append(data)

    @property
    def text(self) -> str:
        """Everything that a reader sees."""
        return " ".join(self._texts)

    @property
    def facts(self) -> set[str]:
        """The words that a reader sees, here and in frames."""
        inner = [Page(f).text for f in self.frames]
        return self.words_of(" ".join([self.text, *inner]))

    @staticmethod
    def words_of(text: str) -> set[str]:
        """The words of a text, without what only lays it out."""
        return set(re.findall(r"[\w.'-]*\w[\w.'-]*", _DECORATION.sub(" ", text)))
