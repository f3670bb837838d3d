"""Decide, once per run, what each node does and how each value crosses each edge; doing it is the scheduler's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flytenb.bridge.branches import branch_outputs, read_ways
from flytenb.bridge.cache import TaskCache, is_cache_on
from flytenb.bridge.calls import build_call
from flytenb.bridge.compiled import Binding, Compiled, CompiledNode, Policy, read_compiled
from flytenb.bridge.connectors import is_connector_task
from flytenb.bridge.crossing import packer
from flytenb.bridge.entities import inner_workflow, kind_of, mock_of, plan_inputs
from flytenb.model import Kind
from flytenb.runner.branch import BranchStep, JoinStep
from flytenb.runner.connector import ConnectorStep
from flytenb.runner.dynamic import DynamicStep
from flytenb.runner.eager import EagerStep
from flytenb.runner.gate import GateStep
from flytenb.runner.map import MapExitStep, MapStep
from flytenb.runner.on_failure import handler_steps
from flytenb.runner.processes import can_travel, process_call
from flytenb.runner.reference import stand_in_call
from flytenb.runner.scheduler import Scheduler
from flytenb.runner.settings import Settings
from flytenb.runner.steps import EnterStep, ExitStep, Getter, Record, Scope, Step, TaskStep, Use
from flytenb.runner.wiring import Give, Wiring, needs


class Planner(Wiring):
    """Builds steps into one scheduler: for the whole run at its start, for what a node spawns when it does."""

    def __init__(self, scheduler: Scheduler, settings: Settings) -> None:
        super().__init__(scheduler.env, strict=settings.strict)
        self.scheduler = scheduler
        self.settings = settings
        self._calls: dict[int, Any] = {}
        self._caches: dict[tuple[int, Policy], tuple[Any, TaskCache | None]] = {}
        self._kinds: dict[int, tuple[Any, Kind]] = {}

    def record(self, path: str) -> Record:
        """The record of the node at `path`."""
        found = self.scheduler.records.get(path)
        if found is None:
            found = self.scheduler.records[path] = Record(path)
        return found

    # --- a workflow --------------------------------------------------------------------------------------------

    def add_workflow(
        self, compiled: Compiled, scope: Scope, exit_step: Step | None, outputs: Sequence[tuple[int, Give]]
    ) -> None:
        """Build all the steps of a workflow's inside; `exit_step` waits for those that nothing else waits for."""
        ends = self.add_nodes(compiled.nodes, scope)
        if isinstance(exit_step, ExitStep):
            exit_step.passes = outputs
        if exit_step is not None:
            for last in ends.values():
                if not last.successors:
                    last.before(exit_step)
        if compiled.failure is not None:
            failure = compiled.failure
            self.record(failure.path)
            scope.handler = lambda why: self._handle_failure(failure, scope, why)

    def add_nodes(self, nodes: Sequence[CompiledNode], scope: Scope) -> dict[str, Step]:
        """Build the steps of these nodes and the order between them; return each node's last step."""
        starts: dict[str, list[Step]] = {}
        ends: dict[str, Step] = {}
        for node in nodes:
            self.add_node(node, scope, starts, ends)
        for node in _with_cases(nodes):
            for source in sorted(needs(node)):
                if source in ends:
                    for start in starts[node.path]:
                        ends[source].before(start)
        return {n.path: ends[n.path] for n in nodes}

    def add_node(self, node: CompiledNode, scope: Scope, starts: dict[str, list[Step]], ends: dict[str, Step]) -> None:
        """Build the steps of one node."""
        first, last = self._steps_of(node, scope, starts, ends)
        starts[node.path] = [first]
        ends[node.path] = last

    def _steps_of(
        self, node: CompiledNode, scope: Scope, starts: dict[str, list[Step]], ends: dict[str, Step]
    ) -> tuple[Step, Step]:
        if node.cases:
            return self._branch(node, scope, starts, ends)
        getters = self.getters(node.bindings, node.entity.python_interface.inputs)
        return self.entity_steps(node.path, node.entity, getters, node.bindings, node.policy, scope)

    def entity_steps(
        self,
        path: str,
        entity: Any,
        getters: Sequence[tuple[str, Getter]],
        bindings: Mapping[str, Binding],
        policy: Policy,
        scope: Scope,
    ) -> tuple[Step, Step]:
        """Build the steps that run one entity at `path`; return the first and the last."""
        record = self.record(path)
        record.entity = entity
        record.getters = getters if self.kind(entity) is not Kind.LAUNCH_PLAN else self._with_saved(entity, getters)
        record.outputs = self.slots(path, entity.python_interface.outputs)
        use = Use(record, scope, entity, record.getters, record.outputs, policy)
        kind = self.kind(entity)
        stand_in = self._stand_in(entity)
        if stand_in is not None:
            answering = TaskStep(use, stand_in_call(entity, stand_in, self.settings.strict))
            return answering, answering
        if kind is Kind.MAP:
            return self._open_close(MapStep(self, use), MapExitStep(self, use))
        if kind is Kind.DYNAMIC:
            return self._open_close(DynamicStep(self, use), ExitStep(record, scope))
        workflow = None if kind in (Kind.STUB, Kind.REFERENCE) else inner_workflow(entity)
        if workflow is not None:
            return self._subworkflow(use, workflow, bindings)
        step = self._single_step(use, kind)
        return step, step

    def _single_step(self, use: Use, kind: Kind) -> Step:
        """The step of an entity that has no inside to plan."""
        known = self._calls.get(id(use.entity))
        if known is not None:
            return TaskStep(use, known, self.cache(use.entity, use.policy))
        if kind is Kind.REFERENCE:
            return TaskStep(use, stand_in_call(use.entity, None, self.settings.strict))
        if kind is Kind.GATE:
            return GateStep(self, use)
        if kind is Kind.EAGER:
            return EagerStep(self, use)
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
            strict = self.settings.strict
            apart = self.settings.processes and self.kind(entity) is Kind.TASK and can_travel(entity)
            made = process_call(entity, strict=strict) if apart else build_call(entity, strict=strict)
            found = self._calls[id(entity)] = made
        return found

    def _with_saved(self, plan: Any, getters: Sequence[tuple[str, Getter]]) -> list[tuple[str, Getter]]:
        """Add what a launch plan saved and nobody gave; in a compiled workflow these are bound already."""
        _, saved = plan_inputs(plan)
        types = plan.python_interface.inputs
        given = {name for name, _ in getters}
        missing = [(n, self.given(v, types[n])) for n, v in saved.items() if n in types and n not in given]
        return [*getters, *missing]

    def _open_close(self, opening: Step, closing: Step) -> tuple[Step, Step]:
        opening.is_closing = False
        closing.is_opening = False
        opening.before(closing)
        opening.closing = closing  # type: ignore[attr-defined]
        return opening, closing

    def _subworkflow(self, use: Use, workflow: Any, bindings: Mapping[str, Binding]) -> tuple[Step, Step]:
        path = use.path
        compiled = read_compiled(workflow, path)
        types = workflow.python_interface.inputs
        passes: list[tuple[int, Give]] = []
        for name, get in use.getters:
            binding = bindings.get(name)
            inner = self.slot(f"{path}/@inputs", name)
            if binding is not None:
                passes.append((inner, self.passer(binding, types[name])))
            else:
                pack = packer(types[name], strict=self.settings.strict)
                passes.append((inner, lambda env, get=get, pack=pack: pack(get(env))))  # type: ignore[misc]
        enter = EnterStep(use.record, use.scope, passes)
        exit_step = ExitStep(use.record, use.scope)
        inside = Scope(path, use.scope, is_fail_fast=compiled.is_fail_fast)
        inside.closing = exit_step
        declared = workflow.python_interface.outputs
        gives = [(use.slots[name], self.passer(b, declared[name])) for name, b in compiled.outputs.items()]
        self.add_workflow(compiled, inside, exit_step, gives)
        for step in inside.steps:
            if step.waits == 0:
                enter.before(step)
        enter.before(exit_step)
        return enter, exit_step

    def _branch(
        self, node: CompiledNode, scope: Scope, starts: dict[str, list[Step]], ends: dict[str, Step]
    ) -> tuple[Step, Step]:
        record = self.record(node.path)
        ways = read_ways(node)
        branch = BranchStep(record, scope, node, ways, self)
        join = JoinStep(record, scope)
        for way in ways:
            before = len(scope.steps)
            for inner in way.nodes:
                self.add_node(inner, scope, starts, ends)
                branch.before(*starts[inner.path])
                ends[inner.path].before(join)
            way_steps = scope.steps[before:]
            branch.steps.append([*way_steps, *_inside(way_steps, scope)])
        record.outputs = join.bind(self, node, ways, branch_outputs(node))
        return self._open_close(branch, join)

    def _handle_failure(self, node: CompiledNode, scope: Scope, why: Any) -> list[Step]:
        return handler_steps(self, node, scope, why)


def _inside(steps: Sequence[Step], scope: Scope) -> list[Step]:
    """All steps in the scopes that hang below these steps."""
    closing = {id(s) for s in steps}
    found: list[Step] = []
    todo = [c for c in scope.children if c.closing is not None and id(c.closing) in closing]
    while todo:
        child = todo.pop()
        found += child.steps
        todo += child.children
    return found


def _with_cases(nodes: Iterable[CompiledNode]) -> list[CompiledNode]:
    """These nodes and all that stand in their branches, at any depth."""
    found: list[CompiledNode] = []
    for node in nodes:
        found.append(node)
        for case in node.cases:
            found += _with_cases(case.nodes)
    return found
