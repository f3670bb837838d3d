"""What an image has of what a task needs, and which differences from the kernel break the task."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flytekit
from flytekit.configuration import ImageConfig
from flytekit.configuration.default_images import DefaultImages

OLDEST_FLYTEKIT = (1, 14)
"""Before it, dataclasses and dictionaries had another form in literals."""
PROGRAM = """
import json, os, shutil, sys
from importlib import metadata, util
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
needed = json.loads(sys.argv[1])
print(json.dumps({
    "flytenb": list(sys.version_info[:2]),
    "flytekit": version("flytekit"),
    "command": shutil.which(sys.argv[2]) is not None,
    "missing": [name for name in needed if util.find_spec(name) is None],
    "versions": {name: version(name) for name in filter(None, needed.values())},
    "path": os.environ.get("PYTHONPATH", ""),
}))
"""
"""Prints the facts of the image that it runs in. Arguments: the distributions by module as JSON, the task's program."""


@dataclass(frozen=True)
class TaskSource:
    """A task as files that another Python imports.

    Attributes:
        module: the name of its module.
        variable: the name of the task in it.
        files: the files by their path below a directory of `sys.path`.
        packages: the installed modules that they import, each with its distribution, `""` if it isn't known.
        versions: the versions of the distributions here.
        has_pickles: whether an input or output is pickled.
    """

    module: str
    variable: str
    files: Mapping[str, bytes]
    packages: Mapping[str, str]
    versions: Mapping[str, str]
    has_pickles: bool


@dataclass(frozen=True)
class ImageFacts:
    """What an image has.

    Attributes:
        python: the minor version of its Python, as in `(3, 12)`.
        flytekit: the version of its flytekit, None if there is none.
        has_command: whether the program of the task's command is on PATH.
        missing: the modules that can't be found.
        versions: the versions of distributions, None for one that isn't installed.
        path: its `PYTHONPATH`.
    """

    python: tuple[int, int]
    flytekit: str | None
    has_command: bool
    missing: tuple[str, ...]
    versions: Mapping[str, str | None]
    path: str

    @classmethod
    def read(cls, printed: str) -> ImageFacts | None:
        """Read what the program has printed; the image may print something too."""
        for line in reversed(printed.splitlines()):
            if line.startswith('{"flytenb":'):
                found: dict[str, Any] = json.loads(line)
                python, *rest = found.values()
                rest[2] = tuple(rest[2])
                return cls((python[0], python[1]), *rest)
        return None


def default_image() -> str:
    """Return the image of tasks that name none: that of the configuration, else flytekit's own."""
    found = ImageConfig.auto(None, DefaultImages.default_image()).default_image
    return "" if found is None else str(found.full)


def breaking(facts: ImageFacts, source: TaskSource) -> Iterator[str]:
    """Yield the differences with which a task can't run in an image."""
    if facts.flytekit is None:
        yield "it has no flytekit"
    elif tuple(map(int, re.findall(r"\d+", facts.flytekit)[:2])) < OLDEST_FLYTEKIT:
        oldest = ".".join(map(str, OLDEST_FLYTEKIT))
        yield f"it has flytekit {facts.flytekit}, whose literals have another form than those of {oldest} and later"
    elif not facts.has_command:
        yield "the program of the task's command isn't on its PATH"
    for module in facts.missing:
        here = source.packages.get(module)
        yield f"it has no {module}" + (f" ({here} {source.versions.get(here, '')})".replace(" )", ")") if here else "")
    if source.has_pickles and facts.python != sys.version_info[:2]:
        yield f"{_python(facts)}, which can't read each other's pickles, and a value of the task is pickled"


def harmless(facts: ImageFacts, source: TaskSource) -> Iterator[str]:
    """Yield the differences with which a task runs, and may give other results."""
    if facts.python != sys.version_info[:2]:
        yield _python(facts)
    there = {"flytekit": facts.flytekit, **facts.versions}
    for name, here in {"flytekit": str(flytekit.__version__), **source.versions}.items():
        if there.get(name) not in (None, here):
            yield f"it has {name} {there[name]}, and the kernel {here}"


def _python(facts: ImageFacts) -> str:
    here, there = (".".join(map(str, version[:2])) for version in (sys.version_info, facts.python))
    return f"it has Python {there}, and the kernel {here}"
