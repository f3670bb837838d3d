"""Table of a sweep: a line per run that opens its run card, ordered by a click on a head.

The HTML has no script, so that a saved notebook and a page without a kernel have all of it: a line is a `details`, and
the heads are radio buttons by which the style sheet chooses one of the orders that each line carries.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from flytenb.display.limits import Limits
from flytenb.display.part import Column, Facts, Group, PhaseCell, Table, Text
from flytenb.display.rendering import render_part
from flytenb.display.runs.run_card import card_style
from flytenb.wording.text import clean, clip
from flytenb.wording.values import SHORT, brief

_LIMITS = Limits(rows=500, text=60_000)
_MOST_CARDS = 2_000_000
"""Characters of all run cards; the other lines open the inputs alone."""
_WIDEST = 40
"""Characters of the widest column."""

_STYLE = """
.ft-sweep .ft-sweep-table{overflow-x:auto;font:12px/1.5 var(--ft-mono)}
.ft-sweep .ft-sweep-runs{display:flex;flex-direction:column;min-width:max-content}
.ft-sweep .ft-sweep-row{display:grid;grid-template-columns:var(--ft-columns);border-bottom:1px solid var(--ft-line)}
.ft-sweep .ft-sweep-head{min-width:max-content;border-color:var(--ft-dim);font-weight:600}
.ft-sweep .ft-sweep-row>span{padding:3px 12px 3px 0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.ft-sweep .ft-sweep-row>.ft-num{text-align:right;font-variant-numeric:tabular-nums}
.ft-sweep .ft-sweep-row>span:last-child{overflow:visible}
.ft-sweep .ft-sweep-run{order:var(--ft-at)}
.ft-sweep .ft-sweep-run>summary{cursor:pointer;list-style:none;margin:0;color:inherit;font-size:12px}
.ft-sweep .ft-sweep-run>summary::-webkit-details-marker{display:none}
.ft-sweep .ft-sweep-run>summary>span:first-child::before{content:"▸ ";color:var(--ft-dim)}
.ft-sweep .ft-sweep-run[open]>summary>span:first-child::before{content:"▾ "}
.ft-sweep .ft-sweep-run>summary:hover{background:color-mix(in srgb,currentColor 5%,transparent)}
.ft-sweep .ft-sweep-run>summary:focus-visible{outline:2px solid var(--ft-accent);outline-offset:-2px}
.ft-sweep .ft-sweep-body{margin:4px 0 12px 16px;font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif)}
.ft-sweep label{display:inline-block;cursor:pointer;white-space:nowrap;border-radius:2px}
.ft-sweep label:hover{text-decoration:underline}
.ft-sweep label:focus-within{outline:2px solid var(--ft-accent)}
.ft-sweep label input{position:absolute;opacity:0;width:1px;height:1px;margin:0;pointer-events:none}
.ft-sweep label::after{content:" ↕";color:var(--ft-dim);opacity:.8;font-weight:400}
.ft-sweep .ft-between{display:none}
.ft-sweep .ft-down::before{content:attr(data-name)}
.ft-sweep .ft-down,.ft-sweep span:has(>.ft-up input:checked)>.ft-up{display:none}
.ft-sweep span:has(>.ft-up input:checked)>.ft-down{display:inline-block}
.ft-sweep span:has(>.ft-up input:checked)>.ft-down::after{content:" ↑";opacity:1;color:var(--ft-accent)}
.ft-sweep span:has(>.ft-down input:checked)>.ft-up::after{content:" ↓";opacity:1;color:var(--ft-accent)}
"""

_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    """
<div class="ft-sweep"><style>{{ style }}</style>
<div class="ft-head"><b>{{ title }}</b> <span class="ft-fact"><span class="ft-between">· </span>{{ facts }}</span></div>
<div class="ft-sweep-table" tabindex="0" style="--ft-columns:{{ widths }}">
<div class="ft-sweep-row ft-sweep-head">
{% for column in columns %}<span{% if column.is_number %} class="ft-num"{% endif %}>
{%- if column.key >= 0 %}
{# only one of them is read without a style sheet #}
{%- for way, text in (("up", column.name), ("down", "")) %}\
<label class="ft-{{ way }}" data-name="{{ column.name }}" title="sort by {{ column.name }}">\
<input type="radio" name="{{ name }}" class="ft-{{ way }}-{{ column.key }}" aria-label="{{ column.name }}, {{ way }}">\
{{ text }}</label>{% endfor %}
{%- else %}{{ column.name }}{% endif -%}
</span> {% endfor %}
</div>
<div class="ft-sweep-runs">
{% for line in lines %}<details class="ft-sweep-run" style="{{ line.orders }}"><summary class="ft-sweep-row">
{%- for cell in line.cells %}{% set column = columns[loop.index0] %}\
<span class="{{ "ft-num" if column.is_number else ("ft-" ~ line.phase) if column.name == "phase" else "" }}">\
{% if cell and not loop.first %}<span class="ft-between">· </span>{% endif %}{{ cell }}</span> {% endfor %}</summary>
<div class="ft-sweep-body">{{ line.body }}</div></details>
{% endfor %}
</div></div></div>
"""
)


@dataclass(frozen=True)
class SweepTableRow:
    """One run of a sweep.

    Attributes:
        values: its values by column: swept inputs, phase, outputs, and the time as text.
        keys: what the columns are ordered by; None sorts last.
        why: the first line of its error.
        inputs: all its inputs.
        card: returns its run card as a fragment, empty before it begins.
    """

    values: Mapping[str, Any]
    keys: Mapping[str, Any]
    why: str
    inputs: Mapping[str, Any]
    card: Callable[[], str]


@dataclass(frozen=True)
class SweepTable:
    """What is shown of a sweep.

    Attributes:
        title: what was run.
        facts: how many runs there are in which phase, and the inputs that are not swept.
        rows: the runs, by their number.
        order: the numbers of the runs in the order of the lines.
    """

    title: str
    facts: Sequence[str]
    rows: Sequence[SweepTableRow]
    order: Sequence[int]

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the columns; the last one if a run has failed."""
        return ("run", *self.rows[0].values, *(["why"] if any(row.why for row in self.rows) else []))

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """The texts of each run."""
        found = [
            (str(n), *(_cell(value, name) for name, value in row.values.items()), clean(row.why))
            for n, row in enumerate(self.rows)
        ]
        return [cells[: len(self.heads)] for cells in found]

    def to_text(self) -> str:
        """Return the table as text."""
        head = Text(clean(" · ".join((self.title, *self.facts))), "flow")
        if not self.rows:
            return render_part(head).text
        cells = self.cells
        table = Table(tuple(map(Column, map(clean, self.heads))), tuple(cells[n] for n in self.order))
        return render_part(Group((head, table)), _LIMITS).text

    def to_html(self) -> str:
        """Return the table as a fragment with its style sheet."""
        if not self.rows:
            return render_part(Text(clean(self.title), "flow")).fragment
        keys = [list(range(len(self.rows))), *([row.keys[name] for row in self.rows] for name in self.rows[0].values)]
        columns = [
            Column(clean(name), is_number=at < len(keys) and _is_number(keys[at]), key=at if at < len(keys) else -1)
            for at, name in enumerate(self.heads)
        ]
        cells, orders, size, lines = self.cells, _orders(list(map(_ranks, keys)), self.order), 0, []
        for row, texts, order in zip(self.rows, cells, orders, strict=True):
            card = row.card() if size <= _MOST_CARDS else '<div class="ft-note">sweep[number] returns the run</div>'
            size += len(card)
            inputs = render_part(Facts([(name, _cell(value)) for name, value in row.inputs.items()])).fragment
            phase = str(row.values["phase"]).lower()
            lines.append({"phase": phase, "cells": texts, "orders": order, "body": Markup(inputs + card)})
        return _TEMPLATE.render(
            style=Markup(card_style() + _STYLE + _sorting(len(keys))),
            title=clean(self.title),
            facts=clean(" · ".join(self.facts)),
            widths=" ".join(_widths(columns, cells)),
            columns=columns,
            name=f"ft-{secrets.token_hex(8)}",
            lines=lines,
        ).strip()


def _sorting(count: int) -> str:
    """Return the rules by which the chosen head orders the lines."""
    return "\n".join(
        f".ft-sweep:has(.ft-{way}-{at}:checked) .ft-sweep-run{{order:var(--ft-{way}-{at})}}"
        for at in range(count)
        for way in ("up", "down")
    )


def _orders(columns: Sequence[Sequence[tuple[int, int]]], order: Sequence[int]) -> list[str]:
    """Return the style of each line: its place in the order at first, and by each column up and down."""
    styles = {n: f"--ft-at:{place}" for place, n in enumerate(order)}
    for at, ranks in enumerate(columns):
        for n, (up, down) in enumerate(ranks):
            styles[n] += f";--ft-up-{at}:{up};--ft-down-{at}:{down}"
    return [styles[n] for n in range(len(order))]


def _ranks(keys: Sequence[Any]) -> list[tuple[int, int]]:
    """Return the place of each value in ascending and in descending order; those without a value are last in both."""
    known = [n for n, key in enumerate(keys) if key is not None]
    try:
        known.sort(key=lambda n: keys[n])
    except Exception:  # values of types that can't be compared
        known.sort(key=lambda n: str(keys[n]))
    up = dict(zip(known, range(len(known)), strict=True))
    last = len(keys)
    return [(up[n], -up[n]) if n in up else (last, last) for n in range(len(keys))]


def _is_number(keys: Sequence[Any]) -> bool:
    known = [key for key in keys if key is not None]
    return bool(known) and all(isinstance(key, int | float) and not isinstance(key, bool) for key in known)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the width of each column: each line has a grid of its own."""
    longest = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    longest[0] += 2  # the mark
    wide = [min(max(size, len(column.name) + 2), _WIDEST) + 2 for size, column in zip(longest, columns, strict=True)]
    last = f"{wide[-1]}ch" if columns[-1].is_number else f"minmax({wide[-1]}ch,1fr)"  # else far from its neighbours
    return [*(f"{width}ch" for width in wide[:-1]), last]


def _cell(value: Any, name: str = "") -> str:
    if value is None:
        return ""
    if name == "phase":
        return PhaseCell.of(value)
    return clip(clean(value if isinstance(value, str) else brief(value, SHORT)), 200)
