"""Tasks of plugins: their hooks run in order in their context, and their configuration is part of their identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from diskcache import Cache
from flytekit.core.local_cache import LocalTaskCache

import flytenb
from flytenb.display.entity_card import entity_bundle
from flytenb.model import CacheStatus
from flytenb.reach.state_uses import state_use_of
from tests.decorators import module_of

PLUGIN = """
import typing
from dataclasses import dataclass, field
from flytekit import PythonFunctionTask, current_context, kwtypes
from flytekit.core.base_sql_task import SQLTask
from flytekit.core.base_task import TaskMetadata
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonInstanceTask
from flytekit.core.task import TaskPlugins

@dataclass
class Spec:
    times: int
    tags: dict = field(default_factory=dict)
    password: str = field(default="hunter2", repr=False)

class SpecTask(PythonFunctionTask[Spec]):
    def __init__(self, task_config, task_function, **kwargs):
        super().__init__(task_config=task_config, task_function=task_function, task_type="spec", **kwargs)

    def pre_execute(self, user_params):
        print("pre")
        return user_params.builder().add_attr("FACTOR", 10).build()

    def execute(self, **kwargs):
        print("execute")
        return super().execute(**kwargs) * self.task_config.times

    def post_execute(self, user_params, rval):
        print("post", user_params.factor)
        return rval + 1

TaskPlugins.register_pythontask_plugin(Spec, SpecTask)
"""
FUNCTION = """
@task(task_config=Spec(times=3, tags={'a': [1]}), cache=True, cache_version='1')
def f(x: int) -> int:
    print("body")
    return x * current_context().factor
"""
INSTANCE = """
class Adder(PythonInstanceTask[typing.Any]):
    def __init__(self, name, amount, config=None):
        super().__init__(name=name, task_config=config, task_type="adder", interface=Interface(kwtypes(x=int),
            kwtypes(o0=int)), metadata=TaskMetadata(cache=True, cache_version='2'))
        self.amount = amount

    def execute(self, **kwargs):
        return kwargs["x"] + self.amount

f = Adder("f", 4)
"""
QUERY = """
class Query(SQLTask[typing.Any]):
    def execute(self, **kwargs):
        return len(self.get_query(**kwargs))

f = Query("f", "select {{ .inputs.x }}", inputs=kwtypes(x=int), outputs=kwtypes(o0=int), task_type="query",
          metadata=TaskMetadata(cache=True, cache_version='3'))
"""
EDITS: dict[str, tuple[str, str, str]] = {
    "nothing": (FUNCTION, "", ""),
    "a comment": (FUNCTION, "    return x", "    # a comment\n    return x"),
    "the configuration": (FUNCTION, "times=3", "times=4"),
    "a part of the configuration": (FUNCTION, "[1]", "[2]"),
    "the function": (FUNCTION, "return x *", "return x +"),
    "execute": (FUNCTION, "* self.task_config.times", "+ self.task_config.times"),
    "pre_execute": (FUNCTION, '"FACTOR", 10', '"FACTOR", 11'),
    "post_execute": (FUNCTION, "rval + 1", "rval + 2"),
    "an instance, nothing": (INSTANCE, "", ""),
    "an instance's attribute": (INSTANCE, '"f", 4', '"f", 5'),
    "an instance's configuration": (INSTANCE, '"f", 4', '"f", 4, Spec(times=1)'),
    "an instance's execute": (INSTANCE, '["x"] +', '["x"] -'),
    "a query, nothing": (QUERY, "", ""),
    "a query": (QUERY, "select {{", "select 1 + {{"),
}
HITS = ("nothing", "a comment", "an instance, nothing", "a query, nothing")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Cache(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("edit", EDITS)
def test_the_cache_sees_configuration_and_hooks(edit: str) -> None:
    made, before, after = EDITS[edit]
    source = PLUGIN + made
    assert not before or before in source
    first = flytenb.run(module_of(source)["f"], x=2)
    edited = module_of(source.replace(before, after))["f"]
    again = flytenb.run(edited, x=2)
    assert first.nodes["n0"].cache_status is CacheStatus.POPULATED
    assert again.nodes["n0"].cache_status is (CacheStatus.HIT if edit in HITS else CacheStatus.POPULATED)
    assert again.result == flytenb.options(cache=False).run(edited, x=2).result


@pytest.mark.parametrize("settings", [{}, {"strict": True}, {"processes": True}], ids=str)
def test_the_hooks_run_around_the_function_in_its_context(settings: dict[str, Any]) -> None:
    run = flytenb.options(cache=False, **settings).run(module_of(PLUGIN + FUNCTION)["f"], x=2)
    assert run.nodes["n0"].log.split("\n")[:-1] == ["pre", "execute", "body", "post 10"]
    assert run.result == 2 * 10 * 3 + 1


def test_the_card_shows_the_configuration_as_its_class_writes_it() -> None:
    bundle = entity_bundle(module_of(PLUGIN + FUNCTION)["f"])[0]
    for text in (bundle["text/plain"], bundle["text/html"].replace("&#39;", "'")):
        assert "Spec(times=3, tags={'a': [1]})" in text
        assert "hunter2" not in text


def test_a_long_configuration_is_cut_and_a_failing_one_is_said() -> None:
    made = module_of(PLUGIN + FUNCTION.replace("'a': [1]", "'a': '" + "y" * 9000 + "'"))["f"]
    assert len(entity_bundle(made)[0]["text/plain"]) < 2000
    broken = PLUGIN.replace(
        "    times: int\n", "    times: int\n    def __repr__(self): raise RuntimeError('no repr')\n"
    )
    assert "Spec" in entity_bundle(module_of(broken + FUNCTION)["f"])[0]["text/plain"]


SETTING = """
def set_variable(value): os.environ["PLUGIN_VALUE"] = str(value)

class Config: pass

class Before(PythonFunctionTask[Config]):
    def __init__(self, task_config, task_function, **kwargs):
        super().__init__(task_config=task_config, task_function=task_function, task_type="before", **kwargs)

    def {hook}

TaskPlugins.register_pythontask_plugin(Config, Before)

@task(task_config=Config())
def f(x: int) -> int: return x

@task
def h(x: int) -> str: return os.environ.get("PLUGIN_VALUE", "")

class Instance(PythonInstanceTask[None]):
    def __init__(self, name):
        made = Interface(kwtypes(x=int), kwtypes(o0=int))
        super().__init__(name=name, task_config=None, task_type="i", interface=made)

    def execute(self, **kwargs):
        self.prepare(kwargs["x"])
        return int(os.environ["PLUGIN_VALUE"])

    def prepare(self, value): set_variable(value)

g = Instance("g")

@workflow
def both() -> list[int]:
    return [g(x=i) for i in range(20)]
"""
HOOKS = {
    "execute": "execute(self, **kwargs):\n        set_variable(1)\n        return super().execute(**kwargs)",
    "pre_execute": "pre_execute(self, user_params):\n        self.prepare()\n        return user_params\n\n"
    "    def prepare(self): os.environ['PLUGIN_VALUE'] = '1'",
    "post_execute": "post_execute(self, user_params, rval):\n        set_variable(1)\n        return rval",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_the_state_that_hooks_change_keeps_tasks_apart(hook: str) -> None:
    made = module_of("import os\n" + PLUGIN + SETTING.replace("{hook}", HOOKS[hook]))
    f, g, h = (state_use_of(made[name], has_own_cwd=False)[0] for name in "fgh")
    assert f.writes == g.writes == {"environ"}
    assert f.conflict_with(h)
    assert g.conflict_with(g)
    assert not h.conflict_with(h)


def test_tasks_without_a_function_that_set_a_variable_read_their_own() -> None:
    made = module_of("import os\n" + PLUGIN + SETTING.replace("{hook}", HOOKS["execute"]))
    assert flytenb.options(workers=8).run(made["both"]).result == list(range(20))


def test_a_plugin_that_changes_nothing_keeps_nothing_apart() -> None:
    made = module_of(PLUGIN + INSTANCE)
    assert not state_use_of(made["f"], has_own_cwd=False)[0].writes
