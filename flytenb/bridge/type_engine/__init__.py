"""flytekit's type engine: transformers, literals and stored values. Conversions are in `crossing`.

The classes of flytekit that rooms above name in signatures or ask values for are given here.
"""

from flytekit.core.type_engine import TypeTransformer, TypeTransformerFailedError
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.iterator import FlyteIterator
from flytekit.types.structured import StructuredDataset

__all__ = [
    "FlyteDirectory",
    "FlyteFile",
    "FlyteIterator",
    "Literal",
    "LiteralType",
    "StructuredDataset",
    "TypeTransformer",
    "TypeTransformerFailedError",
]
