"""Numpy arrays without a file: one copy of the memory in the layout that a `.npy` file would give."""

from __future__ import annotations

import sys
import sysconfig
import weakref
from typing import Any

from flytenb.bridge.crossing.copiers import ALWAYS, Trust, UnprovenError

_KINDS = frozenset("?biufcSUmM")
"""Of dtype: what a `.npy` file keeps without a pickle. Records may have paddings and titles that it doesn't."""

_CAN_COUNT = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
"""Free-threaded builds split their reference counts."""


class ArrayCopy:
    """Plain arrays, of exactly `numpy.ndarray`."""

    name = "array"

    def __init__(self, numpy: Any, trust: Trust = ALWAYS) -> None:
        self.trust = trust
        self._numpy = numpy

    def prove(self, values: list[Any]) -> list[Any]:
        """Copy arrays that a file would keep."""
        if not all(map(self._is_plain, values)):
            raise UnprovenError
        return self.renew(values)

    def renew(self, values: list[Any]) -> list[Any]:
        """Copy them; what isn't contiguous becomes so, and a copy can always be written to."""
        return [v.copy("F" if v.flags.fnc else "C") for v in values]

    def adopt(self, box: list[Any]) -> Any:
        """Take the array out of a list that its caller gives away; copy it only if somebody else may hold it.

        The list is what makes the count of references tell the truth: since 3.14 the arguments of a call may be
        borrowed and uncounted, but what was taken out of a list is ours, and each other holder counts one.
        """
        value = box.pop()
        is_ours = _CAN_COUNT and sys.getrefcount(value) == _SOLE and weakref.getweakrefcount(value) == 0
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
    """The count that `adopt` sees for an object that nobody else holds."""
    value = box.pop()
    return sys.getrefcount(value)


_SOLE = _count_sole([object()])
