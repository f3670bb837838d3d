"""Parts as HTML without scripts and external resources; the template escapes all text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from flytenb.display import part_text
from flytenb.display.part import Column, Histogram, Html, Media, Null, Part, PhaseCell, Picture, RangeCell, Tree
from flytenb.display.selection import PAGE_SIZES

# Head of the frame around foreign markup; it permits inline styles and inline images only.
_FRAME_HEAD = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; form-action 'none'\">"
    "<style>body{font:13px system-ui,sans-serif;margin:8px;color:#111;background:#fff}"
    "table{border:0;border-collapse:collapse}td,th{border:0;padding:2px 8px;border-bottom:1px solid #ddd}</style>"
)
_FRAME_TALLEST = 400
_CLASS = re.compile(r"ft-\w[\w-]*")
_BRACE = re.compile("[{}]")
_COMMA = re.compile(r",(?![^()]*\))")  # between selectors, not in `:is(b, i)`
_HIDDEN = re.compile(r"<(style|script)\b.*?</\1>|<details(?![^>]*\bopen\b)[^>]*>.*?</details>", re.DOTALL)
_LINES = re.compile(r"<(?:tr|p|br|li|h[1-4])\b")
_SIZED_SVG = re.compile(r"<svg[^>]*\s(?:height|viewbox)=")


def to_html(part: Part) -> str:
    """Return the part as an HTML fragment; the page needs `style()` once."""
    module: Any = _template().module
    return str(module.show(part)).strip()


def controls_style() -> str:
    """Return the style sheet of the controls."""
    return _file("controls.css").strip()


def shared_module() -> str:
    """Return the JavaScript at the start of each page module: safe markup building and the search for outputs."""
    return "\n".join(map(_file, ("markup.js", "outputs.js")))


def style() -> str:
    """Return the style sheet of all displays; every selector starts with `.ft-show`."""
    return _file("value.css").strip()


def style_of(html: str, sheet: str) -> str:
    """Return the rules of a style sheet whose classes are in the HTML."""
    return _used(_rules(sheet), frozenset(_CLASS.findall(html)))


def _used(rules: Iterable[tuple[str, str]], classes: frozenset[str]) -> str:
    lines = []
    for selectors, body in rules:
        if selectors.startswith("@"):
            body = _used(_rules(body), classes)
        elif not any(classes.issuperset(_CLASS.findall(each)) for each in _COMMA.split(selectors)):
            continue
        if body:
            lines.append(f"{selectors}{{{body}}}")
    return "\n".join(lines)


@cache
def _rules(sheet: str) -> tuple[tuple[str, str], ...]:
    """Return what is before the braces and in them of each rule, also of one that holds others."""
    rules, start, depth, opened = [], 0, 0, 0
    for brace in _BRACE.finditer(sheet):
        depth += 1 if brace[0] == "{" else -1
        if brace[0] == "{" and depth == 1:
            opened = brace.start()
        elif not depth:
            rules.append((sheet[start:opened].strip(), sheet[opened + 1 : brace.start()].strip()))
            start = brace.end()
    return tuple(rules)


@cache
def _file(name: str) -> str:
    return (files("flytenb.display") / "templates" / name).read_text(encoding="utf-8")


def page(fragment: str) -> str:
    """Return a fragment with its style sheet."""
    whole = f'<div class="ft-show">\0{fragment}</div>'
    return whole.replace("\0", f"<style>{style_of(whole, style())}</style>", 1)


@cache
def _template() -> Template:
    env = Environment(
        loader=BaseLoader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.globals.update(
        kind=lambda part: type(part).__name__,
        left_out={"Text": part_text.text_left_out, "Tree": part_text.tree_left_out, "Table": part_text.table_left_out},
        caption=part_text.media_caption,
        notes=part_text.html_notes,
        data_uri=_data_uri,
        key_width=_key_width,
        cell_class=_cell_class,
        bar_picture=_bar_picture,
        bins=_bins,
        frame=_frame,
        frame_height=_frame_height,
        markdown=_markdown,
        trusted=Markup,
        range_words=part_text.range_words,
        columns_shown=part_text.columns_shown,
        slices_text=part_text.slices_text,
        page_sizes=PAGE_SIZES,
    )
    return env.from_string(_file("value.html.jinja"))


def _data_uri(part: Picture | Media) -> str:
    return f"data:{part.mime};base64,{base64.b64encode(part.data).decode('ascii')}"


def _key_width(tree: Tree) -> int:
    return min(max((part_text.width_of(e.name) for e in tree.entries), default=0), 24)


def _cell_class(column: Column, cell: str) -> Markup:
    names = ["ft-num"] * column.is_number + ["ft-null"] * (type(cell) is Null)
    names += [f"ft-{cell.phase.lower()}"] if isinstance(cell, PhaseCell) else []
    return Markup(' class="{}"').format(" ".join(names)) if names else Markup("")


def _bar_picture(bar: RangeCell) -> Markup:
    """Return a bar as a picture of 240 × 14 pixels, narrower in a narrow page."""
    width = max(240 * (bar.stop - bar.start), 2)
    shape = '<rect x="{:.1f}" y="2" width="{:.1f}" height="10" rx="2" fill="currentColor" fill-opacity="{}"/>'
    drawn = Markup(shape).format(min(240 * bar.start, 238), width, 1 if bar.is_marked else 0.4)
    size = 'width="240" height="14" viewBox="0 0 240 14" preserveAspectRatio="none"'
    return Markup(f'<svg class="ft-bar-cell" {size} role="img" aria-hidden="true">{{}}</svg>').format(drawn)


def _bins(part: Histogram) -> list[tuple[int, int, int]]:
    """Return x, y and height of each bar; bars are 6 wide, the chart is 32 high."""
    top = max(part.counts, default=0) or 1
    # A bin that isn't empty is visible.
    heights = [max(round(30 * c / top), 1) if c else 0 for c in part.counts]
    return [(7 * i, 32 - h, h) for i, h in enumerate(heights)]


def _frame(part: Html) -> str:
    return _FRAME_HEAD + part.source


def _frame_height(part: Html) -> int:
    """Estimate the height of foreign markup; without scripts it can't be measured in the page."""
    source = _HIDDEN.sub("", part.source.lower())
    lines = len(_LINES.findall(source))
    if "<pre" in source:
        lines += source.count("\n")
    # SVG without a size is an icon.
    pictures = 200 * (source.count("<img") + len(_SIZED_SVG.findall(source)))
    return min(max(22 * lines + pictures + 40, 60), _FRAME_TALLEST)


def _markdown(source: str) -> Markup:
    # Raw HTML is escaped, images (which would be fetched) are off; the renderer itself rejects javascript: links.
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(reader.render(source))
