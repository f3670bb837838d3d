"""What the image of a task lacks of what the notebook has: the version of Python, packages and their versions."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.entities.kind import short_name
from flytenb.ship.finding import Finding

_PROVIDED = frozenset(["flytekit", "flyteidl"])
_TAGGED_PYTHON = re.compile(r"py(?:thon)?[:-]?(\d\.\d+)")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([^\s,;]+))?")


def find_missing(entity: Any, modules: Collection[str]) -> Iterator[Finding]:
    """Yield what differs for one task.

    Args:
        entity: the task.
        modules: the installed packages that the module imports.
    """
    image = private.container_image(entity) or getattr(entity, "container_image", None)
    if image is None:
        return
    where = f"task {short_name(entity)}"
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if isinstance(image, str):
        found = _TAGGED_PYTHON.search(image)
        yield from _of_python(found[1] if found is not None else None, here, where)
        return
    yield from _of_python(getattr(image, "python_version", None), here, where)
    listed = {_normal(m[1]): m[2] for text in image.packages or () if (m := _REQUIREMENT.match(text)) is not None}
    if image.requirements or getattr(image, "base_image", None):  # which may bring packages too
        modules = ()
    for module in modules:
        for name in _distributions(module):
            if _normal(name) not in listed and module not in _PROVIDED:
                hint = f'add it: ImageSpec(packages=["{name}=={metadata.version(name)}", …])'
                yield Finding(f"{module} is imported, and the image doesn't install {name}", where, hint, "warning")
    for name, version in listed.items():
        yield from _of_version(name, version, where)


def _of_python(version: str | None, here: str, where: str) -> Iterator[Finding]:
    if version is not None and ".".join(str(version).split(".")[:2]) != here:
        hint = "run the notebook with the version of the image, or build the image with this one"
        yield Finding(f"the image has Python {version}, and this kernel {here}", where, hint, "warning")


def _of_version(name: str, version: str | None, where: str) -> Iterator[Finding]:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return
    if version is not None and version != installed:
        hint = f"write {name}=={installed}, or install {version} here"
        yield Finding(f"the image installs {name} {version}, and here is {installed}", where, hint, "warning")


def distribution_of(module: str) -> str:
    """Return the name of the distribution that brings a module, `""` if none is known."""
    return next(iter(_distributions(module)), "")


def _distributions(module: str) -> list[str]:
    return sorted(set(_by_module().get(module, ())))[:1]


@cache
def _by_module() -> Mapping[str, list[str]]:
    """Return the distributions by the modules that they bring; reading them all takes a second."""
    return metadata.packages_distributions()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
