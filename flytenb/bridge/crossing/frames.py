"""Pandas frames without a Parquet file: a deep copy, for frames that such a file preserves.

Measured with pandas 3.1 and pyarrow 26. Copy-on-write isn't enough to isolate a consumer: `.array`, and `.values` with
its flag reset, write through it.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from sys import getrefcount
from typing import Any, TypeAlias
from weakref import getweakrefcount, getweakrefs

from flytenb.bridge.crossing.arrays import CAN_COUNT
from flytenb.bridge.crossing.copiers import ALWAYS, Trust, UnprovenError
from flytenb.bridge.crossing.literal_limits import TEXT

_DTYPES = frozenset(
    ["bool", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
).union(["datetime64[us]"])  # other resolutions come back as this one

_RESERVED = re.compile(r"__index_level_\d+__")
"""The name that pandas gives to a nameless index in a file."""


Counts: TypeAlias = tuple[int, ...]
"""Whether a block is a view; references to the frame, its manager, the block, its array, and the owner of the memory;
weak references to both arrays; references to the weak reference to the frame, which pandas shares."""


class FrameCopy:
    """Copies frames of exactly the class `pandas.DataFrame`."""

    name = "frame"

    def __init__(self, pandas: Any, trust: Trust = ALWAYS) -> None:
        self.trust = trust
        self._pandas = pandas
        self._sole: set[Counts] = set()

    def prove(self, values: list[Any]) -> list[Any]:
        """Copy frames that a file preserves."""
        self._check(values)
        return self.renew(values)

    def adopt(self, box: list[Any]) -> Any:
        """Take the frame out of a list that the caller gives up; copy it only if it may have another owner."""
        self._check(box)
        if not (CAN_COUNT and _counts(box) <= self._counts_of_sole()):
            return _copy(box.pop())
        frame = box.pop()
        return _with_own_labels(frame, frame)

    def _check(self, values: list[Any]) -> None:
        if not _is_parquet_stock(self._pandas):
            raise UnprovenError
        text = self._pandas.Index(["a"]).dtype  # depends on the version of pandas and on its options
        if not all(self._is_plain(v, text) for v in values):
            raise UnprovenError

    def _counts_of_sole(self) -> set[Counts]:
        """Return the counts of frames without other owners: of an array that owns its memory, and of a view."""
        if not self._sole:
            frames = [self._pandas.DataFrame({"a": [0.0]}), self._pandas.DataFrame({"a": [0.0]}).copy()]
            frames[0]["a"] += 1.0
            self._sole = _counts([frames.pop()]) | _counts([frames.pop()])
        return self._sole

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy the frames with their labels."""
        return list(map(_copy, values))

    def _is_plain(self, frame: Any, text: Any) -> bool:
        return (
            type(frame) is self._pandas.DataFrame
            and not frame.attrs
            and frame.flags.allows_duplicate_labels
            and self._are_labels_plain(frame.columns, text)
            and self._is_index_plain(frame.index, text)
            and all(_is_number(dtype) or _is_arrow_text(dtype, text) for dtype in _dtypes(frame))
        )

    def _are_labels_plain(self, labels: Any, text: Any) -> bool:
        """Tell whether labels are unique texts with pandas' default text type."""
        return (
            type(labels) is self._pandas.Index
            and len(labels) > 0
            and (labels.dtype == "object" == text or _is_arrow_text(labels.dtype, text))
            and _is_name_plain(labels.name)
            and all(type(label) is str and _is_name_plain(label) for label in labels)
            and labels.is_unique
        )

    def _is_index_plain(self, index: Any, text: Any) -> bool:
        if type(index) is not self._pandas.RangeIndex and not (
            type(index) is self._pandas.Index and (index.dtype == "int64" or _is_arrow_text(index.dtype, text))
        ):
            return False
        return _is_name_plain(index.name)


def _dtypes(frame: Any) -> set[Any]:
    """Return the types of the columns; `frame.dtypes` is a series, which takes a hundred times as long to make."""
    return {block.dtype for block in frame._mgr.blocks}


def _is_number(dtype: Any) -> bool:
    return hasattr(dtype, "byteorder") and str(dtype) in _DTYPES  # pandas' own dtypes have no byte order


def _is_arrow_text(dtype: Any, text: Any) -> bool:
    """Return whether a type is that of a text column read from a file."""
    return bool(dtype == text) and getattr(dtype, "storage", None) == "pyarrow"


def _is_name_plain(name: Any) -> bool:
    return name is None or (type(name) is str and not _RESERVED.fullmatch(name) and TEXT.admits(name))


def _is_parquet_stock(pandas: Any) -> bool:
    """Tell whether frames use flytekit's Parquet handlers and pyarrow: users may register others."""
    from flytekit.types.structured.basic_dfs import PandasToParquetEncodingHandler, ParquetToPandasDecodingHandler
    from flytekit.types.structured.structured_dataset import StructuredDatasetTransformerEngine as Engine

    frame = pandas.DataFrame
    encoders, decoders = Engine.ENCODERS.get(frame, {}), Engine.DECODERS.get(frame, {})
    return (
        encoders.keys() == {"fsspec"} == decoders.keys()
        and type(encoders["fsspec"].get("parquet")) is PandasToParquetEncodingHandler
        and type(decoders["fsspec"].get("parquet")) is ParquetToPandasDecodingHandler
        and Engine.DEFAULT_FORMATS.get(frame) == "parquet"
        and frame not in Engine.DEFAULT_PROTOCOLS
        and pandas.get_option("io.parquet.engine") in ("auto", "pyarrow")
        and find_spec("pyarrow") is not None
    )


def _counts(box: list[Any]) -> set[Counts]:
    """Count the references to the parts of the frame in a list, once for each block; `{()}` for a frame to be copied.

    A frame without other owners has always the same counts. `_mgr`, `blocks`, `dtype` and `values` are pandas' own
    names, which no release since 1.0 has changed.
    """
    import numpy

    frame = box[0]
    manager, found = frame._mgr, set[Counts]()
    for block in manager.blocks:
        values = block.values
        if type(values) is not numpy.ndarray or not (values.flags.forc and values.flags.writeable):
            return {()}
        is_view = values.base is not None
        owner = values.base if is_view else values
        if type(owner) is not type(values) or not owner.flags.owndata or owner.nbytes != values.nbytes:
            return {()}
        shown = frame, manager, block, values, owner
        strong, weak = tuple(map(getrefcount, shown)), (getweakrefcount(values), getweakrefcount(owner))
        del shown
        found.add((is_view, *strong, *weak, *map(getrefcount, getweakrefs(frame))))
    return found


def _copy(frame: Any) -> Any:
    return _with_own_labels(frame.copy(), frame)


def _with_own_labels(fresh: Any, frame: Any) -> Any:
    fresh.index = frame.index.copy(deep=True)
    fresh.columns = frame.columns.copy(deep=True)
    return fresh
