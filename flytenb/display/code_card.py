"""The code that a task or workflow reaches, as data with a display."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flytenb.display.part import Group, Note, Part, Section, Table, Text
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.display.type_lens import WHOLE
from flytenb.errors import UsageError
from flytenb.locks import cached_property
from flytenb.reach.code_parts import CodePart, Key, PartsReader
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.runner.run import Run


_EDITED = ("task", "workflow", "function", "class", "module", "constant", "variable", "file")
_OF_ALL = {("identity", "of shared objects")}
"""Parts that describe all the code of an entity, so that those of two entities can't be compared."""


@dataclass(frozen=True, repr=False)
class Code(Displayed):
    """The code that a task or workflow reaches. Created by `flytenb.code_of`.

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
    _key: Key = field(default=("", ""), init=False, compare=False)
    _uses: Mapping[Key, Iterable[Key]] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def of(cls, entity: Any, name: str) -> Code:
        """Read the code of an entity."""
        return cls.read_by(PartsReader(entity), name)

    @classmethod
    def read_by(cls, reader: PartsReader, name: str) -> Code:
        """Return what a reader has read."""
        code = cls(name, reader.parts, tuple(map(str, reader.doubts)), reader.digest)
        object.__setattr__(code, "_key", reader.key)
        object.__setattr__(code, "_uses", {key: tuple(used) for key, used in reader.uses.items()})
        return code

    def diff(self, other: Code) -> CodeDiff:
        """Return what differs in `other`, a line for each part: `changed function helper (jobs.py:3)`.

        Raises:
            TypeError: if `other` isn't a `Code`.
        """
        if not isinstance(other, Code):
            raise TypeError(f"expected a Code, got an object of type {class_name(other)!r}; make one with code_of")
        return CodeDiff.of(self, other)

    def since(self, run: Run) -> CodeDiff:
        """Return what has changed since a run of this notebook started, as `diff` does.

        The run may be one of another entity that reaches this one.

        Raises:
            UsageError: if the code of the run isn't known, because no notebook had started it, or for a run that didn't
                reach the task or workflow.
        """
        before = getattr(run, "_code", None)
        if not isinstance(before, Code):
            raise UsageError("expected a run of this notebook", hint="run the entity in a cell, then compare its code")
        if before._key == self._key:
            return before.diff(self)
        if not before.has(self._key):
            message = f"expected a run that reaches {self.name!r}, got one of {before.name!r}"
            raise UsageError(message, hint=f"run {self.name}, or a workflow that contains it")
        # Uses lead to code, constants and variables only; of the rest, what this entity doesn't have may be another's.
        reached = before.reached_from(self._key) | self._keys
        parts = tuple(part for part in before.parts if (part.kind, part.name) in reached - _OF_ALL)
        own = tuple(part for part in self.parts if (part.kind, part.name) not in _OF_ALL)
        return CodeDiff.of(replace(before, parts=parts, digest=""), replace(self, parts=own, digest=""))

    def has(self, key: Key) -> bool:
        """Return whether a part has this kind and name."""
        return key in self._keys

    @cached_property
    def _keys(self) -> frozenset[Key]:
        return frozenset((part.kind, part.name) for part in self.parts)

    def reached_from(self, key: Key) -> frozenset[Key]:
        """Return the kinds and names of the parts that one part uses, directly or through others, with itself."""
        found, todo = {key}, [key]
        while todo:
            new = set(self._uses.get(todo.pop(), ())) - found
            found |= new
            todo += new
        return frozenset(found)

    @property
    def _shown(self) -> Rendering:
        rows = [(part.kind, part.name, part.place, part.digest[:8]) for part in self.parts]
        body: list[Part] = [Table(("kind", "name", "defined in", "digest"), rows)]
        body += [Note(f"not read: {what}") for what in self.unread]
        return render_part(Section(f"code of {self.name}", (self.digest[:8],), Group(tuple(body))), WHOLE)


@dataclass(frozen=True)
class CodeChange:
    """One part that differs between two readings of code.

    Attributes:
        verb: `"added"`, `"removed"` or `"changed"`.
        kind: the kind of the part, as in `CodePart`.
        name: its name.
        place: where it is defined, empty for what isn't code.
    """

    verb: str
    kind: str
    name: str
    place: str

    @property
    def is_edit(self) -> bool:
        """Whether an edit makes it, and not a run, as the state of a random generator."""
        return self.kind in _EDITED

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}" + (f" ({self.place})" if self.place else "")


class CodeDiff(Displayed, tuple[str, ...]):
    """What differs between two readings of code: a tuple of lines with a display.

    Attributes:
        changes: the parts that differ, as data.
    """

    name: str
    changes: tuple[CodeChange, ...]

    @classmethod
    def of(cls, before: Code, after: Code) -> CodeDiff:
        """Compare two readings."""
        changes = tuple(_changes(before, after))
        lines = [str(change) for change in changes]
        if not lines and before.digest != after.digest:
            lines.append("changed how the parts refer to each other")
        found = cls(lines)
        found.name, found.changes = after.name, changes
        return found

    @property
    def _shown(self) -> Rendering:
        if not self.changes:
            return render_part(Text(self[0] if self else f"the code of {self.name} is unchanged", "flow"))
        rows = [(change.verb, change.kind, change.name, change.place) for change in self.changes]
        table = Table(("", "kind", "name", "defined in"), rows)
        return render_part(Section(f"changes in the code of {self.name}", (), table), WHOLE)


def _changes(before: Code, after: Code) -> Iterator[CodeChange]:
    earlier, later = _by_name(before.parts), _by_name(after.parts)
    for key in sorted(earlier.keys() | later.keys()):
        was, became = earlier.get(key, []), later.get(key, [])
        if [part.digest for part in was] == [part.digest for part in became]:
            continue
        verb = "added" if not was else "removed" if not became else "changed"
        same = {part.digest for part in was} & {part.digest for part in became}  # a wrapper has the name of another
        place = next((p.place for p in (*became, *was) if p.digest not in same), (became or was)[0].place)
        yield CodeChange(verb, *key, place)


def _by_name(parts: Iterable[CodePart]) -> dict[tuple[str, str], list[CodePart]]:
    found: dict[tuple[str, str], list[CodePart]] = {}
    for part in parts:
        found.setdefault((part.kind, part.name), []).append(part)
    return {key: sorted(held, key=lambda part: part.digest) for key, held in found.items()}
