"""A `julia` program: that of this machine, else one in a root of Debian 11, unpacked once into the user's cache."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

CACHE = Path.home() / ".cache" / "flytenb-tests"
_SUITE = "bullseye"  # the last one with a package of Julia


@cache
def julia_folder() -> str:
    """Return the folder of the program."""
    found = shutil.which("julia")
    if found:
        return str(Path(found).parent)
    CACHE.mkdir(parents=True, exist_ok=True)
    root, programs = CACHE / f"julia-{_SUITE}", Path(tempfile.mkdtemp(prefix="julia-program-"))
    with (CACHE / "lock").open("w") as lock:  # of the processes of pytest, one unpacks
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _unpack(root)
    program = programs / "julia"
    temporary = tempfile.gettempdir()
    program.write_text(
        f"#!/bin/sh\nexec bwrap --bind '{root}' / --bind '{temporary}' '{temporary}' --dev /dev --proc /proc "
        '/usr/bin/julia "$@"\n'
    )
    program.chmod(0o755)
    return str(programs)


def _unpack(root: Path) -> None:
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True, check=True
    )
    mirror = next(uri for uri in targets.stdout.split() if uri.rstrip("/").endswith("/debian"))
    unfinished = Path(tempfile.mkdtemp(dir=CACHE))
    options = ["--variant=essential", "--include=julia", "--format=directory"]
    subprocess.run(["mmdebstrap", *options, _SUITE, str(unfinished / "root"), mirror], check=True)
    (unfinished / "root").rename(root)
    unfinished.rmdir()
