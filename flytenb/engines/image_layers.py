"""Layers of images: archives of files that are added to a root, or that remove some of it."""

from __future__ import annotations

import os
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path

_REMOVED = ".wh."
_EMPTIED = ".wh..wh..opq"
_MOST_LINKS = 40


def apply_layer(archive: Path, root: Path) -> None:
    """Add the files of an archive to a root, and remove what it marks as removed.

    Links are followed within the root only. Devices are left out, owners are this user, no file is set-user-ID.

    Raises:
        tarfile.TarError: if it isn't an archive.
        ValueError: for a name that leads out of the root.
    """
    modes: dict[Path, int] = {}
    added: set[Path] = set()
    with tarfile.open(archive) as layer:
        for member in layer:
            name = Path(os.path.normpath(member.name.lstrip("/")))
            if name == Path():
                continue
            if ".." in name.parts:
                raise ValueError(f"{member.name!r} leads out of the image")
            parent = resolve_in(root, name.parent)
            parent.mkdir(parents=True, exist_ok=True)
            if name.name == _EMPTIED:
                for path in set(parent.iterdir()) - added:
                    _remove_path(path)
            elif name.name.startswith(_REMOVED):
                _remove_path(parent / name.name.removeprefix(_REMOVED))
            else:
                _add(layer, member, parent / name.name, root, modes)
                added.add(parent / name.name)
    for path, mode in modes.items():
        with suppress(FileNotFoundError):
            path.chmod(mode)


def _add(layer: tarfile.TarFile, member: tarfile.TarInfo, path: Path, root: Path, modes: dict[Path, int]) -> None:
    is_kept = member.isdir() and path.is_dir() and not path.is_symlink()
    if not is_kept:
        _remove_path(path)
    if member.isdir():
        path.mkdir(exist_ok=True)
        modes[path] = member.mode & 0o777 | 0o700
    elif member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        linked = Path(member.linkname.lstrip("/"))
        os.link(resolve_in(root, linked.parent) / linked.name, path, follow_symlinks=False)
    elif member.isfile():
        content = layer.extractfile(member)
        assert content is not None
        with content, path.open("xb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(member.mode & 0o777 | 0o400)
        os.utime(path, (member.mtime, member.mtime))


def _remove_path(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def resolve_in(root: Path, path: Path) -> Path:
    """Return where a path is in a root, whose links mean paths in the root too.

    Raises:
        ValueError: for links that form a circle.
    """
    found: list[str] = []
    waiting = list(reversed(path.parts))
    links = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            found = found[:-1]
            continue
        if part in ("/", "."):
            continue
        here = root.joinpath(*found, part)
        if not here.is_symlink():
            found.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise ValueError(f"{str(path)!r} leads in a circle")
        target = here.readlink()
        found = [] if target.is_absolute() else found
        waiting += reversed(target.parts)
    return root.joinpath(*found)
