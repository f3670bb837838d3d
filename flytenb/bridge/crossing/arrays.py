"""Numpy arrays without a file: one copy of the memory, in the layout of a `.npy` file."""

from __future__ import annotations

import sys
import sysconfig
import weakref
from typing import Any

from flytenb.bridge.crossing.copiers import ALWAYS, Trust, UnprovenError

_KINDS = frozenset("?biufcSUmM")
"""Kinds of dtype that a `.npy` file preserves without a pickle. Records may have paddings and titles that it loses."""

CAN_COUNT = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
"""Free-threaded builds split their reference counts."""


class ArrayCopy:
    """Copies arrays of exactly the class `numpy.ndarray`."""

    name = "array"

    def __init__(self, numpy: Any, trust: Trust = ALWAYS) -> None:
        self.trust = trust
        self._numpy = numpy

    def prove(self, values: list[Any]) -> list[Any]:
        """Copy arrays that a file preserves."""
        if not all(map(self._is_plain, values)):
            raise UnprovenError
        return self.renew(values)

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy the arrays; copies are contiguous and writable."""
        return [v.copy("F" if v.flags.fnc else "C") for v in values]

    def adopt(self, box: list[Any]) -> Any:
        """Take the array out of a list that the caller gives up; copy it only if it may have another owner.

        The list makes the reference count reliable: since 3.14 the arguments of a call may be
        borrowed and uncounted, but an item taken out of a list is owned, and each other owner counts one.
        """
        value = box.pop()
        is_ours = CAN_COUNT and sys.getrefcount(value) == _SOLE and weakref.getweakrefcount(value) == 0
        if not self._is_plain(value):
            box.append(value)
            raise UnprovenError
        flags = value.flags
        if is_ours and flags.owndata and flags.writeable and flags.forc:
            return value
        return self.renew([value])[0]

    def _is_plain(self, value: Any) -> bool:
        if type(value) is not self._numpy.ndarray:
            return False
        dtype = value.dtype
        return dtype.kind in _KINDS and dtype.metadata is None


def _count_sole(box: list[Any]) -> int:
    """Return the count that `adopt` sees for an object without another owner."""
    value = box.pop()
    return sys.getrefcount(value)


_SOLE = _count_sole([object()])
