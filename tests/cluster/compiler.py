"""Propeller's compiler: the closure of a workflow, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flyteidl.admin import launch_plan_pb2
from flyteidl.core import compiler_pb2, tasks_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core import workflow_pb2 as wf

from tests.cluster.binding_types import BindingTypes
from tests.cluster.identifiers import Key, key_of, shown
from tests.cluster.records import copied

START, END = "start-node", "end-node"


class CompileErrors(Exception):
    """What is wrong with a workflow, in the compiler's words."""

    def __init__(self, errors: Sequence[str]) -> None:
        listed = "".join(f"\tError {i}: {error}\n" for i, error in enumerate(sorted({*errors})))
        super().__init__(f"Collected Errors: {len({*errors})}\n{listed}")


@dataclass
class Sources:
    """What a workflow refers to, by key."""

    tasks: Mapping[Key, tasks_pb2.TaskTemplate]
    workflows: Mapping[Key, wf.WorkflowTemplate]
    launch_plans: Mapping[Key, launch_plan_pb2.LaunchPlanClosure]


def compile_workflow(template: wf.WorkflowTemplate, sources: Sources) -> compiler_pb2.CompiledWorkflowClosure:
    """Compile a workflow with the workflows and tasks that it needs.

    Raises:
        CompileErrors: if it doesn't compile.
    """
    errors: list[str] = []
    compiled: dict[Key, compiler_pb2.CompiledWorkflow] = {}
    primary = _Compilation(copied(template), sources, compiled, errors).run()
    if errors:
        raise CompileErrors(errors)
    tasks = [compiler_pb2.CompiledTask(template=task) for task in sources.tasks.values()]
    return compiler_pb2.CompiledWorkflowClosure(primary=primary, sub_workflows=compiled.values(), tasks=tasks)


def nodes_within(nodes: Sequence[wf.Node]) -> Iterator[wf.Node]:
    """Return the nodes, those of their cases and what their arrays repeat."""
    for node in nodes:
        yield node
        if node.HasField("branch_node"):
            yield from nodes_within(cases_of(node.branch_node.if_else))
        if node.HasField("array_node"):
            yield from nodes_within([node.array_node.node])


def cases_of(if_else: wf.IfElseBlock) -> list[wf.Node]:
    found = [if_else.case.then_node, *(other.then_node for other in if_else.other)]
    return [*found, if_else.else_node] if if_else.HasField("else_node") else found


def conditions_of(expression: object) -> Iterator[str]:
    """Return the variables of a condition."""
    if expression.HasField("conjunction"):  # type: ignore[attr-defined]
        yield from conditions_of(expression.conjunction.left_expression)  # type: ignore[attr-defined]
        yield from conditions_of(expression.conjunction.right_expression)  # type: ignore[attr-defined]
        return
    for operand in (expression.comparison.left_value, expression.comparison.right_value):  # type: ignore[attr-defined]
        if not operand.HasField("primitive"):
            yield operand.var


@dataclass
class _Compilation:
    """One workflow that is being compiled."""

    template: wf.WorkflowTemplate
    sources: Sources
    compiled: dict[Key, compiler_pb2.CompiledWorkflow]
    errors: list[str]
    nodes: dict[str, wf.Node] = field(default_factory=dict)
    interfaces: dict[str, iface.TypedInterface] = field(default_factory=dict)
    upstream: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    downstream: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def error(self, code: str, node: str, description: str) -> None:
        self.errors.append(f"Code: {code}, Node Id: {node}, Description: {description}")

    def run(self) -> compiler_pb2.CompiledWorkflow:
        template = self.template
        if not template.nodes:
            self.error("NoNodesFound", shown(template.id), f"Can't find any nodes in workflow [{shown(template.id)}].")
            return compiler_pb2.CompiledWorkflow()
        start, end = wf.Node(id=START), wf.Node(id=END, inputs=template.outputs)
        top = list(template.nodes)
        self.interfaces[START] = iface.TypedInterface(outputs=template.interface.inputs)
        self.interfaces[END] = iface.TypedInterface(inputs=template.interface.outputs)
        for node in (start, end, *top):
            self.nodes.setdefault(node.id, node)
        for node in top:
            self.check_node(node)
        if template.HasField("failure_node"):
            self.check_node(template.failure_node)
            self.add_edges(template.failure_node, is_upstream_only=True)
        for name in sorted(self.nodes):
            if name != START:
                self.add_edges(self.nodes[name])
        self.add_edges_of_orphans([node.id for node in top])
        self.check_reachable()
        ordered = [copied(node) for node in self.nodes.values()]
        del template.nodes[:], template.outputs[:]
        template.nodes.extend(ordered)
        template.outputs.extend(end.inputs)
        return compiler_pb2.CompiledWorkflow(template=template, connections=self.connections())

    def connections(self) -> compiler_pb2.ConnectionSet:
        def lists(edges: Mapping[str, set[str]]) -> dict[str, compiler_pb2.ConnectionSet.IdList]:
            return {name: compiler_pb2.ConnectionSet.IdList(ids=sorted(found)) for name, found in edges.items()}

        return compiler_pb2.ConnectionSet(upstream=lists(self.upstream), downstream=lists(self.downstream))

    # --- nodes --------------------------------------------------------------------------------------------------------

    def check_node(self, node: wf.Node) -> None:
        if not node.id:
            self.error("ValueRequired", "<node>", "Value required [Id].")
        found = self.interface(node)
        if found is not None:
            self.interfaces[node.id] = found
        node.upstream_node_ids.sort()
        if node.HasField("branch_node"):
            self.check_branch(node)

    def interface(self, node: wf.Node) -> iface.TypedInterface | None:
        """Return what the node takes and gives."""
        match node.WhichOneof("target"):
            case "task_node":
                return self.task_interface(node)
            case "workflow_node":
                return self.workflow_interface(node)
            case "branch_node":
                return self.branch_interface(node)
            case "gate_node":
                return self.gate_interface(node)
            case "array_node":
                return self.interface(node.array_node.node)
        self.error("ValueRequired", node.id, "Value required [Target].")
        return None

    def task_interface(self, node: wf.Node) -> iface.TypedInterface | None:
        found = self.sources.tasks.get(key_of(node.task_node.reference_id))
        if found is None:
            name = shown(node.task_node.reference_id)
            self.error("TaskReferenceNotFound", node.id, f"Referenced Task [{name}] not found.")
            return None
        return found.interface

    def workflow_interface(self, node: wf.Node) -> iface.TypedInterface | None:
        reference = node.workflow_node
        if reference.HasField("launchplan_ref"):
            plan = self.sources.launch_plans.get(key_of(reference.launchplan_ref))
            if plan is None:
                self.no_workflow(node, reference.launchplan_ref)
                return None
            bound = {binding.var for binding in node.inputs}
            exposed = {
                name: parameter.var
                for name, parameter in plan.expected_inputs.parameters.items()
                if parameter.required or name in bound
            }
            return iface.TypedInterface(inputs=iface.VariableMap(variables=exposed), outputs=plan.expected_outputs)
        key = key_of(reference.sub_workflow_ref)
        template = self.sources.workflows.get(key)
        if template is None:
            self.no_workflow(node, reference.sub_workflow_ref)
            return None
        if key not in self.compiled:
            self.compiled[key] = compiler_pb2.CompiledWorkflow()  # it is being compiled
            made = _Compilation(copied(template), self.sources, self.compiled, self.errors).run()
            self.compiled[key].CopyFrom(made)
        return template.interface

    def no_workflow(self, node: wf.Node, reference: ids.Identifier) -> None:
        self.error("WorkflowReferenceNotFound", node.id, f"Referenced Workflow [{shown(reference)}] not found.")

    def branch_interface(self, node: wf.Node) -> iface.TypedInterface | None:
        """Rename the cases, as `n1-n0`, and return the outputs that all of them have."""
        outputs: dict[str, iface.Variable] | None = None
        for case in cases_of(node.branch_node.if_else):
            case.id = f"{node.id}-{case.id}"
            found = self.interface(case)
            if found is None:
                continue
            self.interfaces[case.id] = found
            given = dict(found.outputs.variables)
            outputs = given if outputs is None else {name: outputs[name] for name in outputs.keys() & given.keys()}
        bound = {binding.var: iface.Variable() for binding in node.inputs}
        return iface.TypedInterface(
            inputs=iface.VariableMap(variables=bound), outputs=iface.VariableMap(variables=outputs or {})
        )

    def gate_interface(self, node: wf.Node) -> iface.TypedInterface | None:
        gate = node.gate_node
        match gate.WhichOneof("condition"):
            case "approve":
                bound = iface.VariableMap(variables={b.var: self.promised(b.binding) for b in node.inputs})
                return iface.TypedInterface(inputs=bound, outputs=bound)
            case "signal":
                given = {gate.signal.output_variable_name: iface.Variable(type=gate.signal.type)}
                return iface.TypedInterface(outputs=iface.VariableMap(variables=given))
            case "sleep":
                return iface.TypedInterface()
        self.error("NoConditionFound", node.id, f"Can't find any condition in gate node [{node.id}].")
        return None

    def promised(self, binding: lit.BindingData) -> iface.Variable:
        found = self.promised_by(binding.promise)
        return iface.Variable() if found is None else found[1]

    def promised_by(self, promise: typ.OutputReference) -> tuple[wf.Node, iface.Variable] | None:
        """Return the node and the variable of a promise, None if there is none."""
        name = promise.node_id or START
        given = self.interfaces.get(name, iface.TypedInterface()).outputs.variables
        return (self.nodes[name], given[promise.var]) if name in self.nodes and promise.var in given else None

    def check_branch(self, node: wf.Node) -> None:
        if_else = node.branch_node.if_else
        bound = {binding.var for binding in node.inputs}
        for block in (if_else.case, *if_else.other):
            for name in conditions_of(block.condition):
                if name not in bound:
                    self.error("VariableNameNotFound", node.id, f"Variable [{name}] not found on node [{node.id}].")
        if not if_else.HasField("else_node") and not if_else.HasField("error"):
            words = "Branch Node must have either the else case set or a default error."
            self.error("BranchNodeHasNoDefault", node.id, words)
        for case in cases_of(if_else):
            case.upstream_node_ids.sort()
            if case.HasField("branch_node"):
                self.check_branch(case)

    # --- edges --------------------------------------------------------------------------------------------------------

    def add_edges(self, node: wf.Node, *, is_upstream_only: bool = False) -> None:
        found = self.interfaces.get(node.id)
        if found is None:
            return
        before = [] if is_upstream_only else list(node.upstream_node_ids)
        for binding in node.inputs:
            before += self.check_binding(node, binding, found)
        bound = [binding.var for binding in node.inputs]
        if not node.HasField("branch_node") and not node.HasField("gate_node"):
            for name, variable in found.inputs.variables.items():
                if name not in bound and not _is_optional(variable):
                    self.error("ParameterNotBound", node.id, f"Parameter not bound [{name}].")
        for name in before:
            self.upstream[node.id].add(name)
            if not is_upstream_only:
                self.downstream[name].add(node.id)
        if node.HasField("branch_node"):
            for case in cases_of(node.branch_node.if_else):
                self.add_edges(case, is_upstream_only=True)

    def check_binding(self, node: wf.Node, binding: lit.Binding, found: iface.TypedInterface) -> list[str]:
        """Return the nodes that a binding refers to."""
        is_checked = not node.HasField("branch_node") and not node.HasField("gate_node")
        if is_checked and binding.var not in found.inputs.variables:
            words = f"Variable [{binding.var}] not found on node [{node.id}]."
            self.error("VariableNameNotFound", node.id, words)
            return []
        if is_checked:
            types = BindingTypes(node, self.promised_by)
            for code, words in types.problems(binding.var, binding.binding, found.inputs.variables[binding.var].type):
                self.error(code, node.id, words)
        if [each.var for each in node.inputs].count(binding.var) > 1:
            self.error("ParameterBoundMoreThanOnce", node.id, f"Input [{binding.var}] is bound more than once.")
        return list(self.references(node, binding.binding))

    def references(self, node: wf.Node, data: lit.BindingData) -> Iterator[str]:
        for each in (*data.collection.bindings, *data.map.bindings.values()):
            yield from self.references(node, each)
        if data.HasField("promise"):
            promise = data.promise
            promise.node_id = promise.node_id or START
            if promise.node_id not in self.nodes:
                words = f"Referenced node [{promise.node_id}] not found."
                self.error("NodeReferenceNotFound", promise.node_id, words)
                return
            given = self.interfaces.get(promise.node_id)
            if given is not None and promise.var not in given.outputs.variables:
                words = f"Variable [{promise.var}] not found on node [{promise.node_id}]."
                self.error("VariableNameNotFound", node.id, words)
            yield promise.node_id

    def add_edges_of_orphans(self, top: Sequence[str]) -> None:
        for name in top:
            if name not in self.upstream:
                self.upstream[name].add(START)
                self.downstream[START].add(name)
            if name not in self.downstream:
                self.upstream[END].add(name)
                self.downstream[name].add(END)

    def check_reachable(self) -> None:
        visited: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                words = f"A cycle has been detected while traversing the Workflow [{'>'.join((*path, name))}]."
                self.error("CycleDetected", START, words)
                return
            visited.add(name)
            for after in sorted(self.downstream.get(name, ())):
                if after not in visited or after in path:
                    visit(after, (*path, name))

        visit(START, ())
        unreachable = sorted({*self.nodes} - visited - {END})
        if unreachable:
            words = f"The Workflow contain unreachable nodes [{','.join(unreachable)}]."
            self.error("UnreachableNodes", START, words)


def _is_optional(variable: iface.Variable) -> bool:
    """Tell whether None is one of the types of a union."""
    return any(v.WhichOneof("type") == "simple" and v.simple == 0 for v in variable.type.union_type.variants)
