"""Functions and methods that modify an argument, or return a file name that no other task has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flytenb.reach.abstract_values import AbstractValue
from flytenb.reach.table_parts import holds_objects

_FIRST_ARGUMENT = re.compile(
    r"random\.shuffle|heapq\.heap\w+|bisect\.insort\w*|operator\.(setitem|delitem|i\w+)|numpy\.(copyto|put|place|putmask|"
    r"fill_diagonal|random\.shuffle)|(\w+\.)*(dict|list|set|deque|OrderedDict|defaultdict|Counter)\.\w+"
)
_SETTERS = re.compile(r"setattr|delattr|(object|type)\.__(set|del)attr__")
_OF_CONTAINERS = re.compile(
    r"append\w*|extend\w*|insert|update|setdefault|pop\w*|clear|remove|sort|reverse|add|discard|\w+_update|rotate|"
    r"move_to_end|subtract|__(set|del)item__|__i\w+__|put|itemset|fill|resize|partition|setflags|set_\w+|send|throw|close|"
    r"write\w*|seek|truncate|read(line|lines)?|seed|setstate|shuffle"
)
_OF_OBJECTS = re.compile(
    r"(set|add|insert|update|remove|pop|clear|push|put|append|extend|register|unregister|load|enable|disable|reset|start|"
    r"stop|begin|end|delete|discard)(_\w+|[A-Z]\w*)?|fit|fit_\w+|partial_fit|train|eval|step|zero_grad|seed|setstate|"
    r"compile|__(set|del)item__|__setattr__|[a-z]\w*_(?<!__)"
)
_TABLES = ("pandas.", "polars.", "pyarrow.", "xarray.", "geopandas.", "datetime", "decimal", "re.", "pathlib")
_OF_TABLES = re.compile(r"update|insert|pop|__setitem__")
_SAFE = ("queue.", "threading.", "_queue", "multiprocessing.", "concurrent.", "contextvars", "asyncio.", "_contextvars")
"""Objects that are made for several threads."""
_OWN_NAMES = re.compile(
    r"tempfile\.(mkdtemp|mkstemp|mktemp|TemporaryDirectory|NamedTemporaryFile|TemporaryFile|SpooledTemporaryFile)|"
    r"uuid\.uuid[14]|secrets\.token_\w+|"
    r"flytekit\.core\.context_manager\.current_context(\.\w+)*|(\w+\.)*(new_remote_file|new_remote_dir|get_random_local_\w+)"
)


def changes_first_argument(name: str) -> bool:
    """Return whether the function with this dotted name modifies its first argument."""
    found = _FIRST_ARGUMENT.fullmatch(name)
    return found is not None and (not found[3] or changes_container(name.rpartition(".")[2]))


def changes_container(method: str) -> bool:
    """Return whether a method of Python's collections modifies its collection."""
    return _OF_CONTAINERS.fullmatch(method) is not None


def changes_owner(owner: Any, method: str, named: Mapping[str, AbstractValue]) -> bool:
    """Tell whether a method of this name is taken to change its object."""
    home = f"{type(owner).__module__}."
    if isinstance(owner, type) or home.startswith(_SAFE):
        return False
    if home.startswith(_TABLES):
        if "inplace" in named or _OF_TABLES.fullmatch(method) is not None:
            return True
        return changes_container(method) and holds_objects(owner)  # a method of a list in a cell
    if home.startswith(("builtins.", "collections.", "numpy.", "array.", "random.", "io.", "_io.", "os.")):
        return changes_container(method)
    return _OF_OBJECTS.fullmatch(method) is not None


def sets_attribute(name: str) -> bool:
    """Return whether the function with this dotted name sets or deletes an attribute of its first argument."""
    return _SETTERS.fullmatch(name) is not None


def makes_own_name(name: str) -> bool:
    """Return whether a function returns a path, or a part of one, that no other task has."""
    return _OWN_NAMES.fullmatch(name) is not None
