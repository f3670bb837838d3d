"""The table of verbs: each module of this package defines one, as `VERB`."""

from __future__ import annotations

import importlib
import pkgutil

from flytenb.notebook.magics.verb import Verb


def read_verbs() -> dict[str, Verb]:
    """Import the modules of this package and return their verbs by name, in alphabetical order."""
    modules = sorted(found.name for found in pkgutil.iter_modules(__path__))
    verbs: list[Verb] = [importlib.import_module(f"{__name__}.{name}").VERB for name in modules]
    return {verb.name: verb for verb in verbs}


VERBS = read_verbs()
"""The verbs by name: `%flyte`, its help and its completion read this table."""
