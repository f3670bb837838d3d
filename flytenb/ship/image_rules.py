"""What the image of a task lacks of what the notebook has: the version of Python, packages and their versions."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any

from flytenb.bridge import private
from flytenb.bridge.entities.kind import function_of, is_python_task, short_name
from flytenb.bridge.execution.image_facts import default_image
from flytenb.ship.finding import Finding
from flytenb.wording.quantities import count_text

_PROVIDED = frozenset(["flytekit", "flyteidl"])
_TAGGED_PYTHON = re.compile(r"py(?:thon)?[:-]?(\d\.\d+)")
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?:==\s*([^\s,;]+))?")


def find_missing(entity: Any, modules: Collection[str]) -> Iterator[Finding]:
    """Yield what differs for one task.

    Args:
        entity: the task.
        modules: the installed packages that the module imports.
    """
    image = _image_of(entity)
    if image is None:
        return
    where = f"task {short_name(entity)}"
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if isinstance(image, str):
        found = _TAGGED_PYTHON.search(image)
        yield from _of_python(found[1] if found is not None else None, here, where)
        return
    yield from _of_python(getattr(image, "python_version", None), here, where)
    yield _to_be_built(image, where)
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


def _to_be_built(image: Any, where: str) -> Finding:
    if image.registry:
        what = f"its image is built and pushed to {image.registry} when it is registered, unless it is there"
        return Finding(what, where, "log in to the registry, or give the name of an image that is built", "warning")
    hint = 'name one: ImageSpec(registry="…")'
    return Finding("its image has no registry, from which a cluster could pull it", where, hint, "warning")


def missing_by_default(entities: Iterable[Any], modules: Collection[str]) -> Iterator[Finding]:
    """Yield the packages that flytekit's own image lacks, for the tasks that have it.

    A configuration that names another image for all tasks says what it has.
    """
    images = {short_name(each): _image_of(each) for each in entities if is_python_task(each) and function_of(each)}
    names = sorted(name for name, image in images.items() if image is None)
    if not names or "flyteorg/flytekit:" not in default_image():
        return
    for module in modules:
        found = next(iter(_distributions(module)), "")
        if found and module not in _PROVIDED and _normal(found) not in _in_default_image():
            what = f"{module} is imported, and flytekit's own image, which tasks without an image have, lacks {found}"
            hint = (
                f'give them one: @task(container_image=ImageSpec(packages=["{found}=={metadata.version(found)}", …]))'
            )
            yield Finding(what, f"{count_text(len(names), 'task')}: {', '.join(names)}", hint, "warning")


def _image_of(entity: Any) -> Any:
    return private.container_image(entity) or getattr(entity, "container_image", None)


@cache
def _in_default_image() -> frozenset[str]:
    """Return the packages of flytekit's own image, by its Dockerfile: flytekit, kubernetes and what they require."""
    found: set[str] = set()
    todo = ["flytekit", "kubernetes"]
    while todo:
        name = _normal(todo.pop())
        if name not in found:
            found.add(name)
            with suppress(metadata.PackageNotFoundError):
                wanted = [text for text in metadata.requires(name) or () if "extra ==" not in text]
                todo += [m[1] for text in wanted if (m := _REQUIREMENT.match(text)) is not None]
    return frozenset(found)


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
