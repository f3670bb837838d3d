"""What the nodes of one execution share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit

from tests.cluster.pods import Pods
from tests.cluster.records import ExecutionRecord, Records
from tests.cluster.registry import Registry
from tests.cluster.settings import Settings
from tests.cluster.stop import Stop
from tests.cluster.storage import Storage

Launch = Callable[[execution_pb2.ExecutionCreateRequest], ids.WorkflowExecutionIdentifier]


@dataclass(frozen=True)
class Engine:
    """The parts of the cluster and one of its executions.

    Attributes:
        handlers: what runs each kind of node.
        environment: variables that every pod has.
        launch: creates an execution.
        terminate: aborts one.
        record: the execution.
        stop: set when it is aborted.
        cached: outputs of cached tasks, by their key.
        reservations: who runs a task whose cache is serialized, and until when, by the key of its outputs.
        recovered: the execution whose nodes are used again.
    """

    settings: Settings
    handlers: Mapping[str, Callable[[Any], lit.LiteralMap]]
    storage: Storage
    pods: Pods
    records: Records
    registry: Registry
    environment: Mapping[str, str]
    launch: Launch
    terminate: Callable[[execution_pb2.ExecutionTerminateRequest], None]
    cached: dict[str, lit.LiteralMap]
    reservations: dict[str, tuple[str, float]]
    record: ExecutionRecord
    recovered: ExecutionRecord | None = None
    stop: Stop = field(default_factory=Stop)
    slots: Slots = field(default_factory=lambda: Slots(25))

    @property
    def id(self) -> ids.WorkflowExecutionIdentifier:
        found: ids.WorkflowExecutionIdentifier = self.record.message.id
        return found

    @property
    def folder(self) -> str:
        name = f"{self.id.project}-{self.id.domain}-{self.id.name}"
        return self.storage.uri("metadata", "propeller", name)


class Slots:
    """Places for nodes that run at the same time."""

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._free = count

    @contextmanager
    def taken(self, stop: Stop) -> Iterator[None]:
        with stop.calling(self._wake), self._changed:
            self._changed.wait_for(lambda: stop.is_set or self._free > 0)
            stop.check()
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
