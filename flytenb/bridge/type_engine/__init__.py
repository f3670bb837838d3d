"""flytekit's type engine: transformers, literals and stored values. Conversions are in `crossing`.

Rooms above import these classes of flytekit from here. They keep flytekit's names: values and transformers of users are
instances of them, and the lens and the conformance test show them to readers who know these names.
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
