"""Literal conversions exactly as flytekit makes them. Cheaper conversions are in `copiers`."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, get_type_hints

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.promise import Promise, resolve_attr_path_in_promise
from flytekit.core.type_engine import AsyncTypeTransformer, TypeEngine
from flytekit.models.literals import Literal, LiteralCollection, LiteralMap, Primitive, Scalar, Union
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.pydantic_models import find_models

AttrPath = Sequence[str | int]


def to_literal(value: Any, python_type: Any, literal_type: LiteralType) -> Literal:
    """Return the literal of a task's output of this type; raise flytekit's error for a wrong value.

    The asynchronous entry is the one that `dispatch_execute` uses. The synchronous `TypeEngine.to_literal` isn't: it
    answers from a cache keyed by the hash of a pickle.
    """
    models = find_models(python_type)
    direct = None if models is None else models.to_literal(value)
    if direct is not None:
        return direct
    coroutine = TypeEngine.async_to_literal(FlyteContextManager.current_context(), value, python_type, literal_type)
    try:
        result: Literal = _finish(coroutine, python_type)
    finally:
        _forget_class_attributes(value)
    return result


def to_native(literal: Literal, python_type: Any) -> Any:
    """Return the input of a task that declares `python_type` for this literal."""
    literal = times_in_utc(literal)
    models = find_models(python_type)
    direct = None if models is None else models.to_native(literal)
    if direct is not None:
        return direct
    coroutine = TypeEngine.async_to_python_value(FlyteContextManager.current_context(), literal, python_type)
    return _finish(coroutine, python_type)


def times_in_utc(literal: Literal) -> Literal:
    """Return the literal as it is when it has been stored: the zones of its times are UTC, since it holds instants.

    flytekit's local run keeps the zone. The literals of a list or dict are of one kind, unless they are unions, so the
    first one tells.
    """
    scalar, hashed, inner = literal.scalar, literal.hash, _first_inside(literal)
    if scalar is not None and scalar.union is not None:
        stored = Union(times_in_utc(scalar.union.value), scalar.union.stored_type)
        return Literal(scalar=Scalar(union=stored), hash=hashed, metadata=literal.metadata)
    if scalar is not None and scalar.primitive is not None and isinstance(scalar.primitive.datetime, datetime):
        moment = Primitive(datetime=scalar.primitive.datetime.astimezone(UTC).replace(fold=0))
        return Literal(scalar=Scalar(primitive=moment), hash=hashed, metadata=literal.metadata)
    if inner is None or (inner.scalar is not None and times_in_utc(inner) is inner):
        return literal
    if literal.collection is not None:
        each = LiteralCollection([*map(times_in_utc, literal.collection.literals)])
        return Literal(collection=each, hash=hashed, metadata=literal.metadata)
    named = LiteralMap({name: times_in_utc(each) for name, each in literal.map.literals.items()})
    return Literal(map=named, hash=hashed, metadata=literal.metadata)


def _first_inside(literal: Literal) -> Literal | None:
    if literal.collection is not None:
        return next(iter(literal.collection.literals), None)
    return None if literal.map is None else next(iter(literal.map.literals.values()), None)


def resolve_attribute(literal: Literal, attr_path: AttrPath) -> Literal:
    """Return the literal of `promise.a[0]`, from the promise's literal and the path `("a", 0)`.

    flytekit writes the answer into the promise, so that a second use of it fails; here each use has its own promise.

    Raises:
        FlytePromiseAttributeResolveException: if the path leads nowhere.
    """
    if not attr_path:
        return literal
    promise = Promise(var="", val=literal)
    promise.attr_path.extend(attr_path)
    resolved: Literal = drive(resolve_attr_path_in_promise(promise)).val
    return resolved


def _finish(coroutine: Coroutine[Any, Any, Any], python_type: Any) -> Any:
    """Run a conversion: on a loop if the type's transformer is asynchronous, else directly."""
    if isinstance(TypeEngine.get_transformer(python_type), AsyncTypeTransformer):
        return run_on_loop(coroutine)
    return drive(coroutine)


class _Kept:
    """An idle loop of one thread in one process; it is closed when the thread ends.

    A forked process shares what `epoll` watches with its parent. When it frees its copy of a loop, it would end the
    watch of the parent's loop, which then never notices that another thread wakes it. `poll` keeps nothing.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.SelectorEventLoop(getattr(selectors, "PollSelector", selectors.SelectSelector)())

    def is_free(self) -> bool:
        return self.process == os.getpid() and not self.loop.is_running()

    def __del__(self) -> None:
        if self.is_free():
            self.loop.close()


class _Loops(threading.local):
    kept: _Kept | None = None


_loops = _Loops()


def run_on_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a new loop of this thread.

    flytekit has a loop thread per thread. A SystemExit or KeyboardInterrupt of a user's transformer ends that thread,
    and with it every later conversion; here it is raised like any other exception. If this is the thread of another
    loop (an eager task's, a notebook's), that one waits, as it does for flytekit's.
    """
    around = asyncio._get_running_loop()
    kept = _loops.kept
    if kept is None or not kept.is_free():
        kept = _Kept()
    _loops.kept = None
    asyncio._set_running_loop(None)
    try:
        result = kept.loop.run_until_complete(coroutine)
    except Exception:
        _loops.kept = kept
        raise
    except BaseException:
        kept.loop.close()  # other conversions of the same time are abandoned
        raise
    finally:
        asyncio._set_running_loop(around)
    _loops.kept = kept
    return result


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that never waits: two thread hops cheaper than a loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} waits for something and needs an event loop")


def _forget_class_attributes(value: Any) -> None:
    """Remove the attributes that flytekit sets on the instances of dataclasses that it converts.

    `DataclassTransformer._make_dataclass_serializable` (1.16.31) sets every hint of the class on the instance, class
    variables too. One that mashumaro's mixins have can't be pickled, so that from then on the instance can't either.
    """
    todo, seen = [value], set()
    while todo:
        at = todo.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, list):
            todo.extend(at)
        elif isinstance(at, dict):
            todo.extend(at.values())
        elif is_dataclass(at) and not isinstance(at, type) and hasattr(at, "__dict__"):
            state = vars(at)
            for name in _class_attributes(type(at)):
                if name in state and state[name] is getattr(type(at), name, None):
                    del state[name]
            todo.extend(state[f.name] for f in fields(at) if f.name in state)


@lru_cache(maxsize=512)
def _class_attributes(cls: type) -> tuple[str, ...]:
    try:
        hints = get_type_hints(cls)
    except Exception:  # flytekit can't resolve them either, and sets nothing
        return ()
    own = {f.name for f in fields(cls)}
    return tuple(name for name in hints if name not in own)
