"""The files of a project: an exported module, your own modules, and the versions of what they import."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import metadata

from flytenb.ship.image_rules import distribution_of
from flytenb.ship.module_files import files_below

MODULE = "pipeline.py"
_ALONG = {"pandas": "pyarrow"}
"""What flytekit needs for the values of a package, without being imported by the module."""


def project_files(name: str, text: str, modules: Iterable[str], packages: Iterable[str]) -> dict[str, bytes]:
    """Return the files of a project by their paths; equal cells in equal environments give equal bytes.

    Args:
        name: the name of its first entity.
        text: the exported module.
        modules: the user's own modules that it imports.
        packages: the installed top-level packages that it imports.
    """
    title = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"
    pinned = _requirements(packages)
    return {
        MODULE: text.encode(),
        **dict(files_below(modules)),
        "pyproject.toml": _pyproject(title, pinned).encode(),
        "image_spec.yaml": _image_spec(title, pinned).encode(),
    }


def _requirements(packages: Iterable[str]) -> list[str]:
    found = {"flytekit", *(distribution_of(package) for package in packages)} - {""}
    found |= {other for package, other in _ALONG.items() if package in found and distribution_of(other)}
    return [f"{name}=={metadata.version(name)}" for name in sorted(found)]


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _pyproject(title: str, pinned: Iterable[str]) -> str:
    lines = "".join(f'  "{each}",\n' for each in pinned)
    return (
        f'[project]\nname = "{title}"\nversion = "0.1.0"\nrequires-python = "=={_python()}.*"\n'
        f"dependencies = [\n{lines}]\n"
    )


def _image_spec(title: str, pinned: Iterable[str]) -> str:
    lines = "".join(f"  - {each}\n" for each in pinned)
    return f'name: {title}\npython_version: "{_python()}"\npackages:\n{lines}'
