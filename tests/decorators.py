"""Decorators of twenty shapes, and modules in which tasks of every kind have them, each beside its plain function.

A shape is the source of the decorators' definitions and the lines above a function; for coroutines it has others.
"""

from __future__ import annotations

import itertools
import linecache
import sys
import textwrap
from types import ModuleType
from typing import Any, NamedTuple

HEAD = """
import asyncio, contextlib, functools, inspect, time
from functools import partial, wraps

from flytekit import dynamic, eager, map_task, task, workflow
from flytekit.core.utils import ClassDecorator

calls = []

def fail_once(x):
    calls.append(x)
    if calls.count(x) % 2:
        raise ValueError(f"not yet: {x}")
    return x

@task
def inc(x: int) -> int:
    return x + 1
"""


class Shape(NamedTuple):
    """Definitions and lines for functions, and for coroutines."""

    define: str
    lines: str
    define_async: str
    lines_async: str
    body: str = "x * 10 + by"
    """What the function returns."""


def _shape(plain: str, lines: str, coroutine: str = "", **given: str) -> Shape:
    """A shape whose decorator for coroutines is the same with `async def wrapper` and `await fn(…)`, unless given."""
    made = coroutine or plain.replace("def wrapper(", "async def wrapper(").replace("= fn(", "= await fn(").replace(
        "return fn(", "return await fn("
    ).replace("def execute(", "async def execute(").replace("def __call__(self, *", "async def __call__(self, *")
    return Shape(textwrap.dedent(plain), lines, textwrap.dedent(made), lines, **given)


_LOGGED = """
def logged(fn):
    @wraps(fn)
    def wrapper(*args, **kwargs):
        print("before", fn.__name__)
        out = fn(*args, **kwargs)
        print("after", fn.__name__)
        return out
    return wrapper
"""
_SCALED = """
def scaled(factor, *, offset=0):
    def decorate(fn):
        @wraps(fn)
        def wrapper(*args, **kwargs):
            out = fn(*args, **kwargs)
            return out * factor + offset
        return wrapper
    return decorate
"""
_SHIFTED = """
def shifted(fn):
    @wraps(fn)
    def wrapper(x, *args, **kwargs):
        out = fn(x + 3, *args, **kwargs)
        return out
    return wrapper
"""

SHAPES: dict[str, Shape] = {
    "wraps": _shape(_LOGGED, "@logged"),
    "two stacked": _shape(_LOGGED + _SCALED, "@logged\n@scaled(3, offset=1)"),
    "three stacked": _shape(_LOGGED + _SCALED + _SHIFTED, "@scaled(3)\n@shifted\n@scaled(5, offset=2)"),
    "the other order": _shape(_SCALED + _SHIFTED, "@shifted\n@scaled(offset=2, factor=5)"),
    "a factory with defaults": _shape(
        """
        def tagged(fn=None, *, by=7):
            if fn is None:
                return partial(tagged, by=by)
            @wraps(fn)
            def wrapper(*args, **kwargs):
                out = fn(*args, **kwargs)
                return out + by
            return wrapper
        """,
        "@tagged\n@tagged(by=9)\n@tagged()",
    ),
    "a class that is called": _shape(
        """
        class Counted:
            def __init__(self, fn):
                functools.update_wrapper(self, fn)
                self.fn = fn
                if inspect.iscoroutinefunction(fn):
                    inspect.markcoroutinefunction(self) if hasattr(inspect, "markcoroutinefunction") else None

            def __call__(self, *args, **kwargs):
                return self.fn(*args, **kwargs) + 1
        """,
        "@Counted",
        coroutine="""
        class _Counted:
            def __init__(self, fn):
                functools.update_wrapper(self, fn)
                self.fn = fn

            async def __call__(self, *args, **kwargs):
                return await self.fn(*args, **kwargs) + 1

        def Counted(fn):
            counted = _Counted(fn)
            @wraps(fn)
            async def wrapper(*args, **kwargs):
                return await counted(*args, **kwargs)
            return wrapper
        """,
    ),
    "flytekit's ClassDecorator": _shape(
        """
        class audit(ClassDecorator):
            def __init__(self, task_function=None, *, by=4, **kwargs):
                super().__init__(task_function, by=by, **kwargs)
                self.by = by

            def execute(self, *args, **kwargs):
                return self.task_function(*args, **kwargs) + self.by

            def get_extra_config(self):
                return {"audit": str(self.by)}
        """,
        "@audit(by=6)",
        coroutine="""
        class _audit(ClassDecorator):
            def execute(self, *args, **kwargs):
                return self.task_function(*args, **kwargs)

            def get_extra_config(self):
                return {}

        def audit(by):
            def decorate(fn):
                inner = _audit(fn)
                @wraps(fn)
                async def wrapper(*args, **kwargs):
                    return await inner(*args, **kwargs) + by
                return wrapper
            return decorate
        """,
    ),
    "a retry": _shape(
        """
        def retry(times):
            def decorate(fn):
                @wraps(fn)
                def wrapper(*args, **kwargs):
                    for left in reversed(range(times)):
                        try:
                            return fn(*args, **kwargs)
                        except ValueError:
                            if not left:
                                raise
                return wrapper
            return decorate
        """,
        "@retry(3)",
        body="fail_once(x) * 10 + by",
    ),
    "a timer": _shape(
        """
        took = {}
        def timed(fn):
            @wraps(fn)
            def wrapper(*args, **kwargs):
                began = time.perf_counter()
                try:
                    return fn(*args, **kwargs)
                finally:
                    took[fn.__name__] = time.perf_counter() - began
            return wrapper
        """,
        "@timed",
    ),
    "a changed result": _shape(_SCALED, "@scaled(-2)"),
    "a swallowed exception": _shape(
        """
        def safe(default):
            def decorate(fn):
                @wraps(fn)
                def wrapper(*args, **kwargs):
                    try:
                        return fn(*args, **kwargs)
                    except ZeroDivisionError:
                        return default
                return wrapper
            return decorate
        """,
        "@safe(default=-1)",
        body="x // 0 + by",
    ),
    "changed arguments": _shape(_SHIFTED, "@shifted"),
    "a default that is added": _shape(
        """
        def with_default(**defaults):
            def decorate(fn):
                @wraps(fn)
                def wrapper(*args, **kwargs):
                    return fn(*args, **{**defaults, **kwargs})
                declared = inspect.signature(fn)
                changed = [p.replace(default=defaults.get(p.name, p.default)) for p in declared.parameters.values()]
                wrapper.__signature__ = declared.replace(parameters=changed)
                return wrapper
            return decorate
        """,
        "@with_default(by=5)",
    ),
    "a closure that counts": _shape(
        """
        def numbered(fn):
            count = 0
            @wraps(fn)
            def wrapper(*args, **kwargs):
                nonlocal count
                count = 1
                out = fn(*args, **kwargs)
                return out + count
            return wrapper
        """,
        "@numbered",
    ),
    "a partial": _shape(
        """
        def added(fn, *, amount):
            @wraps(fn)
            def wrapper(*args, **kwargs):
                return fn(*args, **kwargs)
            return _plus(wrapper, amount)

        def _plus(fn, amount):
            @wraps(fn)
            def wrapper(*args, **kwargs):
                out = fn(*args, **kwargs)
                return out + amount
            return wrapper
        """,
        "@partial(added, amount=11)",
    ),
    "a descriptor object": _shape(
        """
        class Proxy:
            def __init__(self, fn):
                self.__wrapped__ = fn
                functools.update_wrapper(self, fn)

            def __get__(self, instance, owner=None):
                return self if instance is None else partial(self, instance)

            def __call__(self, *args, **kwargs):
                return self.__wrapped__(*args, **kwargs) * 2
        """,
        "@Proxy",
        coroutine="""
        def Proxy(fn):
            @wraps(fn)
            async def wrapper(*args, **kwargs):
                return await fn(*args, **kwargs) * 2
            return wrapper
        """,
    ),
    "a context manager": _shape(
        """
        entered = []
        @contextlib.contextmanager
        def session(name):
            entered.append(name)
            yield
            entered.remove(name)
        """,
        "@session('here')",
        coroutine="""
        @contextlib.asynccontextmanager
        async def session(name):
            yield
        """,
    ),
    "a cache beneath": _shape(
        _LOGGED, "@logged\n@functools.lru_cache(maxsize=4)"
    )._replace(lines_async="@logged"),
    "the same function": _shape(
        """
        def marked(**marks):
            def mark(fn):
                fn.__dict__.update(marks)
                return fn
            return mark
        """,
        "@marked(owner='me')",
    ),
    "nested in a class": _shape(
        """
        class Policies:
            @staticmethod
            def doubled(fn):
                @wraps(fn)
                def wrapper(*args, **kwargs):
                    out = fn(*args, **kwargs)
                    return out * 2
                return wrapper
        """,
        "@Policies.doubled",
    ),
}  # fmt: skip

KINDS = ("task", "dynamic", "map_task", "async", "eager")


def module_source(kind: str) -> str:
    """The module with a function of every shape: `plain_0` as Python calls it, `task_0` the same as an entity."""
    return HEAD + "\n".join(_function(kind, i, shape) for i, shape in enumerate(SHAPES.values()))


def _function(kind: str, number: int, shape: Shape) -> str:
    is_async = kind in ("async", "eager")
    define, lines = (shape.define_async, shape.lines_async) if is_async else (shape.define, shape.lines)
    calls = {
        "dynamic": "    inc(x=x)\n",
        "async": "    await asyncio.sleep(0)\n",
        "eager": "    await asyncio.sleep(0)\n",
    }
    head = f"{'async ' if is_async else ''}def {{name}}(x: int, by: int = 2) -> int:"
    body = f"{head}\n    'Return a number.'\n{calls.get(kind, '')}    return {shape.body}\n"
    entity = {"map_task": "task", "async": "task"}.get(kind, kind)
    made = f"@{entity}\n{lines}\n{body.format(name=f'task_{number}')}"
    return f"{define}\n{lines}\n{body.format(name=f'plain_{number}').replace('    inc(x=x)' + chr(10), '')}\n{made}"


_numbers = itertools.count()


def module_of(source: str) -> dict[str, Any]:
    """Run a source as a module and return its names."""
    name, text = f"<cell {next(_numbers)}>", HEAD + textwrap.dedent(source)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = sys.modules["decorated"] = ModuleType("decorated")
    module.__file__ = name
    exec(compile(text, name, "exec"), vars(module))
    return vars(module)
