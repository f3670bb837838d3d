"""Environment variables and files at constant paths that code reads.

A file counts if its path is a constant text that the code reaches, or a constant directory joined with such a text. A
file that the code only opens for writing doesn't count. Answers of the network or of other programs can't be read.
"""

from __future__ import annotations

import glob
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from flytenb.reach.bytecode import NameUse, NameUses, Origin
from flytenb.reach.digest_pieces import digest_of_file
from flytenb.reach.object_digest import OpaqueError, hashed

ALL, NOTHING = "", "="
"""Not one variable, but the whole environment or none of it; no variable can be called so."""

_KEYED = ("get", "setdefault", "pop", "__getitem__", "__contains__")
_LISTING = frozenset(["glob", "iglob", "iterdir", "listdir", "rglob", "scandir", "walk"])
_ABOUT_KIND = frozenset([
    "exists", "lexists", "is_file", "is_dir", "isfile", "isdir", "islink", "is_symlink", "ismount", "is_mount",
    "access", "readlink", "which",
])  # fmt: skip
_ABOUT_LINKS = frozenset(["realpath", "resolve"])
_ABOUT_TIMES = frozenset([
    "stat", "lstat", "fstat", "getmtime", "getctime", "getatime", "samefile", "scandir", "owner", "group",
])  # fmt: skip
_ABOUT_SIZE = frozenset(["getsize"])
ASKING = _ABOUT_KIND | _ABOUT_SIZE | _ABOUT_TIMES
"""Functions that query a file without opening it, which have no audit event."""
C_READERS = frozenset([
    "HDFStore", "OSFile", "ParquetDataset", "ParquetFile", "VideoCapture", "imread", "memory_map", "read_feather",
    "read_hdf", "read_orc", "read_parquet", "read_table", "scan_csv", "scan_ipc", "scan_ndjson", "scan_parquet",
])  # fmt: skip
C_READING_MODULES = frozenset([
    "_dbm", "_gdbm", "cv2", "dbm", "duckdb", "faiss", "h5py", "lmdb", "lxml", "netCDF4", "onnxruntime", "polars",
    "rasterio", "soundfile", "tables",
])  # fmt: skip
"""Libraries that open files in C, without an audit event."""
_MOST_PATHS, _MOST_LISTED = 20_000, 10_000
_SETTLED = 2.0
"""Seconds after which two writes to a file have different times."""

_UNREADABLE = {
    "builtins.eval": "eval() may read anything",
    "builtins.exec": "exec() may read anything",
    "builtins.compile": "compile() makes code that isn't known yet",
    "builtins.globals": "globals() gives all names, and which are read isn't known",
    "builtins.input": "it reads standard input",
    "builtins.__import__": "which module __import__() takes isn't known",
    "importlib.import_module": "which module import_module() takes isn't known",
    "importlib.reload": "reload() changes what has been read",
    "os.umask": "umask() returns the mask only by setting another",
    "posix.umask": "umask() returns the mask only by setting another",
    "runpy.run_path": "run_path() runs code that isn't known yet",
    "runpy.run_module": "run_module() runs code that isn't known yet",
    "sys.stdin": "it reads standard input",
    "sys.modules": "sys.modules gives all modules, and which are read isn't known",
    "sys._getframe": "it looks into its callers",
    "sys._current_frames": "it looks into its callers",
    "inspect.currentframe": "it looks into its callers",
    "inspect.stack": "it looks into its callers",
    "inspect.getsource": "it reads source text, of which only the code is known",
    "inspect.getsourcelines": "it reads source text, of which only the code is known",
    "inspect.getsourcefile": "it reads source text, of which only the code is known",
    "gc.get_objects": "it looks at all objects",
    "gc.get_referrers": "it looks at all objects",
}
_FRAMES = frozenset([
    "__globals__", "__subclasses__", "__builtins__", "co_filename", "co_firstlineno", "co_lines", "co_positions",
    "f_back", "f_globals", "f_lineno", "f_locals", "tb_frame", "tb_lineno",
])  # fmt: skip


READS_ENVIRONMENT = frozenset(
    held for held in (os.getenv, getattr(os, "getenvb", None), os.path.expandvars, os.popen) if held is not None
)
"""Functions that read variables; if one is passed on as an object, all variables count."""


def doubts_about(uses: NameUses) -> Iterator[str]:
    """Yield a doubt for each attribute that leads from an object to something outside of it."""
    for name in sorted(uses.attributes & _FRAMES):
        yield f"it reads the attribute {name!r}, which leads to objects that are not analysed"
    yield from filter(None, map(doubt_about_text, uses.strings))


def doubt_about_text(text: str) -> str | None:
    """Return why a text, as a name for `getattr`, makes it unknown what code reads; None for most texts."""
    if "_" not in text or _FRAMES.isdisjoint(text.split(".")):
        return None
    return f"it may read the attribute {text!r}, which leads to objects that are not analysed"


def doubt_about(value: Any, dotted: str) -> str | None:
    """Return why something installed makes it unknown what code reads, None if it doesn't."""
    found = _UNREADABLE.get(dotted)
    if found is None and type(getattr(value, "__name__", None)) is str:
        found = _UNREADABLE.get(f"{getattr(value, '__module__', '')}.{value.__name__}")
    if value is sys.stdin and value is not None:
        return _UNREADABLE["sys.stdin"]
    return _UNREADABLE["sys.modules"] if value is sys.modules else found


# --- environment -----------------------------------------------------------------------------------------------------


def variable_of(value: Any, rest: tuple[str, ...], use: NameUse, scope: dict[str, Any]) -> str | None:
    """Return the environment variable that a use reads, ALL or NOTHING; None if it isn't about the environment."""
    key = scope.get(use.key.name) if isinstance(use.key, Origin) else use.key
    key = key if type(key) is str and key else ALL
    if value is os.environ or value is getattr(os, "environb", None):
        if not rest:
            return NOTHING if use.how in ("store", "delete", "keep") else key
        if use.how == "call" and rest[0] in _KEYED:
            return key
        return NOTHING if use.how == "keep" or rest[0] == "update" else ALL
    if value is os.getenv or value is getattr(os, "getenvb", None):
        return NOTHING if use.how == "keep" else key if use.how == "call" else ALL
    if value is os.path.expanduser:
        return "HOME"
    return ALL if value is os.path.expandvars else None


def variable(name: str) -> bytes:
    """Return what an environment variable holds, or all of them."""
    if name == ALL:
        return hashed(*(f"{key}={held}".encode("utf-8", "replace") for key, held in sorted(os.environ.items())))
    held = os.environ.get(name)
    return b"" if held is None else b"=" + held.encode("utf-8", "surrogateescape")


# --- files -----------------------------------------------------------------------------------------------------------


class Paths:
    """The files and directories that texts may name."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.folders: dict[str, None] = {}
        self.is_listing = False
        self.about: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """Add texts that may be paths, or parts of some."""
        self.texts.update(
            (text, None) for text in texts if 0 < len(text) < 512 and "\n" not in text and "\0" not in text
        )

    def note(self, uses: NameUses) -> None:
        """Note whether code lists directories."""
        named = {use.origin.name for use in uses.uses} | {use.attributes[-1] for use in uses.uses if use.attributes}
        self.is_listing = self.is_listing or not _LISTING.isdisjoint(uses.attributes | named)
        self.about |= (uses.attributes | named) & (ASKING | _ABOUT_LINKS)

    def digest(self) -> bytes:
        """Return the digest of the files that there are now, by their paths and contents.

        Raises:
            OpaqueError: if there are too many.
        """
        return hashed(*(piece for _, pieces in self.found() for piece in pieces)) if self.texts else b""

    def found(self) -> Iterator[tuple[str, list[bytes]]]:
        """Yield the files and directories that there are now, each with what counts of it.

        Raises:
            OpaqueError: if there are too many.
        """
        seen: set[str] = set()
        folders = [*self.folders]
        texts = [text for text in self.texts if "://" not in text and text.strip("./")]
        endings = [text for text in texts if text.startswith(".") and len(text) < 10]
        level = [*texts, *(text + ending for ending in endings for text in texts if text != ending)]
        for _ in range(3):
            for path in [path for path in dict.fromkeys(level) if path not in seen]:
                seen.add(path)
                kind = _kind(path)
                pieces = self._facts(path)
                if kind == "file":
                    pieces += [os.fspath(path).encode("utf-8", "surrogateescape"), content(path)]
                elif kind == "folder":
                    folders.append(path)
                    pieces += self._listed(path) if self.is_listing else []
                elif self.is_listing and glob.has_magic(path):
                    for inner in sorted(glob.iglob(path, recursive=True)):  # noqa: PTH207 - an absolute pattern
                        pieces += self._listed(inner)
                if pieces:
                    yield path, pieces
            names = [text.lstrip("/") for text in texts]
            level = [f"{folder}/{name}" for folder in folders for name in names]
            folders = []
            if len(seen) + len(level) > _MOST_PATHS:
                raise OpaqueError(f"more than {_MOST_PATHS} paths may be read")
            if not level:
                break

    def _facts(self, path: str) -> list[bytes]:
        """Return the size, times and kind of a file, as far as the code may query them."""
        if not self.about or (found := _stat(path)) is None:
            return []
        target = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""  # noqa: PTH115 - a text
        real = _stat(path, follow=True) or found
        size = real.st_size if self.about & (_ABOUT_SIZE | _ABOUT_TIMES) else None
        times = (size, real.st_mtime_ns, real.st_uid, real.st_gid) if self.about & _ABOUT_TIMES else size
        return [os.fsencode(path), repr((found.st_mode, target, real.st_mode, times)).encode()]

    def _listed(self, path: str) -> list[bytes]:
        """Return the pieces of a directory that the code may list, with everything below it."""
        paths = [Path(path), *sorted(Path(path).rglob("*"))] if Path(path).is_dir() else [Path(path)]
        if len(paths) > _MOST_LISTED:
            raise OpaqueError(f"the directory {path!r} holds more than {_MOST_LISTED} files")
        named = [os.fspath(inner).encode("utf-8", "surrogateescape") for inner in paths]
        return [*named, *(content(os.fspath(inner)) for inner in paths if _kind(os.fspath(inner)) == "file")]


def _stat(path: str, *, follow: bool = False) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - as below
    except (OSError, ValueError):
        return None


def _kind(path: str) -> str | None:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - most texts are no paths, and this is done for each of them
    except (OSError, ValueError):
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else None


_contents: dict[str, tuple[tuple[int, ...], bytes]] = {}


def content(path: str) -> bytes:
    """Return the digest of a file's content, kept while the file is unchanged."""
    try:
        found = Path(path).stat()
        stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)
        known = _contents.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        made = digest_of_file(Path(path))
        if time.time() - max(found.st_mtime, found.st_ctime) > _SETTLED:
            _contents[path] = (stamp, made)
        return made
    except OSError as e:
        return f"unreadable {e.errno}".encode()
