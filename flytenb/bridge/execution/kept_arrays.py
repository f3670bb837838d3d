"""Arrays of kept runs: their files are read once, into the array itself, and verified there."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import xxhash
from flyteidl.core import literals_pb2

from flytenb.bridge.type_engine.transformers import find_transformer
from flytenb.wording.packages import loaded

_FORMAT = "NumpyArray"


def is_plain_array(python_type: Any) -> bool:
    """Tell whether flytekit's own transformer reads values of a type as plain arrays."""
    numpy = loaded("numpy")
    if numpy is None or python_type is not numpy.ndarray:
        return False
    return type(find_transformer(python_type)).__module__.partition(".")[0] == "flytekit"


def array_file(literal: bytes) -> str:
    """Return the file of an array, `""` if a literal isn't one or carries a hash."""
    message = literals_pb2.Literal.FromString(literal)
    blob = message.scalar.blob
    return str(blob.uri) if blob.metadata.type.format == _FORMAT and not message.hash else ""


def read_array(path: str, digest: str) -> Any:
    """Return the array in a file as `numpy.load` would; None if it has to be read in another way.

    Args:
        path: the file.
        digest: its digest.
    """
    from numpy import empty
    from numpy.lib import format as npy

    try:
        with Path(path).open("rb", buffering=0) as file:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, is_fortran, dtype = read(file)
            start = file.tell()
            size = math.prod(shape) * dtype.itemsize
            if dtype.hasobject or not size or os.fstat(file.fileno()).st_size != start + size:
                return None
            array: Any = empty(shape, dtype, order="F" if is_fortran else "C")
            plain = memoryview(array.ravel(order="K").view("u1"))
            if file.readinto(plain) != size:
                return None
            file.seek(0)
            found = xxhash.xxh3_128(file.read(start))
    except Exception:  # a damaged header may raise anything
        return None
    found.update(plain)
    return array if found.hexdigest() == digest else None
