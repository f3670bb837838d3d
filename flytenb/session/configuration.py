"""Where settings come from: the call, IPython's configuration, pyproject.toml, the defaults, in this order."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flytenb.errors import UsageError, closest
from flytenb.runner.settings import RULES, Rule, Settings, check

__all__ = ["CONFIGURABLE", "DEFAULTS", "RULES", "Choice", "Rule", "check", "read_project", "resolve", "settings_from"]

CONFIGURABLE = tuple(name for name, rule in RULES.items() if rule.is_configurable)
"""The settings that can be written in pyproject.toml and in IPython's configuration."""


@dataclass(frozen=True)
class Choice:
    """The value of one setting and the place where it was set."""

    value: Any
    place: str


_NONE: Mapping[str, Choice] = MappingProxyType({})

DEFAULTS: Mapping[str, Choice] = {name: Choice(getattr(Settings(), name), "the default") for name in RULES}


def resolve(*sources: Mapping[str, Choice]) -> dict[str, Choice]:
    """Return the choice of every setting: that of the first source that has one, else the default."""
    chosen = dict(DEFAULTS)
    for source in reversed(sources):
        chosen.update(source)
    return chosen


def settings_from(chosen: Mapping[str, Choice]) -> Settings:
    """Return checked settings.

    Raises:
        UsageError: for a value that its setting doesn't accept, with the place where it was set.
    """
    for name, choice in chosen.items():
        check(name, choice.value, choice.place)
    return Settings(**{name: choice.value for name, choice in chosen.items()})


def read_project(folder: Path | None = None) -> Mapping[str, Choice]:
    """Return the settings in `[tool.flytenb]` of the nearest pyproject.toml, in a folder or above it.

    Args:
        folder: where the search begins; the working directory if not given.

    Raises:
        UsageError: for a file that isn't TOML, an unknown setting or a value that its setting doesn't accept.
    """
    found = _nearest(folder)
    return _NONE if found is None else _read(*found)


@lru_cache(maxsize=4)
def _read(file: str, version: tuple[int, int]) -> Mapping[str, Choice]:
    """Read a file; `version` makes a changed file another key. Parsing takes longer than a small run."""
    chosen = {}
    for name, value in _table(Path(file)).items():
        if name not in CONFIGURABLE:
            raise UsageError(f"unknown setting {name!r} in [tool.flytenb] of {file}", hint=closest(name, CONFIGURABLE))
        chosen[name] = Choice(value, f"[tool.flytenb] in {file}")
        check(name, value, chosen[name].place)
    return MappingProxyType(chosen)


def _nearest(folder: Path | None) -> tuple[str, tuple[int, int]] | None:
    """Return the nearest file and its version; without pathlib, since every run asks."""
    try:
        at = os.getcwd() if folder is None else os.path.realpath(folder)  # noqa: PTH109
    except OSError:  # the working directory was removed
        return None
    for file in _candidates(at):
        try:
            found = os.stat(file)  # noqa: PTH116
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode):
            return file, (found.st_mtime_ns, found.st_size)
    return None


@lru_cache(maxsize=4)
def _candidates(folder: str) -> tuple[str, ...]:
    at = Path(folder)
    return tuple(str(place / "pyproject.toml") for place in (at, *at.parents))


def _table(file: Path) -> dict[str, Any]:
    import tomllib  # not needed to load the extension

    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(file, error) from None
    except ValueError as error:
        raise UsageError(f"{file} isn't valid TOML: {error}", hint="flytenb reads [tool.flytenb] from it") from None
    for name in ("tool", "flytenb"):
        found = content.get(name, {})
        if not isinstance(found, dict):
            raise UsageError(f"{name!r} in {file} must be a table, got {found!r}", hint="[tool.flytenb]")
        content = found
    return content


def _unreadable(file: Path, error: OSError) -> UsageError:
    return UsageError(f"can't read {file}: {error.strerror}", hint="flytenb reads [tool.flytenb] from it")
