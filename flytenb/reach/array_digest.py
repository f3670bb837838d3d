"""Digests of arrays and frames from their memory. Those that need a file are left to `cache.value_digest`."""

from __future__ import annotations

from typing import Any

import xxhash

from flytenb.reach.digest_pieces import add_piece

_KINDS = frozenset("biufcmM")
"""numpy's kinds of dtypes whose values consist of their bytes."""


def add_memory(digest: Any, declared: Any, value: Any) -> bool:
    """Add an array or a frame from its memory; return False if its literal has to be digested instead."""
    home = str(getattr(declared, "__module__", "")).partition(".")[0]
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


def _add_array(digest: Any, array: Any) -> None:
    is_turned = array.flags.fnc  # a copy keeps the order of the axes, and a task may look at it
    add_piece(digest, f"{array.dtype.str} {array.shape} {is_turned}".encode())
    plain = array.T if is_turned else array if array.flags.c_contiguous else array.copy(order="C")
    # Not cryptographic, which takes thirty times as long: a cache isn't attacked by its owner.
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
    if not isinstance(column.dtype, pandas.StringDtype):
        _add_array(digest, column.to_numpy())
    elif column.dtype.storage == "pyarrow":
        _add_texts(digest, column.array)
    else:
        _add_array(digest, pandas.util.hash_pandas_object(column, index=False).to_numpy())


def _add_texts(digest: Any, column: Any) -> None:
    """Add texts from Arrow's memory: their lengths, which of them are missing, and all characters as one text."""
    import numpy as np
    import pyarrow as pa

    texts = pa.array(column)
    texts = (texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts).cast(pa.large_string())
    _add_array(digest, texts.is_null().to_numpy(zero_copy_only=False))
    if texts.null_count:
        texts = texts.fill_null("")  # a missing text may have any bytes
    if not len(texts):
        return
    _, offsets, characters = texts.buffers()
    ends = np.frombuffer(offsets, "i8")[texts.offset : texts.offset + len(texts) + 1]
    _add_array(digest, np.diff(ends))
    add_piece(digest, xxhash.xxh3_128_digest(memoryview(characters or b"")[ends[0] : ends[-1]]))
