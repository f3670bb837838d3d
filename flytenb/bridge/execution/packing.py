"""Packing of a task's return value: split into its declared outputs, each checked and packed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytekit.core.interface import Interface
from flytekit.models.literals import LiteralMap

from flytenb.bridge.crossing import CrossingValue, box_packer, from_literal
from flytenb.errors import say
from flytenb.wording.text import class_name, clean
from flytenb.wording.types import type_text

Pack = Callable[[list[Any]], dict[str, CrossingValue]]
"""Takes the return value in a list and empties the list: a value without another reference needn't be copied."""
_SAYS_ARGS = (BaseException.__str__, KeyError.__str__)
"""Exceptions whose message is made of their arguments."""


def build_packing(task: Any, *, strict: bool = False) -> Pack:
    """Prepare the packing of a task's return values.

    The rules and the messages are flytekit's (`PythonTask._output_to_literal_map`, 1.16.31).
    """
    interface: Interface = task.python_interface
    types = interface.outputs
    variables = task.interface.outputs
    packers = [(name, box_packer(t, variables[name].type, strict=strict)) for name, t in types.items()]
    if not packers:
        return lambda box: {}

    def pack_one(
        name: str, pack_box: Callable[[list[Any]], CrossingValue], position: int, box: list[Any]
    ) -> CrossingValue:
        kind = type(box[0])
        if issubclass(kind, tuple):
            raise TypeError(f"Output({name}) in task '{task.name}' received a tuple {box[0]}, instead of {types[name]}")
        try:
            return pack_box(box)
        except Exception as e:
            explain_output(e, task.name, name if name != f"o{position}" else position, kind, types[name])
            raise

    if len(packers) == 1:
        name, only = packers[0]
        is_named_tuple = bool(interface.output_tuple_name)

        # By the class's bases: `isinstance` with flytekit's class takes longer than the rest of packing an int.
        def pack_single(box: list[Any]) -> dict[str, CrossingValue]:
            if LiteralMap in type(box[0]).__mro__:
                return read_literals(box[0], interface)
            if is_named_tuple and isinstance(box[0], tuple):
                box[0] = box[0][0]
            return {name: pack_one(name, only, 0, box)}

        return pack_single

    def pack_several(box: list[Any]) -> dict[str, CrossingValue]:
        if LiteralMap in type(box[0]).__mro__:
            return read_literals(box[0], interface)
        boxes = [[value] for value in box[0]] if isinstance(box[0], tuple | list) else None
        if boxes is None or len(boxes) != len(packers):
            found = class_name(box[0]) if boxes is None else f"{len(boxes)} values"
            raise TypeError(
                f"Failed to convert outputs of task '{task.name}': "
                f"{len(packers)} outputs are declared ({', '.join(types)}), the task returned {found}"
            )
        box.clear()  # the tuple itself would keep references to its values
        return {n: pack_one(n, g, i, one) for i, ((n, g), one) in enumerate(zip(packers, boxes, strict=True))}

    return pack_several


def explain_output(error: Exception, task: str, key: str | int, kind: type, declared: Any) -> None:
    """Add the task, the output and the types to the error of an output's conversion, in flytekit's words."""
    _explain(
        error,
        f"Failed to convert outputs of task '{task}' at position {key}.\n"
        f"Failed to convert type {kind} to type {declared}.\n"
        f"Error Message: {error.args[0] if error.args else say(error)}.",
    )


def explain_input(error: Exception, task: str, name: str, python_type: Any) -> None:
    """Add the task, the input and its type to the error of an input's conversion; the error stays the same object.

    Args:
        error: what the conversion raised.
        task: the task's name.
        name: the input's name.
        python_type: the type that the task declares for it.
    """
    said = f"{class_name(error)}: {say(error)}" if isinstance(error, LookupError) else say(error)
    _explain(error, f"Failed to convert input {name!r} of task {task!r} to {type_text(python_type)}: {said}")


def _explain(error: Exception, message: str) -> None:
    """Set an error's message; an error with its own `__str__` gets a note instead."""
    try:
        error.args = (message,)
    except Exception:
        error.add_note(message)
        return
    if type(error).__str__ not in _SAYS_ARGS and clean(message) not in say(error):
        error.add_note(message)


def read_literals(literals: LiteralMap, interface: Interface) -> dict[str, CrossingValue]:
    """Return the outputs of a task that gives literals, as connectors do."""
    return {
        name: from_literal(literal, interface.outputs[name])
        for name, literal in literals.literals.items()
        if name in interface.outputs
    }
