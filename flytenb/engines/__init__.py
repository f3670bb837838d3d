"""Engines: ways to run a command in an image, or on this machine."""

from flytenb.engines.engine import ContainerEngine, ContainerJob, Exit, Mount, ResourceLimits

__all__ = ["ContainerEngine", "ContainerJob", "Exit", "Mount", "ResourceLimits"]
