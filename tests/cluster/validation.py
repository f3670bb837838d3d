"""flyteadmin's checks of requests; the order of the checks and the words are its own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flyteidl.admin import execution_pb2, launch_plan_pb2, schedule_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import tasks_pb2
from flyteidl.core import types_pb2 as typ
from google.protobuf.json_format import MessageToDict

from tests.cluster.identifiers import shown
from tests.cluster.literal_types import are_castable, type_of_literal
from tests.cluster.refused import invalid
from tests.cluster.settings import Scope, Settings

LONGEST_NAME = 63
_EXECUTION_NAME = re.compile(r"[a-z][a-z\-0-9]*")
_SYSTEM_NODES = 2
_SUFFIXES = {"": 0, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i)|([mkMGTPE]?))")


def require(is_set: Any, field: str) -> None:
    if not is_set:
        raise invalid(f"missing {field}")


def check_identifier(identifier: ids.Identifier, kind: int) -> None:
    if identifier.resource_type != kind:
        names = [ids.ResourceType.Name(each).lower() for each in (identifier.resource_type, kind)]
        raise invalid(
            f"unexpected resource type {names[0]} for identifier [{shown(identifier)}], expected {names[1]} instead"
        )
    check_fields(identifier)


def check_fields(identifier: Any) -> None:
    for name in ("project", "domain", "name", "version"):
        require(getattr(identifier, name), name)


def check_project(project: str, domain: str, settings: Settings) -> None:
    if project not in settings.projects:
        raise invalid(
            f"failed to validate that project [{project}] and domain [{domain}] are registered, "
            f'err: [missing entity of type project with identifier id:"{project}"]'
        )
    if domain not in settings.domains:
        raise invalid(f"domain [{domain}] is unrecognized by system")


# --- tasks and workflows ----------------------------------------------------------------------------------------------


def check_task(request: task_pb2.TaskCreateRequest, settings: Settings) -> None:
    check_identifier(request.id, ids.TASK)
    check_project(request.id.project, request.id.domain, settings)
    require(request.spec.HasField("template"), "spec")
    template = request.spec.template
    require(template.type, "type")
    check_task_type(request.id, template.type, settings)
    require(template.HasField("metadata"), "metadata")
    if template.metadata.HasField("runtime"):
        require(template.metadata.runtime.version, "runtime version")
    require(template.HasField("interface"), "typed interface")
    if template.HasField("container"):
        require(template.container.image, "image")
        check_resources(request.id, template.container.resources, settings.limits)
    elif template.HasField("k8s_pod"):
        for container in MessageToDict(template.k8s_pod.pod_spec).get("containers", []):
            check_resources(request.id, _resources_of(container.get("resources", {})), settings.limits)


def check_task_type(identifier: ids.Identifier, task_type: str, settings: Settings) -> None:
    """Check that a task type is on the whitelist for its place, if there is one for the type."""
    scopes = settings.whitelist.get(task_type, ())
    place = identifier.project, identifier.domain
    if scopes and not any(each.project in ("", place[0]) and _is_domain(each, place[1]) for each in scopes):
        raise invalid("task type must be whitelisted before use")


def _is_domain(scope: Scope, domain: str) -> bool:
    """Tell whether a scope has a domain; one without a project has any."""
    return not scope.project or scope.domain in ("", domain)


def _resources_of(given: Mapping[str, Mapping[str, Any]]) -> tasks_pb2.Resources:
    """Return the resources of a container of a pod's specification."""
    made, names = tasks_pb2.Resources(), dict(tasks_pb2.Resources.ResourceName.items())
    for entries, kind in ((made.requests, "requests"), (made.limits, "limits")):
        for name, value in given.get(kind, {}).items():
            known = names.get(name.upper().replace("-", "_"))
            if known is not None:
                entries.add(name=known, value=str(value))
    return made


def check_resources(identifier: ids.Identifier, resources: tasks_pb2.Resources, limits: Mapping[str, str]) -> None:
    requested, limited = (_quantities(identifier, entries) for entries in (resources.requests, resources.limits))
    for name, request in requested.items():
        limit = limited.get(name)
        if name == "GPU":
            if limit is not None and _whole(limit) != _whole(request):
                raise invalid(
                    "For extended resource 'gpu' the default value must equal the limit value for task "
                    f"[{shown(identifier)}]"
                )
        elif limit is not None and _whole(limit) < _whole(request):
            raise invalid(
                f"Requested {name} default [{request}] is greater than the limit [{limit}]. "
                "Please fix your configuration"
            )
        for kind, given in (("limit", None if name == "GPU" else limit), ("default", request)):
            if given is not None and name in limits and _whole(given) > _whole(limits[name]):
                raise invalid(
                    f"Requested {name} {kind} [{given}] is greater than current limit set in the platform "
                    f"configuration [{limits[name]}]. Please contact Flyte Admins to change these limits or "
                    "consult the configuration"
                )


def _quantities(identifier: ids.Identifier, entries: Iterable[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        name = tasks_pb2.Resources.ResourceName.Name(entry.name)
        if name in found:
            raise invalid(f"can't specify {name} limit for task [{shown(identifier)}] multiple times")
        if name not in ("CPU", "MEMORY", "GPU", "EPHEMERAL_STORAGE"):
            continue
        try:
            quantity(entry.value)
        except ValueError as error:
            raise invalid(
                f"Parsing of {name} request failed for value {entry.value} - reason  {error}. Please follow K8s "
                "conventions for resources https://kubernetes.io/docs/concepts/configuration/"
                "manage-resources-containers/"
            ) from error
        if name == "GPU" and quantity(entry.value) % 1:
            raise invalid(f"gpu for [{shown(identifier)}] must be a whole number, got: {entry.value} instead")
        found[name] = entry.value
    return found


def _whole(text: str) -> int:
    """Return the value of a quantity as flyteadmin compares it: rounded up."""
    return math.ceil(quantity(text))


def quantity(text: str) -> Decimal:
    """Return the value of a quantity of Kubernetes, as in `500m` or `2Gi`."""
    matched = _QUANTITY.fullmatch(text)
    if matched is None:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number, exponent, binary, decimal = matched.groups()
    try:
        value = Decimal(number)
    except InvalidOperation as error:
        raise ValueError("unable to parse quantity's suffix") from error
    if binary:
        return value * 1024 ** ("KMGTPE".index(binary[0]) + 1)
    return value.scaleb(int(exponent[1:]) if exponent else _SUFFIXES[decimal or ""])


def check_size(workflow: workflow_pb2.Workflow, settings: Settings) -> None:
    """Check the size, and the number of nodes; those of the workflows within don't count."""
    size = settings.workflow_size_limit
    if size and workflow.closure.ByteSize() > quantity(size):
        raise invalid(f"Workflow closure size exceeds max limit [{size}]")
    count = len(workflow.closure.compiled_workflow.primary.template.nodes) - _SYSTEM_NODES
    limit = settings.max_workflow_nodes
    if count > limit:
        raise invalid(f"number of nodes in workflow [{shown(workflow.id)}] exceeds limit ({count} > {limit})")


# --- launch plans -----------------------------------------------------------------------------------------------------


def check_launch_plan(
    request: launch_plan_pb2.LaunchPlanCreateRequest, interface: iface.TypedInterface, settings: Settings
) -> iface.ParameterMap:
    """Check a launch plan and return the inputs that it expects."""
    check_identifier(request.id, ids.LAUNCH_PLAN)
    check_project(request.id.project, request.id.domain, settings)
    check_identifier(request.spec.workflow_id, ids.WORKFLOW)
    wanted = interface.inputs.variables
    defaults, fixed = request.spec.default_inputs.parameters, request.spec.fixed_inputs.literals
    check_literals(fixed, "fixed_inputs")
    check_parameters(defaults, "default_inputs")
    for kind, given in (("default", defaults), ("fixed", fixed)):
        if given and not wanted:
            raise invalid(f"invalid launch plan {kind} inputs, expected none but found {len(given)}")
        for name in given:
            if name not in wanted:
                raise invalid(f"unexpected {kind}_input {name}")
    for name, parameter in defaults.items():
        if not are_castable(parameter.var.type, wanted[name].type):
            raise invalid(
                f"invalid default_input wrong type {name}, expected {wanted[name].type}, "
                f"got {parameter.var.type} instead"
            )
    for name, literal in fixed.items():
        if not are_castable(type_of_literal(literal), wanted[name].type):
            raise invalid(
                f"invalid fixed_input wrong type {name}, expected {wanted[name].type}, "
                f"got {type_of_literal(literal)} instead"
            )
    expected = {name: defaults[name] for name in wanted if name in defaults} | {
        name: iface.Parameter(var=variable, required=True)
        for name, variable in wanted.items()
        if name not in defaults and name not in fixed
    }
    check_schedule(request.spec.entity_metadata.schedule, expected)
    if request.spec.entity_metadata.HasField("launch_conditions"):
        conditions = request.spec.entity_metadata.launch_conditions
        raise invalid(f"Launch condition must be empty, found {conditions}")
    return iface.ParameterMap(parameters=expected)


def check_literals(literals: Mapping[str, lit.Literal], field: str) -> None:
    for name, literal in literals.items():
        if literal.WhichOneof("value") is None:
            raise invalid(f"missing valid literal in {field} {name}")


def check_parameters(parameters: Mapping[str, iface.Parameter], field: str) -> None:
    for name, parameter in parameters.items():
        if parameter.var.type.WhichOneof("type") is None:
            raise invalid(
                f"The Variable component of the Parameter {name} in {field} either is missing, or has a missing Type"
            )
        if not parameter.HasField("default") and not parameter.required:
            raise invalid(
                f"Invalid variable {name} in {field} - variable has neither default, nor is required. "
                "One must be specified"
            )
        have = type_of_literal(parameter.default) if parameter.HasField("default") else None
        if have is not None and not are_castable(have, parameter.var.type):
            raise invalid(
                f"Type mismatch for Parameter {name} in {field} has type {parameter.var.type}, expected {have}"
            )


def check_schedule(schedule: schedule_pb2.Schedule, expected: Mapping[str, iface.Parameter]) -> None:
    """Check that a schedule can start the plan; the text of its cron expression isn't checked."""
    if schedule.WhichOneof("ScheduleExpression") is None:
        return
    name = schedule.kickoff_time_input_arg
    for key, parameter in expected.items():
        if parameter.required and key != name:
            raise invalid(
                "Cannot create a launch plan with a schedule if there is an unbound required input. "
                f"[{key}] is required"
            )
    if name and name not in expected:
        raise invalid(
            "Cannot create a schedule with a KickoffTimeInputArg that does not point to a free input. "
            f"[{name}] is not free or does not exist."
        )
    if name and expected[name].var.type.simple != typ.DATETIME:
        kind = expected[name].var.type
        raise invalid(f"KickoffTimeInputArg must reference a datetime input. [{name}] is a [{kind}]")


# --- executions -------------------------------------------------------------------------------------------------------


def check_execution(request: execution_pb2.ExecutionCreateRequest, settings: Settings) -> None:
    require(request.project, "project")
    require(request.domain, "domain")
    if request.name:
        check_execution_name(request.name.lower())
    check_project(request.project, request.domain, settings)
    require(request.HasField("spec"), "spec")
    check_fields(request.spec.launch_plan)
    if request.spec.launch_plan.resource_type not in (ids.LAUNCH_PLAN, ids.TASK):
        kind = ids.ResourceType.Name(request.spec.launch_plan.resource_type)
        raise invalid(
            f"Invalid reference entity resource type [{kind}], only [map[LAUNCH_PLAN:<nil> TASK:<nil>]] allowed"
        )
    check_literals(request.inputs.literals, "inputs")


def check_execution_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise invalid(f"size of name exceeded length {LONGEST_NAME} : {name}")
    if not _EXECUTION_NAME.fullmatch(name):
        raise invalid(f"invalid name format: {name}, does not match regex '^[a-z][a-z\\-0-9]*$'")


def all_inputs(given: lit.LiteralMap, fixed: lit.LiteralMap, expected: iface.ParameterMap) -> lit.LiteralMap:
    """Return the inputs of an execution: those that are given, defaults and fixed ones."""
    parameters = expected.parameters
    for name in given.literals:
        if name not in parameters:
            raise invalid(f"invalid input {name}")
    found: dict[str, lit.Literal] = {}
    for name, parameter in parameters.items():
        if name not in given.literals:
            if parameter.required:
                raise invalid(f"expected_inputs {name} missing")
            found[name] = parameter.default
            continue
        found[name] = given.literals[name]
        have = type_of_literal(found[name])
        if not are_castable(have, parameter.var.type):
            raise invalid(f"invalid {name} input wrong type. Expected {parameter.var.type}, but got {have}")
    for name, literal in fixed.literals.items():
        if name in found:
            raise invalid(f"fixed_inputs {name} cannot be overridden")
        found[name] = literal
    return lit.LiteralMap(literals=found)
