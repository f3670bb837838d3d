"""Displays of images and figures (PIL, matplotlib, plotly, altair) and recordings."""

from __future__ import annotations

import importlib.util
import io
import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from flytenb.display.deadline import wait_for
from flytenb.display.part import MEDIA_TYPES, Group, Media, Note, Part, Picture, Rich, Section, Table, Value
from flytenb.display.registry import BUILT_IN
from flytenb.display.statistics import column_summary
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text, count_text, number_text
from flytenb.wording.values import brief, class_name, clip

register = BUILT_IN.register
_LARGEST = 480
_DEEP = ("I", "F")
"""Image modes of more than 8 bits, which would be clipped at 255."""
_MOST_PIXELS = 50_000_000
_DPI = (100, 60, 36)
_LONGEST_SIDE = 1_600
"""Most pixels: a figure of 200 inches took 20 s even at the lowest resolution."""
_LARGEST_DRAWN = 500_000
_SUMMED = 10_000
_LARGEST_FIGURE = 1_000
_PATIENCE = 15.0
"""Seconds for a browser to draw a plotly figure, which takes 1.5 to 6."""


@register("PIL.Image.Image")
def show_image(value: Any, view: View) -> Part:
    """Show an image, scaled down if it is large."""
    width, height = value.size
    facts = (f"{width:,} × {height:,} pixels", str(value.mode), str(value.format or ""))
    if not width * height:
        return Section(class_name(value), facts, Note("empty"))
    if width * height > _MOST_PIXELS:
        return Section(class_name(value), facts, Note("too many pixels to decode"))
    return Section(class_name(value), facts, small_picture(value, view, f"{width} × {height} pixels"))


def shrunk_file(path: Path, view: View) -> Part | None:
    """Return an image file scaled down with Pillow, if that is loaded; `None` if it has too many pixels."""
    pillow: Any = loaded("PIL.Image")
    with pillow.open(path) as image:
        width, height = image.size
        if width * height > _MOST_PIXELS:
            return None
        return small_picture(image, view, f"{width} × {height} pixels, scaled down")


def small_picture(image: Any, view: View, caption: str) -> Part:
    """Return a PIL image as a picture of limited size."""
    own = caption
    for largest in (_LARGEST, _LARGEST // 2, _LARGEST // 4):
        small = image.copy()
        small.thumbnail((largest, largest))
        if small.mode in _DEEP or small.mode.startswith("I;16"):
            small, span = _levelled(small)
            caption = f"{own}, black {span[0]}, white {span[1]}"
        if small.mode not in ("L", "RGB", "RGBA"):
            small = small.convert("RGBA" if "transparency" in small.info or small.mode in ("LA", "PA") else "RGB")
        out = io.BytesIO()
        small.save(out, format="PNG")
        if len(out.getvalue()) <= view.limits.embed:
            break
    return Picture(out.getvalue(), "image/png", caption)


def _levelled(image: Any) -> tuple[Any, tuple[str, str]]:
    """Return an image of more than 8 bits scaled to black and white, and the two values."""
    deep = image.convert("F")
    low, high = deep.getextrema()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("its greys aren't all finite")
    scale = 255 / (high - low) if high > low else 0.0
    levelled = deep.point(lambda grey: grey * scale - low * scale).convert("L")
    return levelled, (number_text(low), number_text(high))


@register("matplotlib.figure.Figure")
def show_figure(value: Any, view: View) -> Part:
    """Show a matplotlib figure as an image, with its axes' titles and labels."""
    axes = value.get_axes()
    said = []
    for one in axes[:8]:
        across = " against ".join(filter(None, (one.get_ylabel(), one.get_xlabel())))
        words = ": ".join(filter(None, (one.get_title(), across)))
        said.append(words or "untitled")
    caption = "; ".join(said)
    longest = max(value.get_size_inches())
    for dpi in (min(dpi, _LONGEST_SIDE / longest) for dpi in _DPI):
        out = io.BytesIO()
        value.savefig(out, format="png", dpi=dpi, bbox_inches="tight")
        if len(out.getvalue()) <= view.limits.embed:
            break
    body = Picture(out.getvalue(), "image/png", caption[: view.limits.block])
    return Section(class_name(value), (count_text(len(axes), "pair of axes", "pairs of axes"),), body)


@register("matplotlib.axes.Axes")
def show_axes(value: Any, view: View) -> Any:
    """Show the figure that the axes belong to."""
    return value.get_figure()


@register("matplotlib.artist.Artist")
def show_artist(value: Any, view: View) -> Part:
    """Name a line, a patch or a text, which only the figure around it can draw."""
    return Value(clip(str(value), view.limits.block), class_name(value))


@register("plotly.basedatatypes.BaseFigure")
def show_plotly(value: Any, view: View) -> Part:
    """Show the traces of a plotly figure; front ends that know plotly get the figure itself."""
    rows = [
        (str(t.type), str(t.name or ""), _told(getattr(t, "x", None)), _told(getattr(t, "y", None)))
        for t in value.data[: view.limits.rows]
    ]
    table = Table(("trace", "name", "x", "y"), tuple(rows), len(value.data))
    title = value.layout.title.text
    facts = (count_text(len(value.data), "trace"), brief(title, 60) if title else "")
    source = value.to_json()
    body = Group((*_drawn_figure(value, source, view), table))
    return _interactive(class_name(value), facts, body, "application/vnd.plotly.v1+json", source, view)


def _drawn_figure(figure: Any, source: str, view: View) -> tuple[Part, ...]:
    """Return a plotly figure as an image, if plotly's settings ask for images: each starts a browser."""
    settings: Any = loaded("plotly.io")
    kinds = str(settings.renderers.default or "").split("+") if settings is not None else []
    if not {"png", "jpeg", "jpg", "svg"}.intersection(kinds):
        return (Note("for an image: plotly.io.renderers.default = 'plotly_mimetype+png'"),)
    if len(source) > _LARGEST_DRAWN:
        return (Note("too much data for an image"),)
    try:
        data = wait_for(lambda: _figure_png(_Drawing(source, figure)), _PATIENCE)
    except Exception as error:
        return (Note(f"it can't be drawn: {brief(error, 160)}"),)
    title = figure.layout.title.text
    return (
        (Picture(data, caption=brief(title, 60).strip("'") if title else ""),) if len(data) <= view.limits.embed else ()
    )


@dataclass(frozen=True)
class _Drawing:
    """A figure, identified by its content."""

    source: str
    figure: Any = field(compare=False)


@lru_cache(maxsize=8)
def _figure_png(drawing: _Drawing) -> bytes:
    layout = drawing.figure.layout
    data: bytes = drawing.figure.to_image(
        format="png", width=min(layout.width or 700, _LARGEST_FIGURE), height=min(layout.height or 450, _LARGEST_FIGURE)
    )
    return data


@register("altair.TopLevelMixin")
def show_altair(value: Any, view: View) -> Part:
    """Show the encodings of an altair chart; front ends that know Vega get the chart itself."""
    spec = value.to_dict()
    mark = spec.get("mark")
    kind = mark.get("type", "") if isinstance(mark, dict) else str(mark or "")
    encoding = spec.get("encoding") or {}
    rows = [
        (channel, _encoded(what), str(what.get("type", "")) if isinstance(what, dict) else "")
        for channel, what in list(encoding.items())[: view.limits.rows]
    ]
    table = Table(("channel", "field", "type"), tuple(rows), len(encoding)) if rows else None
    altair = loaded("altair")
    major = str(getattr(altair, "SCHEMA_VERSION", "v5")).partition(".")[0]
    facts = (
        f"mark {kind}" if kind else "",
        count_text(sum(map(len, spec.get("datasets", {}).values())), "datum", "data"),
    )
    source = json.dumps(spec)
    drawn = tuple(part for part in (_drawn_chart(source, kind, view), table) if part is not None)
    return _interactive(
        class_name(value),
        facts,
        Group(drawn) if drawn else None,
        f"application/vnd.vegalite.{major}+json",
        source,
        view,
    )


def _drawn_chart(source: str, kind: str, view: View) -> Part | None:
    """Return a chart as an image for saved notebooks; `None` if vl-convert isn't installed."""
    if len(source) > _LARGEST_DRAWN or importlib.util.find_spec("vl_convert") is None:
        return None
    # Imported although the user didn't: its only purpose is drawing altair's charts.
    import vl_convert

    try:
        # Data at a URL isn't fetched.
        data = vl_convert.vegalite_to_png(source, allowed_base_urls=[])
    except Exception as error:
        return Note(f"it can't be drawn: {brief(error, 120)}")
    return Picture(data, caption=f"{kind} chart".strip()) if len(data) <= view.limits.embed else None


@register("IPython.display.Audio")
@register("IPython.display.Video")
def show_recording(value: Any, view: View) -> Part:
    """Show sound or video held as bytes; a URL isn't fetched."""
    data, mime = value.data, str(getattr(value, "mimetype", None) or "")
    mime = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac"}.get(mime, mime)
    if isinstance(data, bytes) and mime in MEDIA_TYPES:
        return Section(class_name(value), (), Media(data, mime))
    where = brief(value.url or value.filename or "", view.limits.cell)
    return Section(class_name(value), (mime,), Note(f"not fetched: {where}"))


@register("IPython.lib.display.IFrame")
def show_iframe(value: Any, view: View) -> Part:
    """Name the page that a frame would fetch."""
    return Section(class_name(value), (), Note(f"not fetched: {brief(value.src, view.limits.cell)}"))


def _interactive(title: str, facts: tuple[str, ...], table: Part | None, mime: str, source: str, view: View) -> Part:
    """Return the text facts of a figure with the figure itself for front ends that draw it."""
    size = len(source)
    if size > view.limits.rich:
        note = Note(f"its data is {bytes_text(size)}, too large to put into the notebook")
        return Section(title, facts, Group((table, note)) if table else note)
    return Rich(Section(title, facts, table), ((mime, json.loads(source)),))


def _told(values: Any) -> str:
    """Return the number of values on an axis, and their range if they are numbers."""
    length = _length(values)
    try:
        summary = column_summary(getattr(v, "item", lambda v=v: v)() for v in values[:_SUMMED]) if length else ""
    except Exception:
        # An axis may be anything that plotly accepts.
        return length
    return f"{length}, {summary}" if "…" in summary else length


def _length(values: Any) -> str:
    try:
        return "" if values is None else count_text(len(values), "value")
    except TypeError:
        return ""


def _encoded(what: Any) -> str:
    if not isinstance(what, dict):
        return brief(what, 40)
    field = str(what.get("field", ""))
    aggregate = what.get("aggregate")
    return f"{aggregate}({field})" if aggregate else field or brief(what.get("value", ""), 40)
