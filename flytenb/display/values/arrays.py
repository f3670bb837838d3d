"""Displays of arrays and tensors: shape, type, memory, figures, and a small picture or histogram."""

from __future__ import annotations

import math
from typing import Any

from flytenb.display.annotations import type_text
from flytenb.display.brief import brief, class_name
from flytenb.display.loaded import loaded
from flytenb.display.part import Column, Group, Note, Part, Picture, Section, Slices, Table, Text, Value
from flytenb.display.png import encode_png
from flytenb.display.quantities import bytes_text, count_text, number_text, range_text
from flytenb.display.registry import BUILT_IN
from flytenb.display.statistics import FEWEST, bins_for, histogram
from flytenb.display.values.records import cell_text
from flytenb.display.view import View

display_for = BUILT_IN.display_for
_SMALL = 8
"""Up to so many elements along each axis are shown one by one."""
_RUN = 512
"""So many neighbours are taken together where elements are taken out of a long row."""
_LEAST_PICTURE, _LARGEST_PICTURE, _ENLARGED = 8, 240, 160


@display_for("numpy.ndarray")
def show_array(value: Any, view: View) -> Part:
    """Show an array: what it is, then its elements if they are few, else a picture or how they spread."""
    if value.ndim == 0:
        return Value(brief(value.item(), view.limits.block), f"ndarray {value.dtype}", ("no dimensions",))
    facts = (shape_text(value.shape), str(value.dtype)[:80], bytes_text(int(value.nbytes)))
    return Section(class_name(value), facts, _body(value, view))


@display_for("numpy.generic")
def show_numpy_scalar(value: Any, view: View) -> Part:
    """Show a single number of numpy with its exact type."""
    return Value(brief(value.item(), view.limits.block), str(value.dtype), is_number=value.dtype.kind in "iufc")


@display_for("torch.Tensor")
def show_tensor(value: Any, view: View) -> Part:
    """Show a tensor of PyTorch like an array; one that lies on a device isn't copied to be looked at."""
    memory = value.element_size() * value.nelement()
    where = "" if value.device.type == "cpu" else f"on {value.device}"
    wants = "requires grad" if value.requires_grad else ""
    facts = (shape_text(tuple(value.shape)), str(value.dtype).removeprefix("torch."), bytes_text(memory), where, wants)
    title = class_name(value)
    if where:
        return Section(title, facts, Note(f"not copied from {value.device}: .cpu() brings it here"))
    sample = _host_array(value.detach(), view)
    if sample is None:
        return Section(title, facts)
    if sample.ndim == 0:
        return Value(brief(sample.item()), title, tuple(f for f in facts[1:] if f))
    return Section(title, facts, _body(sample, view))


@display_for("jax.Array")
@display_for("tensorflow.Tensor")
def show_device_array(value: Any, view: View) -> Part:
    """Name an array that lies with another library: reading it may wait for a device."""
    return Section(class_name(value), (shape_text(tuple(value.shape)), type_text(str(value.dtype))), None)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape for a reader: `3 × 4`, `100 elements`."""
    return count_text(shape[0], "element") if len(shape) == 1 else " × ".join(f"{n:,}" for n in shape)


def _host_array(tensor: Any, view: View) -> Any:
    """Return a tensor's elements as an array without copying, if numpy is there and can hold them."""
    numpy = loaded("numpy")
    if numpy is None:
        return None
    try:
        array = tensor.numpy()
    except Exception:
        # Types that only PyTorch has (bfloat16), sparse and quantised tensors: a bounded part of them is converted.
        try:
            array = tensor.flatten()[: min(view.limits.scan, 10_000)].float().numpy()
        except Exception:
            return None
    # Pictures in PyTorch have their channels first.
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and min(array.shape[1:]) >= _LEAST_PICTURE:
        array = array.transpose(1, 2, 0)
    return array


def _body(array: Any, view: View) -> Part | None:
    if array.size == 0:
        return None
    if array.dtype.names:
        return _structured(array, view)
    if array.ndim <= 2 and max(array.shape) <= _SMALL:
        return _elements(array, view)
    if view.looks is not None:
        return _sliced(array, view)
    if array.dtype.kind not in "biuf":
        head = array[(slice(0, 2),) * (array.ndim - 1) + (slice(0, _SMALL),)].ravel().tolist()
        return Text(", ".join(brief(v, view.limits.cell) for v in head) + ", …", "flow")
    sample = _sample(array, view.limits.scan)
    parts: list[Part] = [_figures(array, sample)]
    picture = _picture(array)
    bars = None if picture else _bars(sample)
    parts.extend(p for p in (picture, bars) if p is not None)
    return Group(tuple(parts))


def _elements(array: Any, view: View) -> Part:
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    is_number = array.dtype.kind in "iufc"
    columns = tuple(Column(str(i), is_number=is_number) for i in range(rows.shape[1]))
    return Table(columns, tuple(tuple(cell_text(v, view) for v in row) for row in rows.tolist()))


def _sliced(array: Any, view: View) -> Part:
    """Return what a reader chose of an array: one element along each axis but the last two, a page of their rows."""
    lengths = array.shape[:-2]
    wanted = (*view.look.index, *(0 for _ in lengths))
    index = tuple(min(max(i, 0), n - 1) for i, n in zip(wanted, lengths, strict=False))
    piece = array[index]
    parts: list[Part] = [Slices(tuple(zip(lengths, index, strict=True)), view.place)] if lengths else []
    if piece.dtype.kind in "biuf":
        sample = _sample(piece, view.limits.scan)
        # The last axis may hold the colours of a picture, of which a slice is but a strip.
        picture = _picture(piece) or (_picture(array[index[:-1]]) if lengths else None)
        bars = None if picture else _bars(sample)
        parts.extend(p for p in (_figures(piece, sample), picture, bars) if p is not None)
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
    """Return all elements, or evenly spread ones if they are many: a view first, so that little is read."""
    left = math.ceil(array.size / limit)
    if array.ndim == 1 and array.size > limit > _RUN:
        # Neighbours lie on one page of a file: every hundredth element would read all of it.
        array = array[: array.size // _RUN * _RUN].reshape(-1, _RUN)
    # The longest axis first: of three channels all are seen.
    steps = [1] * array.ndim
    for axis in sorted(range(array.ndim), key=lambda i: -array.shape[i]):
        steps[axis] = min(left, array.shape[axis])
        left = math.ceil(left / steps[axis])
    return array[tuple(slice(None, None, step) for step in steps)].ravel()


def _figures(array: Any, sample: Any) -> Part:
    notes = "" if sample.size == array.size else f" (from {sample.size:,} elements, evenly spread)"
    if array.dtype.kind == "b":
        return Text(f"{count_text(int(sample.sum()), 'element')} of {sample.size:,} true{notes}")
    numpy: Any = loaded("numpy")
    finite = sample[numpy.isfinite(sample)] if array.dtype.kind == "f" else sample
    odd = sample.size - finite.size
    parts = [f"{count_text(odd, 'element')} not finite" if odd else ""]
    if finite.size:
        # Sums of half precision overflow, those of the largest doubles too: then there is no mean to tell.
        with numpy.errstate(all="ignore"):
            mean, std = float(finite.mean(dtype="float64")), float(finite.std(dtype="float64"))
        parts = [
            range_text(number_text(finite.min().item()), number_text(finite.max().item())),
            *(f"{what} {number_text(v)}" for what, v in (("mean", mean), ("std", std)) if math.isfinite(v)),
            *parts,
        ]
    return Text(", ".join(p for p in parts if p) + notes)


def _bars(sample: Any) -> Part | None:
    numpy: Any = loaded("numpy")
    if sample.dtype.kind == "b":
        return None
    finite = sample[numpy.isfinite(sample)].astype("float64")
    if finite.size < FEWEST:
        return None
    low, high = float(finite.min()), float(finite.max())
    bars = histogram([low, high])
    if bars is None:
        return None
    counts, _ = numpy.histogram(finite, bins=bins_for(finite.size), range=(low, high))
    return type(bars)(tuple(int(c) for c in counts), bars.low, bars.high)


def _picture(array: Any) -> Part | None:
    """Return a picture of what can be one: bytes or booleans by row and column, or colours."""
    is_grey = array.ndim == 2 and array.dtype.kind in "bu" and array.dtype.itemsize == 1
    is_colour = array.ndim == 3 and array.shape[2] in (1, 3, 4)
    if not (is_grey or is_colour) or min(array.shape[:2]) < _LEAST_PICTURE:
        return None
    step = max(math.ceil(max(array.shape[:2]) / _LARGEST_PICTURE), 1)
    small = array[::step, ::step]
    if array.dtype.kind == "b":
        small = small * 255
    elif array.dtype.kind == "f":
        # By the custom of the plotting libraries, colours as fractions lie between 0 and 1.
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
