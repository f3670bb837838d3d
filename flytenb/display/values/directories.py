"""Display of a directory as a tree with sizes, limited in entries and levels; links aren't followed."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from flytenb.display.part import Entry, Note, Part, Section, Tree
from flytenb.display.view import View
from flytenb.wording.quantities import bytes_text, count_text
from flytenb.wording.text import class_name

_MOST = 2_000
_DEPTH = 5


class _Walk:
    """Reads a directory within limits and counts files and bytes."""

    def __init__(self, view: View) -> None:
        self._items = view.limits.items
        self._visited = 0
        self.files = 0
        self.size = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out."""
        return self._visited <= _MOST

    def tree(self, path: Path, depth: int = 0) -> Tree:
        """Return the entries of a directory, directories first."""
        with os.scandir(path) as found:
            listed = list(islice(found, _MOST - self._visited + 1))
        self._visited += len(listed)
        listed.sort(key=lambda e: (not e.is_dir(follow_symlinks=False), e.name))
        entries = tuple(self._entry(e, depth) for e in listed)
        return Tree(entries[: self._items], len(entries) if self.is_complete else None)

    def _entry(self, found: os.DirEntry[str], depth: int) -> Entry:
        if found.is_symlink():
            return Entry(found.name, "link")
        if not found.is_dir(follow_symlinks=False):
            size = found.stat(follow_symlinks=False).st_size
            self.files += 1
            self.size += size
            return Entry(found.name, "", bytes_text(size))
        name = found.name + "/"
        if depth >= _DEPTH or not self.is_complete:
            return Entry(name, "directory", "not opened")
        try:
            inside = self.tree(Path(found.path), depth + 1)
        except OSError as error:
            return Entry(name, "directory", error.strerror or class_name(error))
        facts = (count_text(inside.total, "entry", "entries"),) if inside.total is not None else ()
        return Entry(name, "", "", facts, inside if inside.entries else None)


def directory_part(path: Path, view: View) -> tuple[tuple[str, ...], Part]:
    """Return a directory's facts (files, bytes) and its tree."""
    if view.is_interactive:
        return _opened(path, view)
    walk = _Walk(view)
    tree = walk.tree(path)
    least = "" if walk.is_complete else "at least "
    facts = (f"{least}{count_text(walk.files, 'file')}", f"{least}{bytes_text(walk.size)}")
    return facts, tree if tree.entries else Note("empty")


def _opened(path: Path, view: View) -> tuple[tuple[str, ...], Part]:
    """Return one level; the reader opens directories and the heads of files."""
    with os.scandir(path) as found:
        listed = list(islice(found, _MOST + 1))
    is_whole = len(listed) <= _MOST
    listed = sorted(listed[:_MOST], key=lambda e: (not e.is_dir(follow_symlinks=False), e.name))
    start, stop = view.page(len(listed), view.limits.items)
    entries = tuple(_line(e, view.inside(e.name)) for e in listed[start:stop])
    note = "" if is_whole else f"only {_MOST:,} of its entries were read"
    window = view.window(len(listed), size=view.limits.items, note=note)
    counted = count_text(len(listed), "entry", "entries")
    return (counted if is_whole else f"more than {counted}",), Tree(entries, len(listed), window) if entries else Note(
        "empty"
    )


def _line(found: os.DirEntry[str], view: View) -> Entry:
    if found.is_symlink():
        return Entry(found.name, "link")
    is_directory = found.is_dir(follow_symlinks=False)
    name = found.name + "/" if is_directory else found.name
    size = "" if is_directory else bytes_text(found.stat(follow_symlinks=False).st_size)
    if not view.selection.is_open or len(view._path) > view.limits.depth:
        return Entry(name, "", size, place=view.place)
    if not is_directory:
        shown = view.show(Path(found.path))
        return Entry(name, "", size, (), shown.body if isinstance(shown, Section) else shown, view.place)
    try:
        facts, inside = _opened(Path(found.path), view)
    except OSError as error:
        facts, inside = (), Note(error.strerror or class_name(error))
    return Entry(name, "", "", facts, inside, view.place)
