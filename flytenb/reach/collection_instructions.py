"""Instructions that build collections, take them apart and match them."""

from __future__ import annotations

import dis

from flytenb.reach.abstract_values import (
    UNKNOWN,
    AbstractValue,
    Effects,
    ExistingObject,
    NewCollection,
    join,
    new_collection,
    texts,
)
from flytenb.reach.operand_stack import OperandStack
from flytenb.reach.value_parts import elements


class CollectionInstructions:
    """What instructions do to the collections on the stack of a call."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._stack = OperandStack()
        self._returned: list[AbstractValue] = []
        self._added: AbstractValue = frozenset()
        """What the code adds to the collections that it builds, as a comprehension does."""

    def _build(self, i: dis.Instruction) -> None:
        count = (i.arg or 0) * (2 if i.opname == "BUILD_MAP" else 1)
        parts = self._stack.take(count + (i.opname == "BUILD_CONST_KEY_MAP"))
        parts = parts[1::2] if i.opname == "BUILD_MAP" else parts[:count]
        self._effects.read(join(parts))
        length = count if i.opname == "BUILD_TUPLE" else None
        self._stack.push(frozenset([NewCollection(join(parts or [self._added]), length, i.opname == "BUILD_LIST")]))

    def _extend(self, i: dis.Instruction) -> None:
        added = self._stack.take(2)[1] if i.opname == "MAP_ADD" else self._stack.pop()
        self._effects.read(added)
        held = self._stack.at(i.arg or 1)
        values = added if i.opname in ("LIST_APPEND", "SET_ADD", "MAP_ADD") else elements(added)
        self._added = join([self._added, values])
        inner = join([values, *(one.values for one in held if isinstance(one, NewCollection))])
        self._stack.put(i.arg or 1, frozenset([NewCollection(inner, is_list=i.opname.startswith("LIST_"))]))

    def _to_tuple(self, i: dis.Instruction) -> None:
        if any(isinstance(one, NewCollection) for one in self._stack.top):
            self._stack.put(1, new_collection([elements(self._stack.top)]))

    def _unpack(self, i: dis.Instruction) -> None:
        value = self._stack.pop()
        self._effects.read(value)
        count, after = (i.arg or 0) & 0xFF, (i.arg or 0) >> 8
        rest = [new_collection([elements(value)])] if i.opname == "UNPACK_EX" else []
        self._stack.extend([*[elements(value)] * after, *rest, *[elements(value)] * count])

    def _yield(self, i: dis.Instruction) -> None:
        self._effects.read(self._stack.top)
        self._returned.append(new_collection([self._stack.pop()]))
        self._stack.push(UNKNOWN)

    def _match_keys(self, i: dis.Instruction) -> None:
        self._stack.push(new_collection([elements(self._stack.at(2))]))

    def _match_class(self, i: dis.Instruction) -> None:
        subject, cls, names = self._stack.take(3)
        positional = [getattr(one.value, "__match_args__", ()) for one in cls if isinstance(one, ExistingObject)]
        matched = [*(t.start for t in texts(elements(names))), *(name for each in positional for name in each)]
        self._stack.push(new_collection([self._effects.attribute(subject, name) for name in matched]))
