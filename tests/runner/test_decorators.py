"""Decorated tasks give what plain Python gives; their decorators are named, and part of the identity of their code."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from diskcache import Cache
from flytekit import map_task
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.local_cache import LocalTaskCache
from flytekit.core.type_engine import TypeEngine
from flytekit.tools.module_loader import load_object_from_module
from flytekit.tools.translator import get_serializable

import flytenb
from flytenb.bridge.entities.interface import read_settings
from flytenb.bridge.patches.applied import Patches
from flytenb.display.entity_card import entity_bundle
from flytenb.display.runs.error_card import card_lines
from flytenb.errors import DefinitionError, NotAnEntityError
from flytenb.model import CacheStatus
from tests.decorators import KINDS, SHAPES, module_of, module_source

SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", image_config=ImageConfig(default_image=Image("main", "repo/image", "tag"))
)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """A module of decorated functions for each kind, importable in this process and in others."""
    folder = tmp_path_factory.mktemp("decorated")
    for kind in KINDS:
        (folder / f"decorated_{kind}.py").write_text(module_source(kind))
    sys.path.insert(0, str(folder))
    yield {kind: importlib.import_module(f"decorated_{kind}") for kind in KINDS}
    sys.path.remove(str(folder))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Cache(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


@pytest.fixture
def patched() -> Iterator[None]:
    """What the extension changes while it is loaded."""
    patches = Patches()
    patches.apply("decorators")
    yield
    patches.undo()


def call(function: Callable[..., Any], **inputs: Any) -> Any:
    result = function(**inputs)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


@pytest.fixture(params=[(kind, shape) for kind in KINDS for shape in SHAPES], ids=" · ".join)
def pair(request: pytest.FixtureRequest, modules: dict[str, ModuleType]) -> tuple[str, Any, Any, Any]:
    """Kind, shape, the decorated function, and the task of the same."""
    kind, name = request.param
    number = list(SHAPES).index(name)
    module = modules[kind]
    return kind, SHAPES[name], getattr(module, f"plain_{number}"), getattr(module, f"task_{number}")


@pytest.mark.sampled(7)
def test_a_decorated_task_gives_what_python_gives(pair: tuple[str, Any, Any, Any]) -> None:
    kind, _, plain, task = pair
    for options in ({}, {"strict": True}, {"processes": True}):
        if kind == "map_task":
            expected = [call(plain, x=x, by=by) for x, by in ((4, 2), (5, 3))]
            assert flytenb.options(**options).run(map_task(task), x=[4, 5], by=[2, 3]).result == expected
        else:
            assert flytenb.options(**options).run(task, x=4).result == call(plain, x=4)
            assert flytenb.options(**options).run(task, x=4, by=5).result == call(plain, x=4, by=5)


@pytest.mark.sampled(5)
def test_a_decorated_task_is_serialised_and_loaded_as_a_pod_does(pair: tuple[str, Any, Any, Any]) -> None:
    kind, _, plain, task = pair
    template = get_serializable({}, SETTINGS, task).template
    arguments = template.container.args
    resolver = load_object_from_module(arguments[arguments.index("--resolver") + 1])
    loaded = resolver.load_task(arguments[arguments.index("--") + 1 :])
    assert loaded is task
    if kind in ("dynamic", "eager"):  # a pod only compiles the one, and launches what the other calls
        return
    context = FlyteContextManager.current_context()
    given = TypeEngine.dict_to_literal_map(context, {"x": 4, "by": 6})
    assert loaded.dispatch_execute(context, given).literals["o0"].scalar.primitive.integer == call(plain, x=4, by=6)


@pytest.mark.sampled(5)
def test_the_decorators_are_named_in_order(pair: tuple[str, Any, Any, Any]) -> None:
    kind, shape, _, task = pair
    lines = shape.lines_async if kind in ("async", "eager") else shape.lines
    assert read_settings(task)["decorators"] == " ".join(lines.splitlines())
    assert " ".join(lines.splitlines()) in entity_bundle(task)[0]["text/plain"].replace("\n", " ")


def test_without_source_the_wrappers_tell_who_made_them() -> None:
    shape = SHAPES["three stacked"]
    made = module_of(f"{shape.define}\n@task\n{shape.lines}\ndef f(x: int) -> int: return x\n")
    del linecache.cache[inspect.unwrap(made["f"].task_function).__code__.co_filename]
    assert read_settings(made["f"])["decorators"] == "@scaled @shifted @scaled"


EDITS = {
    "nothing": ("", "", CacheStatus.HIT),
    "a decorator's body": ("out * factor", "out + factor", CacheStatus.POPULATED),
    "a decorator's argument": ("@scaled(3)", "@scaled(4)", CacheStatus.POPULATED),
    "a keyword argument": ("offset=2", "offset=7", CacheStatus.POPULATED),
    "the body of one in the middle": ("x + 3", "x + 4", CacheStatus.POPULATED),
    "the order": ("@scaled(3)\n@shifted", "@shifted\n@scaled(3)", CacheStatus.POPULATED),
    "one less": ("@shifted\n", "", CacheStatus.POPULATED),
    "the function": ("x * 10", "x * 11", CacheStatus.POPULATED),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("kind", ["task", "async"])
@pytest.mark.usefixtures("empty_cache")
def test_the_cache_sees_the_decorators_and_their_arguments(edit: str, kind: str) -> None:
    shape = SHAPES["three stacked"]
    define, lines = (shape.define_async, shape.lines_async) if kind == "async" else (shape.define, shape.lines)
    head = "async def" if kind == "async" else "def"
    made = f"@task(cache=True, cache_version={edit + kind!r})\n{lines}\n{head} f(x: int) -> int:\n    return x * 10\n"
    source = define + made
    before, after, status = EDITS[edit]
    assert not before or before in source
    first = flytenb.run(module_of(source)["f"], x=2)
    edited = module_of(source.replace(before, after))["f"]
    again = flytenb.run(edited, x=2)
    assert first.nodes["n0"].cache_status is CacheStatus.POPULATED
    assert again.nodes["n0"].cache_status is status
    assert again.result == call(edited.task_function, x=2)


@pytest.mark.parametrize("shape", ["flytekit's ClassDecorator", "a class that is called", "a descriptor object"])
@pytest.mark.usefixtures("empty_cache")
def test_the_cache_sees_the_attributes_of_decorators_that_are_objects(shape: str) -> None:
    define, lines = SHAPES[shape].define, SHAPES[shape].lines
    made = f"@task(cache=True, cache_version={shape!r})\n{lines}\ndef f(x: int) -> int:\n    return x * 10\n"
    changed = define.replace("* 2", "* 3").replace("**kwargs) + 1", "**kwargs) + 5")
    lines_changed = made.replace("by=6", "by=8")
    first, same, other = (
        flytenb.run(module_of(source)["f"], x=2) for source in (define + made, define + made, changed + lines_changed)
    )
    statuses = [run.nodes["n0"].cache_status for run in (first, same, other)]
    assert statuses == [CacheStatus.POPULATED, CacheStatus.HIT, CacheStatus.POPULATED]
    assert first.result == same.result != other.result


HIDING = {
    "untyped": ("def wrapper(*args, **kwargs): return fn(*args, **kwargs)", "@hides", "functools.wraps(fn)"),
    "typed": ("def wrapper(x: int) -> int: return fn(x)", "@hides", "functools.wraps(fn)"),
    "without arguments": ("def wrapper(): return fn(1)", "@hides", "functools.wraps(fn)"),
    "under another": ("def wrapper(*args): return fn(*args)", "@wrapped\n@hides", "functools.wraps(fn)"),
}


@pytest.mark.parametrize("shape", HIDING)
@pytest.mark.parametrize("entity", ["task", "task(retries=2)", "dynamic", "workflow"])
@pytest.mark.usefixtures("patched")
def test_a_decorator_that_hides_its_function_is_named(shape: str, entity: str) -> None:
    wrapper, lines, fix = HIDING[shape]
    if entity == "workflow" and shape in ("typed", "without arguments"):
        return  # it is one of its own, which no pod looks up
    with pytest.raises(DefinitionError, match=r"the decorator 'hides' replaces 'f'") as caught:
        module_of(f"""
def wrapped(fn):
    @wraps(fn)
    def wrapper(*args, **kwargs): return fn(*args, **kwargs)
    return wrapper

def hides(fn):
    {wrapper}
    return wrapper

@{entity}
{lines}
def f(x: int) -> int:
    return x + 1
""")
    assert fix in str(caught.value.hint)


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("class C:\n    def __init__(self, fn): self.fn = fn\n    def __call__(self, *a): return 1\n@task\n@C\n",
         "'C' replaces 'f' by an object", "update_wrapper(self, …) in C.__init__"),
        ("def times(n=3):\n    def deco(fn):\n        @wraps(fn)\n        def w(*a, **k): return fn(*a, **k)\n"
         "        return w\n    return deco\n@task\n@times\n",
         "'times' replaces the function by a function 'deco'", "call it: @times(…)"),
        ("@task\n@partial(partial, by=2)\n", "'functools.partial' replaces 'f'", "calls f"),
    ],
    ids=["an object", "a factory that isn't called", "a partial"],
)  # fmt: skip
@pytest.mark.usefixtures("patched")
def test_other_decorators_that_hide_their_function_are_named(source: str, message: str, hint: str) -> None:
    with pytest.raises(DefinitionError, match=message) as caught:
        module_of(f"{source}def f(x: int) -> int:\n    return x + 1\n")
    assert hint in str(caught.value.hint)


@pytest.mark.usefixtures("patched")
def test_flytekits_own_errors_stay_where_no_decorator_is_to_blame() -> None:
    with pytest.raises(Exception, match="has no type"):
        module_of("@task\ndef f(x) -> int:\n    return x\n")
    with pytest.raises(ValueError, match="cannot be a nested"):
        module_of("def make():\n    @task\n    def f(x: int) -> int: return x\n    return f\nmake()\n")


def test_the_order_of_decorators_is_explained_where_the_task_is_used() -> None:
    made = module_of("""
def wrapped(fn):
    @wraps(fn)
    def wrapper(*args, **kwargs): return fn(*args, **kwargs)
    return wrapper

@wrapped
@task
def f(x: int) -> int:
    return x

@task
@(lambda fn: None)
def g(x: int) -> int:
    return x
""")
    with pytest.raises(NotAnEntityError) as caught:
        flytenb.run(made["f"], x=1)
    assert "above the other decorators of f" in str(caught.value.hint)
    with pytest.raises(NotAnEntityError) as caught:
        flytenb.run(made["g"], x=1)
    assert "returned None" in str(caught.value.hint)


def test_a_promise_in_a_decorator_of_a_dynamic_is_explained() -> None:
    made = module_of(f"{SHAPES['a changed result'].define}\n@dynamic\n@scaled(2)\ndef f(x: int) -> int:\n"
                     "    return inc(x=x)\n")  # fmt: skip
    run = flytenb.start(made["f"], x=1).wait()
    assert isinstance(run.error.exception, TypeError)
    assert any("compute with it inside a task" in line for line in card_lines(run))


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("@task\n", None),
        ("@task(retries=2)\n@wraps_it\n", "@wraps_it"),
        ("@flytekit.task\n@wraps_it\n", "@wraps_it"),
        ("@mine(retries=1)\n@wraps_it\n", "@wraps_it"),
        ("@task(\n    retries=2,  # twice\n)\n# the next\n@wraps_it  # noqa\n", "@wraps_it"),
        ("@task\n@labelled(\n    'a @ b',  # text\n    by=[1, 2],\n)\n", "@labelled('a @ b', by=[1, 2])"),
        ("@task\n@labelled(f'{1 + 1}', by = 2)\n@wraps_it\n", "@labelled(f'{1 + 1}', by = 2) @wraps_it"),
        ("@task\n@(lambda fn: fn)\n", "@(lambda fn: fn)"),
        ("@task\n@labelled('" + "x" * 200 + "')\n", "@labelled('" + "x" * 69 + "…"),
    ],
)
def test_decorators_are_read_as_they_are_written(lines: str, shown: str | None) -> None:
    made = module_of(f"""
import flytekit
mine = partial(partial(task, interruptible=True), retries=3)

def wraps_it(fn):
    return fn

def labelled(*args, **kwargs):
    return wraps_it

{lines}def f(x: int) -> int:
    return x
""")
    assert read_settings(made["f"]).get("decorators") == shown
