"""Values of an execution, fetched when they are read and converted with the notebook's own types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flytekit.core.interface import Interface
from flytekit.core.type_engine import TypeEngine
from flytekit.models.core.types import BlobType
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.execution_reader import ExecutionReader
from flytenb.bridge.context import AS_POD, Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal
from flytenb.bridge.crossing.literal import to_literal
from flytenb.bridge.execution.files import fetch_files, send_datasets
from flytenb.bridge.type_engine.literal_data import is_pickled, read_literal

Values = Mapping[str, Literal]


class UntypedValue(CrossingValue):
    """A value whose Python type isn't known here; it is given out as plain data, and files by flytekit's classes."""

    __slots__ = ("_literal",)

    def __init__(self, literal: Literal) -> None:
        self._literal = literal

    @property
    def python_type(self) -> Any:
        """None."""
        return None

    def literal(self) -> Literal:
        """Return the literal."""
        return self._literal

    def native(self) -> Any:
        """Return the content of the literal."""
        found = _stored_type(self._literal)
        return read_literal(self._literal) if found is None else from_literal(self._literal, found).native()


class RemoteValues:
    """Inputs and outputs of a node or an execution.

    Args:
        read: asks the cluster for both; it raises ClusterError.
        inputs: the types of the inputs, in their order.
        outputs: the types of the outputs, in their order.
    """

    def __init__(
        self, read: Callable[[], tuple[Values, Values]], inputs: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> None:
        self._read = read
        self._types = (inputs, outputs)
        self._kept: tuple[Values, Values] | None = None
        self.is_final = False

    def inputs(self) -> dict[str, CrossingValue]:
        """Return the inputs in the order of the interface."""
        return _typed(self._both()[0], self._types[0])

    def outputs(self) -> dict[str, CrossingValue]:
        """Return the outputs in the order of the interface."""
        return _typed(self._both()[1], self._types[1])

    def _both(self) -> tuple[Values, Values]:
        if self._kept is not None:
            return self._kept
        is_final = self.is_final
        found = self._read()
        if is_final:
            self._kept = found
        return found


def element_values(read: Callable[[], tuple[Values, Values]], element: int) -> Callable[[], tuple[Values, Values]]:
    """Return what reads the values of one element of a map from the lists of the whole map."""

    def take(values: Values) -> Values:
        taken = {}
        for name, literal in values.items():
            items = None if literal.collection is None else literal.collection.literals
            if items is None:
                taken[name] = literal
            elif element < len(items):
                taken[name] = items[element]
        return taken

    def read_element() -> tuple[Values, Values]:
        inputs, outputs = read()
        return take(inputs), take(outputs)

    return read_element


def remote_workspace(connection: Connection) -> Workspace:
    """Return a workspace in which files are read from and written to the storage of a cluster."""
    with connection.remote.remote_context():
        return Workspace()


def pack_inputs(
    connection: Connection, workspace: Workspace, inputs: Mapping[str, CrossingValue]
) -> dict[str, Literal]:
    """Return checked inputs as literals; their files are uploaded.

    Raises:
        ClusterError: if the server or its storage refuses a file.
    """
    with connection.asking("upload the inputs"), workspace.entered(AS_POD):
        send = connection.remote.file_access.put_raw_data
        return {
            name: to_literal(send_datasets(v.native(), send), v.python_type, v.literal_type)
            for name, v in inputs.items()
        }


def fetch_outputs(reader: ExecutionReader, workspace: Workspace, types: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of an execution as Python values, with their files on this machine.

    Raises:
        ClusterError: with the message of the server or its storage.
    """
    _, outputs = reader.read_values()
    with reader.connection.asking("fetch the outputs"), workspace.entered():
        return {name: fetch_files(from_literal(outputs[name], types[name]).native()) for name in types}


def guess_interface(typed: Any) -> Interface:
    """Return flytekit's Python interface for flyteidl's; a type that flytekit can't guess is None."""
    inputs, outputs = (
        {name: guess_type(LiteralType.from_flyte_idl(each.type)) for name, each in sorted(variables.items())}
        for variables in (typed.inputs.variables, typed.outputs.variables)
    )
    return Interface(inputs, outputs)


def interface_of(inputs: Mapping[str, Any], outputs: Mapping[str, Any], tuple_name: str = "") -> Interface:
    """Return flytekit's Python interface of some types."""
    return Interface({**inputs}, {**outputs}, output_tuple_name=tuple_name or None)


def guess_type(literal_type: LiteralType) -> Any:
    """Return the Python type that flytekit guesses for a literal type, None for none."""
    try:
        return TypeEngine.guess_python_type(literal_type)
    except Exception:
        return None


def _stored_type(literal: Literal) -> Any:
    """Return the type of a value that is stored outside of its literal, None for one that is in it."""
    if literal.collection is not None:
        found = {_stored_type(each) for each in literal.collection.literals}
        return list[found.pop()] if len(found) == 1 and None not in found else None  # type: ignore[misc]
    scalar = literal.scalar
    if scalar is None or is_pickled(scalar):
        return None
    if scalar.structured_dataset is not None:
        return StructuredDataset
    if scalar.blob is None:
        return None
    is_folder = scalar.blob.metadata.type.dimensionality == BlobType.BlobDimensionality.MULTIPART
    return FlyteDirectory if is_folder else FlyteFile


def _typed(values: Values, types: Mapping[str, Any]) -> dict[str, CrossingValue]:
    order = [*(name for name in types if name in values), *(name for name in values if name not in types)]
    return {name: _value(values[name], types.get(name)) for name in order}


def _value(literal: Literal, python_type: Any) -> CrossingValue:
    return UntypedValue(literal) if python_type is None else from_literal(literal, python_type)
