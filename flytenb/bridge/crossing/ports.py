"""Pack what a node returned, take what a node receives: prepared once per output or edge, called once per value."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any, TypeAlias

from flytekit.core.constants import FLYTE_USE_OLD_DC_FORMAT
from flytekit.core.utils import str2bool
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType

from flytenb.bridge import private
from flytenb.bridge.crossing.arrays import ArrayCopy
from flytenb.bridge.crossing.choice import find_attribute, find_way, is_optional_of
from flytenb.bridge.crossing.limits import check_holdable, check_packed
from flytenb.bridge.crossing.literal import AttrPath, resolve_attribute, to_literal, to_native
from flytenb.bridge.crossing.value import CopiedValue, LiteralValue, Port, SharedValue, Value
from flytenb.bridge.crossing.ways import Share, UnprovenError, Way

Pack: TypeAlias = Callable[[Any], Value]
Take: TypeAlias = Callable[[Value], Any]


def packer(python_type: Any, literal_type: LiteralType | None = None, *, strict: bool = False) -> Pack:
    """Return a function that packs what a node returned for an output of this type.

    It raises what flytekit raises for a value that the type doesn't admit, and UnholdableError, as a pod would, for a
    number or text that no literal holds.
    """
    port = Port(python_type, literal_type, _way(python_type, strict))
    way = port.way
    if way is None:
        return lambda value: _pack_literal(port, value)
    if isinstance(way, Share) and len(way.limits) == 1:
        return _scalar_packer(port, way)
    make = SharedValue if isinstance(way, Share) else CopiedValue

    def pack(value: Any) -> Value:
        if way.trust.holds():
            try:
                return make(port, way.prove([value])[0])
            except UnprovenError:
                pass
        return _pack_literal(port, value)

    return pack


def giver(
    python_type: Any, literal_type: LiteralType | None = None, *, strict: bool = False
) -> Callable[[list[Any]], Value]:
    """As `packer`, for a caller that gives the value away: the returned function takes a one-element list, emptied.

    `give([task.execute(**inputs)])` doesn't copy an array that the task let go of.
    """
    pack = packer(python_type, literal_type, strict=strict)
    way = _way(python_type, strict)
    if not isinstance(way, ArrayCopy):
        return lambda box: pack(box.pop())
    port = Port(python_type, literal_type, way)

    def give(box: list[Any]) -> Value:
        if way.trust.holds():
            try:
                return CopiedValue(port, way.adopt(box))
            except UnprovenError:
                pass
        return pack(box.pop())

    return give


def _scalar_packer(port: Port, way: Share) -> Pack:
    """The same with everything looked up beforehand: most values are scalars."""
    [(kind, limit)] = way.limits.items()
    admits = limit.admits if limit is not None else None
    look_up = private.transformer_registry().get
    transformer = look_up(kind)

    def pack(value: Any) -> Value:
        if type(value) is kind and look_up(kind) is transformer and (admits is None or admits(value)):
            return SharedValue(port, value)
        return _pack_literal(port, value)

    return pack


def _pack_literal(port: Port, value: Any) -> Value:
    try:
        literal = to_literal(value, port.python_type, port.literal_type)
    except OverflowError:
        check_packed(value)
        raise
    check_holdable(literal)
    return LiteralValue(port, literal)


def from_literal(literal: Literal, python_type: Any, literal_type: LiteralType | None = None) -> Value:
    """Return the value of a literal: a constant in a binding, a default, a hit in the cache."""
    return LiteralValue(Port(python_type, literal_type, _way(python_type, strict=False)), literal)


def taker(producer_type: Any, consumer_type: Any, attr_path: AttrPath = (), *, strict: bool = False) -> Take:
    """Return a function that takes a value as an input of `consumer_type`: a copy that nobody else holds."""
    path = tuple(attr_path)
    way = _way(producer_type, strict)
    consumer_way = way if consumer_type is producer_type else _way(consumer_type, strict)
    if way is not None and consumer_way is not None:
        if path:
            found = find_attribute(way, producer_type, path)
            if found is not None and found[1] == consumer_type:
                return _attribute_taker(way, consumer_way, path, found[0], consumer_type)
        elif producer_type == consumer_type and isinstance(way, Share) and len(way.limits) == 1:
            return _scalar_taker(way, consumer_type)
        elif producer_type == consumer_type or is_optional_of(consumer_type, producer_type):
            return _native_taker(way, consumer_way, consumer_type)
    return lambda value: _take_literal(value, path, consumer_type)


def hash_of(value: Value, attr_path: AttrPath = ()) -> str | None:
    """Return the hash that the producer's `HashMethod` gave a value; None if it has none, or only a part is taken.

    Of a list or dict it is made of those of its elements; an element without one counts by its literal.
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


def _scalar_taker(way: Share, consumer_type: Any) -> Take:
    look_up = private.transformer_registry().get
    [kind] = way.limits
    transformer = look_up(kind)

    def take(value: Value) -> Any:
        if type(value) is SharedValue and value.port.way is way and look_up(kind) is transformer:
            return value.held
        return value.native() if value.port.way is way else _take_literal(value, (), consumer_type)

    return take


def _native_taker(way: Way, consumer_way: Way, consumer_type: Any) -> Take:
    def take(value: Value) -> Any:
        if value.port.way is way and consumer_way.trust.holds():
            return value.native()
        return _take_literal(value, (), consumer_type)

    return take


def _attribute_taker(way: Way, consumer_way: Way, path: AttrPath, inner: Way, consumer_type: Any) -> Take:
    def take(value: Value) -> Any:
        is_right = value.port.way is way and way.trust.holds() and consumer_way.trust.holds()
        if is_right and isinstance(value, SharedValue | CopiedValue):
            at = value.held
            try:
                for step in path:
                    at = at[step] if type(at) in (list, dict) else getattr(at, str(step))
                return inner.renew([at])[0]
            except (LookupError, AttributeError):
                pass  # the literal has the words for it
        return _take_literal(value, path, consumer_type)

    return take


def _take_literal(value: Value, path: AttrPath, consumer_type: Any) -> Any:
    return to_native(resolve_attribute(value.literal(), path), consumer_type)


def _way(python_type: Any, strict: bool) -> Way | None:
    """The cheap way, unless the caller wants none or flytekit is told to write dataclasses in its old format."""
    way = None if strict else find_way(python_type)
    if way is not None and not isinstance(way, Share) and str2bool(os.getenv(FLYTE_USE_OLD_DC_FORMAT)):
        return None
    return way
