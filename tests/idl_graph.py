"""A workflow read from what flytekit would send to a cluster: the second source that graphs are held against.

Nothing here knows flytenb: only the FlyteIDL messages that `get_serializable` makes. What they don't hold (a dynamic
task looks like any other, a default like any constant) can't be read from them.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from flyteidl.core import condition_pb2, types_pb2
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.image_spec.image_spec import ImageBuildEngine
from flytekit.tools.translator import get_serializable

SETTINGS = SerializationSettings(
    image_config=ImageConfig.auto_default_image(), project="p", domain="d", version="v", env={}
)
_COMPARATORS = {"EQ": "==", "NEQ": "!=", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}
_PLAIN = {types_pb2.INTEGER, types_pb2.FLOAT, types_pb2.STRING, types_pb2.BOOLEAN}


@dataclass
class IdlNode:
    """What the messages say about one node."""

    kind: str
    name: str = ""
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    settings: dict[str, Any] = field(default_factory=dict)
    value: Any = None


@dataclass
class IdlGraph:
    """Nodes by path, edges as tuples (source, target, kind, output, input, label)."""

    nodes: dict[str, IdlNode] = field(default_factory=dict)
    edges: Counter[tuple[str, str, str, str, str, str]] = field(default_factory=Counter)


def read_idl(entity: Any) -> IdlGraph:
    """Serialise an entity and read the messages into a graph; no image is built, as flytekit would do on the way."""
    mapping: OrderedDict[Any, Any] = OrderedDict()
    with mock.patch.object(ImageBuildEngine, "build"):
        root = get_serializable(mapping, SETTINGS, entity)
    return _Reader(mapping).read(root)


class _Reader:
    def __init__(self, mapping: OrderedDict[Any, Any]) -> None:
        self.tasks: dict[str, Any] = {}
        self.workflows: dict[str, Any] = {}
        self.plans: dict[str, Any] = {}
        self.graph = IdlGraph()
        for model in mapping.values():
            kind = type(model).__name__
            if kind == "TaskSpec":
                self.tasks[model.template.id.name] = model.to_flyte_idl().template
            elif kind == "WorkflowSpec":
                self.workflows[model.template.id.name] = model.to_flyte_idl().template
            elif kind == "LaunchPlan":
                self.plans[model.id.name] = model.spec.to_flyte_idl()

    def read(self, root: Any) -> IdlGraph:
        kind = type(root).__name__
        if kind == "TaskSpec":
            template = self.tasks[root.template.id.name]
            self._doors(template.interface, "")
            self.graph.nodes["n0"] = self._task_node(template)
            for name in template.interface.inputs.variables:
                self._edge("@inputs", "n0", "data", name, name)
            for name in template.interface.outputs.variables:
                self._edge("n0", "@outputs", "data", name, name)
        elif kind == "LaunchPlan":
            plan = self.plans[root.id.name]
            self._fixed(plan, "@inputs")
            self._workflow(self.workflows[plan.workflow_id.name], "")
        else:
            self._workflow(self.workflows[root.template.id.name], "")
        return self.graph

    def _edge(self, source: str, target: str, kind: str, output: str = "", place: str = "", label: str = "") -> None:
        self.graph.edges[(source, target, kind, output, place, label)] += 1

    def _doors(self, interface: Any, prefix: str) -> None:
        inputs, outputs = frozenset(interface.inputs.variables), frozenset(interface.outputs.variables)
        if inputs:
            self.graph.nodes[f"{prefix}@inputs"] = IdlNode("inputs", outputs=inputs)
        if outputs:
            self.graph.nodes[f"{prefix}@outputs"] = IdlNode("outputs", inputs=outputs)

    def _fixed(self, plan: Any, target: str) -> None:
        prefix, _, node_id = target.rpartition("/")
        for name, literal in plan.fixed_inputs.literals.items():
            path = f"{prefix}/@" if prefix else "@"
            path = f"{path}{node_id.removeprefix('@')}.{name}"
            self.graph.nodes[path] = IdlNode("constant", value=_literal_value(literal))
            self._edge(path, target, "data", "", name)

    def _workflow(self, template: Any, prefix: str) -> None:
        """Ids inside a conditional restart, but a case's node takes only from the workflow's own level."""
        self._doors(template.interface, prefix)
        level = {n.id: n for n in template.nodes}
        for node in template.nodes:
            self._node(node, prefix, level, prefix)
        if template.HasField("failure_node"):
            self._failure(template.failure_node, prefix, level)
        types = {k: v.type for k, v in template.interface.outputs.variables.items()}
        self._bindings(template.outputs, f"{prefix}@outputs", prefix, types)

    def _failure(self, node: Any, prefix: str, level: dict[str, Any]) -> None:
        path = f"{prefix}{node.id}"
        self._node(node, prefix, level, prefix)
        types = self._input_types(node)
        errors = [k for k, t in types.items() if any(v.simple == types_pb2.ERROR for v in t.union_type.variants)]
        for name in errors:  # Flyte fills it with what went wrong
            del self.graph.nodes[f"{prefix}@{node.id}.{name}"]
            del self.graph.edges[(f"{prefix}@{node.id}.{name}", path, "data", "", name, "")]
        inner = {"subworkflow": "workflow"}.get(self.graph.nodes[path].kind, self.graph.nodes[path].kind)
        self.graph.nodes[path].kind = "failure"
        self.graph.nodes[path].settings["of"] = inner

    def _node(self, node: Any, prefix: str, level: dict[str, Any], scope: str) -> None:
        path = f"{prefix}{node.id}"
        which = node.WhichOneof("target")
        if which == "branch_node":
            self._branch(node, path, level, scope)
        elif which == "gate_node":
            self.graph.nodes[path] = self._gate_node(node)
            self._bindings(node.inputs, path, scope, {})
        else:
            self._entity(node, path, which)
            self._bindings(node.inputs, path, scope, self._input_types(node))
        given = {b for binding in node.inputs for b in _promised_ids(binding.binding)}
        for source in node.upstream_node_ids:
            if source and source not in given:
                self._edge(f"{scope}{source}", path, "order")

    def _entity(self, node: Any, path: str, which: str) -> None:
        if which == "task_node":
            name = node.task_node.reference_id.name
            if name in self.tasks:
                found = self._task_node(self.tasks[name])
                found.settings |= _node_settings(node.metadata, node.task_node.overrides)
            else:
                found = IdlNode("reference", name, settings={"of": "task"})
            self.graph.nodes[path] = found
        elif which == "array_node":
            self._array(node, path)
        elif node.workflow_node.WhichOneof("reference") == "sub_workflow_ref":
            name = node.workflow_node.sub_workflow_ref.name
            template = self.workflows[name]
            kind = "subworkflow" if template.nodes else "stub"
            self.graph.nodes[path] = IdlNode(kind, name, *_ports(template.interface))
            if template.nodes:
                self._workflow(template, f"{path}/")
        else:
            name = node.workflow_node.launchplan_ref.name
            if name not in self.plans:
                self.graph.nodes[path] = IdlNode("reference", name, settings={"of": "launch plan"})
                return
            plan = self.plans[name]
            template = self.workflows[plan.workflow_id.name]
            inputs, outputs = _ports(template.interface)
            fixed = frozenset(plan.fixed_inputs.literals)
            self.graph.nodes[path] = IdlNode("launch_plan", name, inputs - fixed, outputs)
            self._fixed(plan, path)
            self._workflow(template, f"{path}/")

    def _array(self, node: Any, path: str) -> None:
        array, inner = node.array_node, node.array_node.node
        settings: dict[str, Any] = {}
        if array.HasField("parallelism") and array.parallelism:
            settings["concurrency"] = array.parallelism
        if array.WhichOneof("success_criteria") == "min_successes" and array.min_successes:
            settings["min_successes"] = array.min_successes
        if array.WhichOneof("success_criteria") == "min_success_ratio" and array.min_success_ratio != 1:
            settings["min_success_ratio"] = round(array.min_success_ratio, 6)
        if inner.WhichOneof("target") == "task_node":
            template = self.tasks[inner.task_node.reference_id.name]
            settings |= _task_settings(template) | _node_settings(inner.metadata, inner.task_node.overrides)
            self.graph.nodes[path] = IdlNode("map", "", *_ports(template.interface), settings)
            return
        plan = self.plans[inner.workflow_node.launchplan_ref.name]
        template = self.workflows[plan.workflow_id.name]
        inputs, outputs = _ports(template.interface)
        fixed = frozenset(plan.fixed_inputs.literals)
        self.graph.nodes[path] = IdlNode("map", "", inputs - fixed, outputs, settings)
        self._fixed(plan, f"{path}/@inputs")
        self._workflow(template, f"{path}/")

    def _task_node(self, template: Any) -> IdlNode:
        return IdlNode("task", template.id.name, *_ports(template.interface), _task_settings(template))

    def _gate_node(self, node: Any) -> IdlNode:
        gate = node.gate_node
        which = gate.WhichOneof("condition")
        if which == "sleep":
            duration = gate.sleep.duration.ToTimedelta().total_seconds()
            return IdlNode("gate", "", settings={"gate": "sleep", "duration": duration})
        timeout = node.metadata.timeout.ToTimedelta().total_seconds()
        if which == "signal":
            outputs = frozenset({gate.signal.output_variable_name})
            settings = {"gate": "input", "timeout": timeout}
            return IdlNode("gate", gate.signal.signal_id, frozenset(), outputs, settings)
        names = frozenset(b.var for b in node.inputs)
        return IdlNode("gate", gate.approve.signal_id, names, names, {"gate": "approve", "timeout": timeout})

    def _branch(self, node: Any, path: str, level: dict[str, Any], scope: str) -> None:
        names = self._operand_names(node, level)
        self.graph.nodes[path] = IdlNode("branch", node.metadata.name, frozenset(names.values()))
        for binding in node.inputs:
            source, output = self._source(binding.binding.promise, scope)
            self._edge(source, path, "data", output, names[binding.var])
        block = node.branch_node.if_else
        for case in (block.case, *block.other):
            self._node(case.then_node, f"{path}/", level, scope)
            self._edge(path, f"{path}/{case.then_node.id}", "case", label=_words(case.condition, names))
        if block.WhichOneof("default") == "error":
            self.graph.nodes[f"{path}/@else"] = IdlNode("case", settings={"error": block.error.message})
            self._edge(path, f"{path}/@else", "case", label="else")
        else:
            self._node(block.else_node, f"{path}/", level, scope)
            self._edge(path, f"{path}/{block.else_node.id}", "case", label="else")

    def _operand_names(self, node: Any, level: dict[str, Any]) -> dict[str, str]:
        sources = {b.var: b.binding.promise for b in node.inputs}
        ids = {p.node_id for p in sources.values() if p.node_id}
        names = {i: self._name(level[i]) for i in ids}
        shared = Counter(names.values())
        names = {i: f"{n} ({i})" if shared[n] > 1 else n for i, n in names.items()}
        found = {}
        for var, promise in sources.items():
            output = _attributes(promise)
            if not promise.node_id:
                found[var] = output
            elif promise.var == "o0" and self._is_single(level[promise.node_id]):
                found[var] = names[promise.node_id] + output.removeprefix("o0")
            else:
                found[var] = f"{names[promise.node_id]}.{output}"
        return found

    def _name(self, node: Any) -> str:
        which = node.WhichOneof("target")
        if which in ("branch_node", "gate_node"):
            return str(node.metadata.name)
        reference = node.task_node.reference_id if which == "task_node" else node.workflow_node.sub_workflow_ref
        return str(reference.name.rpartition(".")[2])

    def _is_single(self, node: Any) -> bool:
        which = node.WhichOneof("target")
        if which == "task_node":
            return len(self.tasks[node.task_node.reference_id.name].interface.outputs.variables) == 1
        if which == "workflow_node":
            return len(self.workflows[node.workflow_node.sub_workflow_ref.name].interface.outputs.variables) == 1
        return True

    def _input_types(self, node: Any) -> dict[str, Any]:
        which = node.WhichOneof("target")
        if which == "task_node":
            template = self.tasks.get(node.task_node.reference_id.name)
        elif which == "array_node":
            return {}
        elif node.workflow_node.WhichOneof("reference") == "sub_workflow_ref":
            template = self.workflows.get(node.workflow_node.sub_workflow_ref.name)
        else:
            plan = self.plans.get(node.workflow_node.launchplan_ref.name)
            template = self.workflows[plan.workflow_id.name] if plan else None
        return {k: v.type for k, v in template.interface.inputs.variables.items()} if template else {}

    def _bindings(self, bindings: Any, path: str, scope: str, types: dict[str, Any]) -> None:
        for binding in bindings:
            self._binding(binding.binding, binding.var, path, scope, types.get(binding.var))

    def _binding(self, data: Any, place: str, path: str, scope: str, literal_type: Any) -> None:
        which = data.WhichOneof("value")
        if which == "promise":
            source, output = self._source(data.promise, scope)
            self._edge(source, path, "data", output, place)
        elif not list(_promised_ids(data)) and not _has_promise(data):
            prefix, _, node_id = path.rpartition("/")
            constant = f"@{node_id.removeprefix('@')}.{place}".replace("/", "∕")
            constant = f"{prefix}/{constant}" if prefix else constant
            value = _binding_value(data) if _is_plain(literal_type) else None
            self.graph.nodes[constant] = IdlNode("constant", value=value)
            self._edge(constant, path, "data", "", place)
        elif which == "collection":
            inner = literal_type.collection_type if literal_type is not None else None
            for i, item in enumerate(data.collection.bindings):
                self._binding(item, f"{place}[{i}]", path, scope, inner)
        else:
            inner = literal_type.map_value_type if literal_type is not None else None
            for key, item in data.map.bindings.items():
                self._binding(item, f"{place}[{key!r}]", path, scope, inner)

    def _source(self, promise: Any, scope: str) -> tuple[str, str]:
        source = f"{scope}{promise.node_id}" if promise.node_id else f"{scope}@inputs"
        return source, _attributes(promise)


def _ports(interface: Any) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(interface.inputs.variables), frozenset(interface.outputs.variables)


def _attributes(promise: Any) -> str:
    text = promise.var
    for step in promise.attr_path:
        if step.WhichOneof("value") == "int_value":
            text += f"[{step.int_value}]"
        else:
            text += f".{step.string_value}" if step.string_value.isidentifier() else f"[{step.string_value!r}]"
    return text


def _has_promise(data: Any) -> bool:
    which = data.WhichOneof("value")
    if which == "collection":
        return any(_has_promise(b) for b in data.collection.bindings)
    if which == "map":
        return any(_has_promise(b) for b in data.map.bindings.values())
    return which == "promise"


def _promised_ids(data: Any) -> Iterator[str]:
    which = data.WhichOneof("value")
    if which == "promise" and data.promise.node_id:
        yield data.promise.node_id
    for item in data.collection.bindings if which == "collection" else ():
        yield from _promised_ids(item)
    for item in data.map.bindings.values() if which == "map" else ():
        yield from _promised_ids(item)


def _is_plain(literal_type: Any) -> bool:
    """Whether the value of a constant is the same in both sources: numbers, texts and lists and dicts of these."""
    if literal_type is None:
        return False
    which = literal_type.WhichOneof("type")
    if which in ("collection_type", "map_value_type"):
        return _is_plain(getattr(literal_type, which))
    return which == "simple" and literal_type.simple in _PLAIN


def _binding_value(data: Any) -> Any:
    which = data.WhichOneof("value")
    if which == "collection":
        return [_binding_value(b) for b in data.collection.bindings]
    if which == "map":
        return {k: _binding_value(b) for k, b in data.map.bindings.items()}
    return _primitive(data.scalar.primitive)


def _literal_value(literal: Any) -> Any:
    return _primitive(literal.scalar.primitive) if literal.scalar.WhichOneof("value") == "primitive" else None


def _primitive(primitive: Any) -> Any:
    which = primitive.WhichOneof("value")
    return getattr(primitive, which) if which else None


def _words(expression: Any, names: dict[str, str]) -> str:
    if expression.WhichOneof("expr") == "comparison":
        return _comparison(expression.comparison, names)
    conjunction = expression.conjunction
    word = condition_pb2.ConjunctionExpression.LogicalOperator.Name(conjunction.operator)
    sides = []
    for side in (conjunction.left_expression, conjunction.right_expression):
        text = _words(side, names)
        is_other = side.WhichOneof("expr") == "conjunction" and side.conjunction.operator != conjunction.operator
        sides.append(f"({text})" if is_other else text)
    return f" {word.lower()} ".join(sides)


def _comparison(comparison: Any, names: dict[str, str]) -> str:
    symbol = _COMPARATORS[condition_pb2.ComparisonExpression.Operator.Name(comparison.operator)]
    right = comparison.right_value
    is_truth = right.WhichOneof("val") == "primitive" and right.primitive.WhichOneof("value") == "boolean"
    if is_truth or right.WhichOneof("val") == "scalar":
        symbol = {"==": "is", "!=": "is not"}.get(symbol, symbol)
    return f"{_operand(comparison.left_value, names)} {symbol} {_operand(right, names)}"


def _operand(operand: Any, names: dict[str, str]) -> str:
    which = operand.WhichOneof("val")
    if which == "var":
        return names[operand.var]
    if which == "scalar":
        return "None"
    kind = operand.primitive.WhichOneof("value")
    value = getattr(operand.primitive, kind)
    if kind == "boolean":
        return str(value).lower()
    return str(value.ToTimedelta()) if kind == "duration" else repr(value)


def _task_settings(template: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    metadata = template.metadata
    if template.type != "python-task":
        settings["task_type"] = template.type
    if metadata.retries.retries:
        settings["retries"] = metadata.retries.retries
    if metadata.timeout.ToTimedelta():
        settings["timeout"] = metadata.timeout.ToTimedelta().total_seconds()
    if metadata.HasField("interruptible"):
        settings["interruptible"] = metadata.interruptible
    if metadata.discoverable:
        settings["cache"] = metadata.discovery_version
    if metadata.cache_serializable:
        settings["cache_serialize"] = True
    if metadata.is_eager:
        settings["is_eager"] = True
    settings |= _resources(template.container.resources)
    return settings


def _resources(resources: Any) -> dict[str, Any]:
    keys = {1: "cpu", 2: "gpu", 3: "mem", 5: "disk"}
    found = {}
    for entries in (resources.limits, resources.requests):
        for entry in entries:
            if entry.name in keys:
                found[keys[entry.name]] = entry.value
    return found


def _node_settings(metadata: Any, overrides: Any) -> dict[str, Any]:
    """What the node says; None where it takes something back."""
    settings: dict[str, Any] = {
        "retries": metadata.retries.retries or None,
        "timeout": metadata.timeout.ToTimedelta().total_seconds() or None,
    }
    if metadata.WhichOneof("interruptible_value"):
        settings["interruptible"] = metadata.interruptible
    if metadata.WhichOneof("cacheable_value"):
        settings["cache"] = metadata.cache_version if metadata.cacheable else None
        settings["cache_serialize"] = metadata.cache_serializable or None
    if overrides.container_image:
        settings["image"] = overrides.container_image
    if overrides.HasField("extended_resources"):
        settings["accelerator"] = overrides.extended_resources.gpu_accelerator.device
    return settings | _resources(overrides.resources)
