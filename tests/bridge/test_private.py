"""The contract of each private attribute of flytekit in `bridge/private.py`, and that no other module uses one."""

from __future__ import annotations

import copy
import functools
import inspect
import os
import re
import threading
from datetime import timedelta
from pathlib import Path
from types import FunctionType
from typing import Any

import flytekit
import pytest
from diskcache import Cache
from flytekit import (
    ContainerTask,
    FlyteContext,
    Resources,
    Workflow,
    conditional,
    dynamic,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit.core import local_cache, tracker
from flytekit.core.checkpointer import SyncCheckpoint
from flytekit.core.condition import BranchNode
from flytekit.core.legacy_map_task import map_task as legacy_map_task
from flytekit.core.promise import Promise
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.core.task import TaskPlugins
from flytekit.core.tracker import extract_task_module
from flytekit.core.type_engine import TypeEngine
from flytekit.deck import DeckField
from flytekit.extras.accelerators import T4
from flytekit.extras.tasks.shell import ShellTask
from flytekit.remote import remote
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.utils.asyn import loop_manager

from flytenb.bridge import private
from tests.private_names import private_attributes, private_uses

OTHERS = {"_name", "_repr_html_", "_LazyModule", "_values", "_sql", "_signal"}
"""Names of the standard library, IPython, PyTorch and diskcache that flytekit has too."""


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def chosen(x: int) -> int:
    return conditional("c").if_(x > 1).then(inc(x=x)).elif_(x == 0).then(inc(x=5)).else_().fail("no")


@workflow
def overridden(x: int) -> int:
    wait_for_input("go", timeout=timedelta(minutes=5), expected_type=bool)
    return inc(x=x).with_overrides(requests=Resources(cpu="3"), container_image="example.org/i:1", accelerator=T4)


def test_the_cases_of_a_conditional_are_in_its_block() -> None:
    (node,) = chosen.nodes
    assert isinstance(node.flyte_entity, BranchNode)
    block = private.ifelse_block(node.flyte_entity)
    assert block.case.then_node.flyte_entity is inc
    assert block.case.condition.comparison.left_value.var == ".x"
    assert [b.then_node.flyte_entity for b in block.other] == [inc]
    assert block.else_node is None
    assert block.error.message == "no"


def test_what_a_workflow_compiled_to_is_seen_without_compiling() -> None:
    @workflow
    def fresh(x: int) -> int:
        return inc(x=x)

    assert private.compiled_nodes(fresh) == []
    assert private.compiled_outputs(fresh) == []
    fresh.compile()
    assert private.compiled_nodes(fresh) == fresh.nodes
    assert len(private.compiled_nodes(fresh)) == len(private.compiled_outputs(fresh)) == 1
    by_hand = Workflow(name="with_a_node")
    node = by_hand.add_entity(inc, x=by_hand.add_workflow_input("x", int))
    assert private.compiled_nodes(by_hand) == [node]


def test_what_a_workflow_function_returns_is_seen_while_it_compiles_and_no_longer() -> None:
    function = chosen.function
    private.forget_compiled(chosen)
    with private.returned_noted(chosen, lambda function, inputs: function(**inputs)) as returned:
        chosen.compile()
    assert isinstance(returned[0], Promise)
    assert chosen.function is function


def test_the_node_of_a_failure_handler_is_seen_without_compiling() -> None:
    @workflow(on_failure=inc)
    def handled(x: int) -> int:
        return inc(x=x)

    assert private.failure_node(handled) is None
    handled.compile()
    assert private.failure_node(handled).flyte_entity is inc
    assert private.failure_node(Workflow(name="by_hand")) is None


def test_what_a_remote_has_pickled_is_forgotten() -> None:
    first, _ = remote._get_pickled_target_dict(inc)
    assert remote._get_pickled_target_dict(inc)[0] is first
    private.forget_pickled()
    assert remote._get_pickled_target_dict.cache_info().currsize == 0
    assert remote._get_pickled_target_dict(inc)[0] is not first


def test_a_workflow_that_is_forgotten_compiles_again() -> None:
    first = list(chosen.nodes)
    private.forget_compiled(chosen)
    assert private.compiled_nodes(chosen) == []
    assert chosen.nodes[0] is not first[0]


def test_what_a_workflow_was_compiled_to_can_be_put_back_and_its_nodes_call_another_task() -> None:
    @task
    def dec(x: int) -> int:
        return x - 1

    @workflow
    def twice(x: int) -> int:
        return inc(x=inc(x=x))  # type: ignore[no-any-return]

    twice.compile()
    state, nodes = private.compiled_state(twice), twice.nodes
    private.forget_compiled(twice)
    assert private.compiled_nodes(twice) == []
    private.restore_compiled(twice, state)
    assert twice.compiled
    assert twice.nodes is nodes
    private.set_entity(nodes[0], dec)
    assert [node.flyte_entity for node in nodes] == [dec, inc]


def test_a_workflow_keeps_its_function() -> None:
    function = private.workflow_function(chosen)
    assert inspect.isfunction(function) and function.__name__ == "chosen"
    assert private.workflow_function(Workflow(name="by hand")) is None


def test_a_node_keeps_what_it_overrides() -> None:
    gate, node = overridden.nodes
    assert [(e.name, e.value) for e in private.node_resources(node).requests] == [(1, "3")]
    assert private.node_extended_resources(node).gpu_accelerator.device == T4.to_flyte_idl().device
    assert private.node_image(node) == "example.org/i:1"
    assert private.node_resources(gate) is private.node_extended_resources(gate) is private.node_image(gate) is None


def test_a_gate_keeps_its_timeout() -> None:
    assert private.gate_timeout(overridden.nodes[0].flyte_entity) == timedelta(minutes=5)


def test_a_raw_container_task_keeps_its_image() -> None:
    assert private.container_image(ContainerTask(name="c", image="busybox", command=["true"])) == "busybox"
    assert private.container_image(inc) is None


def test_a_raw_container_task_keeps_what_it_was_made_from() -> None:
    task = ContainerTask(
        name="c",
        image="busybox",
        command=["sh"],
        arguments=["-c", "true"],
        input_data_dir="/in/",
        output_data_dir="/out",
        metadata_format=ContainerTask.MetadataFormat.YAML,
    )
    assert private.container_parts(task) == ("busybox", ("sh",), ("-c", "true"), "/in", "/out", "YAML")
    assert private.container_parts(ContainerTask(name="d", image="i", command=[])) == ("i", (), (), "", "", "JSON")


def test_the_type_engine_keeps_its_transformers_in_a_table() -> None:
    registry = private.transformer_registry()
    assert registry[int] is TypeEngine.get_transformer(int)


def test_a_transformer_keeps_the_codecs_that_it_has_built() -> None:
    transformer = copy.copy(TypeEngine.get_transformer(dict))
    transformer._msgpack_encoder = transformer._msgpack_decoder = {int: object()}
    private.forget_codecs(transformer)
    assert transformer._msgpack_encoder == transformer._msgpack_decoder == {}
    assert transformer._msgpack_encoder is not TypeEngine.get_transformer(dict)._msgpack_encoder
    fresh = vars(type(transformer)())
    assert {"_msgpack_encoder", "_msgpack_decoder"} <= set(fresh)


def test_the_local_cache_is_a_store_that_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cache, "CACHE_LOCATION", str(tmp_path))
    monkeypatch.setattr(local_cache.LocalTaskCache, "_initialized", False)
    monkeypatch.setattr(local_cache.LocalTaskCache, "_cache", None, raising=False)
    assert private.open_cache_store() is None
    store = private.cache_store()
    store.set("key", {"x": 1})
    assert private.cache_store() is private.open_cache_store() is store
    assert (store.directory, store.get("key")) == (str(tmp_path), {"x": 1})
    local_cache.LocalTaskCache.clear()
    assert store.get("key") is None


def test_a_task_whose_module_is_not_imported_is_named_where_pickles_are_expected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker, "is_ipython_or_pickle_exists", tracker.is_ipython_or_pickle_exists)
    function = FunctionType(inc.task_function.__code__, {}, "inc")
    function.__module__ = "not_imported_here"
    with pytest.raises(AssertionError, match="Unable to determine module"):
        tracker.extract_task_module(function)
    private.expect_pickled_tasks()
    assert tracker.extract_task_module(function)[0] == "not_imported_here.inc"


def test_a_legacy_map_task_keeps_how_wide_it_runs_and_what_must_succeed() -> None:
    assert private.legacy_map(legacy_map_task(inc, concurrency=3, min_success_ratio=0.5)) == (3, 0.5)


def test_the_inputs_of_a_partial_are_kept_by_map_tasks() -> None:
    assert private.map_inputs(map_task(functools.partial(inc, x=3))) == {"x": 3}
    assert private.map_inputs(legacy_map_task(functools.partial(inc, x=3))) == {"x": 3}
    assert private.map_inputs(map_task(inc)) == private.map_inputs(legacy_map_task(inc)) == {}


def test_the_local_cache_is_a_class_of_two_static_methods() -> None:
    cache = vars(local_cache.LocalTaskCache)
    assert isinstance(cache["get"], staticmethod)
    assert isinstance(cache["set"], staticmethod)


def test_the_local_cache_can_be_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cache, "CACHE_LOCATION", str(tmp_path / "one"))
    monkeypatch.setattr(local_cache.LocalTaskCache, "_initialized", False)
    monkeypatch.setattr(local_cache.LocalTaskCache, "_cache", None, raising=False)
    assert private.cache_directory() == str(tmp_path / "one")
    other = Cache(str(tmp_path / "other"))
    private.replace_cache_store(other)
    assert private.cache_store() is other
    assert private.cache_directory() == str(tmp_path / "other")


def test_a_loop_runner_finishes_a_coroutine() -> None:
    async def seven() -> int:
        return 7

    kind, made = private.loop_runners()
    assert kind().run(seven()) == 7
    assert loop_manager.run_sync(seven) == 7
    assert isinstance(made[f"{threading.current_thread().name}PID:{os.getpid()}"], kind)


def test_a_checkpoint_reads_what_the_one_before_it_wrote(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "scratch", "more")]
    for folder in folders:
        folder.mkdir()
    first, second, scratch, more = map(str, folders)
    written = private.checkpoint_in(first, None, scratch=scratch)
    assert written.read() is None
    written.write(b"7")
    read = private.checkpoint_in(second, first, scratch=more)
    assert read.prev_exists()
    assert read.read() == b"7"
    own = SyncCheckpoint(second, first)
    own._td.cleanup()  # collected, it would warn that nobody did
    assert own.__dict__.keys() == read.__dict__.keys()


def test_the_tables_of_task_plugins_and_connectors_are_dictionaries() -> None:
    class Config:
        pass

    before = dict(private.task_plugins())
    TaskPlugins.register_pythontask_plugin(Config, PythonFunctionTask)
    assert private.task_plugins() == {**before, Config: PythonFunctionTask}
    del private.task_plugins()[Config]
    assert all(hasattr(connector, "task_category") for connector in private.connectors().values())


def test_the_check_of_a_failure_handler_is_a_method_of_a_workflow() -> None:
    assert callable(getattr(type(chosen), private.FAILURE_HANDLER_CHECK))


@dynamic
def several(x: int) -> int:
    return inc(x=x)


def test_each_label_of_a_task_is_an_attribute_of_some_task(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("true")
    mapped = map_task(inc)
    mapped.set_command_prefix(["pyflyte"])
    tasks = [inc, several, mapped, legacy_map_task(inc), ContainerTask(name="raw", image="i", command=["true"])]
    tasks.append(ShellTask(name="shell", script_file=str(script)))
    with pytest.raises(AttributeError):
        _ = inc.never_there  # only a task that was looked for in its module keeps this
    extract_task_module(inc)
    known = {name for made in tasks for name in vars(made)}
    assert private.TASK_LABELS - known == set()


def test_the_scripts_of_shell_tasks_are_run_by_one_function() -> None:
    module, name = private.shell_runner()
    done = getattr(module, name)("echo out; echo err >&2; exit 3", "/bin/sh")
    assert (done.returncode, done.output, done.error) == (3, "out", "err\n")


def test_a_shell_task_keeps_the_path_of_its_script(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("true")
    assert private.script_file(ShellTask(name="filed", script_file=str(script))) == str(script)
    assert private.script_file(ShellTask(name="inline", script="true")) is None
    assert private.script_file(inc) is None


def test_a_file_is_downloaded_when_it_is_opened(tmp_path: Path) -> None:
    calls: list[str] = []
    file: FlyteFile[Any] = FlyteFile(path=str(tmp_path / "here"))
    assert private.remote_source(file) is None
    private.set_local_path(file, str(tmp_path / "here"))
    private.set_download(file, "s3://there", lambda: calls.append("downloaded"))
    assert private.remote_source(file) == "s3://there"
    assert os.fspath(file) == str(tmp_path / "here")
    assert calls == ["downloaded"]


def test_a_directory_made_from_a_literal_is_uploaded_only_if_that_is_allowed(tmp_path: Path) -> None:
    context = FlyteContext.current_context()
    (tmp_path / "file").touch()
    declared = TypeEngine.to_literal_type(FlyteDirectory)
    literal = TypeEngine.to_literal(context, FlyteDirectory(str(tmp_path)), FlyteDirectory, declared)
    made = TypeEngine.to_python_value(context, literal, FlyteDirectory)
    assert made.remote_directory is False
    private.allow_upload(made)
    assert made.remote_directory is None


def test_a_task_class_with_a_conversion_of_its_own_is_known() -> None:
    class Own(PythonFunctionTask):  # type: ignore[type-arg]
        def _output_to_literal_map(self, *args: Any, **kwargs: Any) -> Any:
            return super()._output_to_literal_map(*args, **kwargs)

    assert private.is_conversion_inherited(PythonFunctionTask)
    assert not private.is_conversion_inherited(Own)


def test_decks_are_rendered_for_native_values() -> None:
    @task(enable_deck=True, deck_fields=(DeckField.INPUT, DeckField.OUTPUT))
    def shown(x: int) -> int:
        return x

    context = FlyteContext.current_context()
    parameters = context.user_space_params.with_enable_deck(enable_deck=True).build()
    private.write_decks(shown, {"x": 3}, {"o0": 4}, context, parameters)
    assert {"3", "4"} <= {part for deck in parameters.decks for part in re.findall(r"\d+", deck.html)}


@pytest.mark.slow
def test_private_names_of_flytekit_are_used_in_one_file() -> None:
    bridge = Path(private.__file__).parent
    attributes = private_attributes(Path(flytekit.__file__).parent) - OTHERS
    # A class of ours may have an attribute of the same name: within bridge only in the file that defines it.
    rooms = [folder for folder in bridge.parent.iterdir() if folder.is_dir() and folder != bridge]
    ours = {name for room in rooms for name in private_attributes(room)}
    uses = [
        str(use)
        for path in bridge.parent.rglob("*.py")
        if path != Path(private.__file__)
        for use in (
            *private_uses(path, "flytekit", attributes if path.is_relative_to(bridge) else attributes - ours),
            *private_uses(path, "flyteidl", set()),
        )
    ]
    assert uses == []


def test_a_use_of_a_private_name_is_found_in_each_form(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from flytekit.core._some import thing\nfrom flytekit import _other\nimport flytekit._third\n"
        "x._nodes\ngetattr(x, '_nodes')\nx._mine\nclass A:\n    _mine = 1\n"
    )
    found = [use.name for use in private_uses(path, "flytekit", {"_nodes", "_mine"})]
    assert sorted(found) == ["_nodes", "_nodes", "_other", "_some", "_third"]
