"""Every private attribute of flytekit that flytenb touches, one accessor each; their use is left to callers.

Each was checked against flytekit 1.16.31 and has a contract in `tests/test_bridge_private.py`, so that an upgrade of
flytekit breaks there first.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from flytekit.core.condition import BranchNode
    from flytekit.core.gate import Gate
    from flytekit.core.node import Node
    from flytekit.core.workflow import WorkflowBase
    from flytekit.models.core.workflow import IfElseBlock

_opening = threading.Lock()


def ifelse_block(branch: BranchNode) -> IfElseBlock:
    """Return the only place that holds a conditional's cases; its `then_node`s are flytekit's own nodes, not models."""
    return branch._ifelse_block


def compiled_nodes(workflow: WorkflowBase) -> list[Node]:
    """Return the nodes of a workflow without compiling it."""
    nodes: list[Node] = workflow._nodes
    return nodes


def compiled_outputs(workflow: WorkflowBase) -> list[Any]:
    """Return the output bindings of a workflow without compiling it."""
    bindings: list[Any] = workflow._output_bindings
    return bindings


def workflow_function(workflow: WorkflowBase) -> Callable[..., Any] | None:
    """Return the function under `@workflow`, None for an imperative workflow."""
    return getattr(workflow, "_workflow_function", None)


def node_resources(node: Node) -> Any:
    """Return the resources that `with_overrides` asked for (a model), or None."""
    return node._resources


def node_extended_resources(node: Node) -> Any:
    """Return the accelerator and shared memory that `with_overrides` asked for (a protobuf message), or None."""
    return node._extended_resources


def node_image(node: Node) -> Any:
    """Return the image that `with_overrides` asked for, or None."""
    return node._container_image


def gate_timeout(gate: Gate) -> Any:
    """Return how long a gate waits for its answer."""
    return gate._timeout


def container_image(task: Any) -> Any:
    """Return the image that a raw container task names, or None."""
    return getattr(task, "_image", None)


def forget_compiled(workflow: Any) -> None:
    """Make a workflow as it was before it compiled, so that the next compile starts from nothing."""
    workflow.compiled = False
    workflow._nodes = []
    workflow._output_bindings = []
    workflow._failure_node = None


def transformer_registry() -> dict[Any, Any]:
    """Return the type engine's own table, type to transformer: what is chosen for a type changes with it."""
    from flytekit.core.type_engine import TypeEngine

    registry: dict[Any, Any] = TypeEngine._REGISTRY
    return registry


def cache_store() -> Any:
    """Return the store of flytekit's local cache, a `diskcache.Cache`, opened if it isn't yet, by one thread."""
    from flytekit.core.local_cache import LocalTaskCache

    if not LocalTaskCache._initialized:
        with _opening:
            if not LocalTaskCache._initialized:
                LocalTaskCache.initialize()
    return LocalTaskCache._cache


def replace_cache_store(store: Any) -> None:
    """Make another `diskcache.Cache` the store of flytekit's local cache."""
    from flytekit.core.local_cache import LocalTaskCache

    LocalTaskCache._cache = store
    LocalTaskCache._initialized = True


def cache_directory() -> str:
    """Return the directory of flytekit's local cache, whether it has been opened or not."""
    from flytekit.core import local_cache

    is_open = local_cache.LocalTaskCache._initialized
    directory = local_cache.LocalTaskCache._cache.directory if is_open else local_cache.CACHE_LOCATION
    return str(os.path.expanduser(directory))  # noqa: PTH111 - as diskcache does


def forget_codecs(transformer: Any) -> None:
    """Make a transformer forget the MessagePack codecs that it has built, one for each type that it met."""
    transformer._msgpack_encoder = {}
    transformer._msgpack_decoder = {}


class ContainerParts(NamedTuple):
    """What a raw container task was made from."""

    image: str
    command: list[str]
    input_dir: str
    output_dir: str


def container_parts(task: Any) -> ContainerParts:
    """Return a raw container task's image, command line and directories."""
    return ContainerParts(
        str(task._image),
        [*(task._cmd or ()), *(task._args or ())],
        (task._input_data_dir or "").rstrip("/"),
        (task._output_data_dir or "").rstrip("/"),
    )
