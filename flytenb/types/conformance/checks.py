"""What a type must be able to do among tasks, a function for each: it says what it saw, or raises what is broken."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from types import GenericAlias
from typing import Any, Union

from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine, TypeTransformerFailedError
from flytekit.models.types import LiteralType

from flytenb.bridge.crossing.literal import resolve_attribute, to_native
from flytenb.types.conformance.case import BrokenError, Case
from flytenb.types.conformance.html import find_unescaped
from flytenb.types.conformance.other_process import visit
from flytenb.types.container_support import unknown_to_mashumaro
from flytenb.types.differences import first_difference, tell
from flytenb.types.literals import describe_literal, describe_literal_type, fits, same_type
from flytenb.types.lookup import look_up
from flytenb.types.round_trip import explain, pack, send, take_trip
from flytenb.wording.quantities import count_text
from flytenb.wording.types import type_text

# --- the type --------------------------------------------------------------------------------------------------------


def _is_known(case: Case) -> str:
    lookup = look_up(case.type)
    if lookup.is_pickle:
        raise BrokenError("Flyte doesn't know the type and pickles it", "TypeEngine.register(MyTransformer())")
    if lookup.is_restricted:
        raise BrokenError("flytekit refuses the type on purpose", "use a dataclass instead")
    return next(f"{step.question}: {step.answer}" for step in lookup.steps if step.is_chosen)


def _has_stable_type(case: Case) -> str:
    first, second = (TypeEngine.to_literal_type(case.type) for _ in range(2))
    again = LiteralType.from_flyte_idl(first.to_flyte_idl())
    if not same_type(first, second) or not same_type(first, again):
        raise BrokenError(
            f"asked twice, it is {describe_literal_type(first)} and {describe_literal_type(second)}",
            "get_literal_type must give the same each time: no counter, time or random name in it",
        )
    return describe_literal_type(first)


def _literal_fits(case: Case) -> str:
    literal_type = TypeEngine.to_literal_type(case.type)
    for sample in case.samples:
        literal = pack(sample, case.type)
        if not fits(literal, literal_type):
            declared = describe_literal_type(literal_type)
            raise BrokenError(
                f"{tell(sample)} becomes {describe_literal(literal)}, but declared is {declared}",
                "to_literal and get_literal_type must agree: a cluster refuses anything else",
            )
    return _counted(case, "fits its literal type", "fit their literal type")


# --- there and back --------------------------------------------------------------------------------------------------


def _comes_back(case: Case) -> str:
    for sample in case.samples:
        trip = take_trip(sample, case.type, case.stored)
        if trip.error:
            where = "to_python_value" if len(trip.stops) == 3 else "to_literal"
            raise BrokenError(f"{tell(sample)}: {trip.error}", f"{where} must take every value of the type")
        if trip.difference is not None:
            raise BrokenError(str(trip.difference), "to_python_value must rebuild all that to_literal was given")
    return _counted(case, "came back as it was", "came back as they were")


def _is_left_alone(case: Case) -> str:
    for sample in case.samples:
        trip = take_trip(sample, case.type, case.stored)
        if trip.notes:
            raise BrokenError(trip.notes[0], "to_literal must not write into its value: the task may still use it")
    return "converting changes nothing in the object"


# --- what must be refused --------------------------------------------------------------------------------------------


def _refuses_strangers(case: Case) -> str:
    for value in case.wrong:
        try:
            case.transformer.assert_type(case.type, value)
        except (TypeTransformerFailedError, TypeError):
            pass
        except Exception as error:
            raise BrokenError(
                f"assert_type raises {explain(error)} for {tell(value)}", "it must raise TypeTransformerFailedError"
            ) from error
        try:
            literal = pack(value, case.type)
        except Exception:
            continue
        raise BrokenError(
            f"{tell(value)} became {describe_literal(literal)}",
            "leave enable_type_assertions on, or check isinstance in to_literal and raise TypeTransformerFailedError",
        )
    return f"refused {', '.join(map(tell, case.wrong))}" if case.wrong else "nothing to refuse"


def _refuses_none(case: Case) -> str:
    """Asked itself, as a union asks it: the type engine alone would never let None through to it."""
    if case.type in (None, type(None)):
        return "it is the type of None"
    context = FlyteContextManager.current_context()
    try:
        case.transformer.to_literal(context, None, case.type, TypeEngine.to_literal_type(case.type))
    except Exception:
        return "refused None"
    raise BrokenError("to_literal takes None", "raise TypeTransformerFailedError for it: Optional is for None")


def _refuses_strange_literals(case: Case) -> str:
    own = TypeEngine.to_literal_type(case.type)
    for other, value in ((bool, True), (list[int], [1]), (datetime.timedelta, datetime.timedelta(1))):
        literal = pack(value, other)
        if fits(literal, own):
            continue
        try:
            made = to_native(literal, case.type)
        except Exception:
            continue
        raise BrokenError(
            f"{describe_literal(literal)} was read as {tell(made)}",
            "to_python_value must raise TypeTransformerFailedError for a literal that isn't its own",
        )
    return "literals of other types are refused"


# --- inside other types ----------------------------------------------------------------------------------------------


def _hold(case: Case, python_type: Any, wrap: Callable[..., Any], mend: str) -> None:
    """Send each sample inside something else, and look whether it comes back as it was, or at least as it does alone.

    `wrap` is given the sample, and another to put beside it.
    """
    count = len(case.samples)
    for i in range(count):
        pair, alone = ([of[i], of[(i + 1) % count]] for of in (case.samples, case.expected))
        value = wrap(*pair)
        try:
            after = send(value, python_type)
        except Exception as error:
            raise BrokenError(f"{tell(value)}: {explain(error)}", mend) from error
        difference = first_difference(wrap(*alone), after)
        if difference is not None and first_difference(value, after) is not None:
            raise BrokenError(str(difference), mend)


def _works_in_list(case: Case) -> str:
    listed = GenericAlias(list, (case.type,))
    _hold(case, listed, lambda one, other: [one, other], _ALONE)
    _hold(case, GenericAlias(list, (listed,)), lambda one, other: [[one], [], [other]], _ALONE)
    return f"{type_text(listed)} came back, nested lists too"


def _works_in_dict(case: Case) -> str:
    named = GenericAlias(dict, (str, case.type))
    _hold(case, named, lambda one, other: {"one": one, "other": other}, _ALONE)
    return f"{type_text(named)} came back"


def _works_in_optional(case: Case) -> str:
    optional = _union(case.type, type(None))
    _hold(case, optional, lambda sample, _: sample, _MEMBER)
    _hold(case, optional, lambda *_: None, _MEMBER)
    return f"{type_text(optional)} came back, and so did None"


def _works_in_union(case: Case) -> str:
    others: list[tuple[type, Any]] = [(o, v) for o, v in ((int, 7), (str, "text")) if o is not case.type]
    for other, value in others:
        union = _union(case.type, other)
        _hold(case, union, lambda sample, _: sample, _MEMBER)
        _hold(case, union, _always(value), _MEMBER)
    return f"came back beside {' and '.join(other.__name__ for other, _ in others)}"


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def _union(*members: Any) -> Any:
    return Union.__getitem__(members)


_ALONE = "to_literal and to_python_value must not remember the value or literal of another call"
_MEMBER = "to_literal and to_python_value must raise for what isn't theirs: a union tries each of its members"


def _works_in_dataclass(case: Case) -> str:
    holder = _holder(case)
    unknown = unknown_to_mashumaro(holder)
    if unknown:
        raise BrokenError(unknown, f"let {type_text(case.type)} inherit mashumaro's SerializableType: {_SERIALIZABLE}")
    _hold(case, holder, lambda sample, _: holder(sample), f"mend _serialize and _deserialize: {_SERIALIZABLE}")
    return "as a field of a dataclass it came back"


_SERIALIZABLE = "_serialize gives plain data, _deserialize makes the value of it"


def _works_as_attribute(case: Case) -> str:
    """What a workflow writes as `made.value` or `made[0]`; a cluster cuts it out of the literal."""
    _cut_out(case, GenericAlias(list, (case.type,)), [case.samples[0]], 0)
    holder = _holder(case)
    if unknown_to_mashumaro(holder):
        raise BrokenError("no dataclass can hold it, so nothing can be cut out of one", "mend the row above first")
    _cut_out(case, holder, holder(case.samples[0]), "value")
    return "made.value and made[0] came back"


def _cut_out(case: Case, python_type: Any, whole: Any, key: str | int) -> None:
    mend = "to_python_value is given MessagePack bytes here: pass lv.scalar.binary to from_binary_idl"
    literal = pack(whole, python_type)
    try:
        value = to_native(resolve_attribute(literal, [key]), case.type)
    except Exception as error:
        raise BrokenError(f"taking {key!r} out of {tell(whole)} raised {explain(error)}", mend) from error
    difference = first_difference(case.expected[0], value)
    if difference is not None:
        raise BrokenError(str(difference), mend)


def _holder(case: Case) -> Any:
    return dataclasses.make_dataclass("Holder", [("value", case.type)])


# --- elsewhere -------------------------------------------------------------------------------------------------------


def _works_elsewhere(case: Case) -> str:
    literal_type = TypeEngine.to_literal_type(case.type)
    literals = [pack(sample, case.type) for sample in case.samples]
    answer = visit(case.type, case.transformer, literals, case.stored)
    if answer.error:
        raise BrokenError(answer.error, answer.mend)
    if not same_type(literal_type, answer.literal_type):
        raise BrokenError(
            f"there it is {describe_literal_type(answer.literal_type)}, here {describe_literal_type(literal_type)}",
            "get_literal_type must not depend on the process: no id(), no address, no order of a set",
        )
    for expected, literal in zip(case.expected, answer.literals, strict=True):
        difference = first_difference(expected, to_native(literal, case.type))
        if difference is not None:
            raise BrokenError(str(difference), "all that a value needs must be in its literal or its files")
    return "another process read it and wrote it back"


def _html_is_escaped(case: Case) -> str:
    for sample in case.samples:
        found = find_unescaped(case.transformer, sample, case.type)
        if found and type(case.transformer).__module__.partition(".")[0] == "flytekit":
            return "a deck of flytekit's own doesn't escape it; every display here does"
        if found:
            raise BrokenError(found, "write to_html, and pass every text of the value through html.escape")
    return "a deck shows it as text, not as markup"


def _counted(case: Case, one: str, several: str) -> str:
    return f"the sample {one}" if len(case.samples) == 1 else f"{count_text(len(case.samples), 'sample')} {several}"


CHECKS: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("it has a transformer", _is_known),
    ("literal type is stable", _has_stable_type),
    ("literals fit their type", _literal_fits),
    ("there and back", _comes_back),
    ("the object is left alone", _is_left_alone),
    ("wrong values are refused", _refuses_strangers),
    ("None is refused", _refuses_none),
    ("wrong literals are refused", _refuses_strange_literals),
    ("in a list", _works_in_list),
    ("in a dict", _works_in_dict),
    ("as Optional", _works_in_optional),
    ("in a union", _works_in_union),
    ("in a dataclass", _works_in_dataclass),
    ("as an attribute", _works_as_attribute),
    ("in another process", _works_elsewhere),
    ("to_html is escaped", _html_is_escaped),
)
