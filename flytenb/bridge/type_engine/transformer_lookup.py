"""The lookup of the transformer of a type, as a list of questions in the order of the type engine."""

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
from flytenb.bridge.type_engine.transformers import find_transformer
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text

NO = "no"
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Question:
    """One question of the lookup.

    Attributes:
        text: the question.
        answer: `no`, the transformer that was found, or `not asked`.
        is_chosen: whether the lookup ended here.
    """

    text: str
    answer: str
    is_chosen: bool = False


@dataclass(frozen=True)
class Lookup:
    """The transformer of a type and how it was found.

    Attributes:
        transformer: its class.
        name: its name in flytekit.
        home: its module.
        steps: all questions in the order of the type engine, those after the answer too.
        others: the other transformers that match.
        is_pickle: whether it is the fallback for unknown types.
        is_restricted: whether flytekit knows the type and rejects it.
    """

    transformer: str
    name: str
    home: str
    steps: tuple[Question, ...]
    others: tuple[str, ...] = ()
    is_pickle: bool = False
    is_restricted: bool = False


def look_up(python_type: Any) -> Lookup:
    """Follow the lookup of the type engine (`TypeEngine.get_transformer`, 1.16.31).

    The transformer is always the one that the type engine returns; if it isn't the answer of a question, a last
    question says so.

    Raises:
        TypeError: if the type can't be looked up, e.g. because it can't be hashed.
    """
    chosen = find_transformer(python_type)
    asked = [(question, list(answers)) for question, answers in _questions(python_type)]
    first = next((i for i, (_, found) in enumerate(asked) if found), None)
    steps = [Question(question, _answer(found), i == first) for i, (question, found) in enumerate(asked)]
    named = (type(chosen), chosen.name)
    others = [text for _, found in asked for other, text in found if (type(other), other.name) != named]
    is_pickle = isinstance(chosen, FlytePickleTransformer)
    if first is None:
        steps.append(Question("the type is unknown", "falls back to pickle", is_pickle))
    else:
        steps.append(Question("the type is unknown", NOT_ASKED))
    expected = asked[first][1][0][0] if first is not None else None
    if chosen is not expected and not (expected is None and is_pickle):
        steps = [dataclasses.replace(s, is_chosen=False) for s in steps]
        steps.append(Question("the type engine itself", describe_transformer(chosen), True))
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
    """Return the class of a transformer, with its name where a class has several instances."""
    cls = class_name(transformer)
    return f"{cls} {str(transformer.name)!r}" if isinstance(transformer, SimpleTransformer) else cls


@dataclass(frozen=True)
class _AnyDataclass:
    """Any dataclass: the registry has no entry for the transformer of dataclasses."""


Found = tuple[TypeTransformer[Any], str]
"""A transformer, and its description with how it was found."""


def _answer(found: list[Found]) -> str:
    return found[0][1] if found else NO


def _found(transformer: TypeTransformer[Any], how: str = "") -> Found:
    return transformer, describe_transformer(transformer) + (f", {how}" if how else "")


def _questions(python_type: Any) -> Iterator[tuple[str, Iterator[Found]]]:
    """Yield each question with its answers in the order of the type engine; `Annotated` continues with its type."""
    while get_origin(python_type) is Annotated:
        inner, *annotations = get_args(python_type)
        yield "an annotation is a transformer", _annotated(annotations)
        python_type = inner
    for question, answer in _QUESTIONS:
        yield question, answer(python_type)
    yield "an ancestor is registered", _ancestors(python_type)
    yield "it is a dataclass", _dataclass(python_type)


def _annotated(annotations: list[Any]) -> Iterator[Found]:
    for annotation in annotations:
        if isinstance(annotation, TypeTransformer):
            yield _found(annotation, "in the annotation")


def _enum(python_type: Any) -> Iterator[Found]:
    if inspect.isclass(python_type) and issubclass(python_type, Enum):
        yield _found(TypeEngine.get_transformer(Enum), "for every Enum")


def _literal(python_type: Any) -> Iterator[Found]:
    if get_origin(python_type) is Literal:
        yield _found(TypeEngine.get_transformer(Literal[0]), "for every Literal")


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
            yield from ((found, f"{text}, for its ancestor {type_text(ancestor)}") for found, text in answer(ancestor))


def _dataclass(python_type: Any) -> Iterator[Found]:
    if dataclasses.is_dataclass(python_type):
        yield _found(TypeEngine.get_transformer(_AnyDataclass), "for every dataclass")


def _registered(key: Any) -> Iterator[Found]:
    try:
        found = private.transformer_registry().get(key)
    except TypeError:  # it can't be hashed
        return
    if found is not None:
        yield _found(found, "rejects the type" if isinstance(found, RestrictedTypeTransformer) else "")


def _mro(python_type: Any) -> tuple[type, ...]:
    return inspect.getmro(python_type) if hasattr(python_type, "__mro__") else ()


_QUESTIONS: tuple[tuple[str, Callable[[Any], Iterator[Found]]], ...] = (
    ("it is an Enum", _enum),
    ("it is a Literal", _literal),
    ("it is registered with its arguments", _whole_generic),
    ("its origin is registered", _origin),
    ("it is a union written with |", _union),
    ("it is registered", _itself),
)
"""The questions for a type, and for each of its ancestors."""
