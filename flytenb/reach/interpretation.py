"""Abstract interpretation of bytecode: which values meet where, without running anything.

Variables hold everything that is ever assigned to them, so two passes over the code see what loops carry around. What
an instruction means for the state that tasks share is decided by an `Effects`.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Mapping, Sequence
from inspect import CO_VARARGS
from types import CellType, CodeType
from typing import Any

from flytenb.reach.abstract_values import (
    PLAIN,
    SELECTION,
    UNKNOWN,
    AbstractValue,
    Effects,
    ExistingObject,
    LocalFunction,
    NewCollection,
    Special,
    constant,
    existing,
    join,
    joined_text,
    new_collection,
    texts,
    without_inputs,
)
from flytenb.reach.collection_instructions import CollectionInstructions
from flytenb.reach.instructions import ADD, DIVIDE, IN_PLACE, LEAVING, has_method_flag, instructions_of
from flytenb.reach.operand_stack import OperandStack
from flytenb.reach.reached_objects import shared_cell
from flytenb.reach.value_parts import elements, is_plain, root_of

Free = Mapping[str, CellType | dict[str, AbstractValue]]
"""Where the free variables of a function are: in cells, or among the variables of the code around it."""

_NULL: AbstractValue = frozenset()


class CallFrame(CollectionInstructions):
    """One code object with what is known of its parameters.

    Attributes:
        local: the values that its variables may have.
    """

    def __init__(
        self, code: CodeType, scope: dict[str, Any], free: Free, local: dict[str, AbstractValue], effects: Effects
    ) -> None:
        super().__init__(effects)
        self._code = code
        self._scope = scope
        self._free = free
        self.local = local
        self._names: tuple[str, ...] = ()
        self._is_kept = True

    def run(self) -> AbstractValue:
        """Interpret the code; return what it may return."""
        instructions, handlers = instructions_of(self._code)
        for _ in range(2):
            self._returned.clear()
            self._pass(instructions, handlers)
        return join(self._returned) or PLAIN

    def _pass(self, instructions: Sequence[dis.Instruction], handlers: Mapping[int, int]) -> None:
        waiting = {at: OperandStack([UNKNOWN] * depth) for at, depth in handlers.items()}
        self._stack = OperandStack()
        is_reached = True
        for at, instruction in enumerate(instructions):
            saved = waiting.get(instruction.offset)
            if not is_reached:
                self._stack = OperandStack() if saved is None else saved.copy()
            elif saved is not None:
                self._stack = self._stack.met(saved)
            following = instructions[at + 1] if at + 1 < len(instructions) else None
            self._is_kept = following is None or following.opname != "POP_TOP"
            if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
                effect = dis.stack_effect(instruction.opcode, instruction.arg, jump=True)
                waiting.setdefault(instruction.argval, self._stack.after(effect))
            _ACTS.get(instruction.opname, CallFrame._other)(self, instruction)
            is_reached = instruction.opname not in LEAVING

    def _other(self, instruction: dis.Instruction) -> None:
        """An instruction without a rule of its own: what it takes is read, what it leaves is unknown."""
        arg = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
        effect = dis.stack_effect(instruction.opcode, arg, jump=False)
        if effect < 0:
            self._effects.read(join(self._stack.take(-effect)))
        self._effects.read(self._stack.top)
        self._stack.put(1, UNKNOWN)
        self._stack.extend([UNKNOWN] * max(effect, 0))

    def _load_global(self, i: dis.Instruction) -> None:
        if i.opname == "LOAD_GLOBAL" and (i.arg or 0) & 1:
            self._stack.push(_NULL)
        own = self.local.get(i.argval) if i.opname == "LOAD_NAME" else None
        self._stack.push(own if own is not None else self._effects.loaded_global(self._scope, i.argval))

    def _load_local(self, i: dis.Instruction) -> None:
        place = self._free.get(i.argval)
        if isinstance(place, CellType):
            shared = shared_cell(place, i.argval)
            self._effects.loaded_cell(shared)
            try:
                self._stack.push(existing(place.cell_contents, shared))
            except ValueError:  # not bound yet
                self._stack.push(UNKNOWN)
            return
        self._stack.push((self.local if place is None else place).get(i.argval, UNKNOWN))

    def _store_local(self, i: dis.Instruction) -> None:
        value = self._stack.pop()
        place = self._free.get(i.argval)
        if isinstance(place, CellType):
            self._effects.stored_cell(shared_cell(place, i.argval))
            return
        local = self.local if place is None else place
        local[i.argval] = join([local.get(i.argval, frozenset()), value])

    def _store_global(self, i: dis.Instruction) -> None:
        self._effects.read(self._stack.pop())
        self._effects.stored_global(self._scope, i.argval)

    def _delete_global(self, i: dis.Instruction) -> None:
        self._effects.stored_global(self._scope, i.argval)

    def _load_attribute(self, i: dis.Instruction) -> None:
        value = self._effects.attribute(self._stack.pop(), i.argval)
        if i.opname == "LOAD_METHOD" or (i.opname == "LOAD_ATTR" and has_method_flag(i)):
            self._stack.push(_NULL)
        self._stack.push(value)

    def _store_attribute(self, i: dis.Instruction) -> None:
        value, owner = self._stack.take(2)
        self._effects.read(value)
        self._effects.stored_attribute(owner, i.argval, value)

    def _delete_attribute(self, i: dis.Instruction) -> None:
        self._effects.stored_attribute(self._stack.pop(), i.argval, UNKNOWN)

    def _store_item(self, i: dis.Instruction) -> None:
        value, owner, key = self._stack.take(3)
        self._effects.read(join([value, key]))
        self._effects.changed_items(owner)
        for name in texts(key) if Special.GLOBALS in owner else ():
            if name.end is None:
                self._effects.stored_global(self._scope, name.start)

    def _store_slice(self, i: dis.Instruction) -> None:
        value, owner, *_ = self._stack.take(4)
        self._effects.read(value)
        self._effects.changed_items(owner)

    def _delete_item(self, i: dis.Instruction) -> None:
        owner, key = self._stack.take(2)
        self._effects.read(key)
        self._effects.changed_items(owner)

    def _load_item(self, i: dis.Instruction) -> None:
        owner, key = self._stack.take(2)
        self._effects.read(join([owner, key]))
        self._stack.push(self._effects.item(owner, key))

    def _load_slice(self, i: dis.Instruction) -> None:
        owner, *_ = self._stack.take(3)
        self._effects.read(owner)
        self._stack.push(self._effects.item(owner, frozenset([Special.SLICE])))

    def _slice(self, i: dis.Instruction) -> None:
        self._effects.read(join(self._stack.take(i.arg or 2)))
        self._stack.push(frozenset([Special.SLICE]))

    def _binary(self, i: dis.Instruction) -> None:
        left, right = self._stack.take(2)
        arg = i.arg or 0
        self._effects.read(right)
        held = frozenset(one for one in left if isinstance(one, ExistingObject) or _is_array(root_of(one)))
        if arg >= IN_PLACE and held:
            self._effects.changed_items(held)
            self._stack.push(left)
            return
        self._effects.read(left)
        if left == right == SELECTION:
            self._stack.push(SELECTION)
        elif arg in ADD:
            is_collection = any(isinstance(one, NewCollection) for one in left | right)
            both = new_collection([elements(left), elements(right)]) if is_collection else joined_text([left, right])
            self._stack.push(both)
        elif arg in DIVIDE:
            self._stack.push(self._effects.divided(left, right))
        else:
            self._stack.push(PLAIN if is_plain([left, right]) else UNKNOWN)

    def _invert(self, i: dis.Instruction) -> None:
        self._effects.read(self._stack.top)
        if self._stack.top != SELECTION:
            self._stack.put(1, UNKNOWN)

    def _compare(self, i: dis.Instruction) -> None:
        self._effects.read(join(self._stack.take(2)))
        self._stack.push(SELECTION)

    def _build_text(self, i: dis.Instruction) -> None:
        self._stack.push(joined_text(self._stack.take(i.arg or 0), is_formatted=True))

    def _format(self, i: dis.Instruction) -> None:
        has_specification, conversion = (i.arg or 0) & 4, (i.arg or 0) & 3
        if has_specification:
            self._stack.pop()
        self._effects.read(self._stack.top)
        if has_specification or conversion > 1:  # `!r` and `!a`
            self._stack.put(1, without_inputs(self._stack.top))

    def _iterate(self, i: dis.Instruction) -> None:
        iterable = self._stack.pop()
        if any(isinstance(one, ExistingObject) and hasattr(type(one.value), "__next__") for one in iterable):
            self._effects.changed_items(iterable)
        self._effects.read(iterable)
        self._stack.push(new_collection([elements(iterable)]))

    def _next(self, i: dis.Instruction) -> None:
        self._stack.push(elements(self._stack.top))

    def _enter(self, i: dis.Instruction) -> None:
        manager = self._stack.pop()
        self._stack.push(UNKNOWN)
        entered = self._effects.call(self._effects.attribute(manager, "__enter__"), [], {}, is_kept=True)
        self._stack.push(join([manager, entered]) if entered == UNKNOWN else entered)

    def _import(self, i: dis.Instruction) -> None:
        is_from = any(isinstance(names, NewCollection) for names in self._stack.take(2)[1])
        self._stack.push(self._effects.imported(i.argval, self._scope, 0, is_from))

    def _import_from(self, i: dis.Instruction) -> None:
        self._stack.push(self._effects.attribute(self._stack.top, i.argval))

    def _names_follow(self, i: dis.Instruction) -> None:
        self._names = self._code.co_consts[i.arg or 0]

    def _call(self, i: dis.Instruction) -> None:
        names, self._names = self._names, ()
        args = self._stack.take(i.arg or 0)
        first, second = self._stack.take(2)
        plain = args[: len(args) - len(names)]
        named = dict(zip(names, args[len(plain) :], strict=True))
        callee, plain = (second, plain) if first == _NULL else (first, [second, *plain])
        self._stack.push(self._effects.call(callee, plain, named, is_kept=self._is_kept))

    def _call_with_tuple(self, i: dis.Instruction) -> None:
        named = self._stack.pop() if (i.arg or 0) & 1 else frozenset()
        args = self._stack.pop()
        callee = self._stack.take(2)[1]
        rest = join([elements(args), elements(named)]) if named else elements(args)
        self._stack.push(self._effects.call(callee, [rest] * _most_parameters(callee), {}, is_kept=self._is_kept))

    def _function(self, i: dis.Instruction) -> None:
        code = next(iter(self._stack.pop()), None)
        arg = i.arg or 0
        parts = self._stack.take(sum(bool(arg & flag) for flag in (1, 2, 4, 8)))
        defaults = join([elements(parts[n]) for n in range(sum(bool(arg & flag) for flag in (1, 2)))])
        if not isinstance(code, CodeType):
            self._stack.push(UNKNOWN)
            return
        free = {name: self._free.get(name, self.local) for name in code.co_freevars}
        self._stack.push(frozenset([LocalFunction(code, self._scope, free, defaults)]))

    def _return(self, i: dis.Instruction) -> None:
        value = constant(i.argval) if i.opname == "RETURN_CONST" else self._stack.pop()
        self._effects.read(value)
        self._returned.append(value)

    def _swap(self, i: dis.Instruction) -> None:
        place = i.arg or 1
        top, other = self._stack.top, self._stack.at(place)
        self._stack.put(1, other)
        self._stack.put(place, top)


def _most_parameters(callee: AbstractValue) -> int:
    functions = [getattr(getattr(one, "value", None), "__code__", getattr(one, "code", None)) for one in callee]
    counts = [code.co_argcount + bool(code.co_flags & CO_VARARGS) for code in functions if code is not None]
    return max(counts, default=1)


def _is_array(one: Any) -> bool:
    return isinstance(one, ExistingObject) and type(one.value).__module__ == "numpy"


Act = Callable[[CallFrame, dis.Instruction], None]

_ACTS_OF_GROUPS: Mapping[str, Act] = {
    "LOAD_GLOBAL LOAD_NAME": CallFrame._load_global,
    "LOAD_FAST LOAD_FAST_CHECK LOAD_FAST_AND_CLEAR LOAD_DEREF LOAD_CLASSDEREF": CallFrame._load_local,
    "STORE_FAST STORE_DEREF STORE_NAME": CallFrame._store_local,
    "STORE_GLOBAL": CallFrame._store_global,
    "DELETE_GLOBAL": CallFrame._delete_global,
    "LOAD_ATTR LOAD_METHOD": CallFrame._load_attribute,
    "STORE_ATTR": CallFrame._store_attribute,
    "DELETE_ATTR": CallFrame._delete_attribute,
    "STORE_SUBSCR": CallFrame._store_item,
    "STORE_SLICE": CallFrame._store_slice,
    "DELETE_SUBSCR": CallFrame._delete_item,
    "BINARY_SUBSCR": CallFrame._load_item,
    "BINARY_SLICE": CallFrame._load_slice,
    "BUILD_SLICE": CallFrame._slice,
    "BINARY_OP": CallFrame._binary,
    "BUILD_STRING": CallFrame._build_text,
    "FORMAT_VALUE": CallFrame._format,
    "BUILD_LIST BUILD_TUPLE BUILD_SET BUILD_MAP BUILD_CONST_KEY_MAP": CallFrame._build,
    "LIST_EXTEND SET_UPDATE DICT_UPDATE DICT_MERGE LIST_APPEND SET_ADD MAP_ADD": CallFrame._extend,
    "GET_ITER": CallFrame._iterate,
    "FOR_ITER": CallFrame._next,
    "UNPACK_SEQUENCE UNPACK_EX": CallFrame._unpack,
    "YIELD_VALUE": CallFrame._yield,
    "MATCH_KEYS": CallFrame._match_keys,
    "MATCH_CLASS": CallFrame._match_class,
    "MATCH_SEQUENCE MATCH_MAPPING GET_LEN": lambda frame, i: frame._stack.push(PLAIN),
    "BEFORE_WITH BEFORE_ASYNC_WITH": CallFrame._enter,
    "IMPORT_NAME": CallFrame._import,
    "IMPORT_FROM": CallFrame._import_from,
    "KW_NAMES": CallFrame._names_follow,
    "CALL": CallFrame._call,
    "CALL_FUNCTION_EX": CallFrame._call_with_tuple,
    "MAKE_FUNCTION": CallFrame._function,
    "RETURN_VALUE RETURN_CONST": CallFrame._return,
    "SWAP": CallFrame._swap,
    "COPY": lambda frame, i: frame._stack.push(frame._stack.at(i.arg or 1)),
    "LOAD_CONST": lambda frame, i: frame._stack.push(constant(i.argval)),
    "LOAD_CLOSURE": lambda frame, i: frame._stack.push(PLAIN),
    "PUSH_NULL": lambda frame, i: frame._stack.push(_NULL),
    "POP_TOP": lambda frame, i: frame._stack.take(1).clear(),
    "END_FOR": lambda frame, i: frame._stack.take(2).clear(),
    " ".join(n for n in dis.opmap if n.startswith("POP_JUMP_")): (
        lambda frame, i: frame._effects.read(frame._stack.pop())
    ),
    "UNARY_INVERT": CallFrame._invert,
    "COMPARE_OP": CallFrame._compare,
    "LIST_TO_TUPLE CALL_INTRINSIC_1": CallFrame._to_tuple,
    "DELETE_FAST DELETE_DEREF SETUP_ANNOTATIONS": lambda frame, i: None,
    "JUMP_FORWARD JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT": lambda frame, i: None,
}
_ACTS = {name: act for names, act in _ACTS_OF_GROUPS.items() for name in names.split()}
"""What each instruction does; of both Python versions."""
