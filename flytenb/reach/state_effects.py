"""Effects of a function's code on state that tasks share: variables, objects, process-wide state, files.

The functions that it calls are interpreted with the arguments that they get, so that a helper which is handed
`os.environ` or a file name counts as if its code stood in the task.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from inspect import CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS
from types import CodeType, FunctionType, MethodType
from typing import Any

from flytenb.bridge.entities.kind import function_of, is_entity
from flytenb.reach.abstract_values import (
    OPEN_FILE,
    OWN,
    PLAIN,
    UNKNOWN,
    AbstractValue,
    BoundFunction,
    ExistingObject,
    Instance,
    KnownText,
    LibraryResult,
    LocalFunction,
    Method,
    NewCollection,
    Shared,
    Special,
    existing,
    is_private_path,
    join,
    texts,
)
from flytenb.reach.attribute_effects import AttributeEffects
from flytenb.reach.file_names import files_of_call
from flytenb.reach.interpretation import CallFrame, Free
from flytenb.reach.mutators import (
    changes_container,
    changes_first_argument,
    changes_owner,
    makes_own_name,
    sets_attribute,
)
from flytenb.reach.name_lookup import MISSING, is_module, is_own
from flytenb.reach.ownership import is_own_class
from flytenb.reach.path_operations import path_operation
from flytenb.reach.reached_objects import (
    class_of,
    defaults_of,
    dotted_name,
    instance_dict,
    is_fixed,
    kind_of_result,
    method_name,
    required_parameters,
    result_argument,
    shared_global,
    shared_object,
    static_attribute,
)
from flytenb.reach.value_parts import elements, has_parts_of, item, root_of, with_parts_of

_MOST_FRAMES = 4000
"""Maximum number of interpreted calls per task; further calls are ignored."""
_DEEPEST = 25
"""Maximum depth of interpreted calls; deeper functions are interpreted separately."""


class StateEffects(AttributeEffects):
    """Collects the effects of code. Implements `Effects` of the interpreter.

    Attributes:
        codes: the code that was interpreted.
    """

    def __init__(self, *, calls_run: bool = True) -> None:
        super().__init__()
        self.codes: set[CodeType] = set()
        self._calls_run = calls_run
        self._depth = 0
        self._returns: dict[Any, AbstractValue] = {}

    def add(self, function: FunctionType, named: Mapping[str, AbstractValue]) -> None:
        """Interpret a function as it is called with these arguments; the others aren't known."""
        code = function.__code__
        self._run(function, [named.get(name, UNKNOWN) for name in code.co_varnames[: code.co_argcount]], named)

    # --- functions ---------------------------------------------------------------------------------------------

    def _run(self, function: Any, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> AbstractValue:
        if isinstance(function, LocalFunction):
            return self._frame(function.code, function.scope, function.free, args, named, function.defaults, {})
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        shared = Shared(("defaults", id(function)), f"default of {function.__name__}")
        defaults = {
            name: existing(value, shared_object(value, shared.name)) for name, value in defaults_of(function).items()
        }
        return self._frame(function.__code__, function.__globals__, cells, args, named, frozenset(), defaults)

    def _frame(
        self,
        code: CodeType,
        scope: dict[str, Any],
        free: Free,
        args: Sequence[AbstractValue],
        named: Mapping[str, AbstractValue],
        unnamed_defaults: AbstractValue,
        defaults: Mapping[str, AbstractValue],
    ) -> AbstractValue:
        count = code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[:count]
        given = {
            **dict(zip(names[: code.co_argcount], args, strict=False)),
            **{n: named[n] for n in names if n in named},
        }
        local = {name: given.get(name, defaults.get(name, unnamed_defaults or UNKNOWN)) for name in names}
        extra = join([*args[code.co_argcount :], *(value for name, value in named.items() if name not in names)])
        for flag, name in zip(
            [f for f in (CO_VARARGS, CO_VARKEYWORDS) if code.co_flags & f], code.co_varnames[count:], strict=False
        ):
            local[name] = frozenset([NewCollection(extra)]) if flag else UNKNOWN
        place = tuple(sorted((name, id(cell)) for name, cell in free.items()))
        key = (code, place, frozenset(local.items()))
        if key not in self._returns:
            if len(self._returns) >= _MOST_FRAMES or self._depth >= _DEEPEST:
                return UNKNOWN
            self._returns[key] = UNKNOWN  # of a call of itself
            self.codes.add(code)
            self._depth += 1
            self._returns[key] = (frame := CallFrame(code, scope, free, local, self)).run()
            if not code.co_flags & CO_OPTIMIZED:
                self.defined_class(frame.local)
            self._depth -= 1
        return self._returns[key]

    def call(
        self, callee: AbstractValue, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], *, is_kept: bool
    ) -> AbstractValue:
        """Return what a call returns."""
        found = [self._call(one, args, named, is_kept) for one in callee]
        return join(found) if found else UNKNOWN

    def _call(
        self, one: Any, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], is_kept: bool
    ) -> AbstractValue:
        if isinstance(one, LocalFunction | FunctionType):
            return self._run(one, args, named)
        if isinstance(one, BoundFunction):
            return self._call(one.function, [one.first, *args], named, is_kept)
        if isinstance(one, ExistingObject):
            return self._call_held(one, args, named, is_kept)
        if isinstance(one, Method):
            return self._call_method(one, args, named, is_kept)
        self.read(join([*args, *named.values()]))
        self._call_backs(args, named)
        if one is Special.UNKNOWN:
            for method in self.made_unknown(args, named):
                self._call(method, args, named, False)
        if isinstance(one, LibraryResult) and one.name.startswith("operator."):
            if one.name == "operator.methodcaller":
                self.changed_items(join(args))
            return join([*args, *map(elements, args)]) | UNKNOWN
        return UNKNOWN

    def _call_held(
        self, one: ExistingObject, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], is_kept: bool
    ) -> AbstractValue:
        value = one.value
        if is_entity(value):
            function = function_of(value)
            if self._calls_run and isinstance(function, FunctionType):
                return self._run(function, args, named)
            return UNKNOWN
        if type(value) is FunctionType and is_own(value):
            return self._run(value, args, named)
        if type(value) is MethodType and isinstance(value.__func__, FunctionType) and is_own(value.__func__):
            return self._run(value.__func__, [existing(value.__self__, one.owner), *args], named)
        if type(value) is partial:
            more = {name: existing(v, one.owner) for name, v in value.keywords.items()}
            first = [existing(v, one.owner) for v in value.args]
            return self._call_held(ExistingObject(value.func, one.owner), [*first, *args], {**more, **named}, is_kept)
        if isinstance(value, type) and is_own_class(value):
            made: AbstractValue = frozenset([Instance(value)])
            for name in ("__new__", "__init__", "__post_init__"):
                method = static_attribute(value, name)
                if isinstance(method, FunctionType) and is_own(method):
                    itself = existing(value, one.owner) if name == "__new__" else made
                    self._run(method, [itself, *(() if name == "__post_init__" else args)], named)
            return made
        if is_own(value) and not isinstance(value, type):
            return self.call(self.attribute(frozenset([one]), "__call__"), args, named, is_kept=is_kept)
        self.changed_items(result_argument(value, args))
        return self._call_installed(dotted_name(value), args, named, is_class=isinstance(value, type))

    def _call_installed(
        self, name: str, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], *, is_class: bool = False
    ) -> AbstractValue:
        if sets_attribute(name) and len(args) > 1:
            for attribute in texts(args[1]) or [KnownText("")]:
                value = args[2] if len(args) > 2 else UNKNOWN
                self.stored_attribute(args[0], attribute.start if attribute.end is None else "", value)
            return PLAIN
        if name == "getattr" and len(args) > 1 and (names := texts(args[1])) and all(t.end is None for t in names):
            return join(self.attribute(args[0], text.start) for text in names)
        if name == "globals" or (name in ("vars", "type", "next", "str", "os.fspath") and args):
            return self._call_transparent(name, args)
        if changes_first_argument(name) and args:
            self.changed_items(args[0])
            args = args[1:] if len(args) > 1 else args
        for argument in [named[n] for n in ("out",) if n in named]:
            self.changed_items(argument | elements(argument))
        self.read(join([*args, *named.values()]))
        self.add_files(files_of_call(name, args, named))
        self._call_backs(args, named)
        if makes_own_name(name):
            return OWN
        if (made := path_operation(name, args)) is not None:
            return made
        if name in ("open", "io.open", "os.fdopen"):
            return OPEN_FILE
        if (parts := with_parts_of(name, args)) is not None:
            return parts
        return frozenset([LibraryResult(name)]) | (frozenset() if is_class else UNKNOWN)

    def _call_transparent(self, name: str, args: Sequence[AbstractValue]) -> AbstractValue:
        if name == "vars":
            self.read(args[0])
            own = [one for one in args[0] if _is_own_object(one) and instance_dict(one.value)]
            if not own:
                return frozenset(Method(o, "__dict__") if is_module(getattr(o, "value", None)) else o for o in args[0])
            return join(existing(instance_dict(one.value), shared_object(one.value, one.owner.name)) for one in own)
        if name in ("str", "os.fspath"):
            self.read(args[0])
            return args[0]
        if name == "globals":
            return frozenset([Special.GLOBALS])
        if name == "next":
            self.changed_items(args[0])
            self.read(args[0])
            return elements(args[0])
        if name == "type":
            classes = [class_of(one) for one in args[0]]
            return join(
                existing(cls, shared_object(cls, f"class {cls.__name__}")) if cls else UNKNOWN for cls in classes
            )
        self.read(args[0])
        return UNKNOWN

    def _call_method(
        self, one: Method, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue], is_kept: bool
    ) -> AbstractValue:
        owner, name = one.owner, one.name
        value = frozenset([owner])
        full = method_name(one)
        if sets_attribute(full):
            return self._call_installed(full, args, named)
        everything = join([*args, *named.values()])
        root = root_of(owner)
        if isinstance(root, ExistingObject):
            if changes_owner(root.value, name, named):
                self.changed_items(value)
                if not is_kept:
                    self.read(everything)
                    self._call_backs(args, named)
                    return UNKNOWN
            self.read(value)
        elif kind_of_result(root) and changes_container(name):
            self.changed_items(value)
        if args and (name == "shuffle" or (name == "at" and type(getattr(root, "value", None)).__name__ == "ufunc")):
            self.changed_items(args[0])
        self.read(everything)
        self._call_backs(args, named)
        if is_private_path(value):
            self.add_files(files_of_call(f".{name}", [OWN, *args], named))
            return OWN
        if full == "pathlib.Path.cwd":
            return frozenset([KnownText("")])
        self.add_files(files_of_call(full, [value, *args] if full.startswith(".") else args, named))
        if isinstance(owner, KnownText) and (made := path_operation(f".{name}", [value, *args])) is not None:
            return made
        if name in ("open", "makefile"):
            return OPEN_FILE
        if (parts := has_parts_of(owner, name)) is not None:
            return parts
        return frozenset([LibraryResult(full)]) | UNKNOWN

    def _call_backs(self, args: Sequence[AbstractValue], named: Mapping[str, AbstractValue]) -> None:
        given = [*args, *named.values()]
        for argument in given:
            self._call_back(argument, join([*given, *map(elements, given)]) | UNKNOWN)

    def _call_back(self, value: AbstractValue, given: AbstractValue) -> None:
        """Count the effects of a function that is passed to a library, which may call it with what else is passed."""
        for one in value:
            if isinstance(one, LocalFunction | BoundFunction):
                function = one.function if isinstance(one, BoundFunction) else one
                code = getattr(function, "code", None) or getattr(function, "__code__", None)
                if code is not None:
                    self._call(one, [given] * (code.co_argcount - isinstance(one, BoundFunction)), {}, False)
            elif isinstance(one, Method) and isinstance(root := root_of(one), ExistingObject):
                if isinstance(root.value, type) and changes_first_argument(f"{dotted_name(root.value)}.{one.name}"):
                    self.changed_items(given)
                elif changes_owner(root.value, one.name, {}):
                    self.changed_items(frozenset([root]))
            elif isinstance(one, ExistingObject) and type(one.value) is FunctionType and is_own(one.value):
                self._run(one.value, [given] * required_parameters(one.value), {})
            elif isinstance(one, ExistingObject) and changes_first_argument(dotted_name(one.value)):
                self.changed_items(given)

    # --- names -------------------------------------------------------------------------------------------------

    def imported(self, name: str, scope: dict[str, Any], level: int, takes: bool) -> AbstractValue:
        """Return a module that code imports."""
        if level:
            name = importlib.util.resolve_name("." * level + name, str(scope.get("__package__") or ""))
        module = sys.modules.get(name if takes else name.partition(".")[0])
        return UNKNOWN if module is None else frozenset([ExistingObject(module, shared_object(module, name))])

    def loaded_global(self, scope: dict[str, Any], name: str) -> AbstractValue:
        """Return what a global holds."""
        value = scope.get(name, MISSING)
        if value is MISSING:
            value = getattr(builtins, name, MISSING)
            return UNKNOWN if value is MISSING else existing(value, Shared(("builtin", name), name))
        if name == "__file__":
            return existing(value, shared_global(scope, name))
        if not is_fixed(value):
            self.reads.add(shared_global(scope, name))
        return existing(value, shared_object(value, shared_global(scope, name).name))

    def item(self, owner: AbstractValue, key: AbstractValue) -> AbstractValue:
        """Return an item of a value; the user's own `__getitem__` is interpreted."""
        own = frozenset(one for one in owner if isinstance(one, Instance) or _is_own_object(one))
        if not own:
            return item(owner, key)
        return self.call(self.attribute(own, "__getitem__"), [key], {}, is_kept=True) | item(owner, key)

    def divided(self, left: AbstractValue, right: AbstractValue) -> AbstractValue:
        """Return `left / right`, which joins paths."""
        return path_operation("/", [left, right]) or UNKNOWN


def _is_own_object(one: Any) -> bool:
    return isinstance(one, ExistingObject) and not isinstance(one.value, type) and is_own(one.value)
