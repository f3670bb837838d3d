"""Environments for plugins, made by uv: quick, since it links packages from its cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def uv(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run uv, of this environment or of the machine."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found is not None, "uv is missing: pip install uv"
    return subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)


def made_environment(folder: Path) -> Path:
    """Make an environment with this Python and nothing in it; return its interpreter."""
    uv("venv", "--quiet", "--python", sys.executable, str(folder)).check_returncode()
    return folder / "bin" / "python"


def install(python: Path, *requirements: str, timeout: float | None = None) -> str:
    """Install into an environment; return what uv says if it can't, else an empty text."""
    done = uv("pip", "install", "--quiet", "--python", str(python), *requirements, timeout=timeout)
    return done.stderr.strip() if done.returncode else ""
