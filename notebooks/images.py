"""Make images of R and Julia from Debian packages, without a registry, and load them into the engine that is there.

`make demo-languages` runs this first. The archives are kept in `$XDG_CACHE_HOME/flytenb/archives`, by default in
`~/.cache`. The mirror is the one that apt uses on this machine, which has to be a Debian.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from platform import freedesktop_os_release, machine

import docker

from flytenb.engines import engine_named, unpack
from flytenb.engines.docker_engine import DockerEngine
from flytenb.engines.image_root import find_root

_OPTIONS = (
    "--quiet",
    "--format=tar",
    "--aptopt=Acquire::Languages none",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "lintian")),
)


@dataclass(frozen=True)
class DebianImage:
    """An image of Debian packages.

    Attributes:
        name: of the image.
        suite: the release of Debian.
        package: what is in the image, with all that it depends on.
        variant: of mmdebstrap: "essential" installs it, "extract" only unpacks files, which takes half the time.
    """

    name: str
    suite: str
    package: str
    variant: str

    @property
    def archive(self) -> Path:
        """The archive of the image's files, which may not exist yet."""
        recipe = repr((self, _OPTIONS, machine())).encode()
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cache / "flytenb" / "archives" / f"{hashlib.sha256(recipe).hexdigest()[:16]}.tar"


def images() -> dict[str, DebianImage]:
    """Return the images by language."""
    here = freedesktop_os_release().get("VERSION_CODENAME", "stable")
    return {
        "r": DebianImage(f"localhost/r:{here}", here, "r-base-core", "essential"),
        # The last release that has it.
        "julia": DebianImage("localhost/julia:bullseye", "bullseye", "julia", "extract"),
    }


def build(image: DebianImage) -> Path:
    """Return the archive of an image; it is made once per machine, by one process.

    Raises:
        RuntimeError: if this machine can't make it.
    """
    archive = image.archive
    with _locked(archive.with_suffix(".lock")):
        if not archive.exists():
            _say(f"making {image.name} of the Debian package {image.package}")
            _bootstrap(image, archive)
    return archive


def load(image: DebianImage, archive: Path) -> str:
    """Load an image into the Docker engine that answers, else unpack it for bubblewrap; return the engine's name."""
    engine = engine_named("docker")
    if not isinstance(engine, DockerEngine) or not engine.answers():
        unpack_once(image, archive)
        return "bubblewrap"
    client = docker.DockerClient.from_env()
    name, _, tag = image.name.partition(":")
    if not client.images.list(name=image.name):
        client.api.import_image_from_file(str(archive), repository=name, tag=tag)
    client.close()
    return "docker"


def unpack_once(image: DebianImage, archive: Path) -> Path:
    """Return the directory of an image's files, in which bubblewrap runs commands."""
    with _locked(archive.with_suffix(".lock")):
        root = find_root(image.name)
        return unpack(archive, image.name) if root is None else root.path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _bootstrap(image: DebianImage, archive: Path) -> None:
    program = shutil.which("mmdebstrap")
    if program is None:
        raise RuntimeError("mmdebstrap is missing; on Debian: apt install mmdebstrap")
    made = archive.with_name(f"{archive.name}.new")
    options = (*_OPTIONS, f"--variant={image.variant}", f"--include={image.package}")
    command = [program, *options, image.suite, str(made), *_mirror()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        made.unlink(missing_ok=True)
        raise RuntimeError(f"{image.name} can't be made: mmdebstrap failed\n{done.stdout[-2000:]}")
    made.rename(archive)


def _mirror() -> list[str]:
    """Return the address from which apt takes Debian's packages; none if apt doesn't know, which is the default."""
    listed = [
        "apt-get",
        "indextargets",
        "--format=$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]
    done = subprocess.run(listed, capture_output=True, text=True, check=False)
    here = freedesktop_os_release().get("VERSION_CODENAME", "stable")
    start = f"Debian {here} main "
    return [line.removeprefix(start) for line in done.stdout.splitlines() if line.startswith(start)][:1]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Make and load all images; print the environment that makes `notebooks/languages.md` use them."""
    found = images()
    try:
        with ThreadPoolExecutor() as pool:
            archives = list(pool.map(build, found.values()))
    except RuntimeError as error:
        _say(str(error))
        return 1
    for (language, image), archive in zip(found.items(), archives, strict=True):
        _say(f"{image.name}: {load(image, archive)}")
        sys.stdout.write(f"{language.upper()}_IMAGE={image.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
