"""Both ends of the ranges that pyproject.toml declares: a part of the suite, in environments made for it."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from importlib import metadata
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
PORTION = ("bridge/test_private.py", "bridge/test_patches.py", "runner/test_flows.py", "notebook/test_kernel_runs.py")
FOUND_HERE = [
    f"{name}=={metadata.version(name)}" for name in ("pytest", "hypothesis", "nbclient", "nbformat", "pydantic")
]
"""Packages that only the tests import; their versions don't matter."""

pytestmark = [pytest.mark.slow, pytest.mark.kernel]


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    # pyenv's commands run only the versions that it is set to; behind them in PATH, uv would find none of the others.
    kept = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    path = [*map(str, kept.glob("3.1[12].*/bin")), os.environ["PATH"]]
    env = os.environ | {"PATH": os.pathsep.join(path), "UV_PYTHON_DOWNLOADS": "never"}
    return subprocess.run([find_uv_bin(), *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def succeed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-8_000:]
    return done.stdout


@pytest.mark.filterwarnings("default:no Python")
@pytest.mark.parametrize(("version", "resolution"), [("3.11", "lowest-direct"), ("3.12", "highest")])
def test_the_suite_passes_at_both_ends_of_what_is_declared(version: str, resolution: str, tmp_path: Path) -> None:
    if uv("venv", "--quiet", "--python", version, str(tmp_path / "env")).returncode:
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        warnings.warn(f"no Python {version} here: ran with {here} instead", stacklevel=1)
        succeed(uv("venv", "--quiet", "--clear", "--python", sys.executable, str(tmp_path / "env")))
    python = str(tmp_path / "env" / "bin" / "python")
    wanted = ("--resolution", resolution, "-r", "pyproject.toml", "--extra", "frames", *FOUND_HERE)
    succeed(uv("pip", "install", "--quiet", "--python", python, *wanted))
    tests = [f"tests/{path}" for path in PORTION]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert " passed" in succeed(ran)
