"""The cache of tasks: the key is the task's name, cache version and interface, and its inputs."""

from __future__ import annotations

import hashlib
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
    return Entry(run, template)


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
