"""What a resumed run takes from an earlier one: the outputs of each node, unless what they depend on has changed.

A node's code, files, settings and inputs are compared when it starts. Inputs from a re-used node are the same objects,
so that only the values of nodes that ran again are compared by content.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal
from flytenb.bridge.entities.gate import read_gate
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.kept_values import AbsentValue, StoredValue
from flytenb.errors import headline
from flytenb.model import CacheStatus, Graph, Phase, RunEvent
from flytenb.runner.input_equality import InputEquality
from flytenb.runner.journal import Journal
from flytenb.runner.output_files import changed_file
from flytenb.runner.record import WERE_SET, Record, ReusedFrom
from flytenb.wording.kinds import constant_text

PlaceOf = Callable[[str], str]
"""Returns where a name was defined last, as in ` in cell 12`; `""` if that isn't known."""


class EarlierRun(Protocol):
    """A run as a later one resumes it."""

    @property
    def journal(self) -> Journal: ...

    @property
    def workspace(self) -> Workspace: ...


@dataclass(frozen=True)
class Resumption:
    """How a run is resumed.

    Attributes:
        from_node: the node that runs again in any case, with all that follows; every other node whose inputs are the
            same is re-used, whether or not its code is. `""` if nothing but changes decides.
        keeps_answers: whether gates take the answers of the earlier run.
    """

    from_node: str = ""
    keeps_answers: bool = False


class Past:
    """The nodes of an earlier run.

    Args:
        earlier: that run.
        graph: returns its graph.
        resumption: how it is resumed.
        place_of: where a name was defined last.
    """

    def __init__(
        self, earlier: EarlierRun, graph: Callable[[], Graph], resumption: Resumption, place_of: PlaceOf
    ) -> None:
        self._graph = graph
        self.resumption = resumption
        self._journal = earlier.journal
        self._place_of = place_of
        began = earlier.journal.run_record.started
        self.name = f"the run of {time.strftime('%H:%M:%S', time.localtime(began))}" if began else "a run not started"
        self._equality = InputEquality(earlier.journal, earlier.workspace)
        self._fresh: set[str] = set()

    def graph(self) -> Graph:
        """Return the graph of the earlier run."""
        return self._graph()

    # --- which nodes run in any case ---------------------------------------------------------------------------

    def follow(self, links: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Note which nodes of one workflow follow the node that runs again; each comes after those it waits for."""
        start = self.resumption.from_node
        for path, sources in links:
            if path == start or any(s in self._fresh or s == start or start.startswith(f"{s}/") for s in sources):
                self._fresh.add(path)

    def _is_fresh(self, path: str) -> bool:
        start = self.resumption.from_node
        if not start:
            return False
        at = path
        while at:
            if at == start or at in self._fresh:
                return True
            at = at.rpartition("/")[0]
        return False

    # --- nodes -------------------------------------------------------------------------------------------------

    def record_of(self, path: str) -> Record | None:
        """Return what is known of a node in the earlier run."""
        return self._journal.records.get(path)

    def recall(self, record: Record) -> dict[str, CrossingValue] | None:
        """Return the outputs of a node that need not run, else None; its record then says why.

        The code of the node and what it sends to a service are in its record already.
        """
        old = self.record_of(record.path)
        outputs = self._take(record, old, self._compare(record, old))
        if outputs is None or old is None:
            return None
        record.reads, record.log, record.links, record.decks = old.reads, old.log, old.links, old.decks
        return outputs

    def body_of(self, record: Record) -> Any:
        """Return the workflow that a dynamic's function built, if it would build it again, else None."""
        old = self.record_of(record.path)
        why = self._compare(record, old, is_body=True)
        if why or old is None:
            record.rerun = why
            return None
        record.reads = old.reads
        return old.built

    def answer_of(self, record: Record, gate: Any) -> dict[str, CrossingValue] | None:
        """Return the outputs of a gate that need not ask again, else None."""
        old = self.record_of(record.path)
        why = "" if self.resumption.keeps_answers or gate.kind == "sleep" else "gates ask again"
        return self._take(record, old, why or self._compare(record, old, is_gate=True))

    def _take(self, record: Record, old: Record | None, why: str) -> dict[str, CrossingValue] | None:
        """Return the outputs of a node and mark it, unless there is a reason why it has to run."""
        outputs: dict[str, CrossingValue] = {}
        changed = record.rerun
        if not why and old is not None:
            why, outputs = self._outputs(record, old)
        record.rerun = why
        if why or old is None:
            return None
        self.mark(record, old, changed)
        return outputs

    def inside(self, path: str) -> tuple[list[Record], list[RunEvent]]:
        """Return the nodes inside a node, and the events that added their graphs."""
        below = f"{path}/"
        records = [old for at, old in [*self._journal.records.items()] if at.startswith(below)]
        spawned = [e for e in self._journal.spawned[:] if e.path == path or e.path.startswith(below)]
        return records, spawned

    def mark(self, record: Record, old: Record, why: str = "") -> None:
        """Mark a node as re-used; `why` says what has changed nevertheless."""
        took = None if old.started is None or old.ended is None else old.ended - old.started
        origin = old.origin or ReusedFrom(self.name, took)
        record.origin = origin._replace(run=f"{origin.run}, although {why}") if why else origin
        record.files = old.files
        record.cache = CacheStatus.REUSED

    def mark_if_all(self, record: Record, records: Mapping[str, Record]) -> None:
        """Mark a container as re-used if every node inside it is, or was skipped."""
        old, below = self.record_of(record.path), f"{record.path}/"
        if old is None or old.phase is not Phase.SUCCEEDED or record.entity is None:
            return
        inside = [node for path, node in records.items() if path.startswith(below)]
        if inside and all(node.cache is CacheStatus.REUSED or node.phase is Phase.SKIPPED for node in inside):
            self.mark(record, old)

    # --- comparison --------------------------------------------------------------------------------------------

    def _compare(self, record: Record, old: Record | None, *, is_body: bool = False, is_gate: bool = False) -> str:
        """Return why a node has to run, `""` if it need not."""
        record.rerun = ""
        if old is None or old.started is None:
            return f"it didn't run in {self.name}"
        if self._is_fresh(record.path):
            start = self.resumption.from_node
            return "it was asked to run again" if record.path == start else f"it follows {start!r}, which runs again"
        if old.rerun == WERE_SET:
            return f"{WERE_SET} in {self.name}"
        facts = old.facts
        if facts is None:
            return f"what it was in {self.name} isn't known"
        if short_name(record.entity) != facts.name:
            return f"{facts.name!r} was at this place in {self.name}"
        if is_body:
            if old.built is None:
                return f"its body isn't known from {self.name}"
        elif self.resumption.from_node.startswith(f"{record.path}/"):
            return f"{self.resumption.from_node!r} in it runs again"
        elif old.phase is not Phase.SUCCEEDED:
            return f"it {_ENDS.get(old.phase, constant_text(old.phase))} in {self.name}"
        if is_gate:
            why = "" if read_gate(record.entity) == read_gate(old.entity) else "it was redefined"
        else:  # the nodes of an earlier body would call earlier definitions
            why = self._compare_code(record, old)
            if self.resumption.from_node and not is_body:
                record.rerun, why = why, ""
        return why or self._equality.difference(record, old, self.name)

    def _compare_code(self, record: Record, old: Record) -> str:
        now, before = record.code, old.code
        if now is None or before is None:
            return f"what its code was in {self.name} isn't known"
        if now.unread or before.unread:
            return f"its code can't be proven unchanged: {now.unread or before.unread}"
        if now.digest != before.digest:
            if old.entity is not None and record.entity is not old.entity and self._is_own_code(record, old):
                name = short_name(record.entity)
                return f"`{name}` was redefined{self._place_of(name)}"
            changed = [f"`{name}` was redefined{self._place_of(name)}" for name in before.rebound()]
            return ", ".join(changed[:3]) or "what its code reaches has changed"
        if record.facts != old.facts:
            return "its settings have changed"
        if old.cache is CacheStatus.HIT:
            return f"its outputs came from the cache in {self.name}, which is asked again"
        if not isinstance(old.reads, tuple):
            return old.reads or "the files that it read aren't known"
        changed_read = next((read for read in old.reads if not read.is_current()), None)
        if changed_read is not None and changed_read.how == "cwd":
            return f"it read files below {changed_read.name!r}, which was the working directory"
        if changed_read is not None:
            return f"{_READ.get(changed_read.how, 'file')} {changed_read.name!r} has changed"
        if record.sent != old.sent:
            return "its image or what is sent to its service has changed"
        return ""

    def _is_own_code(self, record: Record, old: Record) -> bool:
        """Return whether the entity itself was redefined, and not only what it reaches."""
        names = {*(old.code.rebound() if old.code is not None else ())}
        return not names or short_name(record.entity) in names

    def _outputs(self, record: Record, old: Record) -> tuple[str, dict[str, CrossingValue]]:
        """Return the outputs of the earlier run, as the present types, or why there are none."""
        changed = changed_file(old)
        if changed:
            return changed, {}
        types = record.entity.python_interface.outputs
        found: dict[str, CrossingValue] = {}
        for name, value in old.outputs.items():
            if value is None:
                return f"its output {name!r} of {self.name} isn't kept any more", {}
            try:
                if isinstance(value, AbsentValue | StoredValue):
                    value.require()
                found[name] = self._as_declared(value, types[name])
            except Exception as e:
                return f"its output {name!r} of {self.name} can't be read: {headline(e)}", {}
        return "", found

    def _as_declared(self, value: CrossingValue, declared: Any) -> CrossingValue:
        """Return a value with the type that is declared now: its class may have been defined again with equal code."""
        if value.python_type is declared or value.python_type == declared:
            return value
        made = from_literal(value.literal(), declared)
        self._equality.note_same(made, value)
        return made


_ENDS: Mapping[Phase, str] = {
    Phase.FAILED: "failed",
    Phase.ABORTED: "was stopped",
    Phase.SKIPPED: "was skipped",
    Phase.TIMED_OUT: "took longer than its timeout",
    Phase.RUNNING: "hadn't ended",
}
_READ = {"folder": "the directory", "glob": "what is found by", "program": "the program", "code": "the code of"}
