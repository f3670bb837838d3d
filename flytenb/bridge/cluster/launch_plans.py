"""The launch plans that a cluster has: schedules, inputs, and which version is active."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flyteidl.admin.common_pb2 import NamedEntityIdentifier as EntityName
from flyteidl.admin.common_pb2 import ResourceListRequest, Sort
from flyteidl.admin.launch_plan_pb2 import (
    ACTIVE,
    INACTIVE,
    ActiveLaunchPlanListRequest,
    ActiveLaunchPlanRequest,
    LaunchPlanUpdateRequest,
)
from flyteidl.admin.schedule_pb2 import FixedRateUnit
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.registration import identifier
from flytenb.bridge.type_engine.literal_data import literal_type_text, read_literal
from flytenb.errors import UnknownNameError

_PAGE = 100
_MOST = 1000
"""Versions that are read, the newest first."""
_LATEST = Sort(key="created_at", direction=Sort.DESCENDING)


@dataclass(frozen=True)
class PlanInput:
    """One input: `value` counts unless it is required, and can't be changed if it is fixed."""

    name: str
    type: str
    value: Any = None
    is_required: bool = False
    is_fixed: bool = False


@dataclass(frozen=True)
class PlanFacts:
    """A version of a launch plan.

    Attributes:
        name: its name.
        version: its version.
        workflow: the name of its workflow.
        is_active: whether it is the active version.
        cron: the cron expression of its schedule, `""` without one.
        rate: the number and the unit of a schedule with a fixed rate, such as `(10, "minute")`.
        time_input: the input that receives the time of the schedule.
        inputs: the inputs, by name.
    """

    name: str
    version: str
    workflow: str
    is_active: bool
    cron: str = ""
    rate: tuple[int, str] | None = None
    time_input: str = ""
    inputs: tuple[PlanInput, ...] = ()

    @property
    def is_scheduled(self) -> bool:
        """Whether it has a schedule."""
        return bool(self.cron or self.rate)


def read_plans(connection: Connection) -> list[PlanFacts]:
    """Return the active version of each launch plan, else the latest one, sorted by name.

    Raises:
        ClusterError: with the message of the server.
    """
    raw = connection.raw
    place = {"project": connection.project, "domain": connection.domain}
    with connection.asking("list the launch plans"):
        active = list(
            _pages(lambda **page: raw.list_active_launch_plans_paginated(ActiveLaunchPlanListRequest(**place, **page)))
        )
        newest = list(
            _pages(
                lambda **page: raw.list_launch_plans_paginated(
                    ResourceListRequest(id=EntityName(**place), sort_by=_LATEST, **page)
                )
            )
        )
    found: dict[str, Any] = {}
    for plan in (*active, *newest):
        found.setdefault(plan.id.name, plan)
    return [_facts(plan) for _, plan in sorted(found.items())]


def activate(connection: Connection, name: str, version: str = "") -> None:
    """Activate a launch plan; another active version becomes inactive.

    Args:
        connection: the cluster.
        name: the name of the plan.
        version: its version, `""` for the latest one.

    Raises:
        UnknownNameError: if the cluster has no plan of that name.
        ClusterError: with the message of the server.
    """
    with connection.asking(f"activate launch plan {name!r}"):
        if not version:
            named = EntityName(project=connection.project, domain=connection.domain, name=name)
            request = ResourceListRequest(id=named, limit=1, sort_by=_LATEST)
            found = connection.raw.list_launch_plans_paginated(request).launch_plans
            if not found:
                hint = "%flyte plans lists those that it has"
                raise UnknownNameError(f"the cluster has no launch plan {name!r}", hint=hint)
            version = found[0].id.version
        plan = identifier(connection, "launch_plan", name, version)
        connection.raw.update_launch_plan(LaunchPlanUpdateRequest(id=plan, state=ACTIVE))


def deactivate(connection: Connection, name: str) -> None:
    """Deactivate the active version of a launch plan: its schedule starts nothing more.

    Raises:
        ClusterError: with the message of the server, also if no version is active.
    """
    named = EntityName(project=connection.project, domain=connection.domain, name=name)
    with connection.asking(f"deactivate launch plan {name!r}"):
        plan = connection.raw.get_active_launch_plan(ActiveLaunchPlanRequest(id=named)).id
        connection.raw.update_launch_plan(LaunchPlanUpdateRequest(id=plan, state=INACTIVE))


def _pages(read: Callable[..., Any]) -> Iterator[Any]:
    token = ""
    for _ in range(_MOST // _PAGE):
        answer = read(limit=_PAGE, token=token)
        yield from answer.launch_plans
        token = answer.token
        if not token:
            return


def _facts(plan: Any) -> PlanFacts:
    spec, schedule = plan.spec, plan.spec.entity_metadata.schedule
    rate = schedule.rate if schedule.HasField("rate") else None
    return PlanFacts(
        plan.id.name,
        plan.id.version,
        spec.workflow_id.name,
        plan.closure.state == ACTIVE,
        cron=schedule.cron_schedule.schedule or schedule.cron_expression,
        rate=None if rate is None else (rate.value, FixedRateUnit.Name(rate.unit).lower()),
        time_input=schedule.kickoff_time_input_arg,
        inputs=tuple(_inputs(plan)),
    )


def _inputs(plan: Any) -> Iterator[PlanInput]:
    for name, value in sorted(plan.spec.fixed_inputs.literals.items()):
        yield PlanInput(name, "", read_literal(Literal.from_flyte_idl(value)), is_fixed=True)
    for name, parameter in sorted(plan.closure.expected_inputs.parameters.items()):
        text = literal_type_text(LiteralType.from_flyte_idl(parameter.var.type))
        if parameter.HasField("default"):
            yield PlanInput(name, text, read_literal(Literal.from_flyte_idl(parameter.default)))
        else:
            yield PlanInput(name, text, is_required=parameter.required)
