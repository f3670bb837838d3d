"""Lookup of languages by name or alias: built in, of entry points, registered."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from flytenb.errors import DefinitionError, UnknownNameError, closest
from flytenb.languages.language import Language

GROUP = "flytenb.languages"
"""Entry point group; an entry's name is the language's, its object the `Language`."""
_BUILT_IN = {"julia": "julia", "node": "nodejs", "python": "python", "r": "r", "shell": "posix_shell"}
"""The modules of this package by the name of their language."""
_registered: dict[str, Language] = {}


def register(language: Language) -> None:
    """Add a language, or replace the one of its name.

    Raises:
        DefinitionError: if it isn't a `Language`.
    """
    if not isinstance(language, Language):
        raise DefinitionError(f"expected a Language, got {language!r:.100}")
    _registered[language.name.lower()] = language


def find_language(name: str) -> Language:
    """Return the language of a name or an alias, in any case.

    Raises:
        UnknownNameError: with the closest names.
    """
    known = _by_name()
    if (found := known.get(name.lower())) is None:
        raise UnknownNameError(f"expected a language, got {name!r}", closest(name.lower(), known))
    return found


def language_names() -> list[str]:
    """Return the names of all languages, without aliases."""
    return sorted({language.name for language in _by_name().values()})


def _by_name() -> dict[str, Language]:
    languages = (*_built_in().values(), *_installed().values(), *_registered.values())
    aliases = {alias.lower(): language for language in languages for alias in language.aliases}
    return aliases | {language.name.lower(): language for language in languages}


@cache
def _built_in() -> dict[str, Language]:
    return {name: import_module(f"flytenb.languages.{module}").LANGUAGE for name, module in _BUILT_IN.items()}


@cache
def _installed() -> dict[str, Language]:
    return {point.name: point.load() for point in entry_points(group=GROUP)}
