"""Packers of outputs and unpackers of inputs: prepared once per output or edge, called once per value."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeAlias

from flytekit.core.constants import FLYTE_USE_OLD_DC_FORMAT
from flytekit.core.utils import str2bool
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge import private
from flytenb.bridge.crossing.arrays import ArrayCopy
from flytenb.bridge.crossing.copier_lookup import find_attribute, find_copier, is_optional_of, is_same_type
from flytenb.bridge.crossing.copiers import Copier, Share, UnprovenError
from flytenb.bridge.crossing.crossing_value import CopiedValue, CrossingValue, LiteralValue, OutputType, SharedValue
from flytenb.bridge.crossing.frames import FrameCopy
from flytenb.bridge.crossing.literal import AttrPath, resolve_attribute, to_literal, to_native
from flytenb.bridge.crossing.literal_limits import check_holdable, check_packed
from flytenb.bridge.crossing.stored_files import check_file_names, storing

Pack: TypeAlias = Callable[[Any], CrossingValue]
Unpack: TypeAlias = Callable[[CrossingValue], Any]


def packer(python_type: Any, literal_type: LiteralType | None = None, *, strict: bool = False) -> Pack:
    """Return a function that packs a node's output of this type.

    It raises flytekit's error for a value that the type doesn't admit, and UnholdableError, like a pod, for a
    number or text that no literal holds.
    """
    output_type = OutputType(python_type, literal_type, _copier(python_type, strict))
    copier = output_type.copier
    if copier is None:
        return lambda value: _pack_literal(output_type, value)
    if isinstance(copier, Share) and len(copier.limits) == 1:
        return _PackScalar(output_type, copier)
    make = packed_class(copier)

    def pack(value: Any) -> CrossingValue:
        if copier.trust.holds():
            try:
                return make(output_type, copier.prove([value])[0])
            except UnprovenError:
                pass
        return _pack_literal(output_type, value)

    return pack


def packed_class(copier: Copier) -> type[SharedValue] | type[CopiedValue]:
    """Return the class of the values that a copier has proven."""
    return SharedValue if isinstance(copier, Share) else CopiedValue


def box_packer(
    python_type: Any, literal_type: LiteralType | None = None, *, strict: bool = False
) -> Callable[[list[Any]], CrossingValue]:
    """As `packer`, but the returned function takes a list of one value and empties it.

    `pack_box([task.execute(**inputs)])` doesn't copy an array or a frame that nothing else refers to.
    """
    pack = packer(python_type, literal_type, strict=strict)
    copier = _copier(python_type, strict)
    if not isinstance(copier, ArrayCopy | FrameCopy):
        return _PackPopped(pack)
    output_type = OutputType(python_type, literal_type, copier)

    def pack_box(box: list[Any]) -> CrossingValue:
        if copier.trust.holds():
            try:
                return CopiedValue(output_type, copier.adopt(box))
            except UnprovenError:
                pass
        return pack(box.pop())

    return pack_box


class _PackPopped:
    """Packs the value that it takes out of a list."""

    __slots__ = ("pack",)

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    def __call__(self, box: list[Any]) -> CrossingValue:
        return self.pack(box.pop())


class _PackScalar:
    """A packer of scalars with all lookups done beforehand: most values are scalars.

    With slots, and not a closure: a run makes one for each task, and the garbage collector visits all of them.
    """

    __slots__ = ("admits", "kind", "output_type", "transformer", "transformers")

    def __init__(self, output_type: OutputType, copier: Share) -> None:
        [(kind, limit)] = copier.limits.items()
        self.output_type = output_type
        self.kind = kind
        self.admits = limit.admits if limit is not None else None
        self.transformers = private.transformer_registry()
        self.transformer = self.transformers.get(kind)

    def __call__(self, value: Any) -> CrossingValue:
        kind, admits = self.kind, self.admits
        if (
            type(value) is kind
            and self.transformers.get(kind) is self.transformer
            and (admits is None or admits(value))
        ):
            return SharedValue(self.output_type, value)
        return _pack_literal(self.output_type, value)


def _pack_literal(output_type: OutputType, value: Any) -> CrossingValue:
    try:
        with storing() if check_file_names(value, output_type.python_type) else nullcontext():
            literal = to_literal(value, output_type.python_type, output_type.literal_type)
    except OverflowError:
        check_packed(value)
        raise
    check_holdable(literal)
    return LiteralValue(output_type, literal)


def from_literal(literal: Literal, python_type: Any, literal_type: LiteralType | None = None) -> CrossingValue:
    """Return the value of a literal: a constant in a binding, a default, a hit in the cache."""
    return LiteralValue(OutputType(python_type, literal_type, _copier(python_type, strict=False)), literal)


def unpacker(producer_type: Any, consumer_type: Any, attr_path: AttrPath = (), *, strict: bool = False) -> Unpack:
    """Return a function that converts a value to an input of `consumer_type`, an isolated copy."""
    path = tuple(attr_path)
    copier = _copier(producer_type, strict)
    consumer_copier = copier if consumer_type is producer_type else _copier(consumer_type, strict)
    if copier is not None and consumer_copier is not None:
        if path:
            found = find_attribute(copier, producer_type, path)
            if found is not None and found[1] == consumer_type:
                return _attribute_unpacker(copier, consumer_copier, path, found[0], consumer_type)
        elif producer_type == consumer_type and isinstance(copier, Share) and len(copier.limits) == 1:
            return _scalar_unpacker(copier, consumer_type)
        elif is_same_type(producer_type, consumer_type) or is_optional_of(consumer_type, producer_type):
            return _native_unpacker(copier, consumer_copier, consumer_type)
    return lambda value: _unpack_literal(value, path, consumer_type)


def hash_of(value: CrossingValue, attr_path: AttrPath = ()) -> str | None:
    """Return the hash that the producer's `HashMethod` gave a value; None if it has none, or only a part is unpacked.

    The hash of a list or dict is made of those of its elements; an element without one contributes its literal.
    """
    is_whole = isinstance(value, LiteralValue) and not attr_path
    return _hash_in(value.literal()) if is_whole else None


def _hash_in(literal: Literal) -> str | None:
    """Return a literal's hash, as the cluster's catalog takes it (`catalog/hashing.go`, 1.16.8)."""
    if literal.hash:
        return str(literal.hash)
    inner: list[tuple[str, Literal]] = []
    if literal.collection is not None:
        inner = [("", each) for each in literal.collection.literals]
    elif literal.map is not None:
        inner = sorted(literal.map.literals.items(), key=lambda pair: pair[0])
    found = [(key, _hash_in(each), each) for key, each in inner]
    if all(said is None for _, said, _ in found):
        return None
    digest = hashlib.blake2b(digest_size=16)
    for key, said, each in found:
        held = said.encode() if said is not None else each.to_flyte_idl().SerializeToString(deterministic=True)
        for piece in (key.encode(), b"hash" if said is not None else b"literal", held):
            digest.update(len(piece).to_bytes(8, "little") + piece)
    return f"of its elements: {digest.hexdigest()}"


def _scalar_unpacker(copier: Share, consumer_type: Any) -> Unpack:
    look_up = private.transformer_registry().get
    [kind] = copier.limits
    transformer = look_up(kind)

    def unpack(value: CrossingValue) -> Any:
        if type(value) is SharedValue and value.output_type.copier is copier and look_up(kind) is transformer:
            return value.held
        return value.native() if value.output_type.copier is copier else _unpack_literal(value, (), consumer_type)

    return unpack


def _native_unpacker(copier: Copier, consumer_copier: Copier, consumer_type: Any) -> Unpack:
    def unpack(value: CrossingValue) -> Any:
        if value.output_type.copier is copier and consumer_copier.trust.holds():
            is_proven = copier is consumer_copier and type(value) is CopiedValue
            return copier.renew([value.held])[0] if is_proven else value.native()  # type: ignore[attr-defined]
        return _unpack_literal(value, (), consumer_type)

    return unpack


def _attribute_unpacker(
    copier: Copier, consumer_copier: Copier, path: AttrPath, inner: Copier, consumer_type: Any
) -> Unpack:
    def unpack(value: CrossingValue) -> Any:
        is_right = value.output_type.copier is copier and copier.trust.holds() and consumer_copier.trust.holds()
        if is_right and isinstance(value, SharedValue | CopiedValue):
            at = value.held
            try:
                for step in path:
                    at = at[step] if type(at) in (list, dict) else getattr(at, str(step))
                return inner.renew([at])[0]
            except (LookupError, AttributeError):
                pass  # the conversion of the literal raises the proper error
        return _unpack_literal(value, path, consumer_type)

    return unpack


def _unpack_literal(value: CrossingValue, path: AttrPath, consumer_type: Any) -> Any:
    return to_native(resolve_attribute(value.literal(), path), consumer_type)


def _copier(python_type: Any, strict: bool) -> Copier | None:
    """Return the copier of a type; None with `strict`, or if flytekit writes dataclasses in its old format."""
    copier = None if strict else find_copier(python_type)
    if copier is not None and not isinstance(copier, Share) and str2bool(os.getenv(FLYTE_USE_OLD_DC_FORMAT)):
        return None
    return copier
