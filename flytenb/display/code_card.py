"""The code that a task or workflow reaches, as data with a display."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flytenb.display.part import Group, Note, Part, Section, Table
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.display.type_lens import WHOLE
from flytenb.reach.code_parts import CodePart, PartsReader
from flytenb.wording.text import class_name


@dataclass(frozen=True, repr=False)
class Code(Displayed):
    """The code that a task or workflow reaches.

    Attributes:
        name: of the task or workflow.
        parts: what it is made of, sorted by kind and name.
        unread: what could not be read, and why. If there is any, a cached task runs each time.
        digest: of all of it, which the key of a cached task contains.
    """

    name: str
    parts: tuple[CodePart, ...]
    unread: tuple[str, ...]
    digest: str

    @classmethod
    def of(cls, entity: Any, name: str) -> Code:
        """Read the code of an entity."""
        reader = PartsReader(entity)
        return cls(name, reader.parts, tuple(map(str, reader.doubts)), reader.digest)

    def diff(self, other: Code) -> tuple[str, ...]:
        """Return what differs in `other`, a line for each part: `changed function helper (jobs.py:3)`.

        Raises:
            TypeError: if `other` isn't a `Code`.
        """
        if not isinstance(other, Code):
            raise TypeError(f"expected a Code, got an object of type {class_name(other)!r}; make one with code_of")
        before, now = _by_name(self.parts), _by_name(other.parts)
        lines = []
        for key in sorted(before.keys() | now.keys()):
            was, became = before.get(key, []), now.get(key, [])
            if [part.digest for part in was] == [part.digest for part in became]:
                continue
            verb = "added" if not was else "removed" if not became else "changed"
            same = {part.digest for part in was} & {part.digest for part in became}  # a wrapper has the name of another
            place = next((p.place for p in (*became, *was) if p.digest not in same), (became or was)[0].place)
            lines.append(f"{verb} {' '.join(key)}" + (f" ({place})" if place else ""))
        if not lines and self.digest != other.digest:
            lines.append("changed how the parts refer to each other")
        return tuple(lines)

    @property
    def _shown(self) -> Rendering:
        rows = [(part.kind, part.name, part.place, part.digest[:8]) for part in self.parts]
        body: list[Part] = [Table(("kind", "name", "defined in", "digest"), rows)]
        body += [Note(f"not read: {what}") for what in self.unread]
        return render_part(Section(f"code of {self.name}", (self.digest[:8],), Group(tuple(body))), WHOLE)


def _by_name(parts: Iterable[CodePart]) -> dict[tuple[str, str], list[CodePart]]:
    found: dict[tuple[str, str], list[CodePart]] = {}
    for part in parts:
        found.setdefault((part.kind, part.name), []).append(part)
    return {key: sorted(held, key=lambda part: part.digest) for key, held in found.items()}
