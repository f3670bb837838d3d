"""A node of an execution run again here, with its recorded inputs, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.crossing.value_equality import IncomparableError, is_same
from flytenb.bridge.entities.gate import find_gate
from flytenb.bridge.entities.interface import kind_of, plan_inputs, short_name
from flytenb.bridge.entities.kind import is_executable
from flytenb.bridge.entities.source import input_types
from flytenb.bridge.type_engine.literal_data import read_literal
from flytenb.display.part import Facts, Group, Note, Part, Section
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.errors import ClusterError, RemoteTaskError, UsageError, headline, say
from flytenb.model import Kind, Phase
from flytenb.runner.failure import Failure
from flytenb.runner.run import Run
from flytenb.runner.run_inputs import root_of
from flytenb.ship.cluster_run import ClusterRun
from flytenb.wording.kinds import constant_text
from flytenb.wording.quantities import count_text
from flytenb.wording.text import clip_line
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG, brief


@dataclass(frozen=True)
class Recorded:
    """What a cluster has of a node, or of a whole execution.

    Attributes:
        path: the node, `""` for the execution.
        entity: the notebook's entity.
        phase: how it ended, or that it still runs.
        inputs: the inputs, with files on this machine.
        outputs: the outputs, with files on this machine; empty if it hasn't succeeded.
        error: its failure, None if it hasn't failed.
        answers: the answers of the gates inside of it, by path.
    """

    path: str
    entity: Any
    phase: Phase
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    error: Failure | None
    answers: Mapping[str, Any]

    @classmethod
    def of(cls, execution: ClusterRun, node: str = "") -> Recorded:
        """Read a node by its path or name; without one, the node that failed first, else the whole execution.

        Raises:
            UnknownNameError: for an unknown node.
            UsageError: for a node that has not run or is no task or workflow, if the notebook doesn't define its task,
                and for inputs that its task doesn't take.
            ClusterError: with the message of the server.
        """
        wanted = node or (execution.error.path if execution.error is not None else "")
        found: Any = execution.nodes[wanted] if wanted else execution
        path = found.path if wanted else ""
        _require_task(execution, path, found.entity)
        if path and found.started is None:
            raise UsageError(f"node {path!r} has not run there, so no inputs were recorded", hint="replay another one")
        values = execution._recorded(path)
        with execution._workspace.entered():
            inputs = _read_inputs(execution, values.inputs(), _named(execution, path), found.entity)
            outputs = values.outputs().items() if found.phase is Phase.SUCCEEDED else ()
            read = {name: _read(execution, value) for name, value in outputs}
            answers = _read_answers(execution, path)
        return cls(path, found.entity, found.phase, inputs, read, found.error, answers)


def _named(execution: ClusterRun, path: str) -> str:
    """Return a node with its name, or the execution with its: `node 'n1' (fit)`."""
    if not path:
        return f"execution {execution.name!r}"
    name = execution.nodes.names()[path]
    return f"node {path!r}" if name in ("", path) else f"node {path!r} ({name})"


def _require_task(execution: ClusterRun, path: str, entity: Any) -> None:
    """Check that the notebook has something to run for a node.

    Raises:
        UsageError: if it has not.
    """
    named = _named(execution, path)
    graph = execution.graph.nodes
    if path in graph and graph[path].kind is Kind.BRANCH:
        taken = [each for each in execution.nodes.values() if each.path.startswith(f"{path}/") and each.started]
        hint = f"replay the case that was taken: {taken[0].path!r}" if taken else "no case of it was taken"
        raise UsageError(f"{named} is a branch, which runs nothing itself", hint=hint)
    if path in graph and graph[path].kind is Kind.GATE:
        raise UsageError(f"{named} is a gate, which runs nothing", hint="replay a node before or after it")
    if entity is None:
        hint = "run the cells that define it" if path else "run the cells that define it, without errors"
        raise UsageError(f"the notebook defines no task or workflow for {named}", hint=hint)
    if not is_executable(entity):
        raise UsageError(f"{named} can't be run by itself: it is a {kind_of(entity)}", hint="replay another one")


def _read_inputs(execution: ClusterRun, values: Mapping[str, CrossingValue], named: str, entity: Any) -> dict[str, Any]:
    """Return the recorded inputs as the notebook's entity takes them.

    Raises:
        UsageError: if it takes other ones.
        ClusterError: if a file can't be fetched.
    """
    task, types = short_name(entity), input_types(entity)
    fixed, _ = plan_inputs(entity)
    given = {name: value for name, value in values.items() if name not in fixed}
    if root_of(entity, given).problems:
        recorded, taken = (
            f"inputs {', '.join(map(repr, names))}" if names else "no inputs"
            for names in (given, [name for name in types if name not in fixed])
        )
        raise UsageError(
            f"{named} was run with {recorded}; the notebook's {task!r} takes {taken}",
            hint=f"run the cell with the earlier {task!r}, or give the inputs yourself: flytenb.run({task}, …)",
        )
    read = {}
    for name, value in given.items():
        try:
            read[name] = execution._fetch(value, types[name])
        except ClusterError:
            raise
        except Exception as error:
            raise UsageError(
                f"input {name!r} of {named} can't be read: the notebook's {task!r} takes {type_text(types[name])}, "
                f"recorded is {brief(read_literal(value.literal()), LONG)}: {clip_line(headline(error), LONG)}",
                hint=f"run the cell with the earlier type of {name!r}, or give another value: flytenb.run({task}, …)",
            ) from error
    return read


def _read(execution: ClusterRun, value: CrossingValue) -> Any:
    """Return an output with files on this machine; one that the notebook's type can't take, as plain data."""
    try:
        return execution._fetch(value, value.python_type)
    except ClusterError:
        raise
    except Exception:
        return read_literal(value.literal())


def _read_answers(execution: ClusterRun, path: str) -> dict[str, Any]:
    """Return what gates inside of a node were answered, by their paths inside of it."""
    prefix, answers = f"{path}/" if path else "", {}
    for each in execution.nodes.values():
        gate = find_gate(each.entity)
        if gate is None or each.phase is not Phase.SUCCEEDED or not each.path.startswith(prefix):
            continue
        [value] = each.outputs.values()
        answers[each.path.removeprefix(prefix)] = True if gate.kind == "approve" else value
    return answers


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
        here, there = _ending(run.phase, run.error), _ending(recorded.phase, recorded.error)
        if here or there:
            words = (here or "success", there or "success")
            found = () if here == there else (f"here: {words[0]}; recorded: {words[1]}",)
            return cls(run, execution, recorded, found)
        outputs = run.outputs
        names = dict.fromkeys([*recorded.outputs, *outputs])
        texts = (_difference(name, outputs, recorded.outputs) for name in names)
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
        error = "" if self.run.error is None else _ending(self.run.phase, self.run.error)
        return f"it fails here too: {error}" if error else "the outputs are equal"


def _ending(phase: Phase, failure: Failure | None) -> str:
    """Return how something ended other than by success: `ValueError: bad`, as a cluster gives the error of a task."""
    if failure is None:
        return "" if phase is Phase.SUCCEEDED else constant_text(phase)
    return failure.message if isinstance(failure.exception, RemoteTaskError) else str(failure)


def _difference(name: str, here: Mapping[str, Any], recorded: Mapping[str, Any]) -> str:
    texts = [brief(values[name], LONG) if name in values else "nothing" for values in (here, recorded)]
    why = ""
    if name in here and name in recorded:
        try:
            if is_same(here[name], recorded[name]):
                return ""
        except IncomparableError as error:
            why = f" (can't be compared: {say(error)})"
    return f"{name}: {texts[0]} here, {texts[1]} recorded{why}"
