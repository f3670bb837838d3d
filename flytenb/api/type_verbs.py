"""Functions on types and extensions: the type lens and the conformance checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flytenb.bridge.entities.kind import is_python_task
from flytenb.bridge.execution.connector import is_connector_task
from flytenb.bridge.execution.connector_facts import is_connector
from flytenb.display.conformance_card import Conformance
from flytenb.display.type_lens import Lens
from flytenb.errors import UsageError
from flytenb.types import MISSING
from flytenb.wording.types import is_annotation
from flytenb.wording.values import brief, class_name


def lens(python_type: Any, sample: Any = ...) -> Lens:
    """Return how flytekit handles a type: its transformer, the reason for it, and the round trip of a value.

    Args:
        python_type: an annotation.
        sample: a value of the type; if omitted, one is made from the type where possible.

    Raises:
        UsageError: for a value instead of a type.
        TypeError: if flytekit can't look up the type.
    """
    if not is_annotation(python_type):
        hint = f"pass a value along with its type: flytenb.lens({class_name(python_type)}, sample=…)"
        raise UsageError(f"expected a type, got {brief(python_type)}", hint=hint)
    return Lens.of(python_type, MISSING if sample is ... else sample)


def check_transformer(
    python_type: Any, samples: Iterable[Any] = (), *, wrong: Sequence[Any] | None = None
) -> Conformance:
    """Test the transformer of a type with everything that can happen to a value between tasks.

    In the tests of a package: `result = flytenb.check_transformer(Audio, [clip]); assert result.ok, result`.

    Args:
        python_type: the type.
        samples: values of the type; if omitted, one is made from the type where possible.
        wrong: values that the transformer must reject; by default an object, a number and a text.

    Raises:
        NoSampleError: if samples are omitted and none can be made.
    """
    return Conformance.of(python_type, samples, wrong)


def check_plugin(task: Any, inputs: Mapping[str, Any] | None = None, *, patience: float = 120.0) -> Conformance:
    """Test the task plugin that a task is made by: here, as what is registered of it, and in the process of a pod.

    In the tests of a plugin: `result = flytenb.check_plugin(train, {"epochs": 1}); assert result.ok, result`.

    Args:
        task: a task of the plugin, made by `@task(task_config=…)` or by calling its class.
        inputs: its inputs by name; those that are omitted are their defaults, or made from the type where possible.
        patience: seconds that one check may take; one that takes longer names the hook, and no other follows.

    Raises:
        UsageError: for anything but a task, such as the plugin's class.
        InputError: for invalid inputs.
        NoSampleError: if an input is omitted and can't be made.
    """
    if not is_python_task(task):
        hint = "make a task of the plugin, @task(task_config=…), and pass that"
        raise UsageError(f"expected a task, got {brief(task)}", hint=hint)
    return Conformance.of_plugin(task, inputs, patience)


def check_connector(
    connector: Any,
    task: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    failing: Mapping[str, Any] | None = None,
    patience: float = 60.0,
) -> Conformance:
    """Test a connector by calling it as a cluster does: several jobs are created, followed and deleted.

    In the tests of a connector, with a service that runs for the tests or in the place of one:
    `result = flytenb.check_connector(Queries(), query, {"n": 3}, failing={"n": -1}); assert result.ok, result`.

    Args:
        connector: an object of the connector's class.
        task: a task that it runs.
        inputs: inputs with which a job succeeds; those that are omitted are their defaults, or made from the type
            where possible.
        failing: inputs with which a job fails; without them, failures aren't checked.
        patience: seconds to wait for the end of a call, and for that of a job; a method that takes longer, by blocking
            the event loop too, is named and isn't called again.

    Raises:
        UsageError: for anything but a connector and a task that a connector runs.
        NoSampleError: if an input is omitted and can't be made.
    """
    if not is_connector(connector):
        hint = "pass an object of its class: flytenb.check_connector(MyConnector(), task, {…})"
        raise UsageError(f"expected a connector, got {brief(connector)}", hint=hint)
    if not is_connector_task(task):
        hint = "derive its class from AsyncConnectorExecutorMixin or SyncConnectorExecutorMixin"
        raise UsageError(f"expected a task that a connector runs, got {brief(task)}", hint=hint)
    return Conformance.of_connector(connector, task, inputs or {}, failing, patience)
