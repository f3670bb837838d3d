"""The cache of task outputs: flytekit's own store on disk, under keys that hold the code and what the values say.

flytekit's key leaves the code out, so that an edited task answers with its old result, and holds the random path of a
frame or file, so that these never hit. Here equal values make equal keys.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytekit.configuration import LocalConfig
from flytekit.core.local_cache import LocalTaskCache
from flytekit.models.literals import Literal, LiteralMap

from flytenb.bridge import private
from flytenb.bridge.compiled import Policy
from flytenb.bridge.crossing import Value, from_literal, packer
from flytenb.bridge.entities import function_of

_CHUNK = 1 << 20
_flights: dict[str, threading.Lock] = {}
_flights_lock = threading.Lock()


def warm_cache() -> None:
    """Import and open what the store needs, on one thread: cold imports in many threads fail nearly always."""
    if not private.is_cache_open():
        LocalTaskCache.initialize()
    # flytekit holds joblib as a lazy module, which loads at the first look at an attribute.
    _ = importlib.import_module("joblib").hash


class TaskCache:
    """One task's part of the cache.

    Args:
        task: the task.
        policy: its cache version and the inputs that the key leaves out.
        overwrite: whether to run and store anew.
    """

    def __init__(self, task: Any, policy: Policy, *, overwrite: bool = False) -> None:
        assert policy.cache_version is not None
        self._task = task
        self._types = task.python_interface.inputs
        self._outputs = task.python_interface.outputs
        self._ignored = frozenset(policy.cache_ignore)
        self._start = hashlib.blake2b(digest_size=20)
        for part in (task.name, policy.cache_version, _code_of(task)):
            _add(self._start, part.encode())
        self.overwrite = overwrite or LocalConfig.auto().cache_overwrite

    def key(self, inputs: Mapping[str, Any]) -> str:
        """The key of one call: the task, its code, its version and what goes in."""
        digest = self._start.copy()
        for name in sorted(inputs):
            if name not in self._ignored:
                _add(digest, name.encode())
                _add_value(digest, packer(self._types[name])(inputs[name]), inputs[name])
        return digest.hexdigest()

    def get(self, key: str) -> dict[str, Value] | None:
        """What is stored under the key, as outputs; None if nothing is."""
        if self.overwrite:
            return None
        found = LocalTaskCache.get(self._task.name, key, LiteralMap({}), ())
        if found is None or set(found.literals) != set(self._outputs):
            return None
        if not all(_is_there(literal) for literal in found.literals.values()):
            return None
        return {name: from_literal(literal, self._outputs[name]) for name, literal in found.literals.items()}

    def put(self, key: str, outputs: Mapping[str, Value]) -> None:
        """Store outputs under the key."""
        literals = LiteralMap({name: value.literal() for name, value in outputs.items()})
        LocalTaskCache.set(self._task.name, key, LiteralMap({}), (), literals)


def is_cache_on() -> bool:
    """Whether flytekit's own configuration leaves the local cache on."""
    return bool(LocalConfig.auto().cache_enabled)


@contextmanager
def single_flight(key: str) -> Iterator[None]:
    """Let equal calls of one process through one at a time, so that the first one's result serves the others."""
    with _flights_lock:
        lock = _flights.setdefault(key, threading.Lock())
    with lock:
        yield
    with _flights_lock:
        if not lock.locked():
            _flights.pop(key, None)


def _code_of(task: Any) -> str:
    """The text of the task's function; where there is none, its bytecode."""
    function = inspect.unwrap(function_of(task)) if function_of(task) is not None else None
    if function is None:
        return ""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(function.__code__.co_code) + repr(function.__code__.co_consts)


def _add(digest: Any, data: bytes | memoryview) -> None:
    """Add a piece with its length before it, so that no two sequences of pieces look alike."""
    view = memoryview(data).cast("B")
    digest.update(len(view).to_bytes(8, "little"))
    digest.update(view)


def _add_value(digest: Any, value: Value, native: Any) -> None:
    adders: dict[str, Callable[[Any, Any], None]] = {"array": _add_array, "frame": _add_frame}
    add = adders.get(value.way)
    _add(digest, value.way.encode() if add is not None else b"literal")
    if add is not None:
        add(digest, native)
    else:
        _add_literal(digest, value.literal())


def _add_array(digest: Any, array: Any) -> None:
    _add(digest, f"{array.dtype.str} {array.shape}".encode())
    plain = array if array.flags.c_contiguous else array.copy(order="C")
    _add(digest, memoryview(plain.reshape(-1).view("u1")))


def _add_frame(digest: Any, frame: Any) -> None:
    import pandas as pd

    _add(digest, repr([(str(c), str(t)) for c, t in frame.dtypes.items()]).encode())
    _add_array(digest, pd.util.hash_pandas_object(frame.index, index=False).to_numpy())
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        plain = column.to_numpy() if column.dtype.kind in "biufM" else None
        _add_array(digest, plain if plain is not None else pd.util.hash_pandas_object(column, index=False).to_numpy())


def _add_literal(digest: Any, literal: Literal) -> None:
    """Add a literal by what it says: a hash that the user gave, a file's content, else its deterministic bytes."""
    if literal.hash:
        _add(digest, b"hash:" + literal.hash.encode())
    elif literal.collection is not None:
        _add(digest, b"[%d" % len(literal.collection.literals))
        for inner in literal.collection.literals:
            _add_literal(digest, inner)
    elif literal.map is not None:
        _add(digest, b"{%d" % len(literal.map.literals))
        for key in sorted(literal.map.literals):
            _add(digest, key.encode())
            _add_literal(digest, literal.map.literals[key])
    elif _path_of(literal) is not None:
        _add_files(digest, Path(str(_path_of(literal))))
    else:
        _add(digest, literal.to_flyte_idl().SerializeToString(deterministic=True))


def _path_of(literal: Literal) -> str | None:
    """The local path behind a file, directory or dataset literal; None for anything else and for what is remote."""
    scalar = literal.scalar
    holder = None if scalar is None else scalar.blob or scalar.structured_dataset
    uri = None if holder is None else holder.uri
    if not uri or ("://" in uri and not uri.startswith("file://")):
        return None
    path = uri.removeprefix("file://")
    return path if Path(path).exists() else None


def _is_there(literal: Literal) -> bool:
    """Whether the files that a stored literal names are still there."""
    scalar = literal.scalar
    holder = None if scalar is None else scalar.blob or scalar.structured_dataset
    if holder is not None and holder.uri and "://" not in holder.uri:
        return Path(holder.uri).exists()
    inner = literal.collection.literals if literal.collection else literal.map.literals.values() if literal.map else ()
    return all(_is_there(one) for one in inner)


def _add_files(digest: Any, path: Path) -> None:
    """Add the content of a file, or of all files of a directory by their names."""
    if path.is_dir():
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            _add(digest, str(inner.relative_to(path)).encode())
            _add_files(digest, inner)
        return
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            _add(digest, chunk)
    _add(digest, b"")
