"""Effects of reading and assigning attributes, with the code of properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from flytenb.reach.abstract_values import (
    UNKNOWN,
    AbstractValue,
    BoundFunction,
    ExistingObject,
    Instance,
    KnownText,
    LibraryResult,
    LocalFunction,
    Method,
    existing,
    join,
)
from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import MISSING, is_module, is_own
from flytenb.reach.ownership import is_own_class, is_own_module
from flytenb.reach.path_operations import path_operation
from flytenb.reach.reached_objects import (
    instance_dict,
    kind_of,
    kind_of_result,
    shared_global,
    shared_object,
    static_attribute,
)
from flytenb.reach.state_accesses import StateAccesses
from flytenb.reach.state_kinds import EVERYTHING
from flytenb.wording.text import class_name


class AttributeEffects(StateAccesses):
    """Collects the effects of reading and assigning attributes."""

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[tuple[type, str], AbstractValue] = {}
        # Of objects whose class isn't known, such as one that the code defines; by the name of the attribute.
        self._of_unknown: dict[str, AbstractValue] = {}
        self._given_to_unknown: AbstractValue = frozenset()
        self._defines_class = False

    def _run(self, function: Any, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> AbstractValue:
        """Interpret a function; return what it returns."""
        raise NotImplementedError

    def attribute(self, owner: AbstractValue, name: str) -> AbstractValue:
        """Return an attribute of a value."""
        return join(self._attribute(one, name) for one in owner) or UNKNOWN

    def _attribute(self, one: Any, name: str) -> AbstractValue:
        if isinstance(one, ExistingObject):
            return self._attribute_of_held(one, name)
        if isinstance(one, Instance):
            if name == "__class__":
                return existing(one.cls, shared_object(one.cls, f"class {one.cls.__name__}"))
            set_here = self._fields.get((one.cls, name), frozenset()) | self._fields.get((one.cls, ""), frozenset())
            inherited = self._class_attribute(one.cls, name, frozenset([one]))
            return join([set_here, inherited]) or UNKNOWN
        if isinstance(one, KnownText):
            made = path_operation(f"@{name}", [frozenset([one])])
            return made if made is not None else frozenset([Method(one, name)])
        if isinstance(one, LocalFunction | BoundFunction | FunctionType):
            return UNKNOWN
        return join([frozenset([Method(one, name)]), self._attribute_of_unknown(one, name)])

    def _attribute_of_unknown(self, one: Any, name: str) -> AbstractValue:
        if isinstance(one, ExistingObject):
            return frozenset()
        named = [self._of_unknown.get(n, frozenset()) for n in (name, "")]
        return join([*named, self._given_to_unknown if self._defines_class else frozenset()])

    def defined_class(self, names: Mapping[str, AbstractValue]) -> None:
        """Note the names of a class that code defines: each may be an attribute of any unknown object."""
        self._defines_class = True
        for name, value in names.items():
            bound = (BoundFunction(one, UNKNOWN) if isinstance(one, LocalFunction) else one for one in value)
            self._set_of_unknown(name, frozenset(bound))

    def made_unknown(self, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> AbstractValue:
        """Note the arguments of a call of something unknown, which may be a class; return the methods that it calls."""
        if self._defines_class:
            self._given_to_unknown = join([self._given_to_unknown, *args, *named.values()])
        return self._of_unknown.get("__init__", frozenset())

    def _set_of_unknown(self, name: str, value: AbstractValue) -> None:
        self._of_unknown[name] = join([self._of_unknown.get(name, frozenset()), value])

    def _attribute_of_held(self, one: ExistingObject, name: str) -> AbstractValue:
        value = one.value
        if is_module(value):
            scope = scope_of(value)
            if name == "__dict__":
                return frozenset([Method(one, name)])
            if name not in scope:
                return frozenset([LibraryResult(f"{scope.get('__name__')}.{name}")]) | UNKNOWN
            if is_own_module(value) and not isinstance(scope[name], ModuleType | FunctionType | type):
                self.reads.add(shared_global(scope, name))
            return existing(scope[name], shared_object(scope[name], f"{scope.get('__name__')}.{name}"))
        if name == "__class__":
            return existing(type(value), shared_object(type(value), f"class {class_name(value)}"))
        if isinstance(value, type) and is_own_class(value):
            self.reads.add(one.owner)
            return self._class_attribute(value, name, frozenset([one])) or UNKNOWN
        if is_own(value) and not isinstance(value, type | FunctionType):
            own = instance_dict(value)
            if name in own:
                self.reads.add(shared_object(value, one.owner.name))
                return existing(own[name], shared_object(own[name], one.owner.name))
            found = self._class_attribute(type(value), name, frozenset([one]))
            if not found:
                self.reads.add(shared_object(value, one.owner.name))
            return found or UNKNOWN
        if type(value) is FunctionType:
            own = vars(value)
            self.reads.add(shared_object(value, one.owner.name))
            return existing(own[name], one.owner) if name in own else UNKNOWN
        held = {} if isinstance(value, type) else instance_dict(value)
        if name in held and kind_of(value) is None:
            self.read(frozenset([one]))
            return existing(held[name], one.owner)
        return frozenset([Method(one, name)])

    def _class_attribute(self, cls: type, name: str, owner: AbstractValue) -> AbstractValue:
        found = static_attribute(cls, name)
        if found is MISSING:
            return frozenset()
        if isinstance(found, staticmethod):
            found = found.__func__
        elif isinstance(found, classmethod):
            return frozenset(
                [BoundFunction(found.__func__, existing(cls, shared_object(cls, f"class {cls.__name__}")))]
            )
        elif type(found) is FunctionType and not (any(isinstance(o, ExistingObject) and o.value is cls for o in owner)):
            return frozenset([BoundFunction(found, owner)]) if is_own(found) else UNKNOWN
        elif isinstance(found, property):
            getter = found.fget
            return self._run(getter, [owner], {}) if isinstance(getter, FunctionType) and is_own(getter) else UNKNOWN
        self.reads.add(shared_object(cls, f"class {cls.__name__}"))
        return existing(found, shared_object(found, f"{cls.__name__}.{name}"))

    def stored_attribute(self, owner: AbstractValue, name: str, value: AbstractValue) -> None:
        """Count an attribute as assigned."""
        for one in owner:
            if isinstance(one, Instance):
                setter = static_attribute(one.cls, name)
                if isinstance(setter, property) and isinstance(setter.fset, FunctionType):
                    self._run(setter.fset, [frozenset([one]), value], {})
                key = (one.cls, name)
                self._fields[key] = join([self._fields.get(key, frozenset()), value])
            elif isinstance(one, ExistingObject):
                self._store_in_existing(one, name, value)
            else:
                self._set_of_unknown(name, value)
                if kind := kind_of_result(one):
                    self.writes.add(kind)

    def _store_in_existing(self, one: ExistingObject, name: str, value: AbstractValue) -> None:
        owner = one.value
        if not is_module(owner):
            setter = static_attribute(type(owner), name)
            if isinstance(setter, property) and isinstance(setter.fset, FunctionType) and is_own(setter.fset):
                self._run(setter.fset, [frozenset([one]), value], {})
            kind = kind_of(owner)
            if kind is None and not isinstance(owner, type) and self.changed_in_library(one, name):
                return
            self.writes |= {kind} if kind else {shared_object(owner, one.owner.name), one.owner}
            if isinstance(owner, type) and not is_own_class(owner):
                self.writes.add(EVERYTHING)
                self.assigned.add((owner, name))
            return
        self.assigned_in_module(owner, name)
