"""Size limits of displays, and the trimming of parts to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flytenb.display.part import (
    Column,
    Entry,
    Facts,
    Group,
    Histogram,
    Html,
    Media,
    Note,
    Null,
    Part,
    PhaseCell,
    Picture,
    RangeCell,
    Rich,
    Scripted,
    Section,
    Slices,
    Table,
    Text,
    Tree,
    TrustedHtml,
    Value,
    Window,
)
from flytenb.wording.quantities import bytes_text, more_text
from flytenb.wording.text import class_name
from flytenb.wording.values import clean, clip

_MOST_FACTS = 12


@dataclass(frozen=True)
class Limits:
    """Limits on how much is shown.

    Attributes:
        rows: rows of a table.
        columns: columns of a table.
        items: entries of a tree at one level.
        nodes: entries and rows in total.
        depth: nested levels.
        cell: characters of a cell.
        block: characters of a block of text.
        embed: bytes of one image, recording or piece of foreign markup.
        rich: bytes of data for richer front ends (an interactive figure).
        text: characters of the whole text.
        html: bytes of the whole HTML.
        scan: elements that statistics are computed from.
        seconds: seconds after which no further nested value is opened.
    """

    rows: int = 10
    columns: int = 20
    items: int = 50
    nodes: int = 500
    depth: int = 6
    cell: int = 60
    block: int = 2_000
    embed: int = 120_000
    rich: int = 2_000_000
    text: int = 4_000
    html: int = 200_000
    scan: int = 1_000_000
    seconds: float = 5.0

    def smaller(self) -> Limits:
        """Return limits of about half the size."""
        return replace(
            self,
            rows=max(self.rows // 2, 1),
            columns=max(self.columns // 2, 1),
            items=max(self.items // 2, 1),
            nodes=self.nodes // 2,
            cell=max(self.cell // 2, 8),
            block=self.block // 2,
            embed=self.embed // 2,
        )


UNCUT = Limits(block=1_000_000, text=8_000_000, html=8_000_000, items=10_000, nodes=100_000)
"""For what is read as a whole, such as an exported module."""


class Trimmer:
    """Trims one part to the limits and cleans its text; a second part needs a new trimmer, since nodes are counted."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._nodes = limits.nodes

    def trim(self, part: Part, depth: int = 0) -> Part:
        """Return the part within the limits; what is cut is counted or noted."""
        # Every tree level is also a section, so this is twice the depth that displays use.
        if depth > 2 * self._limits.depth + 2:
            return Note("deeper levels are left out")
        match part:
            case Value():
                return replace(
                    part,
                    text=self._line(part.text, self._limits.block),
                    type=self._line(part.type),
                    facts=self._facts(part.facts),
                    name=self._line(part.name),
                )
            case Section():
                body = self.trim(part.body, depth + 1) if part.body is not None else None
                return replace(
                    part,
                    title=self._line(part.title),
                    facts=self._facts(part.facts),
                    body=body,
                    name=self._line(part.name),
                )
            case Group():
                return self._group(part, depth)
            case Rich() | Scripted():
                return self.trim(part.body, depth)
            case Tree():
                return self._tree(part, depth)
            case Table():
                return self._table(part)
            case _:
                return self._leaf(part)

    def _leaf(self, part: Part) -> Part:
        match part:
            case Text():
                cut = part.text[: self._limits.block]
                return Text(clean(cut), part.style, part.missing + len(part.text) - len(cut))
            case Note():
                return Note(self._line(part.text, 400))
            case Facts():
                rows = tuple((self._line(k), self._line(v, 4 * self._limits.cell)) for k, v in part.rows[:40])
                return Facts(rows)
            case Slices():
                return Slices(part.axes[:_MOST_FACTS], part.place)
            case Histogram():
                return Histogram(part.counts[:64], self._line(part.low), self._line(part.high))
            case Picture() | Media():
                return self._embed(part, len(part.data), part.caption or part.mime)
            case Html():
                small = self._embed(part, len(part.source), "markup")
                return Html(clean(part.source), clean(part.text[: self._limits.block])) if small is part else small
            case TrustedHtml():
                if len(part.html) <= self._limits.html:
                    return part
                return Text(part.text[: self._limits.block], "plain", max(len(part.text) - self._limits.block, 0))
        return Note(f"{class_name(part)} is not a part that can be shown")

    def _embed(self, part: Part, size: int, what: str) -> Part:
        if size <= self._limits.embed:
            return part
        return Note(f"{clean(what)[:200]}: {bytes_text(size)}, too large to show here")

    def _group(self, group: Group, depth: int) -> Part:
        kept: list[Part] = []
        for part in group.parts:
            if self._nodes <= 0:
                kept.append(Note(f"… {more_text(len(group.parts) - len(kept), 'part')}"))
                break
            self._nodes -= 1
            kept.append(self.trim(part, depth + 1))
        return Group(tuple(kept))

    def _tree(self, tree: Tree, depth: int) -> Part:
        # All entries of a level are counted before anything nested, so that siblings are kept.
        entries = tree.entries[: max(min(self._limits.items, self._nodes), 0)]
        self._nodes -= len(entries)
        return Tree(tuple(self._entry(e, depth) for e in entries), tree.total, self._window(tree.window))

    def _entry(self, entry: Entry, depth: int) -> Entry:
        inside = entry.inside
        if inside is not None:
            inside = self.trim(inside, depth + 1) if self._nodes > 0 else Note("left out: there is too much to show")
        value = self._line(entry.value, 2 * self._limits.cell)
        return Entry(
            self._line(entry.name), self._line(entry.type), value, self._facts(entry.facts), inside, entry.place
        )

    def _facts(self, facts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._line(f) for f in facts[:_MOST_FACTS])

    def _table(self, table: Table) -> Part:
        width = min(self._limits.columns, len(table.columns))
        rows = table.rows[: max(min(max(self._limits.rows, table.at_least), self._nodes), 0)]
        self._nodes -= len(rows)
        columns = tuple(
            Column(
                self._line(c.name), self._line(c.type), self._line(c.summary), c.is_number, c.key, c.is_own, c.is_cut
            )
            for c in table.columns[:width]
        )
        cells = tuple(tuple(self._cell(v) for v in (*row, *[""] * width)[:width]) for row in rows)
        window, is_wrapped = self._window(table.window), table.is_wrapped
        return Table(columns, cells, table.total_rows, table.total_columns, window, is_wrapped=is_wrapped)

    def _window(self, window: Window | None) -> Window | None:
        return window and replace(window, find=self._line(window.find), note=self._line(window.note, 400))

    def _cell(self, text: str) -> str:
        if type(text) in (PhaseCell, RangeCell):
            return text
        return Null(self._line(text)) if type(text) is Null else self._line(text)

    def _line(self, text: Any, limit: int = 0) -> str:
        # A line break would break a table in the text form.
        return clip(clean(str(text)[: 4 * self._limits.block]).replace("\n", "\\n"), limit or self._limits.cell)
