"""Tasks: one step that calls the task, or takes the cached outputs of an equal call."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from sys import modules
from typing import TYPE_CHECKING, Any

from flytenb.bridge.execution.calls import HookedCall
from flytenb.bridge.execution.container import ContainerCall
from flytenb.bridge.execution.task_in_image import ImageCall
from flytenb.bridge.stopping import current_attempt
from flytenb.errors import headline
from flytenb.model import CacheStatus
from flytenb.reach.moment import end_moment
from flytenb.runner.kept_code import KeptCode, note_reads, sent_by
from flytenb.runner.output_files import note_files
from flytenb.runner.record import Record
from flytenb.runner.resources import resources
from flytenb.runner.step import EntityStep, RunControl, Scope
from flytenb.runner.tracked_runs import MLFLOW, note_links

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.bridge.execution.calls import Call
    from flytenb.cache.task_cache import TaskCache
    from flytenb.runner.shared_nodes import SweepRow


class TaskStep(EntityStep):
    """Call a task: take the inputs from earlier nodes, pack the outputs for later ones."""

    __slots__ = ("cache", "call", "code")

    def __init__(self, record: Record, scope: Scope, call: Call, code: KeptCode, cache: TaskCache | None) -> None:
        super().__init__(record, scope)
        self.call = call
        self.code = code
        self.cache = cache

    def execute(self, run: RunControl) -> None:
        record = self.record
        record.code = self.code.now()
        past, row = self.past_of(run), run.row
        if past is not None or row is not None:
            self._note_image()
        if past is not None:
            run.workspace.enter_unmade()
            kept = past.recall(record)
            if kept is not None:
                self.put_outputs(kept, run)
                return
        if row is not None and self.scope.is_resumable:
            self._share(row, run)
        else:
            self._call(run)

    def _note_image(self) -> None:
        """Record the digest of the image, which the engine knows best after the call."""
        if isinstance(self.call, ContainerCall | ImageCall) and not self.record.sent:
            self.record.sent = sent_by(self.call.digest)

    def _share(self, row: SweepRow, run: RunControl) -> None:
        """Take the outputs of an equal call in another run, or call."""
        run.workspace.enter_unmade()
        key = row.nodes.key(self.record, self._take())
        if not key:
            self._call(run)
            return
        with row.nodes.flights.of(key.hex()):
            found = row.nodes.take(key, self.record)
            if found is not None:
                self.put_outputs(found, run)
                return
            began = time.monotonic()
            self._call(run)
            row.nodes.put(key, self.record, row.name, time.monotonic() - began)

    def _call(self, run: RunControl) -> None:
        call = self.call
        try:
            if self.cache is not None:
                outputs = self._execute_cached(self.cache, run)
            else:
                if isinstance(call, HookedCall):
                    call = call.begin(run.workspace)
                if self.may_move or self.code.may_open:
                    inputs = self._take()
                    with self.code.watch(self.record, inputs):
                        outputs = call(run.workspace, inputs)
                else:
                    outputs = call(run.workspace, self._take())
        finally:
            if MLFLOW in modules or current_attempt().links:
                note_links(self.record)
        self._note_image()
        values = self.wires.values
        for name, key in self.use.outputs:
            values[key] = outputs.get(name)
        if self.code.may_give_files:
            note_files(self.record, run.workspace)

    def _take(self) -> dict[str, Any]:
        """Take the inputs in the current context: the call enters one anyway, and this is the most frequent step."""
        values, unpackers = self.wires.values, self.wires.unpackers
        try:
            return {name: unpackers[number](values.get(key)) for name, key, number in self.use.inputs}  # type: ignore[arg-type]
        except Exception as e:
            self.explain_input(e)
            raise

    def _execute_cached(self, cache: TaskCache, run: RunControl) -> dict[str, CrossingValue]:
        """Take the cached outputs, else call; a hit runs hooks only if its key needs `pre_execute`."""
        call, record = self.call, self.record
        run.workspace.enter_unmade()
        if not isinstance(call, HookedCall):
            inputs = self._take()
            return call_cached(cache, record, run, inputs, call)
        try:
            inputs = self._take()
            key = cache.key(inputs, record.hashes())
        except Exception:
            begun = call.begin(run.workspace)
            end_moment()
            return call_cached(cache, record, run, self._take(), begun)

        def begin(workspace: Workspace, _: dict[str, Any]) -> dict[str, CrossingValue]:
            return call.begin(workspace)(workspace, self._take())  # which may now convert to something else

        return call_cached(cache, record, run, inputs, begin, key)


def call_cached(
    cache: TaskCache,
    record: Record,
    run: RunControl,
    inputs: dict[str, Any],
    call: Call,
    key: str = "",
    template: Callable[[], str] | None = None,
) -> dict[str, CrossingValue]:
    """Return cached outputs, else call and store; equal calls wait for the first one's result.

    A cache error (a full disk, an unreadable value) costs time but doesn't fail the run. The `key` is made if it isn't
    given; `template` returns the digest of what a connector is sent. In the context of the node.
    """
    image = ""
    try:
        if not key:
            hashes, image = record.hashes(), call.digest() if isinstance(call, ContainerCall | ImageCall) else ""
            if template is not None:
                image = template()
            elif cache.is_plain:
                found = cache.get(cache.key(inputs, hashes, image, in_moment=True))
                if found is not None:
                    record.cache = CacheStatus.HIT
                    current_attempt().is_quiet = True
                    return found
            key = cache.key(inputs, hashes, image)
    except Exception as e:
        return _call_uncached(record, run, inputs, call, e)
    with resources.flights.of(key):
        try:
            found = cache.get(key)
        except Exception as e:
            return _call_uncached(record, run, inputs, call, e)
        if found is not None:
            record.cache = CacheStatus.HIT
            return found
        record.cache = CacheStatus.MISS
        note_miss(record, cache, key, inputs, image)
        reads = cache.reads(inputs)
        with reads.watch():
            outputs = call(run.workspace, inputs)
        note_reads(record, reads)
        try:
            cache.put(key, outputs, reads)
            record.cache = CacheStatus.POPULATED
        except Exception as e:
            run.journal.note(record, f"the cache could not store this: {headline(e)}\n")
        return outputs


def note_miss(record: Record, cache: TaskCache, key: str, inputs: dict[str, Any], image: str = "") -> None:
    """Note why a call isn't answered from the cache."""
    with suppress(Exception):  # which only costs the reason
        record.cache_note = cache.why_missed(key, inputs, record.hashes(), image)


def _call_uncached(
    record: Record, run: RunControl, inputs: dict[str, Any], call: Call, why: Exception
) -> dict[str, CrossingValue]:
    record.cache, record.reads = CacheStatus.SKIPPED, None
    record.cache_note = f"can't be proven: {headline(why)}"
    run.journal.note(record, f"the cache was not used: {headline(why)}\n")
    return call(run.workspace, inputs)
