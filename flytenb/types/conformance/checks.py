"""The checks of a type: each function returns what it found, or raises BrokenError."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from types import GenericAlias
from typing import Any, Union

from flytenb.bridge.crossing.literal import resolve_attribute, to_native
from flytenb.bridge.type_engine import TypeTransformerFailedError
from flytenb.bridge.type_engine.literal_forms import (
    describe_literal,
    describe_literal_type,
    fits,
    same_type,
    type_from_bytes,
    type_to_bytes,
)
from flytenb.bridge.type_engine.transformer_lookup import look_up
from flytenb.bridge.type_engine.transformers import accepts_none, literal_type_of
from flytenb.types.conformance.html_escaping import find_unescaped
from flytenb.types.conformance.other_process import convert_elsewhere
from flytenb.types.conformance.subject import BrokenError, Subject
from flytenb.types.container_support import unknown_to_mashumaro
from flytenb.types.round_trip import explain, pack, round_trip, send
from flytenb.types.value_changes import describe_value, first_change
from flytenb.wording.quantities import count_text
from flytenb.wording.types import type_text

# --- the type --------------------------------------------------------------------------------------------------------


def _is_known(subject: Subject) -> str:
    lookup = look_up(subject.type)
    if lookup.is_pickle:
        raise BrokenError("Flyte doesn't know the type and pickles it", "TypeEngine.register(MyTransformer())")
    if lookup.is_restricted:
        raise BrokenError("flytekit rejects the type", "use a dataclass instead")
    return next(f"{step.text}: {step.answer}" for step in lookup.steps if step.is_chosen)


def _has_stable_type(subject: Subject) -> str:
    first, second = (literal_type_of(subject.type) for _ in range(2))
    again = type_from_bytes(type_to_bytes(first))
    if not same_type(first, second) or not same_type(first, again):
        raise BrokenError(
            f"two calls returned {describe_literal_type(first)} and {describe_literal_type(second)}",
            "get_literal_type must always return the same type: no counter, time or random name",
        )
    return describe_literal_type(first)


def _literal_fits(subject: Subject) -> str:
    literal_type = literal_type_of(subject.type)
    for sample in subject.samples:
        literal = pack(sample, subject.type)
        if not fits(literal, literal_type):
            declared = describe_literal_type(literal_type)
            raise BrokenError(
                f"{describe_value(sample)} becomes {describe_literal(literal)}, but the literal type is {declared}",
                "to_literal and get_literal_type must agree, or a cluster rejects the literal",
            )
    return _counted(subject, "fits its literal type", "fit their literal type")


# --- round trip ------------------------------------------------------------------------------------------------------


def _comes_back(subject: Subject) -> str:
    for sample in subject.samples:
        trip = round_trip(sample, subject.type, subject.stored)
        if trip.error:
            where = "to_python_value" if len(trip.stages) == 3 else "to_literal"
            raise BrokenError(f"{describe_value(sample)}: {trip.error}", f"{where} must accept every value of the type")
        if trip.change is not None:
            raise BrokenError(str(trip.change), "to_python_value must restore the whole value")
    return _counted(subject, "came back unchanged", "came back unchanged")


def _is_left_alone(subject: Subject) -> str:
    for sample in subject.samples:
        trip = round_trip(sample, subject.type, subject.stored)
        if trip.notes:
            raise BrokenError(trip.notes[0], "to_literal must not change its value: the task may still use it")
    return "the conversion doesn't change the object"


# --- rejected values -------------------------------------------------------------------------------------------------


def _rejects_other_values(subject: Subject) -> str:
    for value in subject.wrong:
        try:
            subject.transformer.assert_type(subject.type, value)
        except (TypeTransformerFailedError, TypeError):
            pass
        except Exception as error:
            raise BrokenError(
                f"assert_type raises {explain(error)} for {describe_value(value)}",
                "it must raise TypeTransformerFailedError",
            ) from error
        try:
            literal = pack(value, subject.type)
        except Exception:
            continue
        raise BrokenError(
            f"{describe_value(value)} became {describe_literal(literal)}",
            "leave enable_type_assertions on, or check isinstance in to_literal and raise TypeTransformerFailedError",
        )
    return f"rejected {', '.join(map(describe_value, subject.wrong))}" if subject.wrong else "no wrong value was given"


def _rejects_none(subject: Subject) -> str:
    if subject.type in (None, type(None)):
        return "it is the type of None"
    if accepts_none(subject.transformer, subject.type):
        raise BrokenError("to_literal accepts None", "raise TypeTransformerFailedError for None: Optional handles it")
    return "rejected None"


def _rejects_other_literals(subject: Subject) -> str:
    own = literal_type_of(subject.type)
    for other, value in ((bool, True), (list[int], [1]), (datetime.timedelta, datetime.timedelta(1))):
        literal = pack(value, other)
        if fits(literal, own):
            continue
        try:
            made = to_native(literal, subject.type)
        except Exception:
            continue
        raise BrokenError(
            f"{describe_literal(literal)} was read as {describe_value(made)}",
            "to_python_value must raise TypeTransformerFailedError for a literal of another type",
        )
    return "literals of other types are rejected"


# --- inside other types ----------------------------------------------------------------------------------------------


def _hold(subject: Subject, python_type: Any, wrap: Callable[..., Any], fix: str) -> None:
    """Send each sample inside another type, and compare it with the sample, then with the sample after a round trip.

    `wrap` receives the sample and another one.
    """
    count = len(subject.samples)
    for i in range(count):
        pair, alone = ([of[i], of[(i + 1) % count]] for of in (subject.samples, subject.expected))
        value = wrap(*pair)
        try:
            after = send(value, python_type)
        except Exception as error:
            raise BrokenError(f"{describe_value(value)}: {explain(error)}", fix) from error
        change = first_change(wrap(*alone), after)
        if change is not None and first_change(value, after) is not None:
            raise BrokenError(str(change), fix)


def _works_in_list(subject: Subject) -> str:
    listed = GenericAlias(list, (subject.type,))
    _hold(subject, listed, lambda one, other: [one, other], _ALONE)
    _hold(subject, GenericAlias(list, (listed,)), lambda one, other: [[one], [], [other]], _ALONE)
    return f"{type_text(listed)} came back, nested lists too"


def _works_in_dict(subject: Subject) -> str:
    named = GenericAlias(dict, (str, subject.type))
    _hold(subject, named, lambda one, other: {"one": one, "other": other}, _ALONE)
    return f"{type_text(named)} came back"


def _works_in_optional(subject: Subject) -> str:
    optional = _union(subject.type, type(None))
    _hold(subject, optional, lambda sample, _: sample, _MEMBER)
    _hold(subject, optional, lambda *_: None, _MEMBER)
    return f"{type_text(optional)} came back, and so did None"


def _works_in_union(subject: Subject) -> str:
    others: list[tuple[type, Any]] = [(o, v) for o, v in ((int, 7), (str, "text")) if o is not subject.type]
    for other, value in others:
        union = _union(subject.type, other)
        _hold(subject, union, lambda sample, _: sample, _MEMBER)
        _hold(subject, union, _always(value), _MEMBER)
    return f"came back beside {' and '.join(type_text(other) for other, _ in others)}"


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def _union(*members: Any) -> Any:
    return Union.__getitem__(members)


_ALONE = "to_literal and to_python_value must not keep the value or literal of another call"
_MEMBER = "to_literal and to_python_value must raise for other types: a union tries each of its members"


def _works_in_dataclass(subject: Subject) -> str:
    holder = _holder(subject)
    unknown = unknown_to_mashumaro(holder)
    if unknown:
        raise BrokenError(
            unknown, f"derive {type_text(subject.type)} from mashumaro's SerializableType: {_SERIALIZABLE}"
        )
    _hold(subject, holder, lambda sample, _: holder(sample), f"fix _serialize and _deserialize: {_SERIALIZABLE}")
    return "came back as a field of a dataclass"


_SERIALIZABLE = "_serialize returns plain data, _deserialize the value"


def _works_as_attribute(subject: Subject) -> str:
    """Read `made.value` and `made[0]` as a workflow does; a cluster reads them from the literal."""
    _read_attribute(subject, GenericAlias(list, (subject.type,)), [subject.samples[0]], 0)
    holder = _holder(subject)
    if unknown_to_mashumaro(holder):
        raise BrokenError("a dataclass can't have a field of it", "fix the row above first")
    _read_attribute(subject, holder, holder(subject.samples[0]), "value")
    return "made.value and made[0] came back"


def _read_attribute(subject: Subject, python_type: Any, whole: Any, key: str | int) -> None:
    fix = "to_python_value receives MessagePack bytes here: pass lv.scalar.binary to from_binary_idl"
    literal = pack(whole, python_type)
    try:
        value = to_native(resolve_attribute(literal, [key]), subject.type)
    except Exception as error:
        raise BrokenError(f"reading {key!r} of {describe_value(whole)} raised {explain(error)}", fix) from error
    change = first_change(subject.expected[0], value)
    if change is not None:
        raise BrokenError(str(change), fix)


def _holder(subject: Subject) -> Any:
    return dataclasses.make_dataclass("Holder", [("value", subject.type)])


# --- other processes, decks ------------------------------------------------------------------------------------------


def _works_in_other_process(subject: Subject) -> str:
    literal_type = literal_type_of(subject.type)
    literals = [pack(sample, subject.type) for sample in subject.samples]
    answer = convert_elsewhere(subject.type, subject.transformer, literals, subject.stored)
    if answer.error:
        raise BrokenError(answer.error, answer.fix)
    if not same_type(literal_type, answer.literal_type):
        raise BrokenError(
            f"its literal type is {describe_literal_type(answer.literal_type)} in the other process, "
            f"{describe_literal_type(literal_type)} in this one",
            "get_literal_type must not use what differs between processes: id(), addresses, the order of a set",
        )
    for expected, literal in zip(subject.expected, answer.literals, strict=True):
        change = first_change(expected, to_native(literal, subject.type))
        if change is not None:
            raise BrokenError(str(change), "all data of a value must be in its literal or its files")
    return "came back from another process"


def _html_is_escaped(subject: Subject) -> str:
    for sample in subject.samples:
        found = find_unescaped(subject.transformer, sample, subject.type)
        if found and type(subject.transformer).__module__.partition(".")[0] == "flytekit":
            return "flytekit's own transformer doesn't escape it in decks; the displays of flytenb do"
        if found:
            raise BrokenError(found, "define to_html, and escape every text of the value with html.escape")
    return "a deck shows it as text, not as markup"


def _counted(subject: Subject, one: str, several: str) -> str:
    return (
        f"the sample {one}" if len(subject.samples) == 1 else f"{count_text(len(subject.samples), 'sample')} {several}"
    )


CHECKS: tuple[tuple[str, Callable[[Subject], str]], ...] = (
    ("it has a transformer", _is_known),
    ("literal type is stable", _has_stable_type),
    ("literals fit their type", _literal_fits),
    ("round trip", _comes_back),
    ("the object is unchanged", _is_left_alone),
    ("wrong values are rejected", _rejects_other_values),
    ("None is rejected", _rejects_none),
    ("wrong literals are rejected", _rejects_other_literals),
    ("in a list", _works_in_list),
    ("in a dict", _works_in_dict),
    ("as Optional", _works_in_optional),
    ("in a union", _works_in_union),
    ("in a dataclass", _works_in_dataclass),
    ("as an attribute", _works_as_attribute),
    ("in another process", _works_in_other_process),
    ("to_html is escaped", _html_is_escaped),
)
