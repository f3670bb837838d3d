"""Sources of one input for a graph: one `Fill` per promise, and one per constant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, get_args, get_origin

from flytenb.bridge.type_engine.literal_data import read_literal
from flytenb.model.workflow import Binding, Constant, ListBinding, Promise
from flytenb.wording.values import LONG, SHORT, Unquoted, brief


class Fill(NamedTuple):
    """One value of an input and its source.

    Attributes:
        place: the input, with the place in it: `xs`, `xs[1]`, `xs['k']`.
        source: the path of the node that gives it, None for a constant.
        output: the source's output, with the attributes taken from it: `o0`, `o0.x[2]`.
        value: a constant as plain Python data.
    """

    place: str
    source: str | None
    output: str = ""
    value: Any = None

    @property
    def short(self) -> str:
        """The constant in a few characters."""
        return brief(self.value, SHORT)

    @property
    def text(self) -> str:
        """The constant in full, still bounded."""
        return brief(self.value, LONG)


def read_fills(place: str, binding: Binding, python_type: Any) -> Iterator[Fill]:
    """Yield the sources of `place`: a list or dict without any promise in it is one constant, not one per element."""
    if isinstance(binding, Promise):
        yield Fill(place, binding.path, name_output(binding.output, binding.attributes))
    elif _is_constant(binding):
        yield Fill(place, None, value=_read_constant(binding, python_type))
    elif isinstance(binding, ListBinding):
        item = _item_type(python_type)
        for i, element in enumerate(binding.items):
            yield from read_fills(f"{place}[{i}]", element, item)
    elif not isinstance(binding, Constant):
        item = _item_type(python_type)
        for key, element in binding.items.items():
            yield from read_fills(f"{place}[{key!r}]", element, item)


def name_output(output: str, attributes: Sequence[str | int]) -> str:
    """Return an output and the path taken into it: `o0.x[2]`."""
    if not attributes:
        return output
    steps = (f".{a}" if isinstance(a, str) and a.isidentifier() else f"[{a!r}]" for a in attributes)
    return output + "".join(steps)


def _is_constant(binding: Binding) -> bool:
    if isinstance(binding, Constant | Promise):
        return isinstance(binding, Constant)
    items = binding.items if isinstance(binding, ListBinding) else binding.items.values()
    return all(map(_is_constant, items))


def _read_constant(binding: Binding, python_type: Any) -> Any:
    assert not isinstance(binding, Promise), "a constant contains no promise"
    if isinstance(binding, ListBinding):
        return [_read_constant(b, _item_type(python_type)) for b in binding.items]
    if isinstance(binding, Constant):
        return Unquoted("nothing") if binding.literal.scalar is None else read_literal(binding.literal, python_type)
    return {k: _read_constant(b, _item_type(python_type)) for k, b in binding.items.items()}


def _item_type(python_type: Any) -> Any:
    """The type of the items of a list or dict, None where the annotation doesn't say."""
    return get_args(python_type)[-1] if get_origin(python_type) in (list, dict) and get_args(python_type) else None
