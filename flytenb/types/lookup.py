"""Which transformer flytekit takes for a type, question by question; what it then does is left to `trip`."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from flytekit.core.type_engine import RestrictedTypeTransformer, SimpleTransformer, TypeEngine, TypeTransformer
from flytekit.types.pickle.pickle import FlytePickleTransformer

from flytenb.bridge import private
from flytenb.types.quiet import quiet
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text

NO = "no"
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Step:
    """One question of the lookup.

    Attributes:
        question: what the type engine asks.
        answer: `no`, the transformer that it found, or why the question doesn't arise.
        is_chosen: whether this is where the lookup ended.
    """

    question: str
    answer: str
    is_chosen: bool = False


@dataclass(frozen=True)
class Lookup:
    """How a transformer was found.

    Attributes:
        transformer: its class.
        name: what flytekit calls it.
        home: the module that it comes from.
        steps: all questions in flytekit's order, also those that were never reached.
        others: what else would match, if the chosen one were not there.
        is_pickle: whether it is the fallback for types that nobody knows.
        is_restricted: whether flytekit knows the type and refuses it.
    """

    transformer: str
    name: str
    home: str
    steps: tuple[Step, ...]
    others: tuple[str, ...] = ()
    is_pickle: bool = False
    is_restricted: bool = False


def find_transformer(python_type: Any) -> TypeTransformer[Any]:
    """Return the transformer that flytekit takes, without its warning about pickle."""
    with quiet():
        return TypeEngine.get_transformer(python_type)


def look_up(python_type: Any) -> Lookup:
    """Follow flytekit's own lookup (`TypeEngine.get_transformer`, 1.16.31) and say what each of its questions finds.

    The outcome is always what the type engine itself returns; should it ever differ from where the questions led, the
    last step says so.

    Raises:
        TypeError: if the type can't be looked up at all, e.g. since it can't be hashed.
    """
    chosen = find_transformer(python_type)
    asked = [(question, list(answers)) for question, answers in _questions(python_type)]
    first = next((i for i, (_, found) in enumerate(asked) if found), None)
    steps = [Step(question, _answer(found), i == first) for i, (question, found) in enumerate(asked)]
    named = (type(chosen), chosen.name)
    others = [told for _, found in asked for other, told in found if (type(other), other.name) != named]
    is_pickle = isinstance(chosen, FlytePickleTransformer)
    if first is None:
        steps.append(Step("nobody knows it", "falls back to pickle", is_pickle))
    else:
        steps.append(Step("nobody knows it", NOT_ASKED))
    expected = asked[first][1][0][0] if first is not None else None
    if chosen is not expected and not (expected is None and is_pickle):
        steps = [dataclasses.replace(s, is_chosen=False) for s in steps]
        steps.append(Step("flytekit itself", describe_transformer(chosen), True))
    return Lookup(
        transformer=class_name(chosen),
        name=str(chosen.name),
        home=type(chosen).__module__,
        steps=tuple(steps),
        others=tuple(dict.fromkeys(others)),
        is_pickle=is_pickle,
        is_restricted=isinstance(chosen, RestrictedTypeTransformer),
    )


def describe_transformer(transformer: TypeTransformer[Any]) -> str:
    """Return a transformer as its class, and which one of them where there are many."""
    cls = class_name(transformer)
    return f"{cls} {str(transformer.name)!r}" if isinstance(transformer, SimpleTransformer) else cls


@dataclass(frozen=True)
class _AnyDataclass:
    """Stands for all dataclasses: flytekit keeps their transformer in no table."""


Found = tuple[TypeTransformer[Any], str]
"""A transformer, and how it was found, in words."""


def _answer(found: list[Found]) -> str:
    return found[0][1] if found else NO


def _told(transformer: TypeTransformer[Any], how: str = "") -> Found:
    return transformer, describe_transformer(transformer) + (f", {how}" if how else "")


def _questions(python_type: Any) -> Iterator[tuple[str, Iterator[Found]]]:
    """Each question with what answers it, in flytekit's order; an Annotated goes on with the type inside it."""
    while get_origin(python_type) is Annotated:
        inner, *annotations = get_args(python_type)
        yield "an annotation of it is a transformer", _annotated(annotations)
        python_type = inner
    for question, answer in _QUESTIONS:
        yield question, answer(python_type)
    yield "an ancestor is registered", _ancestors(python_type)
    yield "it is a dataclass", _dataclass(python_type)


def _annotated(annotations: list[Any]) -> Iterator[Found]:
    for annotation in annotations:
        if isinstance(annotation, TypeTransformer):
            yield _told(annotation, "in the annotation")


def _enum(python_type: Any) -> Iterator[Found]:
    if inspect.isclass(python_type) and issubclass(python_type, Enum):
        yield _told(TypeEngine.get_transformer(Enum), "for every Enum")


def _literal(python_type: Any) -> Iterator[Found]:
    if get_origin(python_type) is Literal:
        yield _told(TypeEngine.get_transformer(Literal[0]), "for every Literal")


def _whole_generic(python_type: Any) -> Iterator[Found]:
    if hasattr(python_type, "__origin__"):
        yield from _registered(python_type)


def _origin(python_type: Any) -> Iterator[Found]:
    if hasattr(python_type, "__origin__"):
        yield from _registered(python_type.__origin__)


def _union(python_type: Any) -> Iterator[Found]:
    if isinstance(python_type, types.UnionType):
        yield from _registered(types.UnionType)


def _itself(python_type: Any) -> Iterator[Found]:
    yield from _registered(python_type)


def _ancestors(python_type: Any) -> Iterator[Found]:
    for ancestor in _mro(python_type)[1:]:
        for _, answer in _QUESTIONS:
            yield from ((found, f"{told}, for its ancestor {type_text(ancestor)}") for found, told in answer(ancestor))


def _dataclass(python_type: Any) -> Iterator[Found]:
    if dataclasses.is_dataclass(python_type):
        yield _told(TypeEngine.get_transformer(_AnyDataclass), "for every dataclass")


def _registered(key: Any) -> Iterator[Found]:
    try:
        found = private.transformer_registry().get(key)
    except TypeError:  # it can't be hashed
        return
    if found is not None:
        yield _told(found, "refused on purpose" if isinstance(found, RestrictedTypeTransformer) else "")


def _mro(python_type: Any) -> tuple[type, ...]:
    return inspect.getmro(python_type) if hasattr(python_type, "__mro__") else ()


_QUESTIONS: tuple[tuple[str, Callable[[Any], Iterator[Found]]], ...] = (
    ("it is an Enum", _enum),
    ("it is a Literal", _literal),
    ("this very generic is registered", _whole_generic),
    ("what it is a generic of is registered", _origin),
    ("it is a union written with |", _union),
    ("it is registered", _itself),
)
"""What is asked of the type, and of each of its ancestors."""
