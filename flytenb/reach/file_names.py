"""Files that code names, to keep tasks that use the same file apart.

A name is known as a whole, by its start and end (`f"part_{n}.csv"`), or not at all; a name that isn't known may be that
of any file. Names of the working directory are relative, however they are put together.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from flytenb.reach.abstract_values import (
    PATH_JOIN,
    AbstractValue,
    InputPiece,
    KnownText,
    LibraryResult,
    Method,
    NewCollection,
    Special,
    is_private_path,
    texts,
)


@dataclass(frozen=True, slots=True)
class FileName:
    """A file or directory by its name: the whole of it (`end` is None), or its start and end.

    Attributes:
        start: how the name starts, or the whole of it.
        end: how it ends.
        pieces: all of the name, if the rest comes from inputs of the task.
    """

    start: str
    end: str | None = None
    pieces: tuple[str | InputPiece, ...] | None = None

    def inputs(self) -> Iterator[str]:
        """Yield the inputs that the name is made of."""
        return (piece.name for piece in self.pieces or () if isinstance(piece, InputPiece))

    def with_inputs(self, inputs: Mapping[str, str | int]) -> FileName | None:
        """Return the name with the values of the task's inputs, None for the address of a remote file."""
        if self.pieces is None or any(name not in inputs for name in self.inputs()):
            return self
        text = "".join(piece if isinstance(piece, str) else str(inputs[piece.name]) for piece in self.pieces)
        path = os.path.join(*text.split(PATH_JOIN))  # noqa: PTH118 - a text is wanted
        return None if "://" in path else file_name(KnownText(path))

    def meets(self, other: FileName) -> bool:
        """Return whether both may be the same file, or one inside the other."""
        return self._may_be(other) or self._may_contain(other) or other._may_contain(self)

    def _may_be(self, other: FileName) -> bool:
        if self.end is None and other.end is None:
            return self.start == other.start
        if self.end is None:
            return other._may_be(self)
        if other.end is None:
            fits = other.start.startswith(self.start) and other.start.endswith(self.end)
            return fits and len(other.start) >= len(self.start) + len(self.end)
        starts = self.start.startswith(other.start) or other.start.startswith(self.start)
        return starts and (self.end.endswith(other.end) or other.end.endswith(self.end))

    def _may_contain(self, other: FileName) -> bool:
        if self.end is None:
            is_all = self.start == "." and not other.start.startswith("/")
            return is_all or other.start.startswith(f"{self.start.rstrip('/')}/")
        return self.end == "" and (other.start.startswith(self.start) or self.start.startswith(other.start))

    def __str__(self) -> str:
        if self.end is None:
            return f"file {self.start}" if self.start != "." else "files of the working directory"
        return f"files {self.start}*{self.end}" if self.start or self.end else "files of unknown names"


ANY = FileName("", "")
"""A file whose name isn't known."""


class Files(NamedTuple):
    """The files that a call reads, and those that it may change."""

    read: frozenset[FileName] = frozenset()
    written: frozenset[FileName] = frozenset()


NO_FILES = Files()

_OPENERS = re.compile(r"open|(io|codecs|gzip|bz2|lzma|tarfile|zipfile)\.(open|\w*File)|\.open")
_TAKERS = re.compile(  # of the name of what they change
    r"os\.(remove|unlink|mkdir|makedirs|rmdir|removedirs|truncate|utime|chmod|chown|mkfifo|mknod|open)|shutil\.rmtree|"
    r"_?sqlite3\.connect|shelve\.open|dbm\.\w*open|logging\.(handlers\.)?\w*FileHandler|pathlib\._?local\.\w+|"
    r"\.(write_text|write_bytes|unlink|mkdir|rmdir|symlink_to|hardlink_to|chmod)"
)
_READERS = re.compile(
    r"os\.(stat|lstat|listdir|scandir|walk|access|readlink)|os\.path\.(exists|lexists|isfile|isdir|getsize|getmtime)|"
    r"i?glob\.i?glob|linecache\.\w+|"
    r"\.(read_text|read_bytes|exists|is_file|is_dir|iterdir|glob|rglob|stat|lstat|samefile)|"
    r"(\w+\.)*(read_(?!only)\w+|scan_\w+|imread|loadtxt|genfromtxt|fromfile|from_pretrained|from_file|FlyteFile|"
    r"FlyteDirectory|load(_\w+)?)"
)
_PAIRS = re.compile(r"os\.(rename|renames|replace|link|symlink)|shutil\.(copy\w*|move)")
_WRITERS = re.compile(
    r"(\w*\.)*(save\w*|write_(?!text|bytes)\w+|dump(_\w+)?|export\w*|imsave|imwrite|print_(figure|png|pdf|svg)|sink_\w+|"
    r"to_(csv|parquet|json|excel|pickle|feather|hdf|html|latex|markdown|xml|stata|orc|netcdf|zarr|file|tiff?|disk|avro|"
    r"delta|ipc)|tofile|extract(all)?|download\w*|urlretrieve|unpack_archive|make_archive|snapshot_download|"
    r"CSVLogger|SummaryWriter|FileWriter|h5py\.\w*File|basicConfig|redirect_to_file)"
)
_TAKES_FILES = re.compile(r"(json|pickle|marshal|yaml|toml|tomllib|plistlib|csv)\.\w+")
"""Functions of the standard library and similar ones that write to open files instead of names."""
_PATH_ARGUMENTS = ("path", "path_or_buf", "filename", "fname", "file", "fp", "dst", "out", "output", "where", "buf",
                   "excel_writer", "filepath", "extract_dir", "path_or_buffer", "save_path", "database")  # fmt: skip
_COMMANDS = re.compile(
    r"subprocess\.(run|call|check_call|check_output|Popen|getoutput|getstatusoutput)|"
    r"os\.(system|popen|spawn\w+|posix_spawn\w*)|asyncio\.(subprocess\.)?create_subprocess_\w+"
)
_HARMLESS_COMMANDS = frozenset([
    "sleep", "echo", "cat", "ls", "wc", "grep", "egrep", "head", "tail", "date", "hostname", "uname", "which",
    "true", "false", "printf", "env", "test", "sort", "cut", "tr", "nproc", "id", "whoami", "pwd", "seq",
    "basename", "dirname", "stat", "du", "df", "ps", "free", "md5sum", "sha256sum", "diff", "cmp", "file",
    "nvidia-smi", "exit", "cd",
])  # fmt: skip


def files_of_call(name: str, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> Files:
    """Return the files that a call uses.

    Args:
        name: the function's dotted name; `.name` for a method, whose object is the first argument.
        args: what it is called with.
        named: arguments by their names.
    """
    first = args[:1] or [named[n] for n in _PATH_ARGUMENTS if n in named][:1]
    if _OPENERS.fullmatch(name):
        modes = [*args[1:2], *(named[n] for n in ("mode",) if n in named)]
        is_written = any(
            not (found := texts(mode)) or any(set(t.start) & set("wax+") or t.end is not None for t in found)
            for mode in modes
        )
        return _used(first, is_written=is_written)
    if _COMMANDS.fullmatch(name):
        return files_of_command(args, named)
    if _PAIRS.fullmatch(name) or (name in (".rename", ".replace") and len(args) == 2 and not _is_text(args[0], name)):
        moves = "copy" not in name
        return _both(_used(args[:1], is_written=moves), _used(args[1:2], is_written=True))
    if name == ".touch":  # in which order two tasks do so makes no difference
        return _used(args[:1], is_written=False)
    if _TAKERS.fullmatch(name):
        is_soft = name in ("os.makedirs", ".mkdir") and "exist_ok" in named
        return NO_FILES if is_soft else _used(first, is_written=True)
    if name.startswith("."):
        if _READERS.fullmatch(name):
            return _used(args[:1], is_written=False) if not _is_loader(name) else _used(args[1:2], is_written=False)
        args = args[1:]
    elif _READERS.fullmatch(name):
        return NO_FILES if _TAKES_FILES.fullmatch(name) else _used(first, is_written=False)
    if _WRITERS.fullmatch(name) and not _TAKES_FILES.fullmatch(name):
        return _used(_path_among(name, args, named), is_written=True)
    return NO_FILES


def _is_loader(name: str) -> bool:
    return name not in (".read_text", ".read_bytes") and name.startswith(
        (".load", ".read_", ".scan_", ".imread", ".from")
    )


def _is_text(value: AbstractValue, name: str) -> bool:
    """Whether `value.replace(x)` can't be the method of a path: a text takes two arguments."""
    return name == ".rename" and not texts(value)


def _path_among(name: str, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> list[AbstractValue]:
    """The argument of a writing call that is a path, if any is."""
    given = [named[n] for n in _PATH_ARGUMENTS if n in named]
    for at, value in enumerate([*given, *args]):
        if any(isinstance(one, KnownText) for one in value) or (is_private_path(value) or not _may_be_path(value)):
            if at == 0 and not _is_open_file(value) and not _may_be_path(value) and re.search(r"dump|save", name):
                continue  # `dump(model, path)`
            return [value]
        later = args[1:2] if not given else []
        if (
            later
            and re.search(r"dump|save", name)
            and (texts(later[0]) or not _may_be_path(later[0]) or is_private_path(later[0]))
        ):
            return [later[0]]
        return [value]
    return (
        [frozenset([KnownText(".")])]
        if re.search(r"\.(extractall|unpack_archive|basicConfig)$", name) and not args
        else []
    )


def _is_open_file(value: AbstractValue) -> bool:
    return any(
        one is Special.OPEN_FILE
        or (isinstance(one, LibraryResult) and one.name.startswith(("io.", "tempfile.", "zipfile.")))
        for one in value
    )


def _may_be_path(value: AbstractValue) -> bool:
    return any(
        isinstance(one, KnownText)
        or one is Special.UNKNOWN
        or (isinstance(one, Method) and one.owner is not Special.OWN)
        for one in value
    )


def _used(values: Iterable[AbstractValue], *, is_written: bool) -> Files:
    names = frozenset(name for value in values for name in _names_in(value))
    return Files(written=names) if is_written else Files(read=names)


def _both(*files: Files) -> Files:
    return Files(frozenset().union(*(f.read for f in files)), frozenset().union(*(f.written for f in files)))


def _names_in(value: AbstractValue) -> Iterator[FileName]:
    if is_private_path(value) or any(isinstance(one, NewCollection) for one in value):
        return
    for one in value:
        if isinstance(one, KnownText):
            if "://" not in one.start:
                yield file_name(one)
        elif one is Special.UNKNOWN or isinstance(one, Method):
            yield ANY


def file_name(text: KnownText) -> FileName:
    """Return the file that a text names; one in the working directory is relative."""
    start = text.start
    here = f"{working_directory()}/"
    if start.startswith(here):
        start = start.removeprefix(here)
    if text.end is None:
        return FileName(os.path.normpath(start or "."))
    folder, slash, rest = start.rpartition("/")
    clean = os.path.normpath(folder) if folder else folder
    return FileName(rest if clean == "." else f"{clean}{slash}{rest}", text.end, text.pieces)


def working_directory() -> str:
    """Return the working directory, a name that no file has if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text is wanted
    except OSError:
        return "\0"


# --- commands ----------------------------------------------------------------------------------------------------


def files_of_command(args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> Files:
    """Return the files that a command may use: all of the working directory, unless it only prints."""
    folder = named.get("cwd")
    if folder is not None and is_private_path(folder):
        return NO_FILES
    words = [t for value in args[:1] for one in value for t in _words(one)]
    if words and all(t.end is None for t in words):
        return files_of_script(" ".join(t.start for t in words))
    if words and words[0].end is None and words[0].start in _HARMLESS_COMMANDS and not _redirects(words):
        return NO_FILES
    return Files(written=frozenset([FileName(".")]))


def _words(one: object) -> list[KnownText]:
    if isinstance(one, KnownText):
        return [one]
    if isinstance(one, NewCollection):
        return sorted(texts(one.values), key=lambda t: t.start not in _HARMLESS_COMMANDS)
    return []


def _redirects(words: Iterable[KnownText]) -> bool:
    return any(">" in t.start or ">" in (t.end or "") or "tee" in t.start for t in words)


@lru_cache(maxsize=256)
def files_of_script(script: str) -> Files:
    """Return the files that a shell script may change: known ones if it only prints, else all of its directory."""
    written: set[FileName] = set()
    for line in re.split(r"[\n;|&]+", re.sub(r"2>&1|&>", ">", script)):
        try:
            words = shlex.split(re.sub(r">>?", " > ", line), comments=True)
        except ValueError:
            return Files(written=frozenset([FileName(".")]))
        targets = [after for word, after in pairwise(words) if word == ">"]
        written |= {file_name(KnownText(t)) for t in targets if not t.startswith(("/dev/", "{", "$"))}
        if words and words[0].rpartition("/")[2] not in _HARMLESS_COMMANDS and "--version" not in words:
            return Files(written=frozenset([FileName(".")]))
    return Files(written=frozenset(written))
