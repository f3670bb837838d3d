"""What a value says, as a digest: equal values have equal ones, whichever file or object holds them.

Which values a key is made of, and what is stored under it, is left to `cache`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xxhash
from flytekit.models.literals import Literal

from flytenb.bridge.crossing import Value

_CHUNK = 1 << 20
_BUILTIN = (int, float, bool, str, type(None))
_KINDS = frozenset("biufcmM")
"""Of numpy's dtypes: those whose bytes are all that a value says."""


def add_piece(digest: Any, data: bytes | memoryview) -> None:
    """Add a piece with its length before it, so that no two sequences of pieces look alike."""
    view = memoryview(data).cast("B")
    digest.update(len(view).to_bytes(8, "little"))
    digest.update(view)


def add_memory(digest: Any, declared: Any, value: Any) -> bool:
    """Add an array or a frame from where it lies in memory; False if only its literal tells what it says."""
    home = getattr(declared, "__module__", "").partition(".")[0]
    if home not in ("numpy", "pandas"):
        return False  # flytekit leaves lazy modules behind: a look at what isn't used yet would load it
    import numpy as np

    if declared is np.ndarray and type(value) is np.ndarray:
        if value.dtype.kind not in _KINDS or value.dtype.metadata:
            return False
        add_piece(digest, b"array")
        _add_array(digest, value)
        return True
    if home == "numpy":
        return False
    import pandas as pd

    if declared is not pd.DataFrame or not _is_plain_frame(np, pd, value):
        return False
    add_piece(digest, b"frame")
    _add_frame(digest, pd, value)
    return True


def add_value(digest: Any, value: Value, native: Any) -> None:
    """Add a value that was packed: one of Python's own by what it is, anything else by its literal."""
    if value.way == "share" and type(native) in _BUILTIN:
        add_piece(digest, f"{type(native).__name__} {native!r}".encode())
    else:
        add_piece(digest, b"literal")
        _add_literal(digest, value.literal())


def _add_array(digest: Any, array: Any) -> None:
    is_turned = array.flags.fnc  # a copy keeps the order of the axes, and a task may look at it
    add_piece(digest, f"{array.dtype.str} {array.shape} {is_turned}".encode())
    plain = array.T if is_turned else array if array.flags.c_contiguous else array.copy(order="C")
    # A digest of its own: it takes a thirtieth of the time of a cryptographic one, and nobody attacks their own cache.
    add_piece(digest, xxhash.xxh3_128_digest(memoryview(plain.reshape(-1).view("u1"))))


def _is_plain_frame(numpy: Any, pandas: Any, frame: Any) -> bool:
    if type(frame) is not pandas.DataFrame or frame.attrs or not frame.flags.allows_duplicate_labels:
        return False
    labels = [frame.index.name, frame.columns.name, *frame.columns]
    dtypes = [*frame.dtypes, frame.index.dtype]
    return (
        type(frame.index) in (pandas.RangeIndex, pandas.Index)
        and all(label is None or type(label) is str for label in labels)
        and all(isinstance(t, pandas.StringDtype) or (isinstance(t, numpy.dtype) and t.kind in _KINDS) for t in dtypes)
    )


def _add_frame(digest: Any, pandas: Any, frame: Any) -> None:
    index = frame.index
    is_range = type(index) is pandas.RangeIndex
    labels = (list(frame.columns), frame.columns.name, index.name)
    add_piece(digest, repr((labels, [repr(t) for t in frame.dtypes], repr(index) if is_range else "")).encode())
    if not is_range:
        _add_column(digest, pandas, index.to_series())
    for position in range(frame.shape[1]):
        _add_column(digest, pandas, frame.iloc[:, position])


def _add_column(digest: Any, pandas: Any, column: Any) -> None:
    is_text = isinstance(column.dtype, pandas.StringDtype)
    _add_array(digest, pandas.util.hash_pandas_object(column, index=False).to_numpy() if is_text else column.to_numpy())


def _add_literal(digest: Any, literal: Literal) -> None:
    """Add a literal by what it says: a hash that the user gave, a file's content, else its deterministic bytes."""
    if literal.hash:
        add_piece(digest, b"hash:" + literal.hash.encode())
    elif literal.collection is not None:
        add_piece(digest, b"[%d" % len(literal.collection.literals))
        for inner in literal.collection.literals:
            _add_literal(digest, inner)
    elif literal.map is not None:
        add_piece(digest, b"{%d" % len(literal.map.literals))
        for key in sorted(literal.map.literals):
            add_piece(digest, key.encode())
            _add_literal(digest, literal.map.literals[key])
    elif _path_of(literal) is not None:
        _add_files(digest, Path(str(_path_of(literal))))
    else:
        add_piece(digest, literal.to_flyte_idl().SerializeToString(deterministic=True))


def _path_of(literal: Literal) -> str | None:
    """The local path behind a file, directory or dataset literal; None for anything else and for what is remote."""
    scalar = literal.scalar
    holder = None if scalar is None else scalar.blob or scalar.structured_dataset
    uri = None if holder is None else holder.uri
    if not uri or ("://" in uri and not uri.startswith("file://")):
        return None
    path = uri.removeprefix("file://")
    return path if Path(path).exists() else None


def _add_files(digest: Any, path: Path) -> None:
    """Add the content of a file, or of all files of a directory by their names."""
    if path.is_dir():
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            add_piece(digest, str(inner.relative_to(path)).encode())
            _add_files(digest, inner)
        return
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            add_piece(digest, chunk)
    add_piece(digest, b"")
