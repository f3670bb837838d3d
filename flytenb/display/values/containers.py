"""Displays of lists, tuples, sets and dicts: records as tables, everything else as trees."""

from __future__ import annotations

import collections
import enum
import math
from collections.abc import Iterable, Mapping
from itertools import accumulate, count, islice
from typing import Any

from flytenb.display.part import Group, Part, Section, Text, Tree, Value
from flytenb.display.registry import BUILT_IN
from flytenb.display.statistics import FEWEST, histogram
from flytenb.display.values.records import field_names, records_table, scalars_table
from flytenb.display.view import View
from flytenb.wording.quantities import count_text, first_text, more_text, number_text, range_text
from flytenb.wording.types import item_types, type_text
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register
_FLAT = 120
_RUNNING = 700
"""Most items and characters of a list of scalars that is shown as running text."""


@register(list)
@register(tuple)
@register(set)
@register(frozenset)
@register(collections.deque)
def show_items(value: Any, view: View) -> Any:
    """Show records as a table, scalars as running text, anything else as a tree."""
    if isinstance(value, tuple) and field_names(value):
        return NotImplemented
    total = len(value)
    items = _items(value, view.limits.scan // (100 if not view.is_interactive else 10))
    is_sequence = isinstance(value, list | tuple | collections.deque)
    inner = item_types(view.declared)
    facts = (count_text(total, "item"),)
    title = container_title(value, items, view)
    if not items:
        return Value(brief(value), title, facts)
    if is_sequence:
        table = records_table(items, total, view, value)
        if table is not None:
            return Section(title, facts, table)
    if all(is_scalar(v) for v in items):
        return _scalars(value, items, total, title, view)
    every = value if is_sequence else items
    start, stop = view.page(len(every), view.limits.items)
    names = (f"[{i}]" if is_sequence else "·" for i in count(start))
    types = (_declared_at(inner, i, value) for i in count(start))
    entries = view.entries(zip(names, islice(every, start, stop), types, strict=False), start)
    note = f"only {len(every):,} of them were sorted" if len(every) < total else ""
    window = view.window(len(every), size=view.limits.items, note=note)
    return Section(title, facts, Tree(entries, total, window))


@register(dict)
@register(Mapping)
def show_mapping(value: Mapping[Any, Any], view: View) -> Any:
    """Show keys and values as a tree; a subclass with an HTML repr uses that in a static display."""
    if not view.is_interactive and not isinstance(value, dict) and hasattr(type(value), "_repr_html_"):
        return NotImplemented
    total = len(value)
    start, stop = view.page(total, view.limits.items)
    pairs = list(islice(value.items(), start, stop))
    title = container_title(value, [v for _, v in pairs], view)
    if not pairs:
        return Value(brief(value), title, (count_text(0, "item"),))
    inner = item_types(view.declared)
    declared = inner[1] if len(inner) == 2 else None
    entries = view.entries(((view.brief(k, 40), v, declared) for k, v in pairs), start)
    window = view.window(total, size=view.limits.items)
    return Section(title, (count_text(total, "item"),), Tree(entries, total, window))


def is_scalar(value: Any) -> bool:
    """Whether a value's short form is one word."""
    return value is None or isinstance(value, bool | int | float | complex | enum.Enum) or _is_short_text(value)


def container_title(value: Any, items: Iterable[Any], view: View) -> str:
    """Return the declared type, or the container's class with the common type of its items."""
    if view.declared is not None:
        return type_text(view.declared)
    kinds = {class_name(v) for v in items}
    name = class_name(value)
    if len(kinds) != 1:
        return name
    if isinstance(value, Mapping):
        keys = {class_name(k) for k in islice(value, 1000)}
        return f"{name}[{keys.pop()}, {kinds.pop()}]" if len(keys) == 1 else name
    return f"{name}[{kinds.pop()}{', ...' if isinstance(value, tuple) else ''}]"


def _items(value: Any, limit: int) -> list[Any]:
    if isinstance(value, set | frozenset):
        # A set has no order; sorting makes the output reproducible.
        return sorted(islice(iter(value), limit), key=lambda v: (class_name(v), _sort_key(v)))
    return list(islice(iter(value), limit))


def _sort_key(value: Any) -> Any:
    return (0, value, "") if isinstance(value, int | float) and value == value else (1, 0, brief(value))


def _is_short_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 40 and "\n" not in value


def _declared_at(inner: tuple[Any, ...], index: int, value: Any) -> Any:
    if not inner:
        return None
    if isinstance(value, tuple):
        if len(inner) == 2 and inner[1] is Ellipsis:
            return inner[0]
        return inner[index] if index < len(inner) else None
    return inner[0]


def _scalars(value: Any, items: list[Any], total: int, title: str, view: View) -> Part:
    facts = [count_text(total, "item")]
    numbers = [float(v) for v in items if isinstance(v, int | float) and not isinstance(v, bool) and _is_finite(v)]
    if len(numbers) == len(items) > 1:
        low, high = min(items), max(items)
        is_set = isinstance(value, set | frozenset) and len(items) < total
        among = f" in {len(items):,} of them" if is_set else first_text(len(items), total)
        facts.append(range_text(number_text(low), number_text(high)) + among)
    if total <= 8 and "…" not in (short := brief(value)):
        return Value(short, title, tuple(facts))
    bars = histogram(numbers, items) if len(numbers) == len(items) and len(numbers) >= FEWEST else None
    if view.is_interactive:
        # Only the sorted part of a set can be paged through.
        every = items if isinstance(value, set | frozenset) else value
        return Section(title, tuple(facts), Group((*([bars] if bars else ()), scalars_table(every, view))))
    words = [number_text(v) if type(v) is float else brief(v, 48) for v in items[:_FLAT]]
    fitting = sum(1 for end in accumulate(len(w) + 2 for w in words) if end <= _RUNNING)
    missing = total - fitting
    body: Part = Text(", ".join(words[:fitting]) + (f", … {more_text(missing)}" if missing else ""), "flow")
    return Section(title, tuple(facts), Group((body, bars)) if bars else body)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
