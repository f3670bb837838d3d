"""Displays of files by their content; nothing is downloaded or unpickled, and only the head is read."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

from flytenb.display.deadline import wait_for
from flytenb.display.part import (
    Entry,
    Facts,
    Group,
    Html,
    Media,
    Note,
    Part,
    Picture,
    Section,
    Table,
    Text,
    Tree,
    Value,
)
from flytenb.display.registry import BUILT_IN
from flytenb.display.values.directories import directory_part
from flytenb.display.values.numpy_files import numpy_part
from flytenb.display.values.parquet import parquet_part
from flytenb.display.values.pictures import shrunk_file
from flytenb.display.values.records import csv_table, records_table
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.quantities import bytes_text
from flytenb.wording.types import type_text
from flytenb.wording.values import brief, class_name

register = BUILT_IN.register
_HEAD = 64_000
_ASKED = 4_000_000
"""Most bytes of a CSV file that are read for paging, sorting and searching."""
_LARGEST_JSON = 1_000_000
_PATH = 56
_MOST_STORED = 2_000
_PATIENCE = 3.0
"""Seconds for a storage request."""
_PICTURES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}
_STARTS = {
    "image/png": b"\x89PNG",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"WEBP",
    "image/svg+xml": b"<svg",
}
"""Bytes near the start of an image file of each type."""
_RECORDINGS = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "webm": "video/webm",
}
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")
_PICKLES = frozenset({"pkl", "pickle", "joblib", "pt", "pth", "dill"})


@register("flytekit.types.file.FlyteFile")
def show_flyte_file(value: Any, view: View) -> Part:
    """Show a local file by its extension, any other by its location."""
    from flytenb.bridge.type_engine.stored_values import read_location

    place = read_location(value)
    title = type_text(type(value) if view.declared is None else view.declared)
    if place.local is None and not place.is_remote:
        return Value(place.uri, title, ("does not exist",))
    if place.local is None:
        facts = Facts((("uri", place.uri), ("here", "not downloaded")))
        return Section(title, (), facts if not view.is_interactive else Group((facts, _storage(place.uri, view))))
    return _place(title, place.local, place.extension, place.uri, view)


@register("flytekit.types.directory.FlyteDirectory")
def show_flyte_directory(value: Any, view: View) -> Part:
    """Show a local directory as a tree, any other by its location."""
    return show_flyte_file(value, view)


@register(Path)
def show_path(value: Path, view: View) -> Part:
    """Show the file or directory at a path, or only the path if there is none."""
    if not value.exists():
        return Value(str(value), class_name(value), ("does not exist",))
    return _place(class_name(value), value, value.suffix.lstrip("."), str(value), view)


def _storage(uri: str, view: View) -> Part:
    """Return an entry that requests the size from the storage when opened; a display must not wait for a network."""
    from flytenb.bridge.type_engine.stored_values import ask_storage

    there = view.inside("there")
    if not there.selection.is_open:
        return Tree((Entry("in the storage", "", "ask for its size", place=there.place),))
    try:
        stored = wait_for(lambda: ask_storage(uri, most=_MOST_STORED), _PATIENCE)
    except Exception as error:
        inside: Part = Note(f"the request failed: {brief(error, 160)}")
    else:
        if stored.entries is None:
            inside = Value("size unknown" if stored.size is None else bytes_text(stored.size))
        else:
            start, stop = there.page(len(stored.entries), view.limits.items)
            listed = (Entry(n, "", "" if s is None else bytes_text(s)) for n, s in stored.entries[start:stop])
            window = there.window(len(stored.entries), size=view.limits.items)
            inside = Tree(tuple(listed), len(stored.entries), window)
    return Tree((Entry("in the storage", inside=inside, place=there.place),))


def file_part(path: Path, extension: str, view: View) -> Part | None:
    """Return the content of a regular file as a part, `None` if there is nothing to show.

    Args:
        path: the local path.
        extension: the declared extension without its dot; by default the one in the name.
        view: the context.
    """
    kind = (extension or path.suffix).lstrip(".").lower()
    if kind in _PICKLES:
        return Note("not opened: unpickling would run the code in it")
    if kind in _PICTURES:
        return _picture(path, _PICTURES[kind], view)
    if kind in _RECORDINGS:
        if path.stat().st_size > view.limits.embed:
            return Note(f"{bytes_text(path.stat().st_size)} are too large to put into the notebook")
        return Media(path.read_bytes(), _RECORDINGS[kind])
    if kind in ("parquet", "pq"):
        return parquet_part(path, view)
    if kind in ("csv", "tsv"):
        return _csv(path, "\t" if kind == "tsv" else ",", view)
    if kind in ("jsonl", "ndjson"):
        return _json_lines(path, view)
    if kind in ("npy", "npz"):
        return numpy_part(path, kind, view)
    if kind in ("json", "ipynb") and path.stat().st_size <= _LARGEST_JSON:
        return view.show(json.loads(path.read_text(encoding="utf-8")))
    if kind in ("html", "htm") and path.stat().st_size <= view.limits.embed:
        return Html(path.read_text(encoding="utf-8", errors="replace"))
    return _text(path, kind, view)


def _place(title: str, path: Path, extension: str, uri: str, view: View) -> Part:
    """Return the part of what is at a path; a pipe or a device isn't read."""
    where = uri if len(uri) <= _PATH else "…" + uri[1 - _PATH :]
    mode = os.stat(path).st_mode  # noqa: PTH116  (one call for all questions)
    if stat.S_ISDIR(mode):
        facts, body = directory_part(path, view)
        return Section(title, (where, *facts), body)
    if not stat.S_ISREG(mode):
        return Section(title, (where,), Note("neither a file nor a directory: not read"))
    facts = (where, bytes_text(path.stat().st_size))
    try:
        return Section(title, facts, file_part(path, extension, view))
    except Exception as error:
        # The content needn't match the extension.
        note = Note(f"it can't be read as {extension or path.suffix}: {class_name(error)}")
        return Section(title, facts, Group((note, *_whole(_text(path, "", view)))))


def _picture(path: Path, mime: str, view: View) -> Part:
    head, _ = _head(path)
    if _STARTS[mime] not in head[:2000]:
        raise ValueError(f"no {mime}")
    if path.stat().st_size <= view.limits.embed:
        return Picture(path.read_bytes(), mime)
    small = shrunk_file(path, view) if loaded("PIL.Image") is not None and mime != "image/svg+xml" else None
    return small or Note(f"{bytes_text(path.stat().st_size)} are too large to put into the notebook")


def _csv(path: Path, delimiter: str, view: View) -> Part:
    head, is_whole = _head(path, _HEAD if not view.is_interactive else _ASKED)
    lines = head.decode("utf-8-sig", errors="replace")
    if not is_whole:
        lines = lines.rpartition("\n")[0]
    first = lines.partition("\n")[0]
    if delimiter == "," not in first:
        # Spreadsheets use it in locales with a decimal comma.
        delimiter = next((each for each in ";\t|" if each in first), delimiter)
    rows = list(csv.reader(io.StringIO(lines), delimiter=delimiter))
    if not rows:
        return Note("empty")
    names, body = rows[0], rows[1:]
    if not view.is_interactive:
        shown = tuple(tuple(row[: view.limits.columns]) for row in body[: view.limits.rows])
        return Table(tuple(names), shown, len(body) if is_whole else None, len(names))
    part = csv_table(names, body, view)
    return part if is_whole else Group((part, Note(f"only the first {bytes_text(len(head))} of the file were read")))


def _json_lines(path: Path, view: View) -> Part:
    """Return values given one per line, as a table if they are records."""
    head, is_whole = _head(path, _HEAD if not view.is_interactive else _ASKED)
    lines = head.decode("utf-8").split("\n") if is_whole else head.rpartition(b"\n")[0].decode("utf-8").split("\n")
    items = [json.loads(line) for line in lines if line.strip()]
    if not items:
        return Note("empty" if is_whole else "its first line is too long to be read")
    part = records_table(items, len(items), view, items) or view.show(items)
    if is_whole:
        return part
    if not view.is_interactive and isinstance(part, Table):
        return replace(part, total_rows=None)
    return Group((part, Note(f"only the first {bytes_text(len(head))} of the file were read")))


def _text(path: Path, kind: str, view: View) -> Part | None:
    head, _ = _head(path)
    if not head:
        return Note("empty")
    if _is_binary(head):
        return view.show(head[:256])
    text = head.decode("utf-8", errors="replace")[: view.limits.block]
    missing = max(path.stat().st_size - len(text.encode()), 0)
    note = (Note(f"{bytes_text(missing)} more"),) if missing else ()
    return Group((Text(text, "markdown" if kind == "md" else "plain"), *note))


def _is_binary(head: bytes) -> bool:
    """Whether the bytes are binary: not UTF-8, and with control characters."""
    if b"\0" in head:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return bool(_CONTROL.intersection(head))
    return False


def _head(path: Path, most: int = _HEAD) -> tuple[bytes, bool]:
    """Return the first bytes of a file, and whether that is the whole file."""
    with path.open("rb") as file:
        head = file.read(most + 1)
    return head[:most], len(head) <= most


def _whole(part: Part | None) -> tuple[Part, ...]:
    return () if part is None else (part,)
