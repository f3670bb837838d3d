"""The contract of every private attribute of flytekit that flytenb touches: an upgrade breaks here first."""

from __future__ import annotations

import copy
import inspect
from datetime import timedelta
from pathlib import Path

import pytest
from diskcache import Cache
from flytekit import ContainerTask, Resources, Workflow, conditional, task, wait_for_input, workflow
from flytekit.core import local_cache
from flytekit.core.condition import BranchNode
from flytekit.core.type_engine import TypeEngine
from flytekit.extras.accelerators import T4

from flytenb.bridge import private


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


def test_a_workflow_that_is_forgotten_compiles_again() -> None:
    first = list(chosen.nodes)
    private.forget_compiled(chosen)
    assert private.compiled_nodes(chosen) == []
    assert chosen.nodes[0] is not first[0]


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
    store = private.cache_store()
    store.set("key", {"x": 1})
    assert private.cache_store() is store
    assert (store.directory, store.get("key")) == (str(tmp_path), {"x": 1})
    local_cache.LocalTaskCache.clear()
    assert store.get("key") is None


def test_the_local_cache_can_be_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cache, "CACHE_LOCATION", str(tmp_path / "one"))
    monkeypatch.setattr(local_cache.LocalTaskCache, "_initialized", False)
    monkeypatch.setattr(local_cache.LocalTaskCache, "_cache", None, raising=False)
    assert private.cache_directory() == str(tmp_path / "one")
    other = Cache(str(tmp_path / "other"))
    private.replace_cache_store(other)
    assert private.cache_store() is other
    assert private.cache_directory() == str(tmp_path / "other")
