"""How a value crosses a node boundary: as a literal round trip would return it, by the cheapest way that can prove it.

Packing happens once per output, taking once per edge; which node runs when, and errors' framing, are left to the run.
"""

from flytenb.bridge.crossing.bindings import Shape, Slot, collector
from flytenb.bridge.crossing.elements import hashed_dict, hashed_list, join, split
from flytenb.bridge.crossing.literal import resolve_attribute
from flytenb.bridge.crossing.ports import from_literal, giver, hash_of, packer, taker
from flytenb.bridge.crossing.value import Value

__all__ = [
    "Shape",
    "Slot",
    "Value",
    "collector",
    "from_literal",
    "giver",
    "hash_of",
    "hashed_dict",
    "hashed_list",
    "join",
    "packer",
    "resolve_attribute",
    "split",
    "taker",
]
