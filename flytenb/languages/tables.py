"""Tables as plain columns, and pandas frames made into them and of them.

Programs of Python cells contain the source of this module: it needs Python 3.8 and imports pandas only where a frame
is, or where pandas can be found.
"""

from __future__ import annotations

import datetime
import importlib.util
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any, List, NamedTuple  # noqa: UP035 - Python 3.8

NANOS = 10**9


class TableColumn(NamedTuple):
    """A column of a table.

    Attributes:
        kind: the tag of its values, `c` for categories.
        values: None where one is missing; floats without missing ones may be an `array`. Those of `T` and `D` are
            nanoseconds; those of `c` positions of levels.
        levels: the categories in order.
        is_ordered: whether the categories are ordered.
        zone: the name of the time zone of a column of datetimes, `""` for none.
    """

    kind: str
    values: Sequence[Any]
    levels: Sequence[str] = ()
    is_ordered: bool = False
    zone: str = ""


def swapped(floats: array[float]) -> array[float]:
    """Return an array of floats of this machine's byte order as one whose bytes are big-endian, or the reverse."""
    if sys.byteorder == "little":
        floats = floats[:]
        floats.byteswap()
    return floats


class PlainColumn(List[Any]):  # noqa: UP006 - Python 3.8
    """A column of a table without pandas: a list with the kind of its values, which may all be missing.

    Args:
        values: as the cell sees them.
        kind: the tag of its values.
    """

    def __init__(self, values: Sequence[Any], kind: str) -> None:
        super().__init__(values)
        self.kind = kind


def read_table(value: Any) -> dict[str, TableColumn]:
    """Return the columns of a pandas frame or of a dict of lists.

    Raises:
        ValueError: for what a table can't hold, with the column.
    """
    if isinstance(value, dict):
        table = {name: value[name] if _is_column(value[name]) else _column_of_list(value[name]) for name in value}
    elif hasattr(value, "iloc") and hasattr(value, "columns"):
        table = _read_frame(value)
    else:
        raise ValueError(f"expected a data frame or a dict of lists, got {value!r:.100}")
    for name in table:
        if not isinstance(name, str):
            raise ValueError(f"expected names of columns as str, got {name!r:.100}")  # noqa: TRY004 - as all others
    if len({len(column.values) for column in table.values()}) > 1:
        raise ValueError("expected columns of one length, got " + str({n: len(c.values) for n, c in table.items()}))
    return table


def _is_column(value: Any) -> bool:
    return isinstance(value, TableColumn)


def make_table(table: dict[str, TableColumn]) -> Any:
    """Return a pandas frame where pandas can be found, else a dict of lists.

    Raises:
        ValueError: for a column with categories or a time zone, which lists don't have.
    """
    if importlib.util.find_spec("pandas") is None:
        for name, column in table.items():
            if column.kind == "c" or column.zone:
                what = "a time zone" if column.zone else "categories"
                raise ValueError(f"column {name!r}: expected pandas in the image of the cell, for {what}")
        return {name: PlainColumn(_plain_values(column), column.kind) for name, column in table.items()}
    import pandas

    frame = pandas.DataFrame({i: _make_series(pandas, column) for i, column in enumerate(table.values())})
    frame.columns = pandas.Index(list(table), dtype=None if table else object)
    return frame


def _plain_values(column: TableColumn) -> list[Any]:
    converters: dict[str, Callable[[Any], Any]] = {"T": moment_of, "D": span_of, "c": column.levels.__getitem__}
    convert = converters.get(column.kind, lambda value: value)
    return [None if value is None else convert(value) for value in column.values]


def moment_of(nanos: int) -> datetime.datetime:
    """Return a moment in UTC of nanoseconds since 1970.

    Raises:
        ValueError: if it is finer than a microsecond.
    """
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + span_of(nanos)  # noqa: UP017


def span_of(nanos: int) -> datetime.timedelta:
    """Return a duration of nanoseconds.

    Raises:
        ValueError: if it is finer than a microsecond.
    """
    if nanos % 1000:
        raise ValueError(f"expected whole microseconds, which Python's datetime can hold, got {nanos} ns")
    return datetime.timedelta(microseconds=nanos // 1000)


def nanos_of(value: Any) -> int:
    """Return the nanoseconds of a duration, or since 1970 of a datetime with a time zone."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, got {value!r}")
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017
        finer: int = getattr(value, "nanosecond", 0)  # pandas' Timestamp, whose difference is limited to 292 years
        to_python: Callable[..., Any] | None = getattr(value, "to_pydatetime", None)
        return nanos_of((to_python(warn=False) if to_python else value) - epoch) + finer
    whole: int = (value.days * 86400 + value.seconds) * NANOS + value.microseconds * 1000
    return whole + int(getattr(value, "nanoseconds", 0))


def _column_of_list(values: Any) -> TableColumn:
    made = values.kind if isinstance(values, PlainColumn) else ""
    values = list(values)
    classes = {type(value) for value in values if value is not None}
    kind = made if made and not classes else _kind_of(classes)
    if kind is None:
        raise ValueError(f"expected values of one type in a column, got {values!r:.100}")
    converters: dict[str, Callable[[Any], Any]] = {"T": nanos_of, "D": nanos_of, "d": float}
    convert = converters.get(kind, lambda value: value)
    return TableColumn(kind, [None if value is None else convert(value) for value in values])


def _kind_of(classes: set[type]) -> str | None:
    """Return the tag of values of these classes, that of numbers if there are none."""
    if classes <= {int, float}:
        return "i" if classes == {int} else "d"
    return _KINDS.get(classes.pop()) if len(classes) == 1 else None


_KINDS: dict[type, str] = {
    bool: "b",
    str: "s",
    datetime.datetime: "T",
    datetime.timedelta: "D",
    datetime.date: "a",
}


# --- pandas -----------------------------------------------------------------------------------------------------------


def _read_frame(frame: Any) -> dict[str, TableColumn]:
    if frame.columns.nlevels > 1:
        raise ValueError("expected one level of column names, got several: join their names first")
    if not frame.columns.is_unique:
        raise ValueError(f"expected every column's name once, got {list(frame.columns)!r:.200}")
    import pandas

    if frame.index.nlevels > 1 or frame.index.name is not None or not frame.index.equals(pandas.RangeIndex(len(frame))):
        raise ValueError("expected a frame with the index 0, 1, 2 …, got another: call reset_index() first")
    if len(frame) and not len(frame.columns):
        raise ValueError(f"expected columns, got a frame with {len(frame)} rows and none: give the number of rows")
    table = {}
    for name in frame.columns:
        try:
            table[name] = _read_series(frame[name])
        except ValueError as error:
            raise ValueError(f"column {name!r}: {error}") from None
    return table


def _read_series(series: Any) -> TableColumn:
    dtype, kind = str(series.dtype), getattr(series.dtype, "kind", "O")
    if dtype == "category":
        levels = series.cat.categories.tolist()
        if not all(isinstance(level, str) for level in levels):
            raise ValueError(f"expected categories of str, got {levels!r:.100}")
        codes = [None if code < 0 else code for code in series.cat.codes.tolist()]
        return TableColumn("c", codes, levels, bool(series.cat.ordered))
    if dtype.startswith(("datetime64", "timedelta64")):
        return _read_times(series)
    if kind == "f" and dtype[0] == "f":
        floats = array("d")
        floats.frombytes(series.astype("float64").to_numpy().tobytes())
        return TableColumn("d", floats)
    missing = series.isna().tolist()
    if kind in "biuf" and not dtype.startswith("Sparse"):
        return TableColumn({"b": "b", "f": "d"}.get(kind, "i"), _without(series.tolist(), missing))
    if kind == "O" and dtype in ("object", "string", "str"):
        values = _without(series.tolist(), missing)
        column = _column_of_list(values)
        return column if any(not is_missing for is_missing in missing) else TableColumn("s", values)
    raise ValueError(f"a table of another language can't hold {dtype}: convert it with astype first")


def _without(values: Sequence[Any], missing: Sequence[bool]) -> list[Any]:
    return [None if is_missing else value for value, is_missing in zip(values, missing)] if any(missing) else [*values]


def _read_times(series: Any) -> TableColumn:
    kind = "T" if str(series.dtype).startswith("datetime64") else "D"
    zone = "" if getattr(series.dtype, "tz", None) is None else str(series.dtype.tz)
    if zone not in ("", "UTC") and not zone[0].isalpha():
        raise ValueError(f"expected a time zone with a name, got {zone}: call dt.tz_convert first")
    unit = getattr(series.dtype, "unit", "ns")
    factor = {"s": NANOS, "ms": 10**6, "us": 1000, "ns": 1}[unit]
    units = series.to_numpy(dtype=f"{'M' if kind == 'T' else 'm'}8[{unit}]").view("int64").tolist()
    return TableColumn(kind, [None if value == _NOT_A_TIME else value * factor for value in units], zone=zone)


def _make_series(pandas: Any, column: TableColumn) -> Any:
    values = column.values
    if isinstance(values, array):
        import numpy

        return pandas.Series(numpy.frombuffer(values.tobytes()))
    has_missing = any(value is None for value in values)
    if column.kind == "c":
        codes = [-1 if code is None else code for code in values]
        levels = pandas.Index(list(column.levels), dtype=object if not column.levels else None)
        return pandas.Series(pandas.Categorical.from_codes(codes, levels, ordered=column.is_ordered))
    if column.kind in "TD":
        return _make_times(pandas, column)
    if column.kind == "d":
        return pandas.Series([float("nan") if value is None else value for value in values], dtype="float64")
    dtypes = {"b": ("bool", "boolean"), "i": ("int64", "Int64"), "s": (pandas.Series(["x"]).dtype, None)}
    whole, with_missing = dtypes.get(column.kind, ("object", "object"))
    return pandas.Series(list(values), dtype=(with_missing or whole) if has_missing else whole)


def _make_times(pandas: Any, column: TableColumn) -> Any:
    unit, factor = _time_unit(column.values, pandas.to_datetime(["2000-01-01"]).unit)
    units = [_NOT_A_TIME if value is None else value // factor for value in column.values]
    numpy_type = f"{'M' if column.kind == 'T' else 'm'}8[{unit}]"
    series = pandas.Series(pandas.Series(units, dtype="int64").to_numpy().view(numpy_type))
    return series.dt.tz_localize("UTC").dt.tz_convert(column.zone) if column.zone else series


_NOT_A_TIME = -(2**63)


def _time_unit(values: Sequence[Any], preferred: str) -> tuple[str, int]:
    """Return a unit of pandas that holds these nanoseconds, and its factor: the preferred one if it does."""
    is_whole = all(value is None or value % 1000 == 0 for value in values)
    if all(value is None or -(2**63) < value < 2**63 for value in values) and not (is_whole and preferred == "us"):
        return "ns", 1
    if not is_whole:
        raise ValueError("expected datetimes between 1677 and 2262, or whole microseconds")
    return "us", 1000
