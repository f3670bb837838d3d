"""Nodes of a run that are placed on clusters: from the setting to what is registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flytenb.errors import UsageError
from flytenb.session.cluster_place import ClusterPlace
from flytenb.session.host import host
from flytenb.ship.placement import Placement
from flytenb.wording.values import brief


def place_nodes(entity: Any, on_cluster: Iterable[Any]) -> Placement:
    """Register what is executed on a cluster, before the run starts.

    Raises:
        UsageError: for a node that the run doesn't have, or an object that isn't a cluster.
        ExportError: for an entity that can't leave the notebook.
        RegistrationError: if the module can't be imported in a process of its own.
        ClusterError: with the message of the server.
    """
    default = ClusterPlace()
    chosen = on_cluster if isinstance(on_cluster, Mapping) else dict.fromkeys(on_cluster, default)
    for node, cluster in chosen.items():
        if not isinstance(cluster, ClusterPlace):
            hint = "flytenb.cluster(…) returns one"
            raise UsageError(f"expected a cluster for node {node!r} of on_cluster, got {brief(cluster)}", hint=hint)
    defined = {name: each.entity for name, each in host.session.definitions.items()}
    return Placement.of(entity, {node: cluster._place for node, cluster in chosen.items()}, defined)
