"""The name of a type as a reader would write it; what a type can do is left to the type engine."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from flytekit.models import types as type_models
from flytekit.models.core.types import BlobType


def is_annotation(value: Any) -> bool:
    """Whether something can stand in a signature as a type: a class, None, or something of `typing`."""
    is_of_typing = type(value).__module__ in ("typing", "types", "typing_extensions")
    return value is None or isinstance(value, type) or get_origin(value) is not None or is_of_typing


def name_type(python_type: Any) -> str:
    """Return the readable name of a Python type: `list[Coordinate]`, `int | None`, `FlyteFile['csv']`."""
    if python_type is None or python_type is type(None):
        return "None"
    if isinstance(python_type, str):
        return python_type
    if python_type is Any:
        return "Any"
    if python_type is ...:
        return "..."
    origin = get_origin(python_type)
    if origin is Annotated:
        return name_type(get_args(python_type)[0])
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(name_type(t) for t in _none_last(get_args(python_type))))
    if origin is Literal:
        return f"Literal[{', '.join(_literal_name(a) for a in get_args(python_type))}]"
    if origin is not None and get_args(python_type):
        return f"{_generic_name(python_type, origin)}[{', '.join(_argument_name(a) for a in get_args(python_type))}]"
    if isinstance(python_type, type):
        return _class_name(python_type)
    if isinstance(python_type, typing.ForwardRef):
        return python_type.__forward_arg__
    return str(getattr(python_type, "__name__", None) or getattr(python_type, "_name", None) or python_type)


def _none_last(arguments: tuple[Any, ...]) -> list[Any]:
    return sorted(arguments, key=lambda t: t is type(None))


def _literal_name(value: Any) -> str:
    """`Color.RED` for a member of an Enum, whose own repr holds the value as well."""
    return str(value) if hasattr(value, "__members__") or hasattr(type(value), "__members__") else repr(value)


def _argument_name(argument: Any) -> str:
    """One argument of a generic; a callable's arguments come as a list."""
    if isinstance(argument, list):
        return f"[{', '.join(name_type(a) for a in argument)}]"
    return name_type(argument)


def _generic_name(python_type: Any, origin: Any) -> str:
    """The generic's own name; the typing module's spelling is kept where the runtime class has another (Callable)."""
    if origin.__module__ == "collections.abc":
        return str(getattr(python_type, "_name", None) or origin.__name__)
    return name_type(origin)


def _class_name(cls: type) -> str:
    """A class's name, with the format in brackets for flytekit's files and directories."""
    extension = getattr(cls, "extension", None)
    for base in cls.__mro__:
        if base.__module__.startswith("flytekit.types.") and base.__name__ in ("FlyteFile", "FlyteDirectory"):
            suffix = extension() if callable(extension) else ""
            return f"{base.__name__}[{suffix!r}]" if suffix else base.__name__
    return cls.__name__


_SIMPLE_NAMES = {
    type_models.SimpleType.NONE: "None",
    type_models.SimpleType.INTEGER: "int",
    type_models.SimpleType.FLOAT: "float",
    type_models.SimpleType.STRING: "str",
    type_models.SimpleType.BOOLEAN: "bool",
    type_models.SimpleType.DATETIME: "datetime",
    type_models.SimpleType.DURATION: "timedelta",
    type_models.SimpleType.BINARY: "bytes",
    type_models.SimpleType.ERROR: "FlyteError",
    type_models.SimpleType.STRUCT: "dict",
}


def name_literal_type(literal_type: Any) -> str:
    """Return the readable name of a literal type, for entities that come from a cluster and know no Python type."""
    if literal_type.collection_type is not None:
        return f"list[{name_literal_type(literal_type.collection_type)}]"
    if literal_type.map_value_type is not None:
        return f"dict[str, {name_literal_type(literal_type.map_value_type)}]"
    if literal_type.union_type is not None:
        names = [name_literal_type(v) for v in literal_type.union_type.variants]
        return " | ".join(dict.fromkeys(sorted(names, key=lambda n: n == "None")))
    if literal_type.enum_type is not None:
        return f"Literal[{', '.join(map(repr, literal_type.enum_type.values))}]"
    if literal_type.blob is not None:
        multipart = BlobType.BlobDimensionality.MULTIPART
        name = "FlyteDirectory" if literal_type.blob.dimensionality == multipart else "FlyteFile"
        return f"{name}[{literal_type.blob.format!r}]" if literal_type.blob.format else name
    if literal_type.structured_dataset_type is not None:
        return "StructuredDataset"
    if literal_type.schema is not None:
        return "FlyteSchema"
    return _SIMPLE_NAMES.get(literal_type.simple, "Any")
