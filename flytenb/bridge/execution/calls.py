"""Calls of one task with Python values: a fast one for tasks that flytekit dispatches as usual, else flytekit's own.

Both give what a cluster would: declared outputs, each packed to cross a node boundary. When a node runs, on which
thread, how often it is tried: all that is left to `run`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flytekit.core.base_task import IgnoreOutputs, PythonTask, Task
from flytekit.core.container_task import ContainerTask
from flytekit.core.interface import Interface
from flytekit.core.promise import Promise, VoidPromise
from flytekit.core.python_function_task import AsyncPythonFunctionTask, PythonFunctionTask
from flytekit.deck import Deck, DeckField
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.models.literals import Literal

from flytenb.bridge import private
from flytenb.bridge.context import AS_POD, Workspace
from flytenb.bridge.crossing import CrossingValue, from_literal, packer
from flytenb.bridge.entities.interface import is_stub, mock_of, short_name
from flytenb.bridge.entities.stub import stub_error
from flytenb.bridge.execution.container import ContainerCall
from flytenb.bridge.execution.coroutines import run_coroutine
from flytenb.bridge.execution.files import copy_for_task, let_go, may_hold_files, own_files
from flytenb.bridge.execution.packing import Pack, build_packing, explain_input
from flytenb.bridge.stopping import current_attempt
from flytenb.engines import AUTO
from flytenb.errors import ContainerExitError

Call = Callable[[Workspace, dict[str, Any]], dict[str, CrossingValue]]
"""Takes the run's workspace and the inputs as Python values, which it may empty; returns the packed outputs."""

_PREFIX = "Error encountered while executing"


def build_call(task: Any, *, strict: bool = False, engine: str = AUTO, has_network: bool = False) -> Call:
    """Prepare the call of a task, once for all its calls; the engine and the network are those of a raw container."""
    if is_stub(task):
        return _refusing_call(task)
    if isinstance(task, ContainerTask):
        return ContainerCall(task, engine, has_network)
    if is_plain(task):
        return _fast_call(task, strict)
    return _compatible_call(task)


def _refusing_call(entity: Any) -> Call:
    name = short_name(entity)

    def refuse(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        raise stub_error(name)

    return refuse


def is_plain(task: Any) -> bool:
    """Tell whether flytekit dispatches this task as usual, so that the fast call returns the same."""
    cls = type(task)
    return (
        isinstance(task, PythonTask)
        and cls.dispatch_execute is PythonTask.dispatch_execute
        and cls.local_execute is Task.local_execute
        and cls.sandbox_execute is Task.sandbox_execute
        and private.is_conversion_inherited(cls)
        and "local_execute" not in vars(task)
        and "dispatch_execute" not in vars(task)
    )


def is_async(task: Any) -> bool:
    """Tell whether the task's function is a coroutine function, which flytekit would run on a loop thread."""
    return (
        isinstance(task, AsyncPythonFunctionTask) and type(task).async_execute is AsyncPythonFunctionTask.async_execute
    )


def is_recoverable(error: BaseException) -> bool:
    """Tell whether a cluster would retry after this error: one that is recoverable, or a container that failed."""
    return isinstance(error, FlyteRecoverableException | ContainerExitError)


def body_of(task: Any) -> Callable[..., Any]:
    """Return the function to call with the inputs, as the task type requires."""
    mock = mock_of(task)
    if mock is not None:
        return mock
    if is_async(task):
        function = task.task_function
        return lambda **inputs: run_coroutine(function, inputs)
    if type(task) is PythonFunctionTask and "execute" not in vars(task):
        plain: Callable[..., Any] = task.task_function
        return plain
    execute: Callable[..., Any] = task.execute
    return execute


def _fast_call(task: PythonTask[Any], strict: bool) -> Call:
    body = body_of(task)
    pack = build_packing(task, strict=strict)
    own = own_files(task.python_interface.inputs)
    cls = type(task)
    has_hooks = cls.pre_execute is not PythonTask.pre_execute or cls.post_execute is not PythonTask.post_execute
    if not has_hooks and not task.enable_deck:
        return _FastCall(body, pack, own)
    return HookedCall(task, body, pack, own)


class _FastCall:
    """The call of a task whose function is all that runs."""

    __slots__ = ("body", "own", "pack")

    def __init__(
        self, body: Callable[..., Any], pack: Pack, own: Callable[[Workspace, dict[str, Any]], None] | None
    ) -> None:
        self.body = body
        self.pack = pack
        self.own = own

    def __call__(self, workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        stack = workspace.enter_unmade()
        if self.own is not None:
            self.own(workspace, inputs)
        box = [current_attempt().run(self.body, inputs)]
        inputs.clear()  # a task may return an input, which must then have no other owner
        stack.mode = AS_POD  # from here as in `Workspace.enter_to_pack`
        return self.pack(box)


@dataclass(frozen=True, slots=True)
class HookedCall:
    """The call of a task that has decks, or a class with methods around its function."""

    task: Any
    body: Callable[..., Any]
    pack: Pack
    own: Callable[[Workspace, dict[str, Any]], None] | None

    def __call__(self, workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        return self.begin(workspace)(workspace, inputs)

    def begin(self, workspace: Workspace) -> Call:
        """Run `pre_execute` and return the rest of the call; what it adds to the context may convert the inputs."""
        task, context = self.task, workspace.enter()
        parameters = task.pre_execute(context.user_space_params)
        if task.enable_deck and context.user_space_params is not None:
            if DeckField.TIMELINE in task.deck_fields:
                context.user_space_params.decks.append(context.user_space_params.timeline_deck)
            parameters = context.user_space_params.with_enable_deck(enable_deck=True).build()
        if parameters is not context.user_space_params:
            context.execution_state.user_space_params = parameters

        def finish(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
            if self.own is not None:
                self.own(workspace, inputs)
            box = [task.post_execute(parameters, current_attempt().run(self.body, inputs))]
            context.execution_state.mode = AS_POD
            outputs = self.pack(box)
            natives = {name: value.native() for name, value in outputs.items()} if task.enable_deck else {}
            private.write_decks(task, inputs, natives, context, parameters)
            return outputs

        return finish


def plain_decks(decks: Iterable[Any]) -> list[Deck]:
    """Return decks as plain ones, which can be sent from a process, without those that can't be rendered."""
    found = []
    for deck in decks:
        with suppress(Exception):
            found.append(Deck(deck.name, deck.html, auto_add_to_deck=False))
    return found


def _compatible_call(entity: Any) -> Call:
    """Call `local_execute`, exactly as flytekit does, with literals in and literals out."""
    inputs_types = entity.python_interface.inputs
    variables = entity.interface.inputs
    given = [name for name, declared in inputs_types.items() if may_hold_files(declared)]
    handed_over = {n: packer(t) for n, t in entity.python_interface.outputs.items() if may_hold_files(t)}

    def literal_of(name: str, value: Any) -> Literal:
        try:
            return packer(inputs_types[name], variables[name].type, strict=True)(value).literal()
        except Exception as e:
            explain_input(e, short_name(entity), name, inputs_types[name])
            raise

    def call(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        context = workspace.enter(workspace.context(entity.local_execution_mode()))
        for name in given:
            copy_for_task(workspace, inputs.get(name))
        promises = {name: Promise(var=name, val=literal_of(name, value)) for name, value in inputs.items()}
        try:
            result = current_attempt().run(lambda: entity.local_execute(context, **promises))
        except Exception as e:
            _unwrap_message(e)
            raise
        outputs = _read_promises(result, entity.python_interface)
        if handed_over:
            workspace.enter_to_pack()
            outputs |= {n: pack(let_go(outputs[n].native())) for n, pack in handed_over.items() if n in outputs}
        return outputs

    return call


def _unwrap_message(error: Exception) -> None:
    """Remove the prefix that flytekit adds to the arguments of a user's exception."""
    if error.args and isinstance(error.args[0], str) and error.args[0].startswith(_PREFIX):
        error.args = (error.args[0].partition(":\n  ")[2], *error.args[1:])


def _read_promises(result: Any, interface: Interface) -> dict[str, CrossingValue]:
    if result is None or isinstance(result, VoidPromise):
        return {}
    promises = (result,) if isinstance(result, Promise) else tuple(result)
    names = list(interface.outputs)
    return {
        name: from_literal(promise.val, interface.outputs[name])
        for name, promise in zip(names, promises, strict=True)
        if isinstance(promise.val, Literal)
    }


def ignores_outputs(error: BaseException) -> bool:
    """Tell whether a task declared its outputs as to be ignored (the other ranks of distributed training)."""
    return isinstance(error, IgnoreOutputs)


def build_result(interface: Interface, values: Mapping[str, CrossingValue], own: Callable[[Any, Any], Any]) -> Any:
    """Return the result of calling the entity: None, the only output, or the named tuple of all.

    As `flytekit.core.promise.create_native_named_tuple`, 1.16.31. `own` gets each output and its type and makes it the
    caller's.
    """
    names = list(interface.outputs)
    if not names:
        return None
    natives = {name: own(values[name].native(), interface.outputs[name]) for name in names}
    if len(names) == 1 and not interface.output_tuple_name:
        return natives[names[0]]
    shape = namedtuple(interface.output_tuple_name or "DefaultNamedTupleOutput", names)  # type: ignore[misc]
    return shape(**natives)
