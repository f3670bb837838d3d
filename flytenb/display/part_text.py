"""Parts as plain text, for terminals and for notebooks read without HTML."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import accumulate
from unicodedata import combining, east_asian_width

from flytenb.display.part import (
    Entry,
    Facts,
    Group,
    Histogram,
    Html,
    Media,
    Note,
    Part,
    Picture,
    RangeCell,
    Section,
    Slices,
    Table,
    Text,
    Tree,
    TrustedHtml,
    Value,
    Window,
)
from flytenb.wording.quantities import bar_text, bytes_text, more_text
from flytenb.wording.text import line_width
from flytenb.wording.values import clip

_FEWEST = 24
"""Fewest columns of a last cell that is wrapped, and of a bar."""
_SPACES = re.compile(r"\s+")
_BARS = "▁▂▃▄▅▆▇█"


def to_text(part: Part, limit: int) -> str:
    """Return the part as whole lines of at most `limit` characters, with the number of lines left out."""
    lines = _lines(part, line_width())
    text = "\n".join(line.rstrip() for line in lines)
    if len(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - 40
    for line in text.split("\n"):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return clip(text, limit)
    return "\n".join([*kept, f"… {more_text(text.count(chr(10)) + 1 - len(kept), 'line')}"])


def _lines(part: Part, width: int) -> list[str]:
    match part:
        case Value():
            start = f"{part.name} = " if part.name else ""
            return [start + part.text + _bracketed(part.type, part.facts)]
        case Section():
            return _section(part, width)
        case Text():
            lines = textwrap.wrap(part.text, width - 2) if part.style == "flow" else part.text.split("\n")
            return [*lines, *text_left_out(part)]
        case Note():
            return [f"({part.text})"]
        case Facts():
            return _aligned(part.rows, width)
        case Tree():
            return [*_tree(part.entries, width), *tree_left_out(part)]
        case Table():
            return _table(part, width)
        case Group():
            return [line for one in part.parts for line in _lines(one, width)]
        case Slices():
            return [slices_text(part)]
        case Histogram():
            return [f"{part.low} {bars(part)} {part.high}"]
        case Picture() | Media():
            return [f"[{media_caption(part)}]"]
        case Html():
            return [*(part.text or html_text(part.source)).split("\n"), *html_notes(part)]
        case TrustedHtml():
            return part.text.split("\n")
    return []


def text_left_out(part: Text) -> list[str]:
    """Return a line with the number of characters left out, or nothing."""
    return [f"… {more_text(part.missing, 'character')}"] if part.missing > 0 else []


def tree_left_out(part: Tree) -> list[str]:
    """Return a line with the number of entries left out, or nothing."""
    if part.window is not None:
        return window_lines(part.window, len(part.entries), "entry", "entries")
    if part.total is None:
        return ["… more"]
    missing = part.total - len(part.entries)
    return [f"… {more_text(missing)}"] if missing > 0 else []


def table_left_out(part: Table) -> list[str]:
    """Return lines with the number of rows and columns left out, or nothing."""
    notes = []
    if part.window is not None:
        notes.extend(window_lines(part.window, len(part.rows), "row"))
    elif part.total_rows is None:
        notes.append("… more rows")
    elif part.total_rows > len(part.rows):
        notes.append(f"… {more_text(part.total_rows - len(part.rows), 'row')}")
    if part.window is not None:
        notes.extend(columns_line(part))
    elif part.total_columns > len(part.columns):
        notes.append(f"… {more_text(part.total_columns - len(part.columns), 'column')}")
    return notes


def window_lines(window: Window, shown: int, noun: str, plural: str = "") -> list[str]:
    """Return lines that say which rows or entries are shown and how they were selected."""
    plural = plural or noun + "s"
    where = f"{plural} {range_words(window.start, shown, window.total)}" if shown else f"no {noun}"
    found = f' with "{window.find}"' if window.find else ""
    lines = [where + found] if found or shown != window.total else []
    return [*lines, *([window.note] if window.note else [])]


def columns_line(part: Table) -> list[str]:
    """Return a line with the columns that are shown, `""` if all are."""
    if part.window is None or part.window.width <= (shown := columns_shown(part)):
        return []
    return [f"columns {range_words(part.window.left, shown, part.window.width)}"]


def columns_shown(part: Table) -> int:
    """Return the number of data columns shown, without columns of row numbers."""
    return sum(1 for c in part.columns if c.is_own)


def range_words(start: int, shown: int, total: int | None) -> str:
    """Return `11–20 of 1,000`, counting from 1."""
    of = "" if total is None else f" of {total:,}"
    return f"{start + 1:,}–{start + shown:,}{of}"


def slices_text(part: Slices) -> str:
    """Return the selected slice of an array as Python would write it: `[3, 0, :, :]`."""
    return f"[{', '.join([*(str(index) for _, index in part.axes), ':', ':'])}]"


def media_caption(part: Picture | Media) -> str:
    """Return the caption of an image or recording, which replaces it in text."""
    kind = part.mime.partition("/")[2].partition("+")[0].upper()
    what = "picture" if isinstance(part, Picture) else part.mime.partition("/")[0]
    own = f"{part.caption} · " if part.caption else ""
    return f"{own}{kind} {what}, {bytes_text(len(part.data))}"


def bars(part: Histogram) -> str:
    """Return the histogram as a row of block characters."""
    top = max(part.counts, default=0)
    if top <= 0:
        return ""
    return "".join(_BARS[-(-c * (len(_BARS) - 1) // top)] for c in part.counts)


def html_notes(part: Html) -> list[str]:
    """Return remarks on foreign markup."""
    return ["(scripts are disabled)"] if "<script" in part.source.lower() else []


def html_text(source: str) -> str:
    """Return the visible text of some markup."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    lines = ("".join(line).strip() for line in reader.lines)
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    """Collects the visible text of a page: one line per block, cells separated."""

    _BLOCKS = frozenset(
        {"p", "div", "br", "hr", "li", "ul", "ol", "dt", "dd", "tr", "table", "pre", "section", "article"}
        | {"h1", "h2", "h3", "h4", "h5", "h6"}
    )
    _HIDDEN = frozenset({"script", "style", "head", "template", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = [[]]
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag in self._BLOCKS:
            self.lines.append([])
        elif tag in ("td", "th"):
            self.lines[-1].append("  ")
        elif tag == "img":
            self.lines[-1].append(dict(attrs).get("alt") or "[picture]")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag in self._BLOCKS:
            self.lines.append([])

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.lines[-1].append(_SPACES.sub(" ", data))


def _section(part: Section, width: int) -> list[str]:
    head = " · ".join(filter(None, (part.title, *part.facts)))
    if part.name:
        head = f"{part.name} = {head}" if head else f"{part.name}:"
    if part.body is None:
        return [head] if head else []
    return [head, *_indented(part.body, width)] if head else _lines(part.body, width)


def _indented(part: Part, width: int) -> list[str]:
    return ["  " + line for line in _lines(part, width - 2)]


def _bracketed(type_: str, facts: tuple[str, ...]) -> str:
    inner = ", ".join(filter(None, (type_, *facts)))
    return f" ({inner})" if inner else ""


def _tree(entries: tuple[Entry, ...], width: int) -> list[str]:
    lines: list[str] = []
    longest = min(max((width_of(e.name) for e in entries if e.inside is None), default=0), 24)
    for entry in entries:
        if entry.inside is None:
            columns = (_padded(entry.name, longest), f"{entry.value}{_bracketed(entry.type, entry.facts)}".strip())
            lines.append("  ".join(columns))
        else:
            # The nested part repeats the short form.
            head = " · ".join(filter(None, (entry.type, *entry.facts)))
            lines.append(f"{entry.name}: {head}" if head else f"{entry.name}:")
            lines.extend(_indented(entry.inside, width))
    return lines


def _table(table: Table, width: int) -> list[str]:
    heads = [[c.name for c in table.columns]]
    if any(c.type for c in table.columns):
        heads.append([c.type for c in table.columns])
    if any(c.summary for c in table.columns):
        heads.append([c.summary for c in table.columns])
    rows = [list(row) for row in table.rows]
    widths = [max(width_of(line[i]) for line in [*heads, *rows]) for i in range(len(table.columns))]
    rows, widths = _with_short_bars(rows, widths, width)
    widths = [min(each, width) for each in widths]
    label = _label(table, widths, width)
    if table.is_wrapped:
        room = width - sum(widths[:-1]) - 2 * (len(widths) - 1)
        if room < _FEWEST:  # it has lines of its own
            room = max(width - sum(widths[i] + 2 for i in label), _FEWEST)
        widths[-1] = min(widths[-1], room)
    lines: list[str] = []
    for columns in _blocks(widths, label, width):
        if lines:
            lines.append("")
        is_wrapped = table.is_wrapped and columns[-1] == len(widths) - 1 and not table.columns[-1].is_cut
        below = [line for row in rows for line in _wrapped_rows(row, widths[-1])] if is_wrapped else rows
        for number, line in enumerate([*heads, *below]):
            cells = (_padded(_cut(line[i], widths[i]), widths[i], right=table.columns[i].is_number) for i in columns)
            lines.append("  ".join(cells))
            if number == len(heads) - 1:
                lines.append("  ".join("─" * widths[i] for i in columns))
    return [*lines, *table_left_out(table)]


def _with_short_bars(rows: list[list[str]], widths: list[int], width: int) -> tuple[list[list[str]], list[int]]:
    """Return the rows with the bars of a column shortened as far as they must be for a line, and the new widths."""
    kept = list(widths)
    for i, cell in enumerate(rows[0] if rows else ()):
        if isinstance(cell, RangeCell):
            others = sum(widths) - widths[i] + 2 * (len(widths) - 1)
            kept[i] = min(widths[i], max(width - others, _FEWEST))
            rows = [[*row[:i], _shortened(row[i], kept[i]), *row[i + 1 :]] for row in rows]
    return rows, kept


def _shortened(cell: str, width: int) -> str:
    return bar_text(cell.start, cell.stop, width, is_marked=cell.is_marked) if isinstance(cell, RangeCell) else cell


def _label(table: Table, widths: list[int], width: int) -> list[int]:
    """Return the column that each block repeats: the first one, if it has names and leaves room for others."""
    has_names = table.columns and not table.columns[0].type
    return [0] if has_names and widths[0] <= width // 3 else []


def _wrapped_rows(row: list[str], room: int) -> list[list[str]]:
    """Return a row as lines with the last cell wrapped; the other cells are in the first line."""
    first, *more = textwrap.wrap(row[-1], room) or [row[-1]]
    return [[*row[:-1], first], *([*[""] * (len(row) - 1), text] for text in more)]


def _blocks(widths: list[int], label: list[int], width: int) -> list[list[int]]:
    """Return the columns of each block of lines; later blocks begin with the label."""
    blocks: list[list[int]] = [[]]
    for i in range(len(widths)):
        used = sum(widths[j] + 2 for j in blocks[-1])
        if blocks[-1] and used + widths[i] > width:
            blocks.append(list(label))
        blocks[-1].append(i)
    return [block for block in blocks if block]


def _aligned(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    keys = max((width_of(k) for k, _ in rows), default=0)
    room = max(width - keys - 2, _FEWEST)
    return [f"{_padded(key, keys)}  {value}" for row in rows for key, value in _wrapped_rows([*row], room)]


def width_of(text: str) -> int:
    """Return the number of terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, width: int) -> str:
    """Return the text in at most `width` terminal columns, the last one `…` if some of it is missing."""
    if width_of(text) <= width:
        return text
    ends = accumulate(map(width_of, text))
    return text[: sum(end < width for end in ends)] + "…"


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * max(width - width_of(text), 0)
    return space + text if right else text + space
