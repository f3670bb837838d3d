"""Calls of an eager task, answered in its pod by what they gave in a run, in place of executions on a cluster.

flytekit asks its plugin for the connection to a cluster just before it makes the controller of an eager task's calls.
The plugin here replaces this controller. flytekit finds it by the metadata of a distribution in a folder of its own.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from flyteidl.core import literals_pb2
from flytekit.configuration.plugin import FlytekitPlugin
from flytekit.core import python_function_task
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.promise import translate_inputs_to_literals
from flytekit.core.type_engine import LiteralsResolver
from flytekit.exceptions.eager import EagerException
from flytekit.models.literals import LiteralMap

from flytenb.bridge.entities.kind import short_name

_GROUP = "flytekit.configuration.plugin"
_PLUGIN = "flytenb.bridge.cluster.recorded_calls:RecordedCallsPlugin"
VARIABLE = "FLYTENB_RECORDED_CALLS"
"""Names the folder of the calls in the pod."""


@dataclass(frozen=True)
class RecordedCall:
    """A call of an eager task.

    Attributes:
        name: the name of the task or workflow, without its module.
        inputs: the inputs.
        outputs: the outputs.
        error: why it failed, `""` if it hasn't.
    """

    name: str
    inputs: LiteralMap
    outputs: LiteralMap = field(default_factory=lambda: LiteralMap({}))
    error: str = ""


def can_answer() -> bool:
    """Whether flytekit has no other plugin: it loads one only."""
    return not metadata.entry_points(group=_GROUP)


def write_calls(folder: Path, calls: Iterable[RecordedCall]) -> None:
    """Write the calls of a run and the metadata of the plugin into a folder that a pod has on its path."""
    distribution = folder / "flytenb_recorded_calls-1.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: flytenb-recorded-calls\nVersion: 1\n")
    (distribution / "entry_points.txt").write_text(f"[{_GROUP}]\nrecorded_calls = {_PLUGIN}\n")
    _write(folder / "recorded.json", calls)
    _write(folder / "made.json", ())


def read_calls(file: Path) -> list[RecordedCall]:
    """Return the calls in a file."""
    found = json.loads(file.read_text())
    return [RecordedCall(name, _literals(inputs), _literals(outputs), error) for name, inputs, outputs, error in found]


def made_calls(folder: Path) -> list[RecordedCall]:
    """Return the calls that a pod has made."""
    return read_calls(folder / "made.json")


def _write(file: Path, calls: Iterable[RecordedCall]) -> None:
    rows = [(each.name, _text(each.inputs), _text(each.outputs), each.error) for each in calls]
    file.write_text(json.dumps(rows))


def _text(literals: LiteralMap) -> str:
    return base64.b64encode(_bytes(literals)).decode()


def _bytes(literals: LiteralMap) -> bytes:
    return bytes(literals.to_flyte_idl().SerializeToString(deterministic=True))


def _literals(text: str) -> LiteralMap:
    return LiteralMap.from_flyte_idl(literals_pb2.LiteralMap.FromString(base64.b64decode(text)))


class RecordedCallsPlugin(FlytekitPlugin):  # type: ignore[misc]
    """flytekit's plugin in the pod of an eager task."""

    @staticmethod
    def get_remote(*arguments: Any, **settings: Any) -> Any:
        """Replace the controller that is made next; it needs no connection."""
        python_function_task.Controller = _Controller


class _Controller:
    """Answers each call by a recorded one of the same name, if possible with the same inputs."""

    def __init__(self, **settings: Any) -> None:
        self._folder = Path(os.environ[VARIABLE])
        self._left = read_calls(self._folder / "recorded.json")
        self._made: list[RecordedCall] = []

    async def add(self, entity: Any, input_kwargs: Mapping[str, Any]) -> Any:
        """Return what the entity gave in the run."""
        context, interface = FlyteContextManager.current_context(), entity.interface
        types = entity.python_interface.inputs
        given = LiteralMap(translate_inputs_to_literals(context, {**input_kwargs}, interface.inputs, types))
        call = RecordedCall(short_name(entity), given)
        self._made.append(call)
        _write(self._folder / "made.json", self._made)
        alike = [each for each in self._left if each.name == call.name]
        same = [each for each in alike if _bytes(each.inputs) == _bytes(given)]
        answer = next(iter(same or alike), None)
        if answer is None:
            raise EagerException(f"the run of the notebook has no more call of {call.name}")
        self._left.remove(answer)
        if answer.error:
            raise EagerException(f"Error executing {entity.name} with error: {answer.error}")
        resolver = LiteralsResolver(answer.outputs.literals, interface.outputs, context)
        return resolver.as_python_native(entity.python_interface)

    def render_html(self) -> str:
        """Return the content of the deck of calls."""
        return ""

    def get_signal_handler(self) -> Any:
        """Return what a signal does: what Python does without a handler."""
        return python_function_task.signal.SIG_DFL
