"""Images of R and Julia for bubblewrap, made once per machine by the script of `make demo-languages`."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).parent.parent / "notebooks" / "images.py"


def image_environment() -> dict[str, str]:
    """Return the variables with which `notebooks/languages.md` uses the images, which are unpacked."""
    return {
        f"{language.upper()}_IMAGE": _script().images()[language].name
        for language in ("r", "julia")
        if root_of(language)
    }


@cache
def root_of(language: str) -> Path:
    """Return the root of a language's image."""
    script = _script()
    image = script.images()[language]
    root: Path = script.unpack_once(image, script.build(image))
    return root


@cache
def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("flytenb_demo_images", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module
