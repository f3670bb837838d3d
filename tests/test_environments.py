"""Wheel and sdist, and a part of the suite at both ends of the versions that pyproject.toml declares."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import warnings
import zipfile
from email.parser import Parser
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

SMOKE = """
import pathlib
import sys

import flytenb
from flytekit import task, workflow

@task
def square(n: int) -> int:
    return n * n

@workflow
def total(n: int) -> int:
    return square(n=square(n=n))

assert pathlib.Path(flytenb.__file__).is_relative_to(sys.prefix), flytenb.__file__
run = flytenb.run(total, n=3)
assert run.result == 81
assert "<svg" in flytenb.draw(run).svg
print(flytenb.__version__)
"""
"""What somebody sees first: a run, its picture and its page."""
NOTEBOOK = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---

```{code-cell}
%load_ext flytenb
```

```{code-cell}
%%task
def square(n: int) -> int:
    return n * n
```
"""

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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel, made of the sdist, and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    succeed(uv("build", "--quiet", "--out-dir", str(folder)))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def package_files() -> set[str]:
    """Every file of the package that could be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "flytenb"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.splitlines() if (ROOT / name).is_file()}


def test_wheel_and_sdist_contain_the_package_and_describe_it(built: tuple[Path, Path]) -> None:
    wheel, sdist = built
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        about = Parser().parsestr(archive.read(next(n for n in names if n.endswith("/METADATA"))).decode())
    info = f"flytenb-{about['Version']}.dist-info/"
    assert {name for name in names if not name.startswith(info)} == package_files()
    assert f"{info}licenses/LICENSE" in names
    assert (about["Name"], about["License-Expression"]) == ("flytenb", "Apache-2.0")
    assert about["Requires-Python"] == "<3.13,>=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert about.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")
    with tarfile.open(sdist) as source:
        unpacked = {name.partition("/")[2] for name in source.getnames()}
    assert package_files() <= unpacked
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert {name for name in listed if name and (ROOT / name).is_file()} - unpacked == set()  # the tests need them all
    succeed(uv("tool", "run", "twine", "check", "--strict", str(wheel), str(sdist)))


@pytest.mark.filterwarnings("default:no Python")
@pytest.mark.parametrize(("version", "resolution"), [("3.11", "lowest-direct"), ("3.12", "highest")])
def test_the_suite_and_the_wheel_pass_at_both_ends_of_what_is_declared(
    version: str, resolution: str, built: tuple[Path, Path], tmp_path: Path
) -> None:
    python = make_environment(version, tmp_path)
    wanted = ("--resolution", resolution, "-r", "pyproject.toml", "--extra", "frames", *FOUND_HERE)
    succeed(uv("pip", "install", "--quiet", "--python", python, *wanted))
    succeed(uv("pip", "install", "--quiet", "--no-deps", "--python", python, str(built[0])))
    check_installed(python, built[0], tmp_path)
    tests = [f"tests/{path}" for path in PORTION]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert " passed" in succeed(ran)


@pytest.mark.filterwarnings("default:no Python")
@pytest.mark.parametrize(("version", "resolution"), [("3.11", "highest"), ("3.12", "lowest-direct")])
def test_the_wheel_alone_brings_all_that_a_first_run_needs(
    version: str, resolution: str, built: tuple[Path, Path], tmp_path: Path
) -> None:
    """As `pip install flytenb` does: no extra, no package of the tests, at the other two ends of what is declared."""
    python = make_environment(version, tmp_path)
    succeed(uv("pip", "install", "--quiet", "--resolution", resolution, "--python", python, str(built[0])))
    check_installed(python, built[0], tmp_path)


def make_environment(version: str, folder: Path) -> str:
    """Make an environment of a version of Python, or of the one that is here, and return its program."""
    if uv("venv", "--quiet", "--python", version, str(folder / "env")).returncode:
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        warnings.warn(f"no Python {version} here: ran with {here} instead", stacklevel=1)
        succeed(uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder / "env")))
    return str(folder / "env" / "bin" / "python")


def check_installed(python: str, wheel: Path, folder: Path) -> None:
    """Use the installed wheel from a folder that isn't the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def use(*command: str) -> str:
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return succeed(ran)

    (folder / "smoke.py").write_text(SMOKE)
    (folder / "squares.md").write_text(NOTEBOOK)
    version = wheel.name.split("-")[1]
    assert use(python, "smoke.py").splitlines()[-1] == version
    program = str(Path(python).parent / "flytenb")
    assert use(program, "--version").split()[-1] == version
    assert "9" in use(program, "run", "squares.md", "square", "--n", "3")
