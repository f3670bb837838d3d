"""Call of AWS by a task of the SageMaker plugin, recorded where the plugin would send it.

The plugin's own code fills in placeholders and makes the idempotence token; only its AWS client is another one.
"""

from __future__ import annotations

import copy
from types import FunctionType
from typing import Any

from flytekit.extend.backend.base_connector import ConnectorRegistry
from flytekit.extend.backend.utils import render_task_template
from flytekit.models.literals import LiteralMap
from flytekit.models.task import TaskTemplate

_MIXIN = "Boto3ConnectorMixin"
"""The class of the plugin (flytekitplugins-awssagemaker, 1.16.31) whose `_call` sends every request."""


class _Recorded(Exception):  # noqa: N818 - it ends the plugin's code, and isn't an error
    """Raised in place of the call."""

    def __init__(self, call: dict[str, Any]) -> None:
        super().__init__(call)
        self.call = call


class _Client:
    """An AWS client that records its first call."""

    def __init__(self, service_name: str, region_name: str) -> None:
        self._target = {"service": service_name, "region": region_name}

    async def __aenter__(self) -> _Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getattr__(self, method: str) -> Any:
        def call(**config: Any) -> None:
            raise _Recorded({**self._target, "method": method, "config": config})

        return call


class _Session:
    client = _Client


class _Library:
    Session = _Session


def read_boto_call(template: TaskTemplate, inputs: LiteralMap, output_prefix: str) -> dict[str, Any]:
    """Return service, region, method and configuration of the first call; empty for any other plugin.

    Raises:
        Exception: what the plugin raises for a configuration that it can't fill in.
    """
    try:
        connector = ConnectorRegistry.get_connector(template.type, template.task_type_version)
    except Exception:
        return {}
    send = _sender(connector)
    if send is None:
        return {}
    template = TaskTemplate.from_flyte_idl(template.to_flyte_idl())  # the plugin changes its configuration
    if template.container is not None:
        render_task_template(template, output_prefix)
    try:
        send(task_template=template, inputs=inputs, output_prefix=output_prefix).send(None)
    except _Recorded as recorded:
        return recorded.call
    return {}


def _sender(connector: Any) -> Any:
    """Return the method that creates a job, with calls that are recorded."""
    cls: Any = type(connector)
    mixin = next((base for base in cls.__mro__ if base.__name__ == _MIXIN), None)
    if mixin is not None:
        recording = copy.copy(connector)
        recording.__class__ = type(cls.__name__, (cls,), {"_call": _with(mixin._call, aioboto3=_Library)})
        return recording.create
    do = getattr(cls, "do", None)
    mixin = getattr(do, "__globals__", {}).get(_MIXIN)
    if mixin is None:
        return None
    recording = type(_MIXIN, (mixin,), {"_call": _with(mixin._call, aioboto3=_Library)})
    return _with(do, **{_MIXIN: recording}).__get__(connector)


def _with(function: Any, **names: Any) -> FunctionType:
    """Return a copy of a function whose global names have other values; the module isn't changed."""
    made = FunctionType(
        function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    made.__kwdefaults__ = function.__kwdefaults__
    return made
