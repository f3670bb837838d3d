"""What an operator of the cluster configures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """A project and a domain in which a task type is allowed; `""` is any."""

    project: str = ""
    domain: str = ""


StandIn = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
"""Called with the task's template and the literals of its inputs; returns the literals of its outputs."""


@dataclass(frozen=True)
class Settings:
    """The configuration, with the defaults of Flyte's binary of one process.

    Attributes:
        projects: the names of the projects.
        domains: the names of the domains.
        max_workflow_nodes: `registration.maxWorkflowNodes`.
        limits: the platform's limits by the names of `Resources.ResourceName`; a name that is absent has none.
        workflow_size_limit: `registration.workflowSizeLimit`, `""` for none.
        whitelist: `task_type_whitelist`: by task type, where it may be registered; one that is absent, everywhere.
        inline_limit: `remoteData.maxSizeInBytes` with signed links: larger inputs and outputs are given as links; 0
            without signed links, which is the default.
        max_parallelism: nodes of an execution that may run pods at the same time.
        system_retries: `node-config.max-node-retries-system-failures`.
        attempts_without_interruption: `node-config.interruptible-failure-threshold`, with the other sign.
        reservation: seconds that the reservation of a cache lasts after its owner has failed, of datacatalog's
            `max-reservation-heartbeat` and `heartbeat-grace-period-multiplier`.
        needs_token: whether a request without a valid token is UNAUTHENTICATED.
        is_warm: whether pods are children of a process that has imported flytekit.
        stand_ins: by task type, what runs tasks that have no container.
    """

    projects: tuple[str, ...] = ("flytesnacks",)
    domains: tuple[str, ...] = ("development", "staging", "production")
    max_workflow_nodes: int = 100
    workflow_size_limit: str = ""
    whitelist: Mapping[str, Sequence[Scope]] = field(default_factory=dict)
    inline_limit: int = 0
    limits: Mapping[str, str] = field(default_factory=lambda: {"CPU": "2", "MEMORY": "1Gi", "GPU": "1"})
    max_parallelism: int = 25
    system_retries: int = 3
    attempts_without_interruption: int = 1
    reservation: float = 30.0
    needs_token: bool = False
    is_warm: bool = True
    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)
