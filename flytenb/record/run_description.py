"""A run as bytes: its head, its body and its nodes. `kept_run` makes a run of them again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack

from flytenb.bridge.crossing import CrossingValue, is_same_type, packer
from flytenb.bridge.entities.source import input_types
from flytenb.bridge.execution.kept_values import StoredValue, write_value
from flytenb.errors import ClusterError, headline, say
from flytenb.model import Phase, RunEvent
from flytenb.model.workflow import Promise
from flytenb.record.read_back import reads_back
from flytenb.record.resume_facts import MADE_BY, describe, has_same_files
from flytenb.record.run_store import StoredRun, digests_in
from flytenb.runner.failure import Failure
from flytenb.runner.record import Record
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.wording.text import class_name
from flytenb.wording.values import LONG, brief

PLAIN_SETTINGS = ("workers", "strict", "cache", "processes", "engine", "network")
"""The settings that are kept; the others hold objects of the notebook."""


class RunDescription:
    """Writes one run, at its end or several times until then; a value is written once.

    Args:
        run: the run.
        files: the folder of its files; what an earlier description has left there is removed.

    Attributes:
        failure: why the first file that couldn't be written wasn't; empty if all were.
    """

    def __init__(self, run: Run, files: Path) -> None:
        self._run = run
        self._files = files
        shutil.rmtree(files, ignore_errors=True)
        self.failure = ""
        self._places: dict[int, list[str]] = {}
        self._values: dict[str, dict[str, Any]] = {}
        self._held: list[CrossingValue] = []

    def write(self, *, is_over: bool = True) -> StoredRun:
        """Write the files of the values, and return the rest; of a run that isn't over, that of its ended nodes."""
        run = self._run
        root = run._root
        inputs = self._put("@inputs", run._inputs)
        nodes = {path: self._node(record) for path, record in [*run._scheduler.journal.records.items()]}
        outputs = self._put("@outputs", run._plan.outputs if run.phase is Phase.SUCCEEDED else {})
        rows = {path: {"node": nodes.get(path), "values": self._values.get(path, {})} for path in nodes | self._values}
        head = {
            "name": run.name,
            "entity": run.entity.name,
            "phase": str(run.phase if is_over else Phase.ABORTED),
            "started": run.started,
            "ended": run._scheduler.journal.run_record.ended if is_over else time.time(),
            "why": _why(run) if is_over else "it hadn't ended when it was kept",
            "nodes": len(run.nodes),
        }
        body = {
            "settings": {name: getattr(run.settings, name) for name in PLAIN_SETTINGS},
            "graph": run._static_graph.get().to_json(),
            "given": run._given,
            "tuple": root.interface.output_tuple_name or "",
            "failures": [_failure(each) for each in (run.error, *run.also_failed) if each is not None],
            "events": [_event(event) for event in run.events if event.kind != "log"],
            "inputs": inputs,
            "outputs": outputs,
            "made_by": MADE_BY,
            "has_same_files": has_same_files(run._scheduler.journal.run_record),
        }
        if not is_over:
            for node in nodes.values():
                _end(node)
        return StoredRun(pack(head), pack(body), {path: pack(row) for path, row in rows.items()})

    def _node(self, record: Record) -> dict[str, Any]:
        return {
            "phase": str(record.phase),
            "times": [record.started, record.ended],
            "is_timed": record.is_timed,
            "attempts": record.attempts,
            "cache": [str(record.cache), record.cache_note],
            "error": None if record.error is None else _failure(record.error),
            "retries": list(record.retries),
            "log": "".join(record.log or ()),
            "links": [list(link) for link in record.links],
            "place": record.place,
            "decks": _decks(record),
            "progress": [record.done, record.total],
            "waited_for": list(record.waited_for),
            "inputs": {} if record.ended is None or record.started is None else self._inputs(record),
            "outputs": self._put(record.path, _outputs(record)) if record.phase is Phase.SUCCEEDED else {},
            **describe(record),
        }

    # --- values --------------------------------------------------------------------------------------------------

    def _put(self, path: str, values: Mapping[str, CrossingValue | None]) -> dict[str, list[str]]:
        return {name: self._place(path, name, value) for name, value in values.items() if value is not None}

    def _place(self, path: str, name: str, value: CrossingValue) -> list[str]:
        """Describe a value, unless it is the same object as an earlier one; return the place of its description."""
        place = self._places.get(id(value))
        if place is None:
            place = self._places[id(value)] = [path, name]
            self._held.append(value)  # so that its id isn't reused
            self._values.setdefault(path, {})[name] = self._describe(value)
        return place

    def _describe(self, value: CrossingValue) -> dict[str, Any]:
        folder = self._files / str(len(self._held))
        try:
            written = write_value(value, self._run._scheduler.workspace, folder)
        except Exception as e:  # a transformer may raise anything
            if isinstance(e, OSError):
                self.failure = self.failure or say(e)
            return {"text": self._text(value), "why": say(e)}
        stored = StoredValue(lambda: (written.literal, written.orders), value.python_type, lambda: None)
        form: dict[str, Any] = {
            "literal": written.literal,
            "type": written.literal_type,
            "name": written.type_name,
            "orders": [*written.orders],
            "is_exact": reads_back(value, stored, self._run._scheduler.workspace),
        }
        files = digests_in(folder)
        return {**form, "folder": folder.name, "files": files} if files else form

    def _text(self, value: CrossingValue) -> str:
        try:
            with self._run._scheduler.workspace.entered():
                return brief(value.native(), LONG)
        except Exception as e:
            return f"<{headline(e)}>"

    def _inputs(self, record: Record) -> dict[str, Any]:
        """Describe the inputs of a node: where they are passed as they are, by the place of the value."""
        use, wires = record.use, record.wires
        if use is None or wires is None:  # it was re-used from a kept run, or ran on a cluster
            try:
                held = {name: record.whole_input(name) for name, _ in record.getters}
            except ClusterError:
                return {}
            return {n: self._place(f"{record.path}/@taken", n, v) for n, v in held.items() if v is not None}
        types: Mapping[str, Any] = input_types(use.entity)
        bindings: Mapping[str, Any] = use.bindings
        if use.entity is None:  # a branch, whose inputs are named after what they are compared with
            bindings = {ref.output: ref for ref in bindings.values() if isinstance(ref, Promise)}
            types = {name: ref.python_type for name, ref in bindings.items()}
        found = {}
        for (name, key, _), (_, take) in zip(record.inputs, record.getters, strict=True):
            bound, declared = bindings.get(name), types.get(name)
            value = None if key is None else wires.values.get(key)
            is_whole = isinstance(bound, Promise) and not bound.attributes
            if value is not None and is_whole and is_same_type(value.python_type, declared):
                assert key is not None
                found[name] = self._place(*key, value)
            else:
                found[name] = self._taken(record.path, name, take, declared)
        return found

    def _taken(self, path: str, name: str, take: Any, declared: Any) -> list[str]:
        door = f"{path}/@taken"
        if name in self._values.get(door, {}):
            return [door, name]
        try:
            with self._run._scheduler.workspace.entered():
                return self._place(door, name, packer(declared)(take()))
        except Exception as e:
            self._values.setdefault(door, {})[name] = {"text": f"<{headline(e)}>", "why": say(e)}
            return [door, name]


def _why(run: Run) -> str:
    return "" if run.error is None else headline(run.error.exception).partition("\n")[0]


def _end(node: dict[str, Any]) -> None:
    """Let a node that goes on count as aborted, and one that waits too."""
    if not Phase(node["phase"]).is_terminal:
        started, _ = node["times"]
        node |= {"phase": str(Phase.ABORTED), "times": [started, None if started is None else time.time()]}


def _decks(record: Record) -> list[list[str]]:
    """Return the decks of a node by name and page; those of a cluster that doesn't answer are left out."""
    found = []
    for deck in record.decks:
        with suppress(ClusterError):
            found.append([str(deck.name), deck.html])
    return found


def _outputs(record: Record) -> Mapping[str, CrossingValue | None]:
    """Return the outputs of a node, without those of a cluster that doesn't answer."""
    try:
        return record.outputs
    except ClusterError:
        return {}


def pack(data: Any) -> bytes:
    """Return plain data as bytes; text that isn't valid Unicode too."""
    packed: bytes = msgpack.packb(data, use_bin_type=True, unicode_errors="surrogatepass")
    return packed


def unpack(data: bytes) -> Any:
    """Return the plain data of bytes."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False, unicode_errors="surrogatepass")


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "path": failure.path,
        "type": class_name(failure.exception),
        "message": failure.message,
        "phase": str(failure.phase),
        "retries": list(failure.retries),
        "trace": failure.full(),
    }


def _event(event: RunEvent) -> list[Any]:
    plain = [None if field is None else str(field) for field in (event.phase, event.cache)]
    graph = None if event.graph is None else event.graph.to_json()
    numbers = event.attempt, event.done, event.total
    return [event.time, event.kind, event.path, *plain, event.text, *numbers, graph, event.took]


def settings_of(kept: Mapping[str, Any]) -> Settings:
    """Return kept settings, the defaults if they aren't accepted any more."""
    try:
        return Settings(**{name: value for name, value in kept.items() if name in PLAIN_SETTINGS})
    except Exception:
        return Settings()
