"""Values of runs on disk: literals with their files below one folder, read back without unpickling anything."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from flyteidl.core import literals_pb2, types_pb2
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType
from flytekit.types.pickle.pickle import FlytePickleTransformer
from flytekit.types.structured import StructuredDataset

from flytenb.bridge import private
from flytenb.bridge.context import AS_POD, Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.crossing.crossing_value import CopiedValue, OutputType
from flytenb.bridge.crossing.literal import to_literal, to_native
from flytenb.bridge.execution.files import let_go, may_hold_files
from flytenb.bridge.type_engine.key_order import Orders, orders_of, put_in_order
from flytenb.bridge.type_engine.literal_data import read_literal
from flytenb.bridge.type_engine.scratch_storage import storing_in
from flytenb.bridge.type_engine.transformers import find_transformer, literal_type_of
from flytenb.errors import AbsentValueError

_LIBRARIES = ("numpy", "pandas", "polars", "pyarrow")
"""Those whose types flytekit knows once they are imported."""


@dataclass(frozen=True)
class WrittenValue:
    """A value as bytes.

    Attributes:
        literal: the literal; its files are below the folder that it was written to.
        literal_type: its literal type.
        type_name: the name of its Python type, which tells whether flytekit guesses it right where no entity is known.
        orders: the order of the keys of its dicts.
    """

    literal: bytes
    literal_type: bytes
    type_name: str
    orders: Orders = ()


def write_value(value: CrossingValue, workspace: Workspace, folder: Path) -> WrittenValue:
    """Write a value.

    Args:
        value: the value.
        workspace: that of its run.
        folder: receives its files, in the folder `stored`.

    Raises:
        AbsentValueError: if only a pickle could hold it.
        Exception: what its conversion raises.
    """
    stored = folder / "stored"
    stored.mkdir(parents=True)
    try:
        return _write(value, workspace, folder, stored)
    finally:
        shutil.rmtree(folder / "local", ignore_errors=True)
        with suppress(OSError):  # it has files
            stored.rmdir()
            folder.rmdir()


def _write(value: CrossingValue, workspace: Workspace, folder: Path, stored: Path) -> WrittenValue:
    declared = value.python_type
    with workspace.entered(AS_POD):
        if isinstance(value, CopiedValue):
            with storing_in(folder):
                literal = to_literal(value.held, declared, value.literal_type)
                message = literal.to_flyte_idl()
        else:
            literal = value.literal()
            message = literals_pb2.Literal.FromString(literal.to_flyte_idl().SerializeToString())
            _require_no_pickle(message)
            if may_hold_files(declared):
                with storing_in(folder):
                    literal = to_literal(let_go(value.native()), declared, value.literal_type)
                    message = literal.to_flyte_idl()
            else:
                _copy_files(message, stored)
        _require_no_pickle(message)
    literal_type = bytes(value.literal_type.to_flyte_idl().SerializeToString())
    return WrittenValue(bytes(message.SerializeToString()), literal_type, _type_name(declared), orders_of(literal))


def _require_no_pickle(message: Any) -> None:
    for stored in _stored_in(message):
        kind = stored.metadata.type.format if isinstance(stored, literals_pb2.Blob) else ""
        if kind == FlytePickleTransformer.PYTHON_PICKLE_FORMAT:
            raise AbsentValueError("its type has no literal form but a pickle")


def _stored_in(message: Any) -> Iterator[Any]:
    """Yield the blobs, schemas and datasets in the message of a literal."""
    kind = message.WhichOneof("value")
    if kind == "collection":
        for inner in message.collection.literals:
            yield from _stored_in(inner)
    elif kind == "map":
        for inner in message.map.literals.values():
            yield from _stored_in(inner)
    elif kind == "scalar":
        scalar = message.scalar
        inside = scalar.WhichOneof("value")
        if inside == "union":
            yield from _stored_in(scalar.union.value)
        elif inside in ("blob", "schema", "structured_dataset"):
            yield getattr(scalar, inside)


def _copy_files(message: Any, stored: Path) -> None:
    """Copy the local files of a literal, and let it refer to the copies."""
    for number, held in enumerate(_stored_in(message)):
        if "://" in held.uri.removeprefix("file://") or not held.uri:
            continue
        source = Path(held.uri.removeprefix("file://"))
        target = stored / str(number) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        held.uri = str(target)


# --- types -----------------------------------------------------------------------------------------------------------


def _type_name(declared: Any) -> str:
    """Return a text that is equal for equal types."""
    inner = get_args(declared)
    origin = get_origin(declared)
    if origin in (Union, UnionType):
        return f"{' | '.join(sorted(map(_type_name, inner)))}"
    if inner and origin is not Annotated:
        return f"{_type_name(origin)}[{', '.join(map(_type_name, inner))}]"
    if isinstance(declared, type) and "<" not in declared.__qualname__:
        return f"{declared.__module__}.{declared.__qualname__}"
    return repr(declared)


def type_of(written: WrittenValue, declared: Any = None) -> Any:
    """Return the Python type to read a value as, None for plain data.

    Args:
        written: the value.
        declared: the type that the notebook's entity declares, None if it isn't known.
    """
    if declared is not None and _has_type(declared, written):
        return declared
    found = _registered(written)
    if found is not None:  # before flytekit guesses, which makes classes for it
        return found
    with suppress(Exception):
        literal_type = LiteralType.from_flyte_idl(types_pb2.LiteralType.FromString(written.literal_type))
        guessed = TypeEngine.guess_python_type(literal_type)
        if _type_name(guessed) == written.type_name:
            return guessed
    library = written.type_name.partition(".")[0]
    if library in _LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(library)
    find_transformer(StructuredDataset)  # which registers what libraries that are imported by now bring
    return _registered(written)


def _registered(written: WrittenValue) -> Any:
    """Return the type of a value among those that have a transformer by now, None if there is none."""
    known = [cls for cls in private.transformer_registry() if _type_name(cls) == written.type_name]
    return next((cls for cls in known if _has_type(cls, written)), None)


def _has_type(declared: Any, written: WrittenValue) -> bool:
    """Whether a Python type has the literal type that a value was written as."""
    try:
        return bool(literal_type_of(declared).to_flyte_idl().SerializeToString() == written.literal_type)
    except Exception:  # a transformer of the user's
        return False


# --- reading ---------------------------------------------------------------------------------------------------------


class StoredValue(CrossingValue):
    """A value that was written; it is read when it is asked for.

    Args:
        read: returns its literal as bytes, and the order of the keys of its dicts.
        python_type: the type to read it as, None for plain data.
        check: raises AbsentValueError if its files aren't there as they were written.
        may_unpickle: whether reading it may unpickle something.
        hint: what to do if it may not.
        shortcut: reads and verifies it in a cheaper way; it returns None if it can't.
        is_exact: whether what is read has the same content as what was written.
    """

    __slots__ = ("_bytes", "_check", "_hint", "_is_exact", "_may_unpickle", "_shortcut")

    def __init__(
        self,
        read: Callable[[], tuple[bytes, Orders]],
        python_type: Any,
        check: Callable[[], None],
        *,
        may_unpickle: bool = False,
        hint: str = "",
        shortcut: Callable[[], Any] = lambda: None,
        is_exact: bool = True,
    ) -> None:
        super().__init__(OutputType(python_type, None, None))
        self._shortcut = shortcut
        self._is_exact = is_exact
        self._bytes = read
        self._check = check
        self._may_unpickle = may_unpickle
        self._hint = hint

    def require(self) -> None:
        """Raise AbsentValueError if it isn't known to read as it was written."""
        if not self._is_exact:
            raise AbsentValueError("the value has other content when it is read from disk")
        self._check()

    def literal(self) -> Literal:
        """Return the literal, if reading it unpickles nothing or may."""
        if not self._may_unpickle:
            self.native()
        self._check()
        return self._read()

    def native(self) -> Any:
        """Read the value."""
        found = self._shortcut()
        if found is not None:
            return found
        self._check()
        if self.python_type is None:
            return read_literal(self._read())
        if self._may_unpickle:
            return to_native(self._read(), self.python_type)
        with _without_pickle(self._hint):
            return to_native(self._read(), self.python_type)

    def _read(self) -> Literal:
        data, orders = self._bytes()
        literal = Literal.from_flyte_idl(literals_pb2.Literal.FromString(data))
        put_in_order([literal], orders)
        return literal


class AbsentValue(CrossingValue):
    """Takes the place of a value that isn't held any more; what reads it gets an AbsentValueError.

    Args:
        value: the value whose type it has, None if that isn't known.
        why: the reason, as a sentence.
        hint: what to do about it.
    """

    __slots__ = ("hint", "why")

    def __init__(self, value: CrossingValue | None, why: str, hint: str = "") -> None:
        super().__init__(OutputType(None, None, None) if value is None else value.output_type)
        self.why = why
        self.hint = hint

    def require(self) -> None:
        """Raise AbsentValueError."""
        raise AbsentValueError(self.why, self.hint)

    def literal(self) -> Literal:
        """Raise AbsentValueError."""
        raise AbsentValueError(self.why, self.hint)

    def native(self) -> Any:
        """Raise AbsentValueError."""
        raise AbsentValueError(self.why, self.hint)


class _Refusal:
    """Whether unpickling was refused."""

    happened = False


_refusal: ContextVar[_Refusal | None] = ContextVar("_refusal", default=None)
_listening = False


@contextmanager
def _without_pickle(hint: str) -> Iterator[None]:
    """Refuse to unpickle objects of classes during the block.

    Raises:
        AbsentValueError: if that was tried, whatever became of the attempt.
    """
    global _listening
    if not _listening:
        _listening = True
        sys.addaudithook(_hear)
    refusal = _Refusal()
    token = _refusal.set(refusal)
    try:
        yield
    except Exception:
        if not refusal.happened:
            raise
    finally:
        _refusal.reset(token)
    if refusal.happened:
        raise AbsentValueError("the value can't be read without unpickling it", hint)


def _hear(event: str, _: Any) -> None:
    if event == "pickle.find_class":
        refusal = _refusal.get()
        if refusal is not None:
            refusal.happened = True
            raise AbsentValueError("the value can't be read without unpickling it")
