"""Display of NumPy files: arrays are memory-mapped, of archives only the headers are read."""

from __future__ import annotations

import mmap
import zipfile
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from flytenb.display.part import Entry, Facts, Group, Note, Part, Tree, Value
from flytenb.display.values.arrays import array_body, shape_text
from flytenb.display.view import View
from flytenb.wording.packages import loaded
from flytenb.wording.values import brief

_SCAN = 10_000
"""Elements sampled for statistics; each may be on its own page of the disk."""
_OBJECTS = "not opened: unpickling would run the code in its objects"


def numpy_part(path: Path, kind: str, view: View) -> Part:
    """Return the content of a NumPy file, if NumPy is loaded; objects in it aren't unpickled."""
    if loaded("numpy") is None:
        return Note("import numpy to see its array")
    return _archive(path, view) if kind == "npz" else _array(path, view)


def _array(path: Path, view: View) -> Part:
    with path.open("rb") as file:
        shape, is_by_column, dtype = _head(file)
        facts = Facts((("shape", shape_text(shape) if shape else "no dimensions"), ("type", str(dtype))))
        if dtype.hasobject:
            return Group((facts, Note(_OBJECTS)))
        if 0 in shape:
            return facts
        array = _mapped(file, shape, is_by_column, dtype)
    if array.ndim == 0:
        return Value(brief(array.item(), view.limits.block), str(dtype), ("no dimensions",))
    body = array_body(array, replace(view, limits=replace(view.limits, scan=_SCAN)))
    return facts if body is None else Group((facts, body))


def _mapped(file: Any, shape: tuple[int, ...], is_by_column: bool, dtype: Any) -> Any:
    """Return a file's elements as an array that reads pages of the disk only when accessed."""
    numpy: Any = loaded("numpy")
    memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(memory, "madvise"):
        # Without this the system reads ahead at each element: 23 s instead of 0.1 s for ten thousand of 800 GB.
        memory.madvise(mmap.MADV_RANDOM)
    return numpy.ndarray(shape, dtype, memory, file.tell(), order="F" if is_by_column else "C")


def _archive(path: Path, view: View) -> Part:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        entries = [_member(archive, name) for name in islice(names, view.limits.items)]
    return Tree(tuple(entries), len(names)) if entries else Note("empty")


def _member(archive: zipfile.ZipFile, name: str) -> Entry:
    try:
        with archive.open(name) as file:
            shape, _, dtype = _head(file)
    except Exception as error:
        return Entry(name, "", "", (f"no array: {brief(error, 80)}",))
    return Entry(name.removesuffix(".npy"), str(dtype), shape_text(shape) if shape else "no dimensions")


def _head(file: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Read shape, order and element type from the header."""
    # A part of a package that is loaded already.
    from numpy.lib import format as layout

    read = layout.read_array_header_1_0 if layout.read_magic(file) == (1, 0) else layout.read_array_header_2_0
    shape, is_by_column, dtype = read(file)
    return shape, is_by_column, dtype
