"""The cache of tasks: the key is the task's name, cache version and interface, and its inputs; its reservations."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flyteidl.core import catalog_pb2, tasks_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from google.protobuf.message import Message

from tests.cluster.identifiers import key_of
from tests.cluster.records import copied

if TYPE_CHECKING:
    from tests.cluster.node_run import NodeRun

Status = catalog_pb2.CatalogCacheStatus


@dataclass(frozen=True)
class Entry:
    """What the cache knows of a node's task with its inputs."""

    run: NodeRun
    template: tasks_pb2.TaskTemplate
    is_serialized: bool

    @property
    def _key(self) -> str:
        task, cache = self.template.id, self.template.metadata
        ignored = set(cache.cache_ignore_input_vars)
        inputs = {name: each for name, each in self.run.inputs.literals.items() if name not in ignored}
        hashed = lit.LiteralMap(literals={name: _with_hashes(each) for name, each in inputs.items()})
        parts = (task.project, task.domain, task.name, cache.discovery_version)
        return "|".join((*parts, _digest(self.template.interface), _digest(hashed)))

    def found(self) -> lit.LiteralMap | None:
        """Return the outputs of an earlier run."""
        engine = self.run.engine
        if engine.record.message.spec.overwrite_cache:
            self.run.set_cache(Status.CACHE_SKIPPED)
            return None
        with engine.records.changed:
            outputs = engine.cached.get(self._key)
        self.run.set_cache(Status.CACHE_MISS if outputs is None else Status.CACHE_HIT, self._metadata())
        return outputs

    @contextmanager
    def reserved(self) -> Iterator[lit.LiteralMap | None]:
        """Run the body when no other node runs the task with these inputs, if the task asks for that.

        Yields what another one gave meanwhile. A node that fails doesn't release its reservation, which expires.
        """
        engine, run = self.run.engine, self.run
        if not self.is_serialized or engine.record.message.spec.overwrite_cache:
            yield None
            return
        outputs = self._reserve()
        if outputs is None:
            try:
                yield None
            except BaseException:
                with engine.records.changing():
                    engine.reservations[self._key] = run.unique_id, time.monotonic() + engine.settings.reservation
                raise
            with engine.records.changing():
                del engine.reservations[self._key]
        else:
            yield outputs

    def _reserve(self) -> lit.LiteralMap | None:
        """Wait in the phase QUEUED for the reservation; return what its owner has stored instead."""
        engine, run = self.run.engine, self.run
        with run.stop.calling(engine.records.notify), engine.records.changed:
            waited = False
            while True:
                run.stop.check()
                outputs = self.found() if waited else None
                _, expires = engine.reservations.get(self._key, ("", 0.0))
                left = expires - time.monotonic()
                if outputs is not None or left <= 0:
                    break
                waited = True
                engine.records.changed.wait(None if left == float("inf") else left)
            if outputs is None:
                engine.reservations[self._key] = run.unique_id, float("inf")
            return outputs

    def keep(self, outputs: lit.LiteralMap) -> None:
        if not self.template.interface.outputs.variables:
            self.run.set_cache(Status.CACHE_DISABLED)
            return
        with self.run.engine.records.changed:
            self.run.engine.cached[self._key] = outputs
        self.run.set_cache(Status.CACHE_POPULATED, self._metadata())

    def _metadata(self) -> catalog_pb2.CatalogMetadata:
        task, version = self.template.id, self.template.metadata.discovery_version
        dataset = ids.Identifier(
            resource_type=ids.DATASET,
            project=task.project,
            domain=task.domain,
            name=f"flyte_task-{task.name}",
            version=f"{version}-{_digest(self.template.interface)[:8]}",
        )
        tag = catalog_pb2.CatalogArtifactTag(name=f"flyte_cached-{hashlib.sha256(self._key.encode()).hexdigest()[:43]}")
        return catalog_pb2.CatalogMetadata(dataset_id=dataset, artifact_tag=tag)


def entry_of(run: NodeRun) -> Entry | None:
    """Return the entry of a node, None if it isn't that of a cached task."""
    if not run.node.HasField("task_node"):
        return None
    template = run.workflow.closure.tasks[key_of(run.node.task_node.reference_id)]
    metadata = run.node.metadata
    is_cached = metadata.cacheable if metadata.HasField("cacheable") else template.metadata.discoverable
    if not is_cached:
        return None
    if metadata.cache_version:
        template = copied(template)
        template.metadata.discovery_version = metadata.cache_version
    is_serialized = template.metadata.cache_serializable
    if metadata.HasField("cache_serializable"):
        is_serialized = metadata.cache_serializable
    return Entry(run, template, is_serialized)


def _with_hashes(literal: lit.Literal) -> lit.Literal:
    """Return a literal in which those that have a hash are replaced by it."""
    if literal.hash:
        return lit.Literal(hash=literal.hash)
    if literal.HasField("collection"):
        items = [_with_hashes(each) for each in literal.collection.literals]
        return lit.Literal(collection=lit.LiteralCollection(literals=items))
    if literal.HasField("map"):
        values = {name: _with_hashes(each) for name, each in literal.map.literals.items()}
        return lit.Literal(map=lit.LiteralMap(literals=values))
    made: lit.Literal = copied(literal)
    made.metadata.clear()
    return made


def _digest(message: Message) -> str:
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()
