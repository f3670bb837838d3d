"""A cluster, a project and a domain, where entities of the notebook are registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.registered_interface import referenced, require_interface
from flytenb.bridge.cluster.remote_values import remote_workspace
from flytenb.bridge.cluster.spec_process import spec_process
from flytenb.bridge.entities.interface import is_map, map_target, require_entity, require_local
from flytenb.locks import cached_property
from flytenb.reach.staleness import recompile_stale
from flytenb.session.host import host
from flytenb.ship.exported_module import Export
from flytenb.ship.node_execution import RegisteredEntity
from flytenb.ship.shipment import Shipment


class ClusterPlace:
    """A cluster, a project and a domain, and how modules and images are called there."""

    def __init__(
        self,
        config: str | Path | Any | None = None,
        project: str | None = None,
        domain: str | None = None,
        module: str = "",
        image: str = "",
    ) -> None:
        self._given = (config, project, domain)
        self._module = module
        self._image = image

    @cached_property
    def _connection(self) -> Connection:
        return Connection(*self._given)

    def register(self, entity: Any, *, dry_run: bool = False) -> Shipment:
        """Register an entity; arguments as for `flytenb.register`."""
        shipment = self._pack(entity)
        return shipment.rehearse(self._connection) if dry_run else shipment.register(self._connection)

    def _place(self, entity: Any) -> Callable[[], RegisteredEntity]:
        """Pack an entity that is executed as nodes of a local run; what is returned registers it, on any thread."""
        known, connection = referenced(entity), self._connection
        with connection.asking("connect"):
            connection.raw  # noqa: B018 - a login must be on this thread
        if known is not None:
            connection = Connection(self._given[0], known.project, known.domain)
        packed = None if known is not None else self._pack(entity)

        def register() -> RegisteredEntity:
            made = known if packed is None else packed.register(connection)
            assert made is not None
            require_interface(connection, made.kind, made.name, made.version, entity)
            return RegisteredEntity(
                connection, remote_workspace(connection), entity, made.kind, made.name, made.version
            )

        return register

    def _pack_map(self, entity: Any) -> Shipment:
        """Pack a map of a task, which is a part of a workflow and need not be in a variable."""
        session = host.session
        made = Export.of([map_target(entity)], session.cells, session.namespace)
        module = self._module or made.names[0]
        name = f"{module}.{made.names[0]}_map"
        shipment = Shipment.of(self._connection, entity, made.with_map(entity, name), module, self._image)
        return replace(shipment, name=name, kind="workflow")

    def _pack(self, entity: Any) -> Shipment:
        require_entity(entity)
        require_local(entity)
        spec_process.begin()  # it imports flytekit meanwhile
        if is_map(entity):
            return self._pack_map(entity)
        recompile_stale(entity)
        session = host.session
        made = Export.of([entity], session.cells, session.namespace)
        return Shipment.of(self._connection, entity, made, self._module, self._image)

    def __repr__(self) -> str:
        connection = self._connection
        return f"<Cluster {connection.endpoint} {connection.project}/{connection.domain}>"
