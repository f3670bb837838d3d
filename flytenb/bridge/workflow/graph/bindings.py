"""What fills an input: one `Fill` per promise, and one per value that was known when the workflow was compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args, get_origin

from flytekit.core.node import Node
from flytekit.models.literals import BindingData, Literal

from flytenb.bridge.values_in_short import LONG, SHORT, Words, read_literal, shorten


class Fill(NamedTuple):
    """Where a value goes and where it comes from.

    Attributes:
        place: the input, with the place in it: `xs`, `xs[1]`, `xs['k']`.
        source: the node that gives it (flytekit's), None for a constant.
        output: the source's output, with the attributes taken from it: `o0`, `o0.x[2]`.
        value: a constant as plain Python data.
    """

    place: str
    source: Node | None
    output: str = ""
    value: Any = None

    @property
    def short(self) -> str:
        """The constant in a few characters."""
        return shorten(self.value, SHORT)

    @property
    def text(self) -> str:
        """The constant as a reader may want it in full, still bounded."""
        return shorten(self.value, LONG)


def read_fills(place: str, data: BindingData, python_type: Any) -> Iterator[Fill]:
    """Yield what fills `place`: a list or dict without any promise in it is one constant, not one per element."""
    if data.promise is not None:
        yield Fill(place, data.promise.node, name_output(data.promise.var, data.promise.attr_path or ()))
    elif _is_constant(data):
        yield Fill(place, None, value=_read_constant(data, python_type))
    elif data.collection is not None:
        item = _item_type(python_type)
        for i, element in enumerate(data.collection.bindings):
            yield from read_fills(f"{place}[{i}]", element, item)
    else:
        item = _item_type(python_type)
        for key, element in data.map.bindings.items():
            yield from read_fills(f"{place}[{key!r}]", element, item)


def name_output(output: str, attributes: Sequence[str | int]) -> str:
    """Return an output and the path taken into it: `o0.x[2]`."""
    if not attributes:
        return output
    steps = (f".{a}" if isinstance(a, str) and a.isidentifier() else f"[{a!r}]" for a in attributes)
    return output + "".join(steps)


def _is_constant(data: BindingData) -> bool:
    if data.promise is not None:
        return False
    if data.collection is not None:
        return all(_is_constant(b) for b in data.collection.bindings)
    return data.map is None or all(_is_constant(b) for b in data.map.bindings.values())


def _read_constant(data: BindingData, python_type: Any) -> Any:
    if data.collection is not None:
        return [_read_constant(b, _item_type(python_type)) for b in data.collection.bindings]
    if data.map is not None:
        return {k: _read_constant(b, _item_type(python_type)) for k, b in data.map.bindings.items()}
    if data.scalar is None:
        return Words("nothing")
    return read_literal(Literal(scalar=data.scalar), python_type)


def _item_type(python_type: Any) -> Any:
    """The type of what stands in a list or dict, None where the annotation doesn't tell."""
    return get_args(python_type)[-1] if get_origin(python_type) in (list, dict) and get_args(python_type) else None
