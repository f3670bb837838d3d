"""Dynamics: one step that runs the function and adds its nodes, and one that collects the outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.bridge.execution.dynamic import compile_dynamic
from flytenb.cache.task_cache import TaskCache
from flytenb.errors import headline
from flytenb.model import CacheStatus
from flytenb.reach.file_reads import FileReads
from flytenb.reach.staleness import recompile_inner
from flytenb.runner.kept_code import KeptCode
from flytenb.runner.nesting import check_level
from flytenb.runner.record import Record
from flytenb.runner.step import EntityStep, Expansion, RunControl, Scope
from flytenb.runner.subworkflow import ExitStep
from flytenb.runner.task import note_miss

BuildInside = Callable[[EntityStep, Any, ExitStep], Expansion]
"""Plans the workflow that a dynamic's function built."""


class DynamicStep(EntityStep):
    """Compile the dynamic with its inputs and add its nodes to the run, unless the outputs are cached."""

    __slots__ = ("build", "cache", "closing", "code")

    def __init__(
        self,
        record: Record,
        scope: Scope,
        build: BuildInside,
        closing: DynamicExitStep,
        code: KeptCode,
        cache: TaskCache | None,
    ) -> None:
        super().__init__(record, scope, is_closing=False)
        self.build = build
        self.closing = closing
        self.code = code
        self.cache = cache

    def execute(self, run: RunControl) -> Expansion:
        record = self.record
        record.code = self.code.now()
        past = self.past_of(run)
        if past is not None:
            run.workspace.enter()
            record.built = past.body_of(record)
            if record.built is not None:
                return self._build(run, record.built)
        inputs = self.take_inputs(run)
        if self.cache is not None and self._find(self.cache, run, inputs):
            return Expansion(Scope(self.path, self.scope, closing=self.closing), {})
        with self.code.watch(record, inputs):
            record.built = compile_dynamic(self.use.entity, inputs, run.workspace)
        return self._build(run, record.built)

    def _build(self, run: RunControl, workflow: Any) -> Expansion:
        check_level(self.scope.level + 1, self.path, run.journal.records)
        with run.workspace.outside():
            recompile_inner(workflow)
        return self.build(self, workflow, self.closing)

    def _find(self, cache: TaskCache, run: RunControl, inputs: dict[str, Any]) -> bool:
        """Take the outputs from the cache, or let the closing step store them."""
        try:
            key = cache.key(inputs, self.record.hashes())
            found = cache.get(key)
        except Exception as e:
            self.record.cache = CacheStatus.SKIPPED
            self.record.cache_note = f"can't be proven: {headline(e)}"
            run.journal.note(self.record, f"the cache was not used: {headline(e)}\n")
            return False
        if found is None:
            self.record.cache = CacheStatus.MISS
            note_miss(self.record, cache, key, inputs)
            self.closing.reads = cache.reads(inputs)
            self.closing.store = lambda outputs: cache.put(key, outputs, self.closing.reads)
            self.closing.reads.begin()
            return False
        self.record.cache = CacheStatus.HIT
        self.put_outputs(found, run)
        return True


class DynamicExitStep(ExitStep):
    """Collect a dynamic's outputs; store them if it is cached."""

    __slots__ = ("reads", "store")

    def __init__(self, record: Record, scope: Scope) -> None:
        super().__init__(record, scope)
        self.store: Callable[[dict[str, Any]], None] | None = None
        self.reads: FileReads | None = None

    def execute(self, run: RunControl) -> None:
        if self.reads is not None:
            self.reads.end()
        super().execute(run)
        if self.store is None:
            return
        try:
            self.store({name: value for name, value in self.record.outputs.items() if value is not None})
            self.record.cache = CacheStatus.POPULATED
        except Exception as e:
            run.journal.note(self.record, f"the cache could not store this: {headline(e)}\n")
