"""Private attributes of flytekit, one accessor each.

No other module uses one. Each has a contract test in `tests/bridge/test_private.py`, which CI runs with the oldest
and the newest flytekit that pyproject.toml allows, so that an upgrade of flytekit fails there first.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from flytenb.locks import new_lock

if TYPE_CHECKING:
    from flytekit.core.condition import BranchNode
    from flytekit.core.gate import Gate
    from flytekit.core.node import Node
    from flytekit.core.workflow import WorkflowBase
    from flytekit.models.core.workflow import IfElseBlock

FAILURE_HANDLER_CHECK = "_validate_add_on_failure_handler"
"""The method of a workflow that compiles its failure handler; its name is looked for in tracebacks."""

TASK_LABELS = frozenset([
    "_name", "_metadata", "_docs", "_instantiated_in", "_module_file", "_lhs", "_task_type_version",  # its name
    "_interface", "_native_interface", "_python_interface", "_collection_interface",  # its types
    "_container_image", "_resources", "_security_ctx", "pod_template", "accelerator", "shared_memory",  # where it runs
    "_deck_fields", "_disable_deck", "_task_resolver", "_get_command_fn", "_node_dependency_hints", "sub_node_metadata",
    "_cmd_prefix", "_config_task_instance", "_concurrency",  # how a cluster starts it
    "_wf", "_outputs", "_process_result",  # set when it is compiled or run
])  # fmt: skip
"""The attributes of tasks that don't change the result of a call."""

_opening = new_lock()


def ifelse_block(branch: BranchNode) -> IfElseBlock:
    """Return the cases of a conditional; their `then_node`s are flytekit's nodes, not models."""
    return branch._ifelse_block


def compiled_nodes(workflow: WorkflowBase) -> list[Node]:
    """Return the nodes of a workflow without compiling it; `nodes` compiles one that was made from a function."""
    nodes: list[Node] = workflow.nodes if workflow_function(workflow) is None else workflow._nodes
    return nodes


def compiled_outputs(workflow: WorkflowBase) -> list[Any]:
    """Return the output bindings of a workflow without compiling it."""
    bindings: list[Any] = workflow._output_bindings
    return bindings


def workflow_function(workflow: WorkflowBase) -> Callable[..., Any] | None:
    """Return the function under `@workflow`, None for an imperative workflow."""
    return getattr(workflow, "_workflow_function", None)


def node_resources(node: Node) -> Any:
    """Return the resources that `with_overrides` set (a model), or None."""
    return node._resources


def node_extended_resources(node: Node) -> Any:
    """Return the accelerator and shared memory that `with_overrides` set (a protobuf message), or None."""
    return node._extended_resources


def node_image(node: Node) -> Any:
    """Return the image that `with_overrides` set, or None."""
    return node._container_image


def gate_timeout(gate: Gate) -> Any:
    """Return the timeout of a gate."""
    return gate._timeout


def container_image(task: Any) -> Any:
    """Return the image of a raw container task, or None."""
    return getattr(task, "_image", None)


def forget_compiled(workflow: Any) -> None:
    """Reset a workflow to the state before it was compiled."""
    restore_compiled(workflow, ([], [], None))
    workflow.compiled = False


def compiled_state(workflow: Any) -> tuple[list[Node], list[Any], Node | None]:
    """Return what a workflow was compiled to, for `restore_compiled`."""
    return workflow._nodes, workflow._output_bindings, workflow._failure_node


def restore_compiled(workflow: Any, state: tuple[list[Node], list[Any], Node | None]) -> None:
    """Give a workflow again what it was compiled to before `forget_compiled`."""
    workflow._nodes, workflow._output_bindings, workflow._failure_node = state
    workflow.compiled = True


def set_entity(node: Node, entity: Any) -> None:
    """Let a node call another entity."""
    node._flyte_entity = entity


@contextmanager
def returned_noted(workflow: Any, call: Callable[[Any, dict[str, Any]], Any]) -> Iterator[list[Any]]:
    """Yield a list that receives the value that a workflow's function returns while flytekit compiles it.

    Args:
        workflow: a workflow of a function.
        call: calls the function with its inputs.
    """
    function = workflow._workflow_function
    returned: list[Any] = []

    @functools.wraps(function)
    def note(**inputs: Any) -> Any:
        returned.append(call(function, inputs))
        return returned[-1]

    workflow._workflow_function = note
    try:
        yield returned
    finally:
        workflow._workflow_function = function


def failure_node(workflow: Any) -> Any:
    """Return the node of a workflow's failure handler without compiling it, or None."""
    return workflow._failure_node


def forget_pickled() -> None:
    """Clear the pickles that `FlyteRemote` keeps, one of each entity that it registers from a notebook."""
    remote = sys.modules.get("flytekit.remote.remote")
    if remote is not None:
        remote._get_pickled_target_dict.cache_clear()


class _Scratch(NamedTuple):
    """A directory of the run, which is removed with the run."""

    name: str

    def cleanup(self) -> None:
        """Do nothing."""


def checkpoint_in(destination: str, source: str | None, *, scratch: str) -> Any:
    """Return flytekit's checkpoint without the temporary directory that it makes for itself.

    Args:
        destination: the path that it is written to.
        source: the path of the previous attempt's checkpoint, None if there is none.
        scratch: a directory for downloads.
    """
    from flytekit.core.checkpointer import SyncCheckpoint

    made = object.__new__(SyncCheckpoint)
    made._checkpoint_dest = destination
    made._checkpoint_src = source
    made._td = _Scratch(scratch)
    made._prev_download_path = None
    return made


def loop_runners() -> tuple[type, dict[str, Any]]:
    """Return the class whose `run(coroutine)` uses the loop thread of the calling thread, and its objects by thread."""
    from flytekit.utils import asyn

    return asyn._TaskRunner, asyn.loop_manager._runner_map


def transformer_registry() -> dict[Any, Any]:
    """Return the type engine's table of transformers, by type."""
    from flytekit.core.type_engine import TypeEngine

    registry: dict[Any, Any] = TypeEngine._REGISTRY
    return registry


def task_plugins() -> dict[type, type]:
    """Return flytekit's table of task plugins, config type to task class."""
    from flytekit.core.task import TaskPlugins

    plugins: dict[type, type] = TaskPlugins._PYTHONFUNCTION_TASK_PLUGINS
    return plugins


def connectors() -> dict[Any, Any]:
    """Return flytekit's table of connectors, task category to connector."""
    from flytekit.extend.backend.base_connector import ConnectorRegistry

    registry: dict[Any, Any] = ConnectorRegistry._REGISTRY
    return registry


def open_cache_store() -> Any:
    """Return the store of flytekit's local cache if it is open, else None."""
    from flytekit.core.local_cache import LocalTaskCache

    return LocalTaskCache._cache if LocalTaskCache._initialized else None


def cache_store() -> Any:
    """Return the store of flytekit's local cache, a `diskcache.Cache`, and open it if needed."""
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

    store = open_cache_store()
    directory = local_cache.CACHE_LOCATION if store is None else store.directory
    return str(os.path.expanduser(directory))  # noqa: PTH111 - as diskcache does


def forget_codecs(transformer: Any) -> None:
    """Clear the MessagePack codecs that a transformer has built, one for each type."""
    transformer._msgpack_encoder = {}
    transformer._msgpack_decoder = {}


class ContainerParts(NamedTuple):
    """The arguments of a raw container task."""

    image: Any  # a name, or an ImageSpec
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    input_dir: str
    output_dir: str
    summary_form: str  # `"JSON"`, `"YAML"` or `"PROTO"`: the form of the file that contains all inputs


def container_parts(task: Any) -> ContainerParts:
    """Return a raw container task's image, command line, directories and the form of its inputs' summary."""
    return ContainerParts(
        task._image,
        tuple(task._cmd or ()),
        tuple(task._args or ()),
        (task._input_data_dir or "").rstrip("/"),
        (task._output_data_dir or "").rstrip("/"),
        str(task._md_format.name),
    )


def set_python_interface(entity: Any, interface: Any) -> None:
    """Replace the Python interface of a task or workflow that isn't compiled yet, and the typed one with it."""
    from flytekit.core.interface import transform_interface_to_typed_interface

    entity._python_interface = interface
    entity._interface = transform_interface_to_typed_interface(interface)


def expect_pickled_tasks() -> None:
    """Allow maps of tasks that came into this process as a pickle, without their module, as in a pickled execution."""
    from flytekit.core import tracker

    tracker.is_ipython_or_pickle_exists = lambda: True


def legacy_map(task: Any) -> tuple[int | None, float | None]:
    """Return the concurrency and the minimum success ratio of a legacy map task."""
    return task._max_concurrency, task._min_success_ratio


def map_inputs(task: Any) -> dict[str, Any]:
    """Return the inputs that the `functools.partial` of a map task gives."""
    return {**(task._partial.keywords if task._partial else {}), **getattr(task, "_bound_inputs_values", {})}


def dataset_literal(dataset: Any) -> Any:
    """Return the literal that a structured dataset reads from, or None."""
    return dataset._literal_sd


def set_dataset_literal(dataset: Any, literal: Any) -> None:
    """Set the literal that a structured dataset reads from."""
    dataset._literal_sd = literal


def remote_source(file: Any) -> str | None:
    """Return the path or address that a `FlyteFile` or `FlyteDirectory` is downloaded from, or None."""
    source: str | None = getattr(file, "_remote_source", None)
    return source


def set_download(file: Any, source: str | None, download: Callable[[], Any]) -> None:
    """Let a `FlyteFile` or `FlyteDirectory` be downloaded from `source` when first opened; None makes it local."""
    file._remote_source = source
    file._downloader = download


def set_local_path(file: Any, path: str) -> None:
    """Set the path that a `FlyteFile` is downloaded to."""
    file._local_path = path


def allow_upload(directory: Any) -> None:
    """Let a `FlyteDirectory` that was made from a literal be uploaded, as a `FlyteFile` is."""
    if directory._remote_directory is False:
        directory._remote_directory = None


def script_file(task: Any) -> Any:
    """Return the path of a shell task's script, None for any other task and for a script in the task itself."""
    return vars(task).get("_script_file")


def shell_runner() -> tuple[Any, str]:
    """Return the module and the name of the function that runs the scripts of shell tasks."""
    from flytekit.extras.tasks import shell

    return shell, shell._run_script.__name__


def is_conversion_inherited(task_class: type) -> bool:
    """Tell whether a task class converts inputs and outputs by the methods of flytekit's `PythonTask`."""
    from flytekit.core.base_task import PythonTask

    cls: Any = task_class
    methods = ("_output_to_literal_map", "_literal_map_to_python_input")
    return all(getattr(cls, name) is getattr(PythonTask, name) for name in methods)


def write_decks(task: Any, inputs: dict[str, Any], outputs: dict[str, Any], context: Any, parameters: Any) -> None:
    """Render a task's decks for native inputs and outputs, as its dispatch does after the call."""
    task._write_decks(inputs, outputs, context, parameters)
