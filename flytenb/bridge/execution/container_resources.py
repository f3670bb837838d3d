"""Image and resources of raw container tasks, and the settings that have no effect on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from flytekit.core.container_task import ContainerTask
from flytekit.image_spec.image_spec import ImageSpec

from flytenb.bridge import private
from flytenb.engines import ResourceLimits
from flytenb.errors import ContainerError

_MOST_PROCESSES = 4096
"""Processes and threads of a container; Kubernetes has such a limit for each node."""
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:e([+-]?\d{1,2})|(m|k|[KMGTPE]i?|[numkMGTPE])?)", re.IGNORECASE)
_UNITS = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "k": Fraction(1000),
}
_UNITS |= {unit: Fraction(1000**power) for power, unit in enumerate("MGTPE", 2)}
_UNITS |= {f"{unit}i": Fraction(1024**power) for power, unit in enumerate("KMGTPE", 1)}


def image_of(task: ContainerTask) -> str:
    """Return the name of a task's image; that of an ImageSpec has a digest of its content as its tag."""
    image = private.container_parts(task).image
    return str(image.image_name() if isinstance(image, ImageSpec) else image)


def is_built_from_spec(task: ContainerTask) -> bool:
    """Tell whether a task's image is an ImageSpec, which has to be built."""
    return isinstance(private.container_parts(task).image, ImageSpec)


def limits_of(task: ContainerTask) -> ResourceLimits:
    """Return a task's limits. A resource that is only requested is limited to that, as on a cluster.

    Raises:
        ContainerError: for a quantity that Kubernetes wouldn't accept.
    """
    limits, requests = task.resources.limits, task.resources.requests
    cpus, memory = (
        next((getattr(each, name) for each in (limits, requests) if getattr(each, name) is not None), None)
        for name in ("cpu", "mem")
    )
    return ResourceLimits(
        cpus=None if cpus is None else float(_limit(task.name, "cpu", cpus)),
        memory=None if memory is None else int(_limit(task.name, "mem", memory)),
        processes=_MOST_PROCESSES,
    )


def quantity(value: Any) -> Fraction:
    """Return the number that a quantity of Kubernetes is.

    Raises:
        ValueError: for anything else, and for a number that isn't positive.
    """
    found = _QUANTITY.fullmatch(str(value))
    unit = found[3] or "" if found else ""
    if found is None or unit not in _UNITS or Fraction(found[1]) <= 0:
        raise ValueError(f"expected a positive quantity of Kubernetes, got {value!r}")
    return Fraction(found[1]) * Fraction(10) ** int(found[2] or 0) * _UNITS[unit]


def requests_over_limits(task: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name, the request and the limit of each resource that a task requests more of than its limit."""
    resources: Any = getattr(task, "resources", None)
    for name in () if resources is None else ("cpu", "mem", "gpu", "ephemeral_storage"):
        asked, limit = (getattr(each, name, None) for each in (resources.requests, resources.limits))
        try:
            is_over = asked is not None and limit is not None and quantity(asked) > quantity(limit)
        except ValueError:
            continue
        if is_over:
            yield name, asked, limit


def _limit(task: str, resource: str, value: Any) -> Fraction:
    try:
        return quantity(value)
    except ValueError as e:
        raise ContainerError(f"{resource} of container task {task!r}: {e}", hint="as in '500m', 2 or '1Gi'") from None


def unused_settings(task: ContainerTask) -> Iterator[str]:
    """Yield the names of settings that only a cluster can apply."""
    if task.pod_template is not None:
        yield "pod_template"
    if task.metadata.pod_template_name:
        yield "pod_template_name"
    if task.security_context is not None and task.security_context.secrets:
        yield "secret_requests"
    for resources in (task.resources.limits, task.resources.requests):
        if resources.gpu is not None:
            yield "gpu"
            return
