"""A node of an execution run again here, with its recorded inputs, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.crossing.value_equality import IncomparableError, is_same
from flytenb.display.part import Facts, Group, Note, Part, Section
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.errors import RemoteTaskError, UsageError, say
from flytenb.runner.failure import Failure
from flytenb.runner.run import Run
from flytenb.ship.cluster_run import ClusterRun
from flytenb.wording.quantities import count_text
from flytenb.wording.values import LONG, brief


@dataclass(frozen=True)
class Recorded:
    """What a cluster has of a node, or of a whole execution.

    Attributes:
        path: the node, `""` for the execution.
        entity: the notebook's entity.
        inputs: the inputs, with files on this machine.
        outputs: the outputs; empty if it failed.
        error: its failure, None if it hasn't failed.
    """

    path: str
    entity: Any
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    error: Failure | None

    @classmethod
    def of(cls, execution: ClusterRun, node: str = "") -> Recorded:
        """Read a node by its path or name; without one, the node that failed first, else the whole execution.

        Raises:
            UnknownNameError: for an unknown node.
            UsageError: for a node that has not run, or if the notebook doesn't define its task.
            ClusterError: with the message of the server.
        """
        path = node or (execution.error.path if execution.error is not None else "")
        found: Any = execution.nodes[path] if path else execution
        if found.entity is None:
            name = f"node {path!r}" if path else repr(execution.name)
            raise UsageError(
                f"the notebook defines no task or workflow for {name}", hint="run the cells that define it"
            )
        if path and found.started is None:
            raise UsageError(f"node {path!r} has not run there, so no inputs were recorded", hint="replay another one")
        return cls(found.path if path else "", found.entity, execution.fetch(found), found.outputs, found.error)


@dataclass(frozen=True, repr=False)
class Replay(Displayed):
    """A node of an execution that was run again here. Created by `flytenb.replay`.

    Attributes:
        run: the run here, with the recorded inputs; `%flyte debug` works on it if it failed.
        execution: the execution.
        recorded: what the cluster has: `path`, `inputs`, `outputs` and `error`.
        differences: what differs, one text each; empty if outputs or errors are equal.
    """

    run: Run
    execution: str
    recorded: Recorded
    differences: tuple[str, ...]

    @classmethod
    def of(cls, run: Run, execution: str, recorded: Recorded) -> Replay:
        """Compare a run with what was recorded."""
        here, there = _error_text(run.error), _error_text(recorded.error)
        if here or there:
            words = (here or "success", there or "success")
            found = () if here == there else (f"here: {words[0]}; recorded: {words[1]}",)
            return cls(run, execution, recorded, found)
        outputs = run.outputs
        texts = (_difference(name, outputs.get(name), value) for name, value in recorded.outputs.items())
        return cls(run, execution, recorded, tuple(text for text in texts if text))

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def _shown(self) -> Rendering:
        verdict = count_text(len(self.differences), "difference") if self.differences else "as recorded"
        parts: list[Part] = [Facts([(name, brief(value, LONG)) for name, value in self.recorded.inputs.items()])]
        parts += map(Note, self.differences or (self._summary,))
        place = f"{self.execution} {self.recorded.path}".strip()
        return render_part(Section(f"replay of {self.run.name}", (place, verdict), Group(tuple(parts))))

    @property
    def _summary(self) -> str:
        error = _error_text(self.run.error)
        return f"it fails here too: {error}" if error else "the outputs are equal"


def _error_text(failure: Failure | None) -> str:
    """Return `ValueError: bad`, as a cluster gives the error of a task."""
    if failure is None:
        return ""
    return failure.message if isinstance(failure.exception, RemoteTaskError) else str(failure)


def _difference(name: str, here: Any, recorded: Any) -> str:
    try:
        if is_same(here, recorded):
            return ""
        why = ""
    except IncomparableError as error:
        why = f" (can't be compared: {say(error)})"
    return f"{name}: {brief(here, LONG)} here, {brief(recorded, LONG)} recorded{why}"
