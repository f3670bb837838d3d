"""What a resumed run takes from two earlier ones: the latest, which may have ended early, and one that succeeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flytenb.bridge.crossing import CrossingValue
from flytenb.model import Graph, Phase, RunEvent
from flytenb.runner.past import EarlierRun, Past, PlaceOf, Resumption
from flytenb.runner.record import Record

T = TypeVar("T")


class TwoPasts(Past):
    """The nodes of the latest run; of the other one those that can't be taken from the latest.

    Why a node runs again is said of the latest run.

    Args:
        earlier: the latest run.
        graph: returns its graph.
        resumption: how it is resumed.
        place_of: where a name was defined last.
        good: the nodes of the other run.
    """

    def __init__(
        self, earlier: EarlierRun, graph: Callable[[], Graph], resumption: Resumption, place_of: PlaceOf, good: Past
    ) -> None:
        super().__init__(earlier, graph, resumption, place_of)
        self._good = good
        self._from_good: set[str] = set()

    def recall(self, record: Record) -> dict[str, CrossingValue] | None:
        return self._first(record, super().recall(record), lambda: self._good.recall(record))

    def body_of(self, record: Record) -> Any:
        return self._first(record, super().body_of(record), lambda: self._good.body_of(record))

    def answer_of(self, record: Record, gate: Any) -> dict[str, CrossingValue] | None:
        return self._first(record, super().answer_of(record, gate), lambda: self._good.answer_of(record, gate))

    def _first(self, record: Record, found: T | None, take: Callable[[], T | None]) -> T | None:
        if found is not None:
            return found
        why = record.rerun
        other = take()
        record.rerun = why if other is None else ""
        if other is not None:
            self._from_good.add(record.path)
        return other

    def inside(self, path: str) -> tuple[list[Record], list[RunEvent]]:
        return self._good.inside(path) if path in self._from_good else super().inside(path)

    def mark_if_all(self, record: Record, records: Mapping[str, Record]) -> None:
        old = self.record_of(record.path)
        is_whole = old is not None and old.phase is Phase.SUCCEEDED
        if is_whole:
            super().mark_if_all(record, records)
        else:
            self._good.mark_if_all(record, records)
