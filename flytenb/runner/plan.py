"""Decide, once per run, what each node does and how each value crosses each edge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from flytenb.bridge.crossing import Value, from_literal, hashed_dict, hashed_list
from flytenb.bridge.entities.interface import inner_workflow, is_map, kind_of, mock_of, plan_inputs
from flytenb.bridge.execution.branch import branch_outputs, read_ways
from flytenb.bridge.execution.calls import build_call
from flytenb.bridge.execution.connector import is_connector_task
from flytenb.bridge.execution.map_task import read_array
from flytenb.bridge.execution.task_error import (
    branch_message,
    build_flyte_error,
    element_message,
    node_message,
    takes_error,
)
from flytenb.bridge.workflow.compiled import (
    Binding,
    Compiled,
    CompiledNode,
    Entries,
    Items,
    Policy,
    Ref,
    read_compiled,
    task_policy,
)
from flytenb.bridge.workflow.graph import read_inner
from flytenb.bridge.workflow.graph.called import read_called
from flytenb.cache.task_cache import TaskCache, is_cache_on
from flytenb.model import Kind
from flytenb.reach.state_uses import NOTHING, StateUse, state_use_of
from flytenb.runner.branch import BranchStep, JoinStep
from flytenb.runner.connector import ConnectorStep
from flytenb.runner.dynamic import DynamicExitStep, DynamicStep
from flytenb.runner.eager import EagerStep
from flytenb.runner.gate import GateStep
from flytenb.runner.map import MapExitStep, MapStep
from flytenb.runner.process_state import HAS_OWN_CWD
from flytenb.runner.processes import can_travel, process_call
from flytenb.runner.reference import stand_in_call
from flytenb.runner.settings import Settings
from flytenb.runner.steps import (
    EnterStep,
    ExitStep,
    Expansion,
    Getter,
    Give,
    HandlerScope,
    OutputSlot,
    Passes,
    Record,
    RunLog,
    Scope,
    Step,
    TaskStep,
    Use,
)
from flytenb.runner.wiring import Wiring, needs

Gives = Sequence[tuple[OutputSlot, Give]]


class Planner(Wiring):
    """Builds steps: for the whole run before it starts, for what a running step adds without any lock.

    Args:
        settings: how the run is done.
        records: where the records of the nodes go.
        run_log: a weak reference to what takes their output.
    """

    def __init__(self, settings: Settings, records: dict[str, Record], run_log: Callable[[], RunLog | None]) -> None:
        super().__init__(strict=settings.strict)
        self.run_log = run_log
        self.settings = settings
        self.records = records
        self._calls: dict[int, Any] = {}
        self._caches: dict[tuple[int, Policy], tuple[Any, TaskCache | None]] = {}
        self._kinds: dict[int, tuple[Any, Kind]] = {}
        self._state_uses: dict[int, tuple[Any, tuple[StateUse, bool]]] = {}

    def _into(self, records: dict[str, Record]) -> Planner:
        """Return this planner, with all that it knows, for records that the run doesn't have yet."""
        other = copy.copy(self)
        other.records = records
        return other

    def record(self, path: str) -> Record:
        """The record of the node at `path`."""
        found = self.records.get(path)
        if found is None:
            found = self.records[path] = Record(path, self.run_log)
        return found

    # --- a workflow --------------------------------------------------------------------------------------------

    def add_workflow(self, compiled: Compiled, scope: Scope) -> None:
        """Build all the steps of a workflow's inside, and those of its failure handler."""
        starts: dict[str, Step] = {}
        ends: dict[str, Step] = {}
        for node in compiled.nodes:
            self._add_node(node, scope, starts, ends)
        for node in _with_cases(compiled.nodes):
            for source in sorted(needs(node)):
                if source in ends:
                    ends[source].before(starts[node.path])
        if compiled.failure is not None:
            scope.handler = self._handler(compiled.failure, scope)

    def _add_node(self, node: CompiledNode, scope: Scope, starts: dict[str, Step], ends: dict[str, Step]) -> None:
        if node.cases:
            starts[node.path], ends[node.path] = self._branch(node, scope, starts, ends)
            return
        getters = self.getters(node.bindings, node.entity.python_interface.inputs)
        starts[node.path], ends[node.path] = self.entity_steps(
            node.path, node.entity, getters, node.bindings, node.policy, scope
        )

    def entity_steps(
        self,
        path: str,
        entity: Any,
        getters: Sequence[tuple[str, Getter]],
        bindings: Mapping[str, Binding | Value],
        policy: Policy,
        scope: Scope,
    ) -> tuple[Step, Step]:
        """Build the steps that run one entity at `path`; return the first and the last.

        Args:
            path: the node.
            entity: what runs there.
            getters: how its inputs are taken.
            bindings: the bindings or values behind the getters, as far as they are known.
            policy: retries, timeout, cache.
            scope: what it fails with.
        """
        kind = self.kind(entity)
        record = self.record(path)
        record.entity = entity
        record.getters = getters if kind is not Kind.LAUNCH_PLAN else self._with_saved(entity, getters)
        record.outputs = self.slots(path, entity.python_interface.outputs)
        sources = self._sources(bindings) if policy.cache_version is not None else ()
        use = Use(record, scope, entity, record.getters, record.outputs, policy, sources)
        stand_in = self._stand_in(entity)
        if stand_in is not None:
            answering = TaskStep(use, stand_in_call(entity, stand_in, self.strict))
            return answering, answering
        if kind is Kind.MAP:
            return self._map(use, bindings)
        if kind is Kind.DYNAMIC:
            closing = DynamicExitStep(record, scope, use.slots)
            opening = DynamicStep(use, self._build_inside, closing, self.cache(entity, policy))
            opening.state_use, opening.may_move = self._state_use(entity, kind)
            return _open_close(opening, closing)
        workflow = None if kind in (Kind.STUB, Kind.REFERENCE) else inner_workflow(entity)
        if workflow is not None:
            return self._subworkflow(use, workflow, bindings)
        step = self._single_step(use, kind)
        step.state_use, step.may_move = self._state_use(entity, kind)
        return step, step

    def _single_step(self, use: Use, kind: Kind) -> Step:
        """The step of an entity that has no inside to plan."""
        known = self._calls.get(id(use.entity))
        if known is not None:
            return TaskStep(use, known, self.cache(use.entity, use.policy))
        if kind is Kind.REFERENCE:
            return TaskStep(use, stand_in_call(use.entity, None, self.strict))
        if kind is Kind.GATE:
            return GateStep(use, self.settings.answers, self.strict)
        if kind is Kind.EAGER:
            return EagerStep(use, self._build_call, self.cache(use.entity, use.policy), self.strict)
        if is_connector_task(use.entity):
            return ConnectorStep(use)
        return TaskStep(use, self.call(use.entity), self.cache(use.entity, use.policy))

    def _stand_in(self, entity: Any) -> Any:
        """What answers for an entity: what the run was given for it, else its mock; None where it answers itself."""
        given = self.settings.stand_ins.get(entity.name) if self.settings.stand_ins else None
        return mock_of(entity) if given is None else given

    def kind(self, entity: Any) -> Kind:
        """The kind of an entity, found out once per run; it is kept with the entity, so that the key stays its own."""
        found = self._kinds.get(id(entity))
        if found is None:
            found = self._kinds[id(entity)] = (entity, kind_of(entity))
        return found[1]

    def cache(self, entity: Any, policy: Policy) -> TaskCache | None:
        """The cache of a task that asks for one, made once, unless the run or flytekit's configuration says no."""
        if policy.cache_version is None or self.settings.cache is False:
            return None
        key = (id(entity), policy)
        if key not in self._caches:
            made = TaskCache(entity, policy, overwrite=self.settings.cache == "overwrite") if is_cache_on() else None
            self._caches[key] = (entity, made)
        return self._caches[key][1]

    def call(self, entity: Any) -> Any:
        """The call of a task, prepared once per run."""
        found = self._calls.get(id(entity))
        if found is None:
            apart = self.settings.processes and self.kind(entity) is Kind.TASK and can_travel(entity)
            made = process_call(entity, strict=self.strict) if apart else build_call(entity, strict=self.strict)
            found = self._calls[id(entity)] = made
        return found

    def _state_use(self, entity: Any, kind: Kind) -> tuple[StateUse, bool]:
        """The process-wide state that a task uses, and whether it may change the working directory; read once per run.

        A task that runs in a process of its own uses none of this one.
        """
        if kind not in (Kind.TASK, Kind.DYNAMIC):  # an eager task waits for others, which might wait for what it holds
            return NOTHING, True
        found = self._state_uses.get(id(entity))
        if found is None:
            apart = self.settings.processes and kind is Kind.TASK and can_travel(entity)
            use, may_move = state_use_of(entity, has_own_cwd=HAS_OWN_CWD, calls_run=kind is Kind.TASK)
            made = (use.on_disk(), False) if apart else (use, may_move)
            found = self._state_uses[id(entity)] = (entity, made)
        return found[1]

    def _with_saved(self, plan: Any, getters: Sequence[tuple[str, Getter]]) -> list[tuple[str, Getter]]:
        """Add what a launch plan saved and is not given; in a compiled workflow these are bound already."""
        _, saved = plan_inputs(plan)
        types = plan.python_interface.inputs
        given = {name for name, _ in getters}
        missing = [(n, self.given(v, types[n])) for n, v in saved.items() if n in types and n not in given]
        return [*getters, *missing]

    def _sources(self, bindings: Mapping[str, Binding | Value]) -> list[tuple[str, Callable[[], Value | None]]]:
        """The values that fill inputs as they are, whole or as the elements of a list or dict."""
        found: list[tuple[str, Callable[[], Value | None]]] = []
        for name, binding in bindings.items():
            source = partial(_itself, binding) if isinstance(binding, Value) else self._source(binding)
            if source is not None:
                found.append((name, source))
        return found

    def _source(self, binding: Binding) -> Callable[[], Value | None] | None:
        if isinstance(binding, Ref):
            return None if binding.attributes else partial(_value_of, self.slot(binding.path, binding.output))
        if isinstance(binding, Items):
            sources = [source for inner in binding.bindings if (source := self._source(inner)) is not None]
            return partial(_list_of, sources) if len(sources) == len(binding.bindings) else None
        if isinstance(binding, Entries):
            named = {k: source for k, inner in binding.bindings.items() if (source := self._source(inner)) is not None}
            return partial(_dict_of, named) if len(named) == len(binding.bindings) else None
        return partial(_itself, from_literal(binding.literal, None))

    def _give(self, get: Getter, source: Binding | Value | None, declared: Any) -> Give:
        """How an input is passed on packed: as it came, where the type stays the same."""
        if isinstance(source, Value):
            if source.python_type is declared:
                return lambda: source
            return self.packed(get, declared)
        return self.packed(get, declared) if source is None else self.passer(source, declared)

    def _subworkflow(self, use: Use, workflow: Any, bindings: Mapping[str, Binding | Value]) -> tuple[Step, Step]:
        path = use.path
        compiled = read_compiled(workflow, path)
        types = workflow.python_interface.inputs
        passes = [
            (self.slot(f"{path}/@inputs", name), self._give(get, bindings.get(name), types[name]))
            for name, get in use.getters
        ]
        enter = EnterStep(use.record, use.scope, Passes(passes))
        exit_step = ExitStep(use.record, use.scope)
        declared = workflow.python_interface.outputs
        exit_step.passes = Passes(
            [(use.slots[name], self.passer(b, declared[name])) for name, b in compiled.outputs.items()]
        )
        is_execution = self.kind(use.entity) is Kind.LAUNCH_PLAN or use.scope.is_execution
        policy = compiled.is_fail_fast if is_execution else use.scope.execution_is_fail_fast
        inside = Scope(path, use.scope, is_fail_fast=policy, closing=exit_step)
        inside.execution_is_fail_fast = policy
        inside.attach()
        exit_step.closes = inside
        self.add_workflow(compiled, inside)
        for step in inside.first():
            enter.before(step)
        enter.opens = inside
        return _open_close(enter, exit_step)

    def _map(self, use: Use, bindings: Mapping[str, Binding | Value]) -> tuple[Step, Step]:
        types = use.entity.python_interface.inputs
        gives = {name: self._give(get, bindings.get(name), types[name]) for name, get in use.getters}
        closing = MapExitStep(use, self.strict)
        build = partial(self._build_element, read_array(use.entity).target, use.policy)
        return _open_close(MapStep(use, read_array(use.entity), gives, build, closing, self.strict), closing)

    def _branch(
        self, node: CompiledNode, scope: Scope, starts: dict[str, Step], ends: dict[str, Step]
    ) -> tuple[Step, Step]:
        record = self.record(node.path)
        ways = read_ways(node)
        join = JoinStep(record, scope)
        branch = BranchStep(record, scope, node, ways, self, join)
        for way in ways:
            before = len(scope.steps)
            for inner in way.nodes:
                self._add_node(inner, scope, starts, ends)
                branch.before(starts[inner.path])
                ends[inner.path].before(join)
            mine = scope.steps[before:]
            for step in mine:
                step.case_of = step.case_of or branch
            branch.steps.append(_with_insides(mine))
        record.outputs = join.bind(self, node.path, ways, branch_outputs(node))
        branch.is_closing = False
        branch.before(join)
        return branch, join

    def _handler(self, node: CompiledNode, scope: Scope) -> HandlerScope:
        """Plan a failure handler: it is given the error, whatever that will be, when it runs."""
        handler = HandlerScope(scope)
        getters = self.getters(node.bindings, node.entity.python_interface.inputs)
        wanted = takes_error(node.entity)
        if wanted:
            getters = [(n, g) for n, g in getters if n != wanted] + [
                (wanted, partial(_error_of, scope, node.path, self.run_log))
            ]
        bindings = {n: b for n, b in node.bindings.items() if n != wanted}
        self.entity_steps(node.path, node.entity, getters, bindings, node.policy, handler)
        return handler

    # --- what a running step adds ------------------------------------------------------------------------------

    def _build_element(
        self,
        target: Any,
        policy: Policy,
        path: str,
        inputs: Mapping[str, Value],
        scope: Scope,
        records: dict[str, Record],
    ) -> tuple[Step, Step, Mapping[str, OutputSlot]]:
        """Plan one element of a map."""
        types = target.python_interface.inputs
        getters = [(name, self._native_getter(value, types[name])) for name, value in inputs.items()]
        first, last = self._into(records).entity_steps(path, target, getters, inputs, policy, scope)
        return first, last, self.slots(path, target.python_interface.outputs)

    def _native_getter(self, value: Value, declared: Any) -> Getter:
        if value.python_type is declared:
            return value.native
        return partial(self.take_as(value.python_type, declared), value)

    def _build_inside(self, use: Use, workflow: Any, closing: ExitStep) -> Expansion:
        """Plan what a dynamic's function has built."""
        compiled = read_compiled(workflow, use.path)
        records: dict[str, Record] = {}
        scope = Scope(use.path, use.scope, is_fail_fast=use.scope.execution_is_fail_fast, closing=closing)
        declared = use.entity.python_interface.outputs
        closing.passes = Passes(
            [(use.slots[name], self.passer(b, declared[name])) for name, b in compiled.outputs.items()]
        )
        self._into(records).add_workflow(compiled, scope)
        return Expansion(scope, records, read_inner(workflow, use.path))

    def _build_call(self, path: str, entity: Any, inputs: dict[str, Any], scope: Scope) -> Expansion:
        """Plan a call that an eager task made."""
        types = entity.python_interface.inputs
        records: dict[str, Record] = {}
        getters = [(name, self.given(value, types[name])) for name, value in inputs.items()]
        self._into(records).entity_steps(path, entity, getters, {}, task_policy(entity), scope)
        return Expansion(scope, records, read_called(entity, path))


class RunPlan:
    """The steps of a whole run.

    Attributes:
        root: the scope of the step that collects the run's outputs.
        inside: the scope of what runs.
        outputs: where the run's outputs are, by name.
    """

    def __init__(
        self, planner: Planner, compiled: Compiled, inputs: Mapping[str, Value], outputs: Mapping[str, Any]
    ) -> None:
        for name, value in inputs.items():
            planner.slot("@inputs", name).value = value
        self.outputs = planner.slots("@outputs", outputs)
        self.root = Scope("", None)
        last = ExitStep(Record("", planner.run_log), self.root)
        last.is_closing = False  # the run has a record of its own, which ends with it
        last.waits = 1
        last.passes = Passes(
            [(self.outputs[name], planner.passer(b, outputs[name])) for name, b in compiled.outputs.items()]
        )
        self.inside = Scope("", self.root, is_fail_fast=compiled.is_fail_fast, closing=last)
        self.inside.execution_is_fail_fast = compiled.is_fail_fast
        self.inside.attach()
        last.closes = self.inside
        planner.add_workflow(compiled, self.inside)


def _error_of(scope: Scope, handler_path: str, run_log: Callable[[], RunLog | None]) -> Any:
    """Return the error for a failed workflow's handler, as a cluster words it: each map on the way adds its index."""
    failure, log = scope.failures[0], run_log()
    records: Mapping[str, Record] = {} if log is None else log.records
    failed = records.get(failure.path)  # none for the outputs of the outermost workflow
    if failed is not None and failed.entity is None:
        message = branch_message(failure.exception)
    else:
        message = node_message(failure.exception, attempts=len(failure.retries) + 1)
    inside, _, last = failure.path.rpartition("/")
    while inside and inside != scope.path:
        around = records.get(inside)
        if around is not None and around.entity is not None and is_map(around.entity):
            message = element_message(last, message)
        inside, _, last = inside.rpartition("/")
    return build_flyte_error(handler_path, message)


def _itself(value: Value) -> Value:
    return value


def _value_of(slot: OutputSlot) -> Value | None:
    return slot.value


def _list_of(sources: Sequence[Callable[[], Value | None]]) -> Value | None:
    values = [source() for source in sources]
    return hashed_list([v for v in values if v is not None]) if None not in values else None


def _dict_of(sources: Mapping[str, Callable[[], Value | None]]) -> Value | None:
    values = {key: source() for key, source in sources.items()}
    return hashed_dict({k: v for k, v in values.items() if v is not None}) if None not in values.values() else None


def _open_close(opening: Step, closing: Step) -> tuple[Step, Step]:
    """Make the closing step wait for the opening one and for the scope that this one opens."""
    opening.is_closing = False
    closing.is_opening = False
    opening.before(closing)
    closing.waits += 1
    return opening, closing


def _with_insides(steps: Sequence[Step]) -> list[Step]:
    """These steps and all in the scopes that they open."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if step.opens is not None:
            found += _with_insides(step.opens.steps)
    return found


def _with_cases(nodes: Iterable[CompiledNode]) -> list[CompiledNode]:
    """These nodes and those in their branches, at any depth."""
    found: list[CompiledNode] = []
    for node in nodes:
        found.append(node)
        for case in node.cases:
            found += _with_cases(case.nodes)
    return found
