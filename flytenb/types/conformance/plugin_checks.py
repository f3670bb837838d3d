"""The checks of a task plugin, on one of its tasks: each returns what it found, or raises."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cloudpickle
from google.protobuf import json_format, struct_pb2

from flytenb.bridge.entities.interface import kind_of, short_name
from flytenb.bridge.execution import pod
from flytenb.bridge.execution.connector import has_own_execute, is_connector_task
from flytenb.bridge.execution.pod import PodResult
from flytenb.bridge.execution.task_template import find_lost_digits
from flytenb.errors import headline
from flytenb.model import Kind
from flytenb.reach.process_state import save_state
from flytenb.reach.state_kinds import KINDS, MAIN_THREAD
from flytenb.reach.state_uses import state_use_of
from flytenb.runner import capture
from flytenb.runner.resources import resources
from flytenb.types.conformance.plugin_subject import PluginSubject
from flytenb.types.conformance.subject import BrokenError, NotCheckedError
from flytenb.types.value_changes import describe_value, first_change
from flytenb.wording.quantities import count_text
from flytenb.wording.text import class_name
from flytenb.wording.values import LONG, brief

_COMPILING = {Kind.DYNAMIC: "its pod compiles a workflow", Kind.EAGER: "its pod launches what it calls"}


# --- the class and its configuration ----------------------------------------------------------------------------------


def _has_type(subject: PluginSubject) -> str:
    task_type, version = subject.task.task_type, subject.task.task_type_version
    fix = "pass task_type to super().__init__: a cluster chooses the plugin by it"
    if not isinstance(task_type, str) or not task_type:
        raise BrokenError(f"expected task_type to be a text, got {brief(task_type)}", fix)
    if type(version) is not int or version < 0:
        raise BrokenError(f"expected task_type_version to be an integer >= 0, got {brief(version)}", fix)
    return f"{task_type}, version {version}"


def _config_survives(subject: PluginSubject) -> str:
    config = subject.task.task_config
    if config is None:
        return "it has no task_config"
    again = cloudpickle.loads(cloudpickle.dumps(config))
    if not _is_equal(config, again):
        fix = f"make {class_name(config)} a dataclass, or define __eq__ and what pickle needs"
        raise BrokenError(f"{brief(config)} is {brief(again)} after pickling", fix)
    return brief(config, LONG)


def _is_equal(config: Any, again: Any) -> bool:
    """Compare two objects of a class, by their attributes if it has no `__eq__`."""
    return bool(config == again) or (hasattr(config, "__dict__") and vars(config) == vars(again))


def _is_registered(subject: PluginSubject) -> str:
    task = subject.task
    if not pod.is_plugins(task) or task.task_config is None:
        return "tasks of it are made by calling its class"
    config, kind = class_name(task.task_config), class_name(task)
    found = pod.plugin_of(task.task_config)
    if found is not type(task):
        fix = f"TaskPlugins.register_pythontask_plugin({config}, {kind})"
        raise BrokenError(f"@task(task_config={config}(…)) makes a {found.__qualname__}, not a {kind}", fix)
    pod.register_again(task)
    return f"@task(task_config={config}(…)) makes a {kind}, also after registering it again"


# --- here -------------------------------------------------------------------------------------------------------------


def _runs_here(subject: PluginSubject) -> str:
    failure = subject.run.error
    if failure is not None:
        fix = "execute must accept the declared inputs and return the declared outputs; pass inputs that it can take"
        raise BrokenError(f"{_inputs_text(subject.inputs)}: {headline(failure.exception)}", fix)
    shown = ", ".join(f"{name}={describe_value(value)}" for name, value in subject.outputs.items())
    return f"{_inputs_text(subject.inputs)} gave {shown or 'no outputs'}"


def _inputs_text(inputs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={describe_value(value)}" for name, value in inputs.items()) or "no inputs"


_HOOKS = ("pre_execute", "execute", "post_execute")


def _has_hooks_in_order(subject: PluginSubject) -> str:
    outputs, task = subject.outputs, subject.task
    if is_connector_task(task) and not has_own_execute(task):
        raise NotCheckedError("its connector runs it, and calls no hooks")
    if kind_of(task) in (Kind.EAGER, Kind.DYNAMIC, Kind.CONTAINER):
        raise NotCheckedError("flytekit calls it in another way")
    restore = save_state(KINDS)
    try:
        with _recorded(task) as calls, _silent():
            literals = _call_as_pod(subject)
    finally:
        restore()
    if [name for name, _ in calls] != list(_HOOKS):
        order = " → ".join(name for name, _ in calls) or "none of them"
        raise BrokenError(f"flytekit called {order}", "dispatch_execute must call pre_execute, execute, post_execute")
    returned = dict(calls)
    if returned["pre_execute"] is None:
        raise BrokenError(
            "pre_execute returned None", "return user_params, changed or not: the task's context is made of it"
        )
    if returned["post_execute"] is None and returned["execute"] is not None and outputs:
        raise BrokenError("post_execute returned None", "return rval, changed or not: it is what the task returns")
    change = first_change(dict(outputs), pod.natives(task, literals))
    if change is not None:
        raise BrokenError(str(change), "equal inputs must give equal outputs, or the other rows can't compare them")
    return " → ".join(_HOOKS)


def _call_as_pod(subject: PluginSubject) -> Any:
    """Call the task as flytekit does, on the main thread if it needs that."""
    use, _ = state_use_of(subject.task, has_own_cwd=False)
    inputs = {"task": subject.task, "inputs": subject.inputs}
    if MAIN_THREAD in use.writes and resources.main_thread.is_waiting:
        return resources.main_thread.call(pod.call_as_pod, inputs)
    return pod.call_as_pod(**inputs)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Drop what this thread prints."""
    resources.printing.begin()
    capture.set_sink(lambda: None)
    try:
        yield
    finally:
        capture.set_sink(None)
        resources.printing.end()


@contextlib.contextmanager
def _recorded(task: Any) -> Iterator[list[tuple[str, Any]]]:
    """Record the hooks that are called and what each returns."""
    calls: list[tuple[str, Any]] = []

    def recorder(name: str) -> Callable[..., Any]:
        hook = getattr(task, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append((name, None))
            at = len(calls) - 1
            returned = hook(*args, **kwargs)
            calls[at] = (name, returned)
            return returned

        return call

    before = dict(vars(task))
    vars(task).update({name: recorder(name) for name in _HOOKS})
    try:
        yield calls
    finally:
        for name in _HOOKS:
            vars(task).pop(name)
            if name in before:
                vars(task)[name] = before[name]


# --- on a cluster -----------------------------------------------------------------------------------------------------


def _serialises(subject: PluginSubject) -> str:
    if isinstance(subject.serialised, BaseException):
        fix = "fix get_container, get_k8s_pod, get_sql, get_custom or get_config; bind the task to a name of its module"
        raise BrokenError(headline(subject.serialised), fix)
    first, second = (pod.template_parts(each) for each in (subject.template, pod.serialise(subject.task)))
    changed = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    if changed:
        fix = "no counter, time or random name: a task whose template changes can't be registered again"
        raise BrokenError(f"two calls returned different templates: {', '.join(changed)}", fix)
    return f"twice the same: {', '.join(name for name in first if name not in ('id', 'metadata', 'interface'))}"


def _has_target(subject: PluginSubject) -> str:
    template = subject.template
    if template.container is not None:
        return _check_container(template.container)
    if template.k8s_pod is not None:
        return _check_pod(template)
    if template.sql is not None:
        if not template.sql.statement:
            raise BrokenError("get_sql returned an empty statement", "return the rendered query")
        return f"a query: {brief(template.sql.statement)}"
    if kind_of(subject.task) is Kind.SQL and not template.custom:
        raise BrokenError(
            "the query isn't in what is registered", "return Sql(statement=…) from get_sql, or get_custom"
        )
    return f"no container: a connector or backend plugin for {template.type} runs it"


def _check_container(container: Any) -> str:
    if not container.image:
        raise BrokenError("get_container gave no image", "return get_registerable_container_image(…) as its image")
    texts = [*(container.command or []), *(container.args or []), *(container.env or {}).items()]
    wrong = [text for text in texts if not isinstance(text, str | tuple)]
    if wrong:
        raise BrokenError(f"expected texts as command and arguments, got {brief(wrong)}", "convert them to str")
    if not container.args and not container.command:
        raise BrokenError("get_container returned neither command nor args", "return get_command(settings)")
    given = [*container.resources.requests, *container.resources.limits]
    parts = [f"image {container.image}", count_text(len(container.args), "argument")]
    parts += [f"{len(container.env)} of environment"] if container.env else []
    parts += [f"{count_text(len(given), 'resource')}"] if given else []
    return ", ".join(parts)


def _check_pod(template: Any) -> str:
    spec = template.k8s_pod.pod_spec
    _json_of("get_k8s_pod", spec)
    names = [container.get("name") for container in spec.get("containers", ())]
    primary = (template.config or {}).get("primary_container_name")
    if primary not in names:
        fix = "return {'primary_container_name': …} from get_config, with the name of one of the pod's containers"
        raise BrokenError(
            f"the primary container is {primary!r}, the pod has {', '.join(map(repr, names)) or 'none'}", fix
        )
    return f"a pod with {count_text(len(names), 'container')}, {primary} first"


def _has_plain_custom(subject: PluginSubject) -> str:
    custom, config = subject.template.custom, subject.template.config
    if custom:
        _json_of("get_custom", custom)
        json_format.ParseDict(custom, struct_pb2.Struct())
        lost = ", ".join(find_lost_digits(custom))
        if lost:
            raise BrokenError(f"get_custom: {lost}", "return large integers as text: a cluster stores floats")
    wrong = {k: v for k, v in (config or {}).items() if not isinstance(k, str) or not isinstance(v, str)}
    if wrong:
        raise BrokenError(f"get_config returned {brief(wrong)}", "its keys and values must be texts")
    return ", ".join([*(f"custom {key}" for key in custom or ()), *(f"config {key}" for key in config or ())]) or "none"


def _json_of(method: str, value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BrokenError(f"{method}: {headline(error)}", "return dicts, lists, texts, numbers and booleans") from error


def _is_loaded_again(subject: PluginSubject) -> str:
    arguments = list(subject.container.args)
    if "--resolver" not in arguments:
        raise NotCheckedError("its arguments name no resolver")
    if pod.is_of_cell(subject.task):
        raise NotCheckedError("it is defined in a cell, and pods load it from a pickle: see the row below")
    if "{{.taskTemplatePath}}" in arguments:
        raise NotCheckedError("its pod is given the template of the task, not the task")
    found = pod.load_again(subject.template)
    if found is not subject.task:
        raise BrokenError(
            f"{' '.join(arguments[arguments.index('--') + 1 :])} leads to {describe_value(found)}",
            "bind the task to a name of its module, or pass a task_resolver whose loader_args lead to it",
        )
    return " ".join(arguments[arguments.index("--") + 1 :])


def _runs_as_pod(subject: PluginSubject) -> str:
    kind = kind_of(subject.task)
    if kind in _COMPILING:
        raise NotCheckedError(_COMPILING[kind])
    outputs, arguments = subject.outputs, list(subject.container.args)
    if arguments[:1] != ["pyflyte-execute"]:
        raise NotCheckedError(f"its command isn't pyflyte-execute: {brief(arguments)}")
    result: PodResult = pod.run_pod(
        subject.task, subject.template, subject.inputs, subject.folder / "pod", subject.patience
    )
    if result.error:
        raise BrokenError(result.error, "the task must run in a process that only imports its module")
    change = first_change(dict(outputs), dict(result.outputs))
    if change is not None:
        raise BrokenError(str(change), "all that the task uses must be in its module, its inputs or its files")
    return f"{arguments[0]} wrote the outputs of {short_name(subject.task)} as above"


PLUGIN_CHECKS: tuple[tuple[str, Callable[[PluginSubject], str]], ...] = (
    ("task type", _has_type),
    ("config survives pickling", _config_survives),
    ("registered for its config", _is_registered),
    ("runs here", _runs_here),
    ("hooks in order", _has_hooks_in_order),
    ("serialises", _serialises),
    ("container, pod or query", _has_target),
    ("custom and config are plain", _has_plain_custom),
    ("is loaded again", _is_loaded_again),
    ("its pod runs", _runs_as_pod),
)
