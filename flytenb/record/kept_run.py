"""Kept runs, read back: a `Run` whose facts and values come from a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flytenb.bridge.cluster.node_entities import entities_by_path
from flytenb.bridge.cluster.remote_values import interface_of
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import is_map, map_target
from flytenb.bridge.entities.source import input_types, output_types
from flytenb.bridge.execution.files import Handouts
from flytenb.bridge.execution.kept_arrays import array_file, is_plain_array, read_array
from flytenb.bridge.execution.kept_values import AbsentValue, StoredValue, WrittenValue, type_of
from flytenb.bridge.workflow.reading_cache import Reading
from flytenb.errors import AbsentValueError, FlytenbError, KeptTaskError, RemoteTraceError
from flytenb.model import CacheStatus, Graph, Phase, RunEvent
from flytenb.model import graph_json as graph_json  # compiles its codecs, which takes longer than reading a small run
from flytenb.model.workflow import Workflow
from flytenb.record.resume_facts import MADE_BY, restore
from flytenb.record.run_description import settings_of, unpack
from flytenb.record.run_store import StoredRun, digests_in
from flytenb.runner.ending import Ending
from flytenb.runner.failure import Failure
from flytenb.runner.journal import Journal
from flytenb.runner.record import ComparedFacts, Record, RunLog
from flytenb.runner.run import Run, read_graph_once
from flytenb.runner.run_inputs import Root
from flytenb.runner.use import Getter
from flytenb.runner.wiring import Wired

Place = tuple[str, str]
"""Where a value is described: the path of its producer and the name of the output."""


class KeptRun(Run):
    """A run of an earlier kernel, or of this one, from the folder in which it was kept. Created by `flytenb.load_run`.

    It is a `Run`: its nodes, values, logs, errors, drawings and timeline are those of the run that was kept. A value is
    read when it is asked for, as the type that the notebook's entity declares if it is defined and has the same literal
    type, else as the type that flytekit guesses, else as plain data.

    Args:
        identifier: the id of the run.
        stored: the run.
        files: the folder of its files.
        entity: the notebook's entity, None if there is none.
        may_unpickle: whether values may be unpickled.
    """

    def __init__(
        self, identifier: str, stored: StoredRun, files: Path, entity: Any = None, *, may_unpickle: bool = False
    ) -> None:
        head, body = unpack(stored.head), unpack(stored.body)
        rows = {path: unpack(row) for path, row in stored.nodes.items()}
        self.entity = entity
        self._entity_name = str(head.get("entity", ""))
        self.settings = settings_of(body["settings"])
        self._viewer = None
        self._grown = None
        self._merged = 0
        self._handouts = Handouts()
        self.id = identifier
        self._is_kept = True
        graph = Graph.from_json(body["graph"])
        self._static_graph = Reading(lambda: graph)
        self.__dict__["_given"] = body["given"]
        entities = {} if entity is None else _entities_like(entity, graph)
        values = _Values(rows, files, entities, entity, may_unpickle=may_unpickle)
        self._inputs = values.at(body["inputs"])
        outputs = values.at(body["outputs"])
        self._plan = _Outputs(outputs)
        taken, given = ({name: v.python_type for name, v in each.items()} for each in (self._inputs, outputs))
        interface = interface_of(taken, given, body["tuple"])
        self._root = Root(head["name"], {}, taken, given, interface, Wired.of(Workflow((), {})), ())
        self._scheduler = self._course = _Past(body, head)
        is_comparable = body.get("made_by") == MADE_BY
        for path, row in rows.items():
            if row["node"] is not None:
                self._course.add(path, row["node"], values, entities, is_comparable=is_comparable)
        self._course.finish(body, head)
        self._gates = _NoGates()

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, kept as {self.id}>"


def _entities_like(entity: Any, graph: Graph) -> dict[str, Any]:
    """Return the notebook's entities by the paths of the nodes that have the same name and kind as they have now."""
    try:
        now = read_graph_once(entity).get().nodes
        found = entities_by_path(entity)
    except Exception:  # an entity that doesn't compile now
        return {}
    then = graph.nodes
    alike = {p for p in found if p in now and p in then and (now[p].name, now[p].kind) == (then[p].name, then[p].kind)}
    return {path: each for path, each in found.items() if path in alike}


class _Values:
    """The values of a kept run, by place."""

    def __init__(
        self,
        rows: Mapping[str, Any],
        files: Path,
        entities: Mapping[str, Any],
        entity: Any,
        *,
        may_unpickle: bool,
    ) -> None:
        self._files = files
        self._may_unpickle = may_unpickle
        self._values: dict[Place, CrossingValue] = {}
        self._types: dict[tuple[bytes, str, int], tuple[Any, Any, bool]] = {}
        for path, row in rows.items():
            declared = self._declared(path, entities, entity)
            for name, form in row["values"].items():
                self._values[path, name] = self._value(form, declared.get(name))

    @staticmethod
    def _declared(path: str, entities: Mapping[str, Any], entity: Any) -> Mapping[str, Any]:
        """Return the types that the notebook's entities declare for the values at a place."""
        around, _, door = path.rpartition("/")
        if door == "@outputs":
            return output_types(entities.get(around) if around else entity)
        if door in ("@inputs", "@given", "@taken"):
            return input_types(entities.get(around) if around else entity)
        found = entities.get(path)
        if found is None and door.isdigit() and is_map(entities.get(around)):
            found = map_target(entities[around])
        return output_types(found)

    def _value(self, form: Mapping[str, Any], declared: Any) -> CrossingValue:
        if "literal" not in form:
            return AbsentValue(None, f"only the text of the value was kept: {form['text']}", f"{form['why']}")
        written = WrittenValue(form["literal"], form["type"], form["name"], form.get("orders", ()))
        files, folder = form.get("files", {}), self._files / form.get("folder", "")

        def check() -> None:
            try:
                is_same = not files or digests_in(folder) == files
            except OSError:
                is_same = False
            if not is_same:
                raise AbsentValueError(f"the files of the value in {folder} are missing or were changed")

        hint = "flytenb.load_run(id, unpickle=True), for a folder that only you can write"
        key = (written.literal_type, written.type_name, id(declared))
        if key not in self._types:
            kind = type_of(written, declared)
            self._types[key] = declared, kind, is_plain_array(kind)  # the declared one so that its id isn't reused
        _, kind, is_array = self._types[key]
        at = array_file(written.literal) if is_array and len(files) == 1 else ""
        digest = files.get(at.removeprefix(f"{folder}{os.sep}"), "")
        shortcut = partial(read_array, at, digest) if digest else lambda: None
        return StoredValue(
            lambda: (written.literal, written.orders),
            kind,
            check,
            may_unpickle=self._may_unpickle,
            hint=hint,
            shortcut=shortcut,
            is_exact=form.get("is_exact", False),
        )

    def at(self, places: Mapping[str, list[str]]) -> dict[str, CrossingValue]:
        """Return the values at some places, by name."""
        return {name: self._values[path, key] for name, (path, key) in places.items()}


class _KeptRecord(Record):
    """The state of one node of a kept run."""

    __slots__ = ("_entity", "_inputs", "_outputs", "kept_facts")

    def __init__(
        self,
        path: str,
        run_log: Callable[[], RunLog | None],
        entity: Any,
        inputs: Mapping[str, CrossingValue],
        outputs: Mapping[str, CrossingValue],
    ) -> None:
        super().__init__(path, run_log)
        self._entity = entity
        self._inputs = inputs
        self._outputs = outputs
        self.kept_facts: ComparedFacts | None = None

    @property
    def entity(self) -> Any:
        """The notebook's entity; None if it isn't known, and for a branch."""
        return self._entity

    @property
    def facts(self) -> ComparedFacts | None:
        """What a later run compares, if it was kept."""
        return self.kept_facts

    def whole_input(self, name: str) -> CrossingValue | None:
        """Return the value of an input."""
        return self._inputs.get(name)

    def _made_like(self, run_log: Callable[[], RunLog | None]) -> Record:
        made = _KeptRecord(self.path, run_log, self._entity, self._inputs, self._outputs)
        made.kept_facts = self.kept_facts
        return made

    @property
    def getters(self) -> list[tuple[str, Getter]]:
        """Functions that read the inputs, by name."""
        return [(name, value.native) for name, value in self._inputs.items()]

    @property
    def outputs(self) -> dict[str, CrossingValue | None]:
        """The outputs by name."""
        return {**self._outputs}


class _Deck:
    def __init__(self, name: str, html: str) -> None:
        self.name = name
        self.html = html


class _Failures:
    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.also_failed: tuple[Failure, ...] = ()


class _Past:
    """The course of a run that is over."""

    def __init__(self, body: Mapping[str, Any], head: Mapping[str, Any]) -> None:
        self.journal = Journal()
        self.workspace = Workspace()
        self.ending = Ending(self.journal, self.workspace)
        self.outcomes = _Failures()
        self.process = os.getpid()
        self._errors: dict[tuple[str, str, str], BaseException] = {}

    def add(
        self, path: str, kept: Mapping[str, Any], values: _Values, entities: Mapping[str, Any], *, is_comparable: bool
    ) -> None:
        """Add a node; a later run compares it if the same versions have made the digests of its code."""
        inputs, outputs = values.at(kept["inputs"]), values.at(kept["outputs"])
        record = _KeptRecord(path, self.journal.weak, entities.get(path), inputs, outputs)
        record.phase = Phase(kept["phase"])
        record.cache, record.cache_note = CacheStatus(kept["cache"][0]), kept["cache"][1]
        record.started, record.ended = kept["times"]
        record.is_timed = kept.get("is_timed", True)
        record.attempts, record.retries = kept["attempts"], tuple(kept["retries"])
        record.log, record.log_size = [kept["log"]] if kept["log"] else None, len(kept["log"])
        record.links = tuple((name, uri) for name, uri in kept["links"])
        record.place = kept["place"]
        record.decks = tuple(_Deck(name, html) for name, html in kept["decks"])
        record.done, record.total = kept["progress"]
        record.waited_for = tuple(kept["waited_for"])
        facts = restore(record, kept)
        record.kept_facts = facts if is_comparable else None
        self.journal.records[path] = record
        if kept["error"] is not None:
            record.error = self._failure(kept["error"])

    def finish(self, body: Mapping[str, Any], head: Mapping[str, Any]) -> None:
        """Add the events and the failures of the run."""
        self.journal.restore(map(_event, body["events"]))
        record = self.journal.run_record
        record.phase, record.started, record.ended = Phase(head["phase"]), head["started"], head["ended"]
        record.reads = () if body.get("has_same_files") else None  # the copies are compared
        failures = [self._failure(each) for each in body["failures"]]
        if failures:
            self.outcomes.failure, self.outcomes.also_failed = failures[0], tuple(failures[1:])
        self.ending.finished.set()

    def _failure(self, kept: Mapping[str, Any]) -> Failure:
        """Return a failure; those with the same error have the same exception, by which they are found together."""
        key = (kept["type"], kept["message"], kept["trace"])
        error = self._errors.get(key)
        if error is None:
            error = self._errors[key] = type(kept["type"], (KeptTaskError,), {})(kept["message"])
            error.__cause__ = RemoteTraceError(kept["trace"])
        record = self.journal.records.get(kept["path"])
        getters = () if record is None else record.getters
        return Failure(
            kept["path"],
            error,
            Phase(kept["phase"]),
            kept["message"],
            tuple(kept["retries"]),
            getters,
            self.workspace,
        )

    def cancel(self) -> None:
        """Do nothing: the run is over."""


class _Outputs:
    def __init__(self, outputs: Mapping[str, CrossingValue]) -> None:
        self.outputs: Mapping[str, CrossingValue | None] = outputs


class _NoGates:
    questions: Mapping[str, str] = {}

    def answer(self, run: Any, path: str, answer: Any) -> None:
        """Raise FlytenbError: no gate waits in a run that is over."""
        raise FlytenbError(f"no gate waits at {path!r}", hint="the run is over")


def _event(kept: list[Any]) -> RunEvent:
    time, kind, path, phase, cache, text, attempt, done, total, graph, *others = kept
    return RunEvent(
        time,
        kind,
        path,
        None if phase is None else Phase(phase),
        text,
        attempt,
        None if cache is None else CacheStatus(cache),
        done,
        total,
        None if graph is None else Graph.from_json(graph),
        others[0] if others else None,
    )
