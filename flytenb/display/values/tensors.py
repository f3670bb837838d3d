"""Displays of PyTorch tensors of every layout, and of modules with their parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

from flytenb.display.part import Entry, Group, Note, Part, Section, Text, Tree, Value
from flytenb.display.registry import BUILT_IN
from flytenb.display.values.arrays import (
    LEAST_PICTURE,
    array_body,
    figures,
    held_bytes,
    shape_text,
    spread,
    steps_for,
)
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text, count_text
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register
_MOST_WEIGHTS = 20_000
"""Most parameter tensors of a module that are counted."""


@register("torch.Tensor")
def show_tensor(value: Any, view: View) -> Part:
    """Show a tensor like an array; one on a device isn't copied."""
    title, type_ = class_name(value), dtype_name(value)
    wants = "requires grad" if value.requires_grad else ""
    if getattr(value, "is_nested", False):
        return _nested(value, (type_, wants), view)
    shape = shape_text(tuple(value.shape))
    if value.device.type == "meta":
        return Section(title, (shape, type_, wants), Note("on meta: a shape without elements"))
    layout = str(getattr(value, "layout", "torch.strided")).removeprefix("torch.")
    if layout != "strided":
        return _sparse(value, layout, (shape, type_, wants), view)
    memory = bytes_text(held_bytes(tuple(value.shape), tuple(value.stride()), value.element_size()))
    if value.device.type != "cpu":
        where = f"on {value.device}"
        note = Note(f"not copied from {value.device}: use .cpu() to copy it")
        return Section(title, (shape, type_, memory, where, wants), note)
    facts = (shape, type_, memory, wants, _scale(value))
    if loaded("numpy") is None:
        return Section(title, facts)
    body = _strided(value.detach(), view)
    if isinstance(body, Value):
        return Value(body.text, title, tuple(f for f in facts[1:] if f))
    return Section(title, facts, body)


def dtype_name(value: Any) -> str:
    """Return the type of a tensor's elements: `bfloat16`."""
    return str(value.dtype).removeprefix("torch.")


def _strided(tensor: Any, view: View) -> Part | None:
    """Return a tensor's contents; where NumPy can't share the elements, a limited sample is converted."""
    sample, shape = tensor, tuple(tensor.shape)
    try:
        array = tensor.numpy()
    except (RuntimeError, TypeError):
        # Types that only PyTorch has (bfloat16), quantised tensors, and lazily conjugated or negated ones.
        total = math.prod(shape)
        if total > view.limits.scan:
            sample = tensor[tuple(slice(None, None, step) for step in steps_for(shape, view.limits.scan))]
        try:
            array = _converted(sample)
        except Exception as error:
            return Note(f"its elements can't be read here: {brief(error, 120)}")
        if sample is not tensor:
            elements = array.ravel()
            return Group((figures(total, elements), *spread(elements)))
    if array.ndim == 0:
        return Value(brief(array.item()))
    # PyTorch's images have their channels first.
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and min(array.shape[1:]) >= LEAST_PICTURE:
        array = array.transpose(1, 2, 0)
    return array_body(array, view)


def _converted(tensor: Any) -> Any:
    if getattr(tensor, "is_quantized", False):
        return tensor.dequantize().numpy()
    plain = tensor.resolve_conj().resolve_neg()
    try:
        return plain.numpy()
    except (RuntimeError, TypeError):
        return (plain.cfloat() if plain.is_complex() else plain.float()).numpy()


def _scale(tensor: Any) -> str:
    """Return how a quantised tensor's integers are scaled."""
    if not getattr(tensor, "is_quantized", False):
        return ""
    if not str(tensor.qscheme()).startswith("torch.per_tensor"):
        return "quantised per channel"
    return f"quantised, scale {tensor.q_scale():.6g}, zero point {tensor.q_zero_point()}"


def _sparse(tensor: Any, layout: str, facts: tuple[str, ...], view: View) -> Part:
    """Show the stored elements of a sparse tensor; converting it to a dense one could exceed the memory."""
    data = tensor.detach()
    places: tuple[Any, ...]
    if layout == "sparse_coo":
        stored, places = data._values(), (data._indices(),)
    elif layout in ("sparse_csr", "sparse_bsr"):
        stored, places = data.values(), (data.crow_indices(), data.col_indices())
    elif layout in ("sparse_csc", "sparse_bsc"):
        stored, places = data.values(), (data.ccol_indices(), data.row_indices())
    else:
        return Section(class_name(tensor), (*facts, layout))
    count, total = stored.nelement(), math.prod(tensor.shape)
    memory = sum(each.nelement() * each.element_size() for each in (stored, *places))
    all_facts = (*facts[:2], bytes_text(memory), f"sparse {layout.rpartition('_')[2].upper()}", *facts[2:])
    title = class_name(tensor)
    if tensor.device.type != "cpu":
        where = str(tensor.device)
        return Section(title, (*all_facts, f"on {where}"), Note(f"not copied from {where}: use .cpu() to copy it"))
    share = f", {100 * count / total:.3g} %" if total else ""
    head = Text(f"{count:,} of {count_text(total, 'element')} stored{share}")
    body = _strided(stored.reshape(-1), view) if count and loaded("numpy") is not None else None
    return Section(title, all_facts, Group((head, body)) if body is not None else head)


def _nested(tensor: Any, facts: tuple[str, ...], view: View) -> Part:
    """Show the tensors of a nested tensor, which have different lengths."""
    rows = tensor.unbind()
    entries = view.entries((f"[{i}]", row, None) for i, row in enumerate(rows))
    all_facts = (f"nested, {count_text(len(rows), 'tensor')}", *facts)
    return Section(class_name(tensor), all_facts, Tree(entries, len(rows)))


@register("torch.nn.modules.module.Module")
def show_module(value: Any, view: View) -> Part:
    """Show a module by its parameters, and its submodules as a tree."""
    facts = (*_weights(value), "" if value.training else "evaluation mode")
    own = [
        Entry(name, class_name(weight), f"{dtype_name(weight)} {_weight_shape(weight)}")
        for name, weight in islice(value.named_parameters(recurse=False), view.limits.items)
    ]
    tree = _modules(value, own, view.limits.items, view.limits.depth)
    said = _one_line(value.extra_repr())
    parts = [*([Text(said)] if said else []), *([tree] if tree is not None else [])]
    return Section(class_name(value), facts, Group(tuple(parts)) if parts else None)


def _modules(module: Any, own: Sequence[Entry], most: int, depth: int) -> Tree | None:
    """Return a tree of a module's own entries and its submodules, or none if there is nothing."""
    children = list(module.named_children())
    if (not own and not children) or depth < 1:
        return None
    entries = [
        Entry(
            name,
            class_name(child),
            _one_line(child.extra_repr()),
            _weights(child)[:1],
            _modules(child, (), most, depth - 1),
        )
        for name, child in children[:most]
    ]
    return Tree((*own, *entries), len(own) + len(children))


def _weights(module: Any) -> tuple[str, ...]:
    """Return the number of a module's parameters, how many are trainable, their memory and devices."""
    weights = list(islice(module.parameters(), _MOST_WEIGHTS))
    known = [w for w in weights if _is_made(w)]
    if not weights:
        return ("no parameters",)
    count = sum(w.nelement() for w in known)
    learning = sum(w.nelement() for w in known if w.requires_grad)
    least = "at least " if len(weights) == _MOST_WEIGHTS else ""
    places = {str(w.device) for w in known} - {"cpu"}
    return (
        f"{least}{count_text(count, 'parameter')}",
        f"{learning:,} of them trainable" if learning != count else "",
        f"{count_text(len(weights) - len(known), 'tensor')} uninitialized" if len(known) < len(weights) else "",
        bytes_text(sum(w.nelement() * w.element_size() for w in known)),
        f"on {', '.join(sorted(places))}" if places else "",
    )


def _weight_shape(weight: Any) -> str:
    return shape_text(tuple(weight.shape)) if _is_made(weight) else "uninitialized"


def _is_made(weight: Any) -> bool:
    """Whether a parameter has a shape; those of a lazy module get it with the first batch."""
    return type(weight).__name__ not in ("UninitializedParameter", "UninitializedBuffer")


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())
