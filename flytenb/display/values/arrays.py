"""Displays of arrays: shape, element type, memory, statistics, and a small picture or histogram."""

from __future__ import annotations

import math
from typing import Any

from flytenb.display.part import Column, Group, Note, Part, Picture, Section, Slices, Table, Text, Value
from flytenb.display.png_encoder import encode_png
from flytenb.display.registry import BUILT_IN
from flytenb.display.statistics import FEWEST, bins_for, histogram
from flytenb.display.values.records import cell_text
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text, count_text, number_text, range_text
from flytenb.wording.values import brief, class_name, dtype_text

register = BUILT_IN.register
_NUMBERS = "biufc"
_CPU = 1
"""The number of the processor's own memory in DLPack."""
_SMALL = 8
"""Most elements per axis that are shown one by one."""
_RUN = 512
"""Length of the runs of neighbours sampled from a long axis."""
_LEAST_PICTURE, _LARGEST_PICTURE, _ENLARGED = 8, 240, 160


@register("numpy.ndarray")
def show_array(value: Any, view: View) -> Part:
    """Show an array: its type, then its elements if they are few, else a picture or a histogram."""
    if value.ndim == 0:
        return Value(brief(value.item(), view.limits.block), f"ndarray {value.dtype}", ("no dimensions",))
    facts = (
        shape_text(value.shape),
        dtype_text(value.dtype),
        bytes_text(_held_bytes(value.shape, value.strides, value.itemsize)),
    )
    return Section(class_name(value), facts, array_body(value, view))


@register("numpy.generic")
def show_numpy_scalar(value: Any, view: View) -> Part:
    """Show a NumPy scalar with its exact type."""
    return Value(brief(value.item(), view.limits.block), str(value.dtype), is_number=value.dtype.kind in "iufc")


@register(lambda value: hasattr(type(value), "__dlpack_device__"))
def show_foreign_array(value: Any, view: View) -> Any:
    """Show an array of another library (PyTorch, JAX) by the array protocol; one on a device is only described."""
    try:
        shape = tuple(value.shape)
    except Exception:  # a nested tensor of PyTorch has none
        return NotImplemented
    title = class_name(value)
    facts: tuple[str, ...] = (shape_text(shape), dtype_text(value.dtype))
    numpy: Any = loaded("numpy")
    if numpy is None:
        return Section(title, facts)
    try:
        if value.__dlpack_device__()[0] != _CPU:
            return Section(title, facts, Note(f"not copied from {value.device}"))
        array = numpy.asarray(value)
    except Exception as error:
        return Section(title, facts, Note(f"its elements can't be read here: {brief(error, 120)}"))
    facts = (*facts, bytes_text(_held_bytes(array.shape, array.strides, array.itemsize)))
    if array.dtype.kind not in _NUMBERS:  # NumPy has no statistics for the types of an extension, such as bfloat16
        return Section(title, facts)
    if array.ndim == 0:
        return Value(brief(array.item()), title, facts[1:])
    # Images of PyTorch have their channels first.
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and min(array.shape[1:]) >= _LEAST_PICTURE:
        array = array.transpose(1, 2, 0)
    return Section(title, facts, array_body(array, view))


def _held_bytes(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> int:
    """Return the memory of an array's elements in bytes; broadcast axes count once."""
    return itemsize * math.prod(n for n, stride in zip(shape, strides, strict=True) if stride or not n)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as text: `3 × 4`, `100 elements`."""
    return count_text(shape[0], "element") if len(shape) == 1 else " × ".join(f"{n:,}" for n in shape)


def array_body(array: Any, view: View) -> Part | None:
    """Return an array's contents: its elements if they are few, else statistics with a picture or a histogram."""
    if array.size == 0:
        return None
    if array.dtype.names:
        return _structured(array, view)
    if array.ndim <= 2 and max(array.shape) <= _SMALL:
        return _elements(array, view)
    if view.is_interactive:
        return _sliced(array, view)
    if array.dtype.kind not in _NUMBERS:
        head = array[(slice(0, 2),) * (array.ndim - 1) + (slice(0, _SMALL),)].ravel().tolist()
        return Text(", ".join(brief(v, view.limits.cell) for v in head) + ", …", "flow")
    return Group(_seen(array, view))


def _seen(array: Any, view: View, *others: Any) -> tuple[Part, ...]:
    """Return statistics with a picture of the array (or of `around`), else a histogram."""
    sample = _sample(array, view.limits.scan)
    picture = next(filter(None, map(_picture, (array, *others))), None)
    return _figures(array.size, sample), *((picture,) if picture is not None else _spread(sample))


def _elements(array: Any, view: View) -> Part:
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    is_number = array.dtype.kind in "iufc"
    columns = tuple(Column(str(i), is_number=is_number) for i in range(rows.shape[1]))
    return Table(columns, tuple(tuple(cell_text(v, view) for v in row) for row in rows.tolist()))


def _sliced(array: Any, view: View) -> Part:
    """Return the selected slice: one index along each axis except the last two, and a page of rows."""
    lengths = array.shape[:-2]
    wanted = (*view.selection.index, *(0 for _ in lengths))
    index = tuple(min(max(i, 0), n - 1) for i, n in zip(wanted, lengths, strict=False))
    piece = array[index]
    parts: list[Part] = [Slices(tuple(zip(lengths, index, strict=True)), view.place)] if lengths else []
    if piece.dtype.kind in _NUMBERS:
        # The last axis may hold the channels of an image.
        parts.extend(_seen(piece, view, *([array[index[:-1]]] if lengths else [])))
    return Group((*parts, _page(piece, view)))


def _page(piece: Any, view: View) -> Part:
    rows = piece[:, None] if piece.ndim == 1 else piece
    (start, stop), (left, right) = view.page(rows.shape[0]), view.columns(rows.shape[1])
    is_number = piece.dtype.kind in "iufc"
    names = ["value"] if piece.ndim == 1 else [str(i) for i in range(left, right)]
    columns = (Column("", is_number=True, is_own=False), *(Column(n, is_number=is_number) for n in names))
    page = rows[start:stop, left:right].tolist()
    cells = [[str(i), *(cell_text(v, view) for v in row)] for i, row in enumerate(page, start)]
    window = view.window(rows.shape[0], width=rows.shape[1])
    return Table(columns, cells, rows.shape[0], rows.shape[1] + 1, window)


def _structured(array: Any, view: View) -> Part:
    names = array.dtype.names[: view.limits.columns]
    flat = array.reshape(-1)[: view.limits.rows]
    columns = tuple(Column(n, str(array.dtype[n]), "", array.dtype[n].kind in "iuf") for n in names)
    cells = [[cell_text(v, view) for v in flat[n].tolist()] for n in names]
    return Table(columns, tuple(zip(*cells, strict=True)), array.size, len(array.dtype.names))


def _sample(array: Any, limit: int) -> Any:
    """Return all elements, or an evenly spread sample; slicing first limits what is read from disk."""
    if array.ndim == 1 and array.size > limit > _RUN:
        # Neighbours are on the same page of a file: every hundredth element would read the whole file.
        array = array[: array.size // _RUN * _RUN].reshape(-1, _RUN)
    return array[tuple(slice(None, None, step) for step in _steps_for(array.shape, limit))].ravel()


def _steps_for(shape: tuple[int, ...], limit: int) -> list[int]:
    """Return the step along each axis that leaves about `limit` elements."""
    left = math.ceil(math.prod(shape) / limit)
    # The longest axis first, so that all channels of an image are kept.
    steps = [1] * len(shape)
    for axis in sorted(range(len(shape)), key=lambda i: -shape[i]):
        steps[axis] = min(left, shape[axis])
        left = math.ceil(left / steps[axis])
    return steps


def _figures(total: int, sample: Any) -> Part:
    """Return the range and mean of a flat array of numbers, which may be a sample of `total` elements."""
    notes = "" if sample.size == total else f" (from {sample.size:,} elements, evenly spread)"
    if sample.dtype.kind == "b":
        return Text(f"{count_text(int(sample.sum()), 'element')} of {sample.size:,} true{notes}")
    numpy: Any = loaded("numpy")
    is_complex = sample.dtype.kind == "c"
    finite = sample[numpy.isfinite(sample)] if sample.dtype.kind in "fc" else sample
    odd = sample.size - finite.size
    parts = [f"{count_text(odd, 'element')} not finite" if odd else ""]
    if finite.size:
        # Sums of half precision and of very large doubles overflow; the mean is then left out.
        with numpy.errstate(all="ignore"):
            finite = numpy.abs(finite) if is_complex else finite
            mean, std = float(finite.mean(dtype="float64")), float(finite.std(dtype="float64"))
        parts = [
            range_text(number_text(finite.min().item()), number_text(finite.max().item())),
            *(f"{what} {number_text(v)}" for what, v in (("mean", mean), ("std", std)) if math.isfinite(v)),
            *parts,
        ]
    return Text(("magnitudes " if is_complex else "") + ", ".join(p for p in parts if p) + notes)


def _spread(sample: Any) -> tuple[Part, ...]:
    """Return a histogram of a flat array of numbers, or nothing for too few numbers."""
    numpy: Any = loaded("numpy")
    if sample.dtype.kind == "b":
        return ()
    finite = sample[numpy.isfinite(sample)]
    finite = (numpy.abs(finite) if finite.dtype.kind == "c" else finite).astype("float64")
    if finite.size < FEWEST:
        return ()
    low, high = float(finite.min()), float(finite.max())
    bars = histogram([low, high], [int(low), int(high)] if sample.dtype.kind in "iu" else ())
    if bars is None:
        return ()
    counts, _ = numpy.histogram(finite, bins=bins_for(finite.size), range=(low, high))
    return (type(bars)(tuple(int(c) for c in counts), bars.low, bars.high),)


def _picture(array: Any) -> Part | None:
    """Return an image of an array that can be one: bytes or booleans by row and column, or colours."""
    is_grey = array.ndim == 2 and array.dtype.kind in "bu" and array.dtype.itemsize == 1
    is_colour = array.ndim == 3 and array.shape[2] in (1, 3, 4)
    if not (is_grey or is_colour) or min(array.shape[:2]) < _LEAST_PICTURE:
        return None
    step = max(math.ceil(max(array.shape[:2]) / _LARGEST_PICTURE), 1)
    small = array[::step, ::step]
    if array.dtype.kind == "b":
        small = small * 255
    elif array.dtype.kind == "f":
        # Plotting libraries write colours as fractions between 0 and 1.
        if not (float(small.min()) >= 0 and float(small.max()) <= 1):
            return None
        small = small * 255
    elif array.dtype.itemsize != 1 or array.dtype.kind != "u":
        return None
    pixels = small.astype("uint8")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = encode_png(pixels.tobytes(), pixels.shape[1], pixels.shape[0], channels)
    scale = f", every {step}th pixel" if step > 1 else ""
    enlarged = max(_ENLARGED // max(pixels.shape[:2]), 1) * pixels.shape[1]
    return Picture(data, caption=f"{array.shape[1]} × {array.shape[0]} pixels{scale}", width=enlarged)
