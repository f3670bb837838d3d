"""An image of this Python with flytekit and what it requires, made of the files of this machine."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from tests.engine import add_busybox

IMAGE = "localhost/tasks:1"
_SITE = "usr/lib/site"
_LEFT_OUT = ("test", "idlelib", "site-packages", "ensurepip", "lib2to3", "tkinter")
_UNUSED = ("adlfs", "cryptography", "gcsfs", "kubernetes", "s3fs")
"""Distributions that only remote storage and clusters need."""


def packed_python() -> bytes:
    """Return an archive of the image's files: a shell too, as `env` finds the interpreter of a script."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
        add_busybox(tar)
        python = Path(sys.executable).resolve()
        standard = Path(sysconfig.get_path("stdlib"))
        tar.add(python, str(python).lstrip("/"))
        tar.add(standard, str(standard).lstrip("/"), filter=_needed)
        # flytekit imports the last two without requiring them.
        files = {path: f"{_SITE}/{name}" for path, name in _packages("flytekit", "decorator", "aiohttp")}
        for path, name in files.items():
            tar.add(path, name)
        native = [path for path in files if path.suffix == ".so" or ".so." in path.name]
        for library in _libraries([python, *native, *standard.glob("lib-dynload/*.so")]):
            tar.add(library, str(library).lstrip("/"))
        _add_script(tar, "python3", f'exec {python} "$@"')
        _add_script(tar, "pyflyte-execute", f'exec {python} -m flytekit.bin.entrypoint pyflyte-execute "$@"')
        temporary = tarfile.TarInfo("tmp")
        temporary.type, temporary.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(temporary)
    return packed.getvalue()


def _needed(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(member.name).name
    return None if name in _LEFT_OUT or name.startswith("config-") else member


def _packages(*roots: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of distributions and of those that they require, each with its name."""
    todo, done = [*roots], set()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in done or name in _UNUSED:
            continue
        done.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another platform
            continue
        todo += [re.split(r"[^\w.-]", line)[0] for line in found.requires or () if "extra ==" not in line]
        for file in found.files or ():
            if not str(file).startswith("..") and (path := Path(str(file.locate()))).is_file():
                yield path, str(file)


def _libraries(files: list[Path]) -> set[Path]:
    """Return the shared libraries that files need, with the loader."""
    listed = subprocess.run(["ldd", *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return {Path(path) for path in re.findall(r"(?:=> |^\s)(/\S+) \(", listed.stdout, re.MULTILINE)}


def _add_script(tar: tarfile.TarFile, name: str, line: str) -> None:
    text = f"#!/bin/sh\nexport PYTHONPATH=$PYTHONPATH:/{_SITE}\n{line}\n".encode()
    script = tarfile.TarInfo(f"bin/{name}")
    script.size, script.mode = len(text), 0o755
    tar.addfile(script, io.BytesIO(text))
