"""Packing of a task's return value: split into its declared outputs, each checked and packed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytekit.core.interface import Interface
from flytekit.models.literals import LiteralMap

from flytenb.bridge.crossing import CrossingValue, box_packer, from_literal
from flytenb.errors import UnholdableError, say
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
    outputs = _Output.of(task, strict)
    if not outputs:
        return lambda box: {}
    return _PackSingle(outputs[0]) if len(outputs) == 1 else _PackSeveral(outputs)


# Classes with slots, and not closures: a run makes them for each task, and the garbage collector visits one object
# instead of a function, its tuple and its cells.
class _Output:
    """The packing of one output of a task."""

    __slots__ = ("declared", "name", "pack_box", "position", "task")

    def __init__(
        self, task: Any, name: str, position: int, declared: Any, pack_box: Callable[[list[Any]], CrossingValue]
    ) -> None:
        self.task = task
        self.name = name
        self.position = position
        self.declared = declared
        self.pack_box = pack_box

    @classmethod
    def of(cls, task: Any, strict: bool) -> list[_Output]:
        variables = task.interface.outputs
        return [
            cls(task, name, position, declared, box_packer(declared, variables[name].type, strict=strict))
            for position, (name, declared) in enumerate(task.python_interface.outputs.items())
        ]

    def pack(self, box: list[Any]) -> CrossingValue:
        """Pack the value in a list."""
        kind, name = type(box[0]), self.name
        if issubclass(kind, tuple):
            raise TypeError(
                f"Output({name}) in task '{self.task.name}' received a tuple {box[0]}, instead of {self.declared}"
            )
        try:
            return self.pack_box(box)
        except UnholdableError as e:
            e.message = f"output {name!r} of task {self.task.name!r}: {e.message}"
            raise
        except Exception as e:
            position = self.position
            explain_output(e, self.task.name, name if name != f"o{position}" else position, kind, self.declared)
            raise


class _PackSingle:
    """Packs the return value of a task with one output."""

    __slots__ = ("is_named_tuple", "output")

    def __init__(self, output: _Output) -> None:
        self.output = output
        self.is_named_tuple = bool(output.task.python_interface.output_tuple_name)

    def __call__(self, box: list[Any]) -> dict[str, CrossingValue]:
        output = self.output
        # By the class's bases: `isinstance` with flytekit's class takes longer than the rest of packing an int.
        if LiteralMap in type(box[0]).__mro__:
            return read_literals(box[0], output.task.python_interface)
        if self.is_named_tuple and isinstance(box[0], tuple):
            box[0] = box[0][0]
        return {output.name: output.pack(box)}


class _PackSeveral:
    """Packs the return value of a task with several outputs."""

    __slots__ = ("outputs",)

    def __init__(self, outputs: list[_Output]) -> None:
        self.outputs = outputs

    def __call__(self, box: list[Any]) -> dict[str, CrossingValue]:
        outputs, task = self.outputs, self.outputs[0].task
        if LiteralMap in type(box[0]).__mro__:
            return read_literals(box[0], task.python_interface)
        boxes = [[value] for value in box[0]] if isinstance(box[0], tuple | list) else None
        if boxes is None or len(boxes) != len(outputs):
            found = class_name(box[0]) if boxes is None else f"{len(boxes)} values"
            names = ", ".join(output.name for output in outputs)
            raise TypeError(
                f"Failed to convert outputs of task '{task.name}': "
                f"{len(outputs)} outputs are declared ({names}), the task returned {found}"
            )
        box.clear()  # the tuple itself would keep references to its values
        return {output.name: output.pack(one) for output, one in zip(outputs, boxes, strict=True)}


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
