"""Calls that give the same whenever they are made, so that a constant can be made from them again."""

from __future__ import annotations

import builtins
import types
from typing import Any

from flytenb.reach.installed_names import home_of
from flytenb.reach.name_lookup import is_own


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _words(
    "abs bool bytearray bytes chr complex dict divmod enumerate filter float frozenset getattr int isinstance len "
    "list map max min object ord pow range repr reversed round set slice sorted str sum tuple zip"
)
_MODULES = _words(
    "array base64 binascii calendar cmath collections colorsys contextlib contextvars copy dataclasses datetime "
    "decimal difflib enum fractions functools html ipaddress itertools json keyword logging math numbers operator "
    "pathlib re shlex statistics string struct textwrap thread threading types typing unicodedata uuid "
    "weakref zlib zoneinfo flytekit flytekitplugins"
)
"""Packages whose classes and functions make the same of the same arguments, except for the next two."""
_CHANGING = _words(
    "now today utcnow home cwd uuid1 uuid4 current_thread active_count enumerate get_ident currentframe "
    "getnode copy_context"
)
CONNECTING = ("flytekit.remote", "flytekit.clients")
"""Modules whose objects are connections to a cluster."""
_NUMPY = _words(
    "arange array asarray datetime64 deg2rad dtype empty_like eye float16 float32 float64 full geomspace int8 int16 "
    "int32 int64 linspace log10 logspace ones timedelta64 uint8 uint16 uint32 uint64 zeros"
)
_PANDAS = _words("Interval Period Timedelta Timestamp")
METHODS = _words(
    "astype capitalize casefold center copy count decode difference encode endswith flatten format format_map fromkeys "
    "get index intersection isoformat items join joinpath keys ljust lower lstrip max mean min partition ravel "
    "removeprefix removesuffix repeat replace reshape rjust round rpartition rsplit rstrip split splitlines startswith "
    "strip sum swapcase title tolist total_seconds translate transpose union upper values with_name with_suffix zfill"
)
"""Methods of texts, numbers, times, paths, collections and arrays that change nothing."""


def is_repeatable(function: Any) -> bool:
    """Whether a function or class makes an equal object whenever it is called with equal arguments.

    Own classes count, since what they make is compared with what the kernel holds; own functions may do anything.
    """
    name = getattr(function, "__name__", "")
    if function is types.MappingProxyType:  # its module is `builtins`, where it has no name
        return True
    if getattr(builtins, name, None) is function:
        return name in _BUILTINS
    owner = getattr(function, "__self__", None)
    if is_own(function) or (isinstance(owner, type) and is_own(owner)):
        return isinstance(function, type)
    home = str(getattr(function, "__module__", None) or home_of(type(owner if owner is not None else function)))
    if isinstance(owner, type(builtins)):
        home = owner.__name__
    if home.startswith(CONNECTING) or name in _CHANGING:
        return False
    top = home.partition(".")[0].lstrip("_")
    if top == "numpy":
        return name in _NUMPY and ".random" not in home
    return top in _MODULES or (top == "pandas" and name in _PANDAS)
