"""The plan of a run: the steps of each node, and the way in which each value crosses each edge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import plan_inputs
from flytenb.bridge.execution.map_task import read_array
from flytenb.bridge.execution.task_error import takes_error
from flytenb.bridge.workflow.graph import graph_of_call, to_graph
from flytenb.bridge.workflow.policy import task_policy
from flytenb.bridge.workflow.reader import read_built, read_workflow, require_runnable
from flytenb.model import Kind
from flytenb.model.workflow import Policy, Promise, WorkflowNode
from flytenb.runner.answers import Answers, RequestStep
from flytenb.runner.branch import BranchStep, JoinStep
from flytenb.runner.cluster_step import ClusterStep, ClusterTargets
from flytenb.runner.connector import ConnectorStep
from flytenb.runner.dynamic import DynamicExitStep, DynamicStep
from flytenb.runner.eager import EagerStep
from flytenb.runner.entity_plan import EntityPlan, EntityPlans, SourceOf
from flytenb.runner.gate import Gates, GateStep
from flytenb.runner.given import GivenOutputs, GivenStep, branch_error
from flytenb.runner.handler_error import error_of
from flytenb.runner.map import MapExitStep, MapScope, MapStep
from flytenb.runner.past import Past
from flytenb.runner.record import Record, RunLog
from flytenb.runner.settings import Settings
from flytenb.runner.step import EntityStep, Expansion, HandlerScope, Scope, Step
from flytenb.runner.subworkflow import EnterStep, ExitStep, Passes
from flytenb.runner.task import TaskStep
from flytenb.runner.use import Key, PassOn, Unpack, Use, Wires
from flytenb.runner.wiring import InputConversions, Wired, Wiring

Ends = dict[str, Step]
"""The first or the last step of each node, by path."""


class Planner:
    """Builds steps, before the run starts and for expansions of running steps, without a lock.

    Args:
        settings: the settings of the run.
        records: receives the records of the nodes.
        run_log: a weak reference to the receiver of their output.
        answers: the answers of a rehearsal, None for a run that isn't one.
        source_of: returns a task as source for its image; None where tasks run in the kernel.
        targets: the nodes that are executed on a cluster.
        past: what the run takes from an earlier one, if it resumes one.
        given: outputs that are given for this run, of nodes by path.

    Attributes:
        gates: the gates of the run.
    """

    def __init__(
        self,
        settings: Settings,
        records: dict[str, Record],
        run_log: Callable[[], RunLog | None],
        answers: Answers | None = None,
        source_of: SourceOf | None = None,
        targets: ClusterTargets | None = None,
        past: Past | None = None,
        given: GivenOutputs = MappingProxyType({}),
    ) -> None:
        self._past, self._given = past, given
        self.settings = settings
        self.records = records
        self.run_log = run_log
        self.wiring = Wiring(strict=settings.strict)
        self.gates = Gates(settings.answers, strict=settings.strict)
        self._answers, self._targets = answers, targets
        self._entity_plans = EntityPlans(settings, answers, source_of)

    def _into(self, records: dict[str, Record]) -> Planner:
        """Return a copy of this planner for records that aren't part of the run yet."""
        other = copy.copy(self)
        other.records = records
        return other

    # --- a workflow --------------------------------------------------------------------------------------------

    def add_workflow(self, wired: Wired, scope: Scope) -> None:
        """Build the steps of a workflow's nodes and of its failure handler."""
        starts: Ends = {}
        ends: Ends = {}
        wires = self.wiring.connect(wired.conversions)
        if self._past is not None:
            self._past.follow(wired.links)
        for node in wired.workflow.nodes:
            if node.cases:
                self._branch(node, wired, wires, scope, starts, ends)
            else:
                starts[node.path], ends[node.path] = self._steps(wired.uses[node.path], wires, scope)
        for path, sources in wired.links:
            step = starts[path]
            step.waits += len(sources)
            for source in sources:
                ends[source].lead_to(step)
        if wired.workflow.failure is not None:
            scope.handler = self._handler(wired.workflow.failure, scope)

    def _steps(self, use: Use, wires: Wires, scope: Scope) -> tuple[Step, Step]:
        """Build the steps that run one entity; return the first and the last."""
        path = use.path
        record = self.records[path] = Record(path, self.run_log, use, wires)
        if path in self._given:
            given = GivenStep(record, scope, self._given[path], strict=self.settings.strict)
            return given, given
        target = None if self._targets is None else self._targets.find(path, use.entity)
        if target is not None:
            placed = ClusterStep(record, scope, target, self.gates)
            return placed, placed
        entity_plan = self._entity_plans.of(use.entity)
        if entity_plan.call is None:
            return self._steps_of(entity_plan, record, wires, scope)
        cache = self._entity_plans.cache(use.entity, use.policy) if entity_plan.is_cached else None
        step = TaskStep(record, scope, entity_plan.call, entity_plan.code, cache)
        step.state_use = entity_plan.state_use
        step.may_move = entity_plan.may_move
        return step, step

    def _steps_of(self, entity_plan: EntityPlan, record: Record, wires: Wires, scope: Scope) -> tuple[Step, Step]:
        """Build the steps of an entity that isn't simply called."""
        if entity_plan.kind is Kind.MAP:
            return self._map(record, wires, scope)
        if entity_plan.workflow is not None:
            return self._subworkflow(record, entity_plan, scope)
        entity, policy = entity_plan.entity, record.use.policy  # type: ignore[union-attr]
        if entity_plan.kind is Kind.DYNAMIC and not entity_plan.is_rehearsed:
            closing = DynamicExitStep(record, scope)
            cache = self._entity_plans.cache(entity, policy)
            opening = DynamicStep(record, scope, self._build_inside, closing, entity_plan.code, cache)
            opening.state_use, opening.may_move = entity_plan.state_use, entity_plan.may_move
            return _open_close(opening, closing)
        step: Step
        if entity_plan.is_rehearsed and self._answers is not None:
            step = RequestStep(record, scope, self._answers)
        elif entity_plan.kind is Kind.GATE:
            step = GateStep(record, scope, self.gates)
        elif entity_plan.kind is Kind.EAGER:
            cache = self._entity_plans.cache(entity, policy)
            step = EagerStep(record, scope, self._build_call, entity_plan.code, cache, self.settings.strict)
        else:
            step = ConnectorStep(record, scope, entity_plan.code, self._entity_plans.cache(entity, policy))
        step.state_use, step.may_move = entity_plan.state_use, entity_plan.may_move
        return step, step

    def _entity(
        self, path: str, entity: Any, policy: Policy, inputs: Mapping[str, CrossingValue], scope: Scope
    ) -> None:
        """Build the steps of one entity with inputs that are known already."""
        conversions = InputConversions()
        use = conversions.use(path, entity, self.wiring.put(path, inputs), policy, self._saved(entity, inputs))
        self._steps(use, self.wiring.connect(conversions), scope)

    def _saved(self, entity: Any, given: Mapping[str, Any]) -> dict[str, Unpack]:
        """What a launch plan saved and is not given; in a compiled workflow these are bound already."""
        _, saved = plan_inputs(entity)
        types = entity.python_interface.inputs
        missing = {n: self.wiring.given(v, types[n]) for n, v in saved.items() if n in types and n not in given}
        return {name: partial(_constant, value) for name, value in missing.items()}

    # --- entities with nodes inside ----------------------------------------------------------------------------

    def _subworkflow(self, record: Record, entity_plan: EntityPlan, scope: Scope) -> tuple[Step, Step]:
        use, path, workflow = record.use, record.path, entity_plan.workflow
        assert use is not None
        wired = Wired.of(require_runnable(read_workflow(workflow, path)))
        passes = self._input_passes(record, workflow.python_interface.inputs)
        enter = EnterStep(
            record, scope, self._passes([((f"{path}/@inputs", n), pass_on) for n, pass_on in passes.items()])
        )
        exit_step = ExitStep(record, scope)
        exit_step.passes = self._collected(wired, dict(use.outputs), workflow.python_interface.outputs)
        is_execution = entity_plan.kind is Kind.LAUNCH_PLAN or scope.is_execution
        policy = wired.workflow.is_fail_fast if is_execution else scope.execution_is_fail_fast
        inside = Scope(path, scope, is_fail_fast=policy, closing=exit_step)
        inside.execution_is_fail_fast = policy
        inside.attach()
        exit_step.closes = inside
        self.add_workflow(wired, inside)
        for step in inside.first():
            enter.before(step)
        enter.opens = inside
        return _open_close(enter, exit_step)

    def _input_passes(self, record: Record, types: Mapping[str, Any]) -> dict[str, PassOn]:
        """How the inputs of a node are passed on packed: as they came, where the type stays the same."""
        use = record.use
        assert use is not None
        bindings = use.bindings
        passes: dict[str, PassOn] = {}
        for name, get in record.getters:
            bound = bindings.get(name)
            declared = types[name]
            passes[name] = self.wiring.packed(get, declared) if bound is None else self.wiring.passer(bound, declared)
        return passes

    def _passes(self, pairs: Sequence[tuple[Key, PassOn]]) -> Passes:
        return Passes(self.wiring.values, pairs)

    def _collected(self, wired: Wired, keys: Mapping[str, Key], types: Mapping[str, Any]) -> Passes:
        """Return the function that collects the outputs of a workflow from its nodes."""
        outputs = wired.workflow.outputs
        return self._passes([(keys[name], self.wiring.passer(b, types[name])) for name, b in outputs.items()])

    def _map(self, record: Record, wires: Wires, scope: Scope) -> tuple[Step, Step]:
        entity = record.entity
        passes = self._input_passes(record, entity.python_interface.inputs)
        array = read_array(entity)
        closing = MapExitStep(record, scope, self.settings.strict)
        build = partial(self._build_elements, array.target, record.use.policy)  # type: ignore[union-attr]
        return _open_close(MapStep(record, scope, array, passes, build, closing, self.settings.strict), closing)

    def _branch(self, node: WorkflowNode, wired: Wired, wires: Wires, scope: Scope, starts: Ends, ends: Ends) -> None:
        path = node.path
        if path in self._given:
            raise branch_error(path)
        record = self.records[path] = Record(path, self.run_log, wired.uses[path], wires)
        join = JoinStep(record, scope, node, wires.values)
        branch = BranchStep(record, scope, node, wires.values, join)
        starts[path], ends[path] = branch, join
        for case in node.cases:
            before = len(scope.steps)
            for inner in case.nodes:
                if inner.cases:
                    self._branch(inner, wired, wires, scope, starts, ends)
                else:
                    starts[inner.path], ends[inner.path] = self._steps(wired.uses[inner.path], wires, scope)
                branch.before(starts[inner.path])
                ends[inner.path].before(join)
            mine = scope.steps[before:]
            for step in mine:
                step.case_of = step.case_of or branch
            branch.steps.append(_with_insides(mine))
        branch.is_closing = False
        branch.before(join)

    def _handler(self, node: WorkflowNode, scope: Scope) -> HandlerScope:
        """Plan a failure handler; its error input is made when it runs."""
        handler = HandlerScope(scope)
        wanted = takes_error(node.entity)
        bindings = {n: b for n, b in node.bindings.items() if n != wanted}
        given: dict[str, Unpack] = {}
        if wanted:
            given[wanted] = partial(error_of, scope, node.path, self.run_log)
        conversions = InputConversions()
        use = conversions.use(node.path, node.entity, bindings, node.policy, given)
        self._steps(use, self.wiring.connect(conversions), handler)
        return handler

    # --- expansions of running steps ---------------------------------------------------------------------------

    def _build_elements(
        self, target: Any, policy: Policy, columns: Mapping[str, Sequence[CrossingValue]], scope: MapScope
    ) -> tuple[list[Step], list[Step], dict[str, Record]]:
        """Plan the elements of a map."""
        records: dict[str, Record] = {}
        planner, conversions, path = self._into(records), InputConversions(), scope.path
        bindings = {n: Promise(path, n, (), column[0].python_type) for n, column in columns.items() if column}
        common = conversions.use(path, target, bindings, policy, self._saved(target, columns))
        wires = self.wiring.connect(conversions)
        opening, closing = [], []
        for use in self.wiring.put_elements(common, columns, scope.total):
            first, last = planner._steps(use, wires, scope)
            opening.append(first)
            closing.append(last)
        return opening, closing, records

    def _build_inside(self, step: EntityStep, workflow: Any, closing: ExitStep) -> Expansion:
        """Plan the workflow that a dynamic's function built."""
        path = step.path
        inside = require_runnable(read_built(workflow, path))
        wired = Wired.of(inside)
        records: dict[str, Record] = {}
        scope = Scope(path, step.scope, is_fail_fast=step.scope.execution_is_fail_fast, closing=closing)
        closing.passes = self._collected(wired, dict(step.use.outputs), step.use.entity.python_interface.outputs)
        self._into(records).add_workflow(wired, scope)
        return Expansion(scope, records, to_graph(workflow, inside, path))

    def _build_call(self, path: str, entity: Any, inputs: dict[str, Any], scope: Scope) -> Expansion:
        """Plan a call that an eager task made."""
        types = entity.python_interface.inputs
        records: dict[str, Record] = {}
        values = {name: self.wiring.given(value, types[name]) for name, value in inputs.items()}
        self._into(records)._entity(path, entity, task_policy(entity), values, scope)
        return Expansion(scope, records, graph_of_call(entity, path))


class RunPlan:
    """The steps of a whole run.

    Attributes:
        root: the scope of the step that collects the run's outputs.
        inside: the scope of all other steps.
        values: all values of the run.
    """

    def __init__(
        self, planner: Planner, wired: Wired, inputs: Mapping[str, CrossingValue], outputs: Mapping[str, Any]
    ) -> None:
        self.values = planner.wiring.values
        self.values.update((("@inputs", name), value) for name, value in inputs.items())
        self._outputs: dict[str, Key] = {name: ("@outputs", name) for name in outputs}
        self.root = Scope("", None)
        last = ExitStep(Record("", planner.run_log), self.root)
        last.is_closing = False  # the run ends with its own record
        last.waits = 1
        last.passes = planner._collected(wired, self._outputs, outputs)
        is_fail_fast = wired.workflow.is_fail_fast
        self.inside = Scope("", self.root, is_fail_fast=is_fail_fast, closing=last)
        self.inside.execution_is_fail_fast = is_fail_fast
        self.inside.attach()
        last.closes = self.inside
        planner.add_workflow(wired, self.inside)

    @property
    def outputs(self) -> dict[str, CrossingValue | None]:
        """The outputs of the run, by name."""
        return {name: self.values.get(key) for name, key in self._outputs.items()}


def _constant(value: CrossingValue, _: CrossingValue | None) -> Any:
    return value.native()


def _open_close(opening: Step, closing: Step) -> tuple[Step, Step]:
    """Make the closing step wait for the opening one and for the scope that this one opens."""
    opening.is_closing = False
    closing.is_opening = False
    opening.before(closing)
    closing.waits += 1
    return opening, closing


def _with_insides(steps: Sequence[Step]) -> list[Step]:
    """Return these steps and those of the scopes that they open."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if step.opens is not None:
            found += _with_insides(step.opens.steps)
    return found
