"""Directories on their way into a container and out of it, as archives."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from flytenb.engines.engine import Mount

_IN_MEMORY = 1 << 20


@contextmanager
def packed(mounts: Sequence[Mount]) -> Iterator[IO[bytes]]:
    """Yield an archive of the mounted directories under the paths in the container; anyone there can use them."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as made:
        with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as archive:
            for mount in mounts:
                archive.add(mount.source, mount.target.strip("/"), filter=_writable if mount.is_writable else _readable)
        made.seek(0)
        yield made


def _readable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode = 0o755 if member.isdir() else 0o644 | member.mode & 0o111
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _writable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    _readable(member).mode |= 0o777 if member.isdir() else 0o666
    return member


def unpack_into(folder: Path, pieces: Iterable[bytes], check: Callable[[], None]) -> None:
    """Fill a directory with the archive of a container's directory. All files belong to this user and can be removed.

    Links are made as they are, for the reader to judge; none is followed here. Devices and pipes become empty files
    that can't be read, so that they are refused by name.
    """
    with tarfile.open(fileobj=cast(IO[bytes], _Pieces(pieces, check)), mode="r|") as archive:
        for member in archive:
            parts = Path(os.path.normpath(member.name)).parts[1:]
            path = folder.joinpath(*parts)
            if parts and ".." not in parts and not _has_link(folder, parts[:-1]):
                _extract(archive, member, path, folder)


def _has_link(folder: Path, parts: tuple[str, ...]) -> bool:
    return any(folder.joinpath(*parts[: n + 1]).is_symlink() for n in range(len(parts)))


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, folder: Path) -> None:
    if os.path.lexists(path) and not (path.is_dir() and not path.is_symlink()):
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        path.mkdir(exist_ok=True)
    elif member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        linked = folder.joinpath(*Path(os.path.normpath(member.linkname)).parts[1:])
        if not linked.is_symlink() and linked.is_file():
            shutil.copyfile(linked, path)
    elif member.isfile():
        content: Any = archive.extractfile(member)
        with content, path.open("xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(0o600 | member.mode & 0o111)
    else:
        os.mkfifo(path)


class _Pieces:
    """A file of pieces, for reading; `check` is called at each."""

    def __init__(self, pieces: Iterable[bytes], check: Callable[[], None]) -> None:
        self._pieces = iter(pieces)
        self._check = check
        self._waiting = b""

    def read(self, size: int) -> bytes:
        while len(self._waiting) < size:
            self._check()
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._waiting += piece
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        return data
