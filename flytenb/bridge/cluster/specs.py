"""Specs of entities, what they are made of, and what a cluster has of an earlier version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REPLY = "status: "
"""Begins a line that is a reply of the process that makes specs; what is printed when flytekit is imported is not."""


@dataclass(frozen=True)
class SpecRequest:
    """What the specs are made of.

    Attributes:
        module: the name of the module.
        name: the variable of the entity in it.
        project: the project.
        domain: the domain.
        version: the version of all entities.
        archive: the address of the uploaded archive with the module.
        image: the image of tasks that name none, `""` for flytekit's own.
        config_file: the configuration file, which may name images.
        builds_images: whether the images of `ImageSpec`s are built and pushed.
    """

    module: str
    name: str
    project: str
    domain: str
    version: str
    archive: str
    image: str = ""
    config_file: str | None = None
    builds_images: bool = True


@dataclass(frozen=True)
class EntitySpec:
    """One entity as it is sent.

    Attributes:
        kind: `task`, `workflow` or `launch_plan`.
        name: its name on the cluster.
        message: the bytes of flyteidl's `TaskSpec`, `WorkflowSpec` or `LaunchPlanSpec`.
        is_active: whether it is a launch plan that is activated.
    """

    kind: str
    name: str
    message: bytes
    is_active: bool = False


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of an entity that a cluster has.

    Attributes:
        version: its name.
        images: the images of its tasks, those that are known, by the names of the tasks.
        files: the files of its archive with their content, None if it isn't known.
    """

    version: str
    images: Mapping[str, str]
    files: Mapping[str, bytes] | None = None
