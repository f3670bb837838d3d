"""Settings that `with_overrides` changes on one node, beside its policy: name, image, resources."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flytekit.core.node import Node
from flytekit.models.task import Resources

from flytenb.bridge import private
from flytenb.bridge.entities.interface import name_image
from flytenb.model.node import Setting

_NONE: Mapping[str, Setting] = MappingProxyType({})
_RESOURCE_KEYS = {
    Resources.ResourceName.CPU: "cpu",
    Resources.ResourceName.MEMORY: "mem",
    Resources.ResourceName.GPU: "gpu",
    Resources.ResourceName.EPHEMERAL_STORAGE: "disk",
}


def read_overrides(node: Node, name: str | None, own_name: str) -> Mapping[str, Setting]:
    """Return what a node overrides.

    Args:
        node: flytekit's.
        name: the node's name.
        own_name: the name that it has without an override.
    """
    resources, image = private.node_resources(node), private.node_image(node)
    extended = private.node_extended_resources(node)
    if resources is None and image is None and extended is None and (not name or name == own_name):
        return _NONE
    settings: dict[str, Setting] = {}
    if name and name != own_name:
        settings["alias"] = str(name)
    if image is not None:
        settings["image"] = name_image(image)
    if resources is not None:
        for entries in (resources.limits, resources.requests):  # a request goes before a limit
            for entry in entries or ():
                if entry.name in _RESOURCE_KEYS:
                    settings[_RESOURCE_KEYS[entry.name]] = entry.value
    if extended is not None and extended.HasField("gpu_accelerator"):
        settings["accelerator"] = extended.gpu_accelerator.device
    return settings
