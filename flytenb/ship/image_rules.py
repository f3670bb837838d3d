"""What the image of a task lacks of what the notebook has: the version of Python, packages and their versions."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from flytenb.bridge import private
from flytenb.bridge.entities.kind import function_of, is_python_task, short_name
from flytenb.bridge.execution.image_facts import default_image
from flytenb.reach.name_lookup import find_spec
from flytenb.ship.finding import Finding
from flytenb.wording.quantities import count_text

_PROVIDED = frozenset(["flytekit", "flyteidl"])
_TAGGED_PYTHON = re.compile(r"py(?:thon)?[:-]?(\d\.\d+)")
_OTHER_SOURCES = ("base_image", "requirements", "conda_packages", "commands")
"""Settings of an ImageSpec by which its image may have packages that it doesn't name."""


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
    texts = [*(image.packages or ()), *(getattr(image, "runtime_packages", None) or ())]
    listed = [each for text in texts if (each := _requirement(text)) is not None]
    if len(listed) == len(texts) and not any(getattr(image, each, None) for each in _OTHER_SOURCES):
        yield from _not_installed(modules, listed, where)
    for requirement in listed:
        yield from _of_version(requirement, where)


def _not_installed(modules: Collection[str], listed: Iterable[Requirement], where: str) -> Iterator[Finding]:
    """Yield the modules that an image with some packages, flytekit and what they require lacks."""
    had = _with_requirements(("flytekit", *map(_plain, listed)))
    for module in modules:
        name = distribution_of(module)
        if name and canonicalize_name(name) not in had and module not in _PROVIDED:
            hint = f'add it: ImageSpec(packages=["{name}=={metadata.version(name)}", …])'
            yield Finding(f"{module} is imported, and the image doesn't install {name}", where, hint, "warning")
        elif not name and canonicalize_name(module) not in had and is_missing_here(module):
            what = f"{module} is imported, and neither this kernel nor the packages of the image have that name"
            yield Finding(what, where, 'add its package: ImageSpec(packages=["…"])', "warning")


def is_missing_here(module: str) -> bool:
    """Whether a module isn't installed here."""
    return module not in sys.modules and find_spec(module) is None


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
    where = f"{count_text(len(names), 'task')}: {', '.join(names)}"
    had = _with_requirements(("flytekit", "kubernetes"))  # by the Dockerfile of the image
    for module in modules:
        found = distribution_of(module)
        if found and module not in _PROVIDED and canonicalize_name(found) not in had:
            what = f"{module} is imported, and flytekit's own image, which tasks without an image have, lacks {found}"
            hint = (
                f'give them one: @task(container_image=ImageSpec(packages=["{found}=={metadata.version(found)}", …]))'
            )
            yield Finding(what, where, hint, "warning")
        elif not found and is_missing_here(module):
            what = f"{module} is imported, and neither this kernel nor flytekit's own image has it"
            hint = 'give the tasks an image that has it: @task(container_image=ImageSpec(packages=["…"]))'
            yield Finding(what, where, hint, "warning")


def _image_of(entity: Any) -> Any:
    return private.container_image(entity) or getattr(entity, "container_image", None)


def _requirement(text: str) -> Requirement | None:
    """Return what a text requires, None for one that names no package, such as an address or a file."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _plain(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}"


@cache
def _with_requirements(texts: tuple[str, ...]) -> frozenset[str]:
    """Return the packages that are installed with some, by what is installed here."""
    found: set[str] = set()
    todo, done = [*texts], set()
    while todo:
        text = todo.pop()
        wanted = _requirement(text)
        if wanted is None or text in done:
            continue
        done.add(text)
        found.add(canonicalize_name(wanted.name))
        with suppress(metadata.PackageNotFoundError):
            inner = [each for line in metadata.requires(wanted.name) or () if (each := _requirement(line)) is not None]
            todo += [_plain(each) for each in inner if _applies(each, wanted.extras)]
    return frozenset(found)


def _applies(requirement: Requirement, extras: Collection[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _of_python(version: str | None, here: str, where: str) -> Iterator[Finding]:
    if version is not None and ".".join(str(version).split(".")[:2]) != here:
        hint = "run the notebook with the version of the image, or build the image with this one"
        yield Finding(f"the image has Python {version}, and this kernel {here}", where, hint, "warning")


def _of_version(requirement: Requirement, where: str) -> Iterator[Finding]:
    try:
        installed = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return
    wanted = requirement.specifier
    if not wanted.contains(installed, prereleases=True):
        name, version = requirement.name, str(wanted).removeprefix("===").removeprefix("==")
        hint = f"write {name}=={installed}, or install {name}{wanted} here"
        yield Finding(f"the image installs {name} {version}, and here is {installed}", where, hint, "warning")


def distribution_of(module: str) -> str:
    """Return the name of the distribution that brings a module, `""` if none is known."""
    return min(_by_module().get(module, ()), default="")


@cache
def _by_module() -> Mapping[str, list[str]]:
    """Return the distributions by the modules that they bring; reading them all takes a second."""
    return metadata.packages_distributions()
