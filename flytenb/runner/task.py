"""Tasks: one step that calls the task, or takes the cached outputs of an equal call."""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING, Any

from flytenb.bridge.execution.calls import HookedCall
from flytenb.bridge.stopping import current_attempt
from flytenb.cache.task_cache import single_flight
from flytenb.errors import headline
from flytenb.model import CacheStatus
from flytenb.runner.record import Record
from flytenb.runner.step import EntityStep, RunControl, Scope
from flytenb.runner.tracked_runs import MLFLOW, note_links

if TYPE_CHECKING:
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.execution.calls import Call
    from flytenb.cache.task_cache import TaskCache


class TaskStep(EntityStep):
    """Call a task: take the inputs from earlier nodes, pack the outputs for later ones."""

    __slots__ = ("cache", "call")

    def __init__(self, record: Record, scope: Scope, call: Call, cache: TaskCache | None = None) -> None:
        super().__init__(record, scope)
        self.call = call
        self.cache = cache

    def execute(self, run: RunControl) -> None:
        # Inlined for speed: this is the most frequent step, and the call enters a context anyway.
        use, wires, call = self.use, self.wires, self.call
        if self.cache is None and isinstance(call, HookedCall):  # a hit runs no hooks, so the key comes first
            call = call.begin(run.workspace)
        values, unpackers = wires.values, wires.unpackers
        try:
            inputs = {name: unpackers[number](values.get(key)) for name, key, number in use.inputs}  # type: ignore[arg-type]
        except Exception as e:
            self.explain_input(e)
            raise
        try:
            if self.cache is None:
                outputs = call(run.workspace, inputs)
            else:
                outputs = call_cached(self.cache, self.record, run, inputs, call)
        finally:
            if MLFLOW in modules or current_attempt().links:
                note_links(self.record)
        for name, key in use.outputs:
            values[key] = outputs.get(name)


def call_cached(
    cache: TaskCache, record: Record, run: RunControl, inputs: dict[str, Any], call: Call
) -> dict[str, CrossingValue]:
    """Return cached outputs, else call and store; equal calls wait for the first one's result.

    A cache error (a full disk, an unreadable value) costs time but doesn't fail the run.
    """
    run.workspace.enter_unmade()
    try:
        key = cache.key(inputs, record.hashes())
    except Exception as e:
        return _call_uncached(record, run, inputs, call, e)
    with single_flight(key):
        try:
            found = cache.get(key)
        except Exception as e:
            return _call_uncached(record, run, inputs, call, e)
        if found is not None:
            record.cache = CacheStatus.HIT
            return found
        record.cache = CacheStatus.MISS
        reads = cache.reads(inputs)
        with reads.watch():
            outputs = call(run.workspace, inputs)
        try:
            cache.put(key, outputs, reads)
            record.cache = CacheStatus.POPULATED
        except Exception as e:
            run.journal.note(record, f"the cache could not store this: {headline(e)}\n")
        return outputs


def _call_uncached(
    record: Record, run: RunControl, inputs: dict[str, Any], call: Call, why: Exception
) -> dict[str, CrossingValue]:
    record.cache = CacheStatus.SKIPPED
    run.journal.note(record, f"the cache was not asked: {headline(why)}\n")
    return call(run.workspace, inputs)
