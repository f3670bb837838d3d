"""How a value crosses a node boundary: as a literal round trip would return it, by the cheapest way that can prove it.

Values are packed once per output and unpacked once per edge.
"""

from flytenb.bridge.crossing.bindings import Shape, Slot, collector
from flytenb.bridge.crossing.copier_lookup import is_same_type, trust_of_scalars
from flytenb.bridge.crossing.crossing_value import CrossingValue, plain_primitive
from flytenb.bridge.crossing.elements import hashed_dict, hashed_list, join, split
from flytenb.bridge.crossing.literal import resolve_attribute
from flytenb.bridge.crossing.packers import box_packer, from_literal, hash_of, packer, unpacker

__all__ = [
    "CrossingValue",
    "Shape",
    "Slot",
    "box_packer",
    "collector",
    "from_literal",
    "hash_of",
    "hashed_dict",
    "hashed_list",
    "is_same_type",
    "join",
    "packer",
    "plain_primitive",
    "resolve_attribute",
    "split",
    "trust_of_scalars",
    "unpacker",
]
