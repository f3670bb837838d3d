"""Engines: ways to run a command in an image, or on this machine."""

from flytenb.engines.choice import (
    AUTO,
    DOCKER,
    GROUP,
    choose,
    engine_named,
    engine_names,
    has_image,
    image_names,
    is_choice,
)
from flytenb.engines.engine import ContainerEngine, ContainerJob, Exit, Mount, ResourceLimits
from flytenb.engines.image_root import unpack
from flytenb.engines.supervised import run_supervised

__all__ = [
    "AUTO",
    "DOCKER",
    "GROUP",
    "ContainerEngine",
    "ContainerJob",
    "Exit",
    "Mount",
    "ResourceLimits",
    "choose",
    "engine_named",
    "engine_names",
    "has_image",
    "image_names",
    "is_choice",
    "run_supervised",
    "unpack",
]
