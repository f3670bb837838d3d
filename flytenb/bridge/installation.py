"""Location of the installed flytekit."""

from __future__ import annotations

from pathlib import Path

import flytekit


def flytekit_directory() -> Path:
    """Return the directory of flytekit's modules."""
    return Path(flytekit.__file__).parent


def flytekit_version() -> str:
    """Return the version of flytekit."""
    return str(flytekit.__version__)
