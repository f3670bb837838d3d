"""The container of a task, also of one that has a pod."""

from __future__ import annotations

from typing import Any

from flyteidl.core import tasks_pb2
from google.protobuf.json_format import MessageToDict

PRIMARY = "primary_container_name"


def container_of(template: tasks_pb2.TaskTemplate) -> tasks_pb2.Container | None:
    """Return the container that runs a task, None for a task of a connector."""
    if template.HasField("container"):
        return template.container
    if not template.HasField("k8s_pod"):
        return None
    spec = MessageToDict(template.k8s_pod.pod_spec)
    containers: list[dict[str, Any]] = spec.get("containers", [])
    name = template.config.get(PRIMARY) or template.k8s_pod.primary_container_name or "primary"
    found = next(each for each in containers if each["name"] == name)
    made = tasks_pb2.Container(image=found.get("image", ""), command=found.get("command"), args=found.get("args"))
    for pair in found.get("env", []):
        made.env.add(key=pair["name"], value=pair.get("value", ""))
    return made
