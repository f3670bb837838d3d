"""State of a node that runs on a cluster, and why it failed there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from flytenb.bridge.cluster.execution_facts import Ran
from flytenb.bridge.cluster.remote_values import RemoteValues
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.errors import RemoteTaskError, RemoteTraceError
from flytenb.locks import cached_property
from flytenb.runner.failure import Failure
from flytenb.runner.record import Record, RunLog
from flytenb.runner.use import Getter
from flytenb.ship.pod_trace import name_cells

_MESSAGE = re.compile(r"^Message:\s*\n", flags=re.M)


class RemoteRecord(Record):
    """The state of one node of an execution; its values are fetched when they are read.

    Args:
        path: the path of the node.
        run_log: returns the journal.
        entity: the notebook's entity, None if it isn't known.

    Attributes:
        remote_values: the values, None before the node has started.
    """

    __slots__ = ("_entity", "remote_values")

    def __init__(self, path: str, run_log: Callable[[], RunLog | None], entity: Any = None) -> None:
        super().__init__(path, run_log)
        self._entity = entity
        self.remote_values: RemoteValues | None = None

    @property
    def entity(self) -> Any:
        """The notebook's entity; None if it isn't known, and for a branch."""
        return self._entity

    @property
    def getters(self) -> Sequence[tuple[str, Getter]]:
        """Functions that return the inputs, by name."""
        values = {} if self.remote_values is None else self.remote_values.inputs()
        return [(name, value.native) for name, value in values.items()]

    @property
    def outputs(self) -> dict[str, CrossingValue | None]:
        """The outputs by name."""
        return {} if self.remote_values is None else {**self.remote_values.outputs()}


class RemoteDeck:
    """The decks of a node on one page, fetched when it is read.

    Attributes:
        name: always `deck`.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        self.name = "deck"
        self._read = read

    @cached_property
    def html(self) -> str:
        """The page."""
        return self._read()


def remote_failure(path: str, ran: Ran, record: Record | None, workspace: Workspace) -> Failure:
    """Return why a node or the whole execution failed, from the message of the cluster."""
    text = ran.message.strip() or "the cluster gives no reason"
    error = RemoteTaskError(_last_message(text))
    if error.message != text:
        trace = textwrap.dedent(_MESSAGE.split(text)[0].partition("Trace:\n")[2]).strip("\n")
        error.__cause__ = RemoteTraceError(name_cells(trace or text))
    retries = () if record is None else record.retries
    getters: Sequence[tuple[str, Getter]] = () if record is None else _Later(record)
    return Failure(path, error, ran.phase, error.message, retries, getters, workspace)


class _Later(Sequence[tuple[str, Getter]]):
    """The functions that return the inputs of a node, asked for when they are needed."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __getitem__(self, index: Any) -> Any:
        return self._record.getters[index]

    def __len__(self) -> int:
        try:
            return len(self._record.getters)
        except Exception:  # the cluster doesn't answer
            return 0


def _last_message(text: str) -> str:
    """Return the message of an exception without the traceback that a pod puts before it."""
    parts = _MESSAGE.split(text)
    if len(parts) > 1:
        return textwrap.dedent(parts[-1]).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if "Traceback (most recent call last)" in text else text
