"""Roots of images: archives unpacked into directories, with what their configuration says of the command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flytenb.engines.image_layers import apply_layer
from flytenb.engines.image_name import full_name
from flytenb.errors import ContainerError, say

_TRUNCATED = "the archive ends too early"


@dataclass(frozen=True)
class ImageRoot:
    """An unpacked image.

    Attributes:
        path: the directory with its files.
        digest: identifies its content: the image's id, as Docker shows it, if the archive has one.
        entrypoint: the words of its ENTRYPOINT.
        command: the words of its CMD.
        environment: its variables.
        directory: its working directory.
    """

    path: Path
    digest: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str


def images_folder() -> Path:
    """Return the directory of unpacked images: `$XDG_CACHE_HOME/flytenb/images`, by default in `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flytenb" / "images"


def find_root(image: str) -> ImageRoot | None:
    """Return the root of an image, None if it isn't unpacked."""
    folder = _folder_of(image)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return ImageRoot(path=folder / "root", **config)


def unpack(source: str | os.PathLike[str], image: str) -> Path:
    """Unpack an image, so that the bubblewrap engine can run it; return the directory of its files.

        flytenb.engines.unpack("busybox.tar", "busybox:1.36")

    Args:
        source: an archive that `docker save` or `docker export` has written, an OCI archive, or a directory: an OCI
            layout or the image's files. Of an archive with several images, the one with the name is taken.
        image: the name that tasks use.

    Raises:
        ContainerError: if the source isn't an image.
    """
    source, folder = Path(source), _folder_of(image)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        (made / "root").mkdir()
        config = _unpack(source, image, made)
        _add_places(made / "root")
        (made / "config.json").write_text(json.dumps(config), "utf-8")
        made.chmod(0o755)
        _replace(made, folder)
    except (OSError, tarfile.TarError, KeyError, ValueError, EOFError) as e:
        raise ContainerError(
            f"{str(source)!r} can't be unpacked as image {image!r}: {say(e)}",
            hint="expected an archive of docker save, docker export or OCI, or a directory with the image's files",
        ) from e
    finally:
        _remove(made)
    return folder / "root"


def _folder_of(image: str) -> Path:
    return images_folder() / quote(full_name(image), safe="")


def _replace(made: Path, folder: Path) -> None:
    """Put a directory in the place of another one."""
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".old-"))
    with suppress(FileNotFoundError):
        folder.rename(old / "root")
    made.rename(folder)
    _remove(old)


def _remove(folder: Path) -> None:
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _add_places(root: Path) -> None:
    """Create the files and directories that are mounted over."""
    for name in ("proc", "dev", "tmp", "run", "etc", "root", "var/tmp"):
        with suppress(FileExistsError):  # a link, in some images
            (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("etc/resolv.conf", "etc/hosts"):
        if not os.path.lexists(root / name):
            (root / name).touch()


def _unpack(source: Path, image: str, made: Path) -> dict[str, Any]:
    """Fill `made/root`, return the configuration."""
    if source.is_dir():
        if any((source / name).is_file() for name in ("manifest.json", "index.json")):
            return _unpack_layout(source, image, made / "root")
        shutil.copytree(source, made / "root", symlinks=True, dirs_exist_ok=True, ignore=_special_files)
        return _config("", {}, _digest_of_tree(made / "root"))
    with tarfile.open(source) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
        if not names & {"manifest.json", "index.json"}:
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            apply_layer(source, made / "root")
            return _config("", {}, digest)
        with tempfile.TemporaryDirectory(dir=made) as layout:
            archive.extractall(layout, filter="data")
            return _unpack_layout(Path(layout), image, made / "root")


def _special_files(folder: str, names: list[str]) -> list[str]:
    paths = [Path(folder) / name for name in names]
    return [path.name for path in paths if not (path.is_symlink() or path.is_file() or path.is_dir())]


def _unpack_layout(layout: Path, image: str, root: Path) -> dict[str, Any]:
    config, layers = _docker_parts(layout, image) if (layout / "manifest.json").is_file() else _oci_parts(layout)
    for layer in layers:
        apply_layer(_within(layout, layer), root)
    data = _within(layout, config).read_bytes()
    found = json.loads(data)
    return _config(config, found.get("config") or {}, hashlib.sha256(data).hexdigest())


def _within(layout: Path, name: str) -> Path:
    path = (layout / name).resolve()
    if not path.is_relative_to(layout.resolve()):
        raise ValueError(f"{name!r} isn't in the archive")
    return path


def _docker_parts(layout: Path, image: str) -> tuple[str, list[str]]:
    images = json.loads((layout / "manifest.json").read_text("utf-8"))
    named = [i for i in images if full_name(image) in map(full_name, i.get("RepoTags") or ())]
    chosen = named or images
    if len(chosen) != 1:
        tags = [tag for i in images for tag in i.get("RepoTags") or ()]
        raise ValueError(f"it has the images {', '.join(tags)}")
    return chosen[0]["Config"], chosen[0]["Layers"]


def _oci_parts(layout: Path) -> tuple[str, list[str]]:
    found = json.loads((layout / "index.json").read_text("utf-8"))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    while "manifests" in found:
        several = [m for m in found["manifests"] if m.get("platform", {}).get("architecture", machine) == machine]
        if not several:
            raise ValueError(f"it has no image for {machine}")
        found = json.loads(_within(layout, _blob(several[0])).read_text("utf-8"))
    return _blob(found["config"]), [_blob(layer) for layer in found["layers"]]


def _blob(part: Mapping[str, Any]) -> str:
    return "blobs/" + str(part["digest"]).replace(":", "/")


def _config(source: str, config: Mapping[str, Any], digest: str) -> dict[str, Any]:
    return {
        "digest": f"sha256:{digest}",
        "entrypoint": config.get("Entrypoint") or [],
        "command": config.get("Cmd") or [],
        "environment": dict(line.partition("=")[::2] for line in config.get("Env") or ()),
        "directory": config.get("WorkingDir") or "",
    }


def _digest_of_tree(root: Path) -> str:
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            digest.update(f"{path.relative_to(root)}\0{path.lstat().st_mode}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
