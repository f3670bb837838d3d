"""The ports of the crossing: attributes and lists of promises, limits of a literal, handing over, several threads."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flytekit import task
from flytekit.core.type_engine import TypeEngine, TypeTransformerFailedError
from flytekit.exceptions.user import FlytePromiseAttributeResolveException

from flytenb.bridge.crossing import (
    CrossingValue,
    Slot,
    box_packer,
    collector,
    from_literal,
    packer,
    resolve_attribute,
    unpacker,
)
from flytenb.bridge.execution.packing import build_packing
from flytenb.errors import UnholdableError
from tests import crossing as c
from tests.crossing import difference, scramble, verdict


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the error that it raises."""
    try:
        return call()
    except Exception as e:
        return e


# -- attributes of promises --------------------------------------------------------------------------------------------

WHOLE = c.Everything(
    whole=3,
    maybe_point=c.Point(1.0, 2.0, {"a": 1.0}),
    wholes=[1, 2],
    points=[c.Point(3.0, 4.0)],
    by_number={1: "a"},
    by_name={"k": [c.Point(5.0, 6.0)]},
    span=timedelta(1),
)

PATHS = [
    (list[int], [1, 2, 3], (1,), int),
    (list[int], [1, 2, 3], (-1,), int),
    (list[int], [1, 2, 3], (3,), int),
    (list[int], [1, 2, 3], ("a",), int),
    (list[list[int]], [[1], [2, 3]], (1, 0), int),
    (list[list[int]], [[1], [2, 3]], (1,), list[int]),
    (dict[str, list[int]], {"a": [1]}, ("a",), list[int]),
    (dict[str, list[int]], {"a": [1]}, ("b",), list[int]),
    (dict[int, str], {1: "a"}, (1,), str),
    (dict[int, str], {1: "a"}, (2,), str),
    (list[int] | None, [1, 2], (0,), int),
    (list[c.Point], [c.Point(1.0, 2.0, {"a": 3.0})], (0,), c.Point),
    (list[c.Point], [c.Point(1.0, 2.0, {"a": 3.0})], (0, "metadata", "a"), float),
    (dict[str, c.Colour], {"a": c.Colour.GREEN}, ("a",), c.Colour),
    (list[int | None], [None, 1], (0,), int | None),
    (list[np.ndarray], [np.arange(3)], (0,), np.ndarray),
    (c.Everything, WHOLE, ("whole",), int),
    (c.Everything, WHOLE, ("whole",), float),
    (c.Everything, WHOLE, ("whole",), int | None),
    (c.Everything, WHOLE, ("maybe",), int | None),
    (c.Everything, WHOLE, ("real",), float),
    (c.Everything, WHOLE, ("flag",), bool),
    (c.Everything, WHOLE, ("day",), c.Everything.__annotations__["day"]),
    (c.Everything, WHOLE, ("time",), datetime),
    (c.Everything, WHOLE, ("span",), timedelta),
    (c.Everything, WHOLE, ("colour",), c.Colour),
    (c.Everything, WHOLE, ("maybe_point",), c.Point | None),
    (c.Everything, WHOLE, ("maybe_point", "metadata"), dict[str, float]),
    (c.Everything, c.Everything(), ("maybe_point", "metadata"), dict[str, float]),
    (c.Everything, WHOLE, ("points", 0, "x"), float),
    (c.Everything, WHOLE, ("points", 1, "x"), float),
    (c.Everything, WHOLE, ("points",), list[c.Point]),
    (c.Everything, WHOLE, ("by_number",), dict[int, str]),
    (c.Everything, WHOLE, ("by_number", 1), str),
    (c.Everything, WHOLE, ("by_name", "k", 0), c.Point),
    (c.Everything, WHOLE, ("maybe_list",), list[list[int]] | None),
    (c.Everything, WHOLE, ("nothing",), int),
    (c.MixinPoint, c.MixinPoint(1.0, 2.0, {"a": 1.0}), ("metadata",), dict[str, float]),
    (c.Loose, c.Loose({"a": 1}), ("pair",), list[int]),
    (dict, {"a": {"b": 1}}, ("a", "b"), int),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("produced", "made", "path", "consumed"), PATHS)
def test_an_attribute_is_what_its_literal_resolves_to(produced: Any, made: Any, path: Any, consumed: Any) -> None:
    value = packer(produced)(made)
    expected = outcome(lambda: unpacker(produced, consumed, path, strict=True)(value))
    take = unpacker(produced, consumed, path)
    assert verdict(expected, outcome(lambda: take(value))) == ""
    assert verdict(expected, outcome(lambda: take(packer(produced, strict=True)(made)))) == ""
    if not isinstance(expected, Exception):
        scramble(take(value))
        assert difference(expected, take(value)) == ""


def test_an_attribute_promise_can_be_used_again_and_again() -> None:
    literal = packer(c.Everything)(WHOLE).literal()
    uses = [resolve_attribute(literal, ("points", 0, "x")) for _ in range(2)]
    assert [from_literal(use, float).native() for use in uses] == [3.0, 3.0]


def test_a_path_that_leads_nowhere_raises_as_in_flytekit() -> None:
    literal = packer(dict[str, int])({"k": 1}).literal()
    with pytest.raises(FlytePromiseAttributeResolveException, match="x"):
        resolve_attribute(literal, ("x",))
    with pytest.raises(FlytePromiseAttributeResolveException, match="out of range"):
        resolve_attribute(packer(list[int])([1]).literal(), (1,))


# -- lists and dicts of promises ---------------------------------------------------------------------------------------

SEVEN = packer(int)(7).literal()

SHAPES = [
    (list[int], [Slot(int), SEVEN, Slot(c.Everything, ("whole",))], [5, WHOLE]),
    (list[int] | None, [Slot(int)], [5]),
    (list[int | None], [Slot(int), Slot(int | None)], [5, None]),
    (list[list[int]], [[Slot(int)], [], [SEVEN, Slot(int)]], [5, 6]),
    (dict[str, list[int]], {"b": [Slot(int)], "a": []}, [5]),
    (dict[str, c.Point], {"p": Slot(c.Point)}, [c.Point(1.0, 2.0)]),
    (list[np.ndarray], [Slot(np.ndarray)], [np.arange(3)]),
    (list[datetime], [Slot(datetime)], [datetime(2020, 1, 1)]),
    (list[list[int]], [Slot(list[int]), [SEVEN]], [[1, 2]]),
    (list[float], [Slot(int)], [5]),
    (list[str], [Slot(int)], [5]),
    (list[int], [], []),
]


@pytest.mark.parametrize(("consumed", "shape", "made"), SHAPES)
def test_several_promises_fill_one_input_as_in_flytekit(consumed: Any, shape: Any, made: list[Any]) -> None:
    values = [packer(type_of(value, shape, i))(value) for i, value in enumerate(made)]
    expected = outcome(lambda: collector(consumed, shape, strict=True)(values))
    collect = collector(consumed, shape)
    assert verdict(expected, outcome(lambda: collect(values))) == ""
    if not isinstance(expected, Exception):
        scramble(collect(values))
        assert difference(expected, collect(values)) == ""


def type_of(value: Any, shape: Any, position: int) -> Any:
    slots: list[Slot] = []

    def walk(at: Any) -> None:
        if isinstance(at, Slot):
            slots.append(at)
        elif isinstance(at, list | dict):
            for inner in at.values() if isinstance(at, dict) else at:
                walk(inner)

    walk(shape)
    return slots[position].producer_type


# -- literals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python_type", "made"),
    [(list[int], [1, 2]), (int, 3), (c.Point, c.Point(1.0, 2.0)), (datetime, datetime(2020, 1, 1)), (c.Counting, None)],
)
def test_a_literal_becomes_a_value_that_can_be_asked_again(python_type: Any, made: Any) -> None:
    made = c.Counting(1) if made is None else made
    literal = packer(python_type, strict=True)(made).literal()
    expected = unpacker(python_type, python_type, strict=True)(from_literal(literal, python_type))
    value = from_literal(literal, python_type)
    take = unpacker(python_type, python_type)
    assert value.method == "literal"
    assert value.literal() is literal
    for ask in (value.native, value.native, lambda: take(value), lambda: take(value)):
        answer = ask()
        assert difference(expected, answer) == ""
        scramble(answer)


@pytest.mark.parametrize("made", [3, "a", [c.Point(1.0, 2.0)], np.arange(3), datetime(2020, 1, 1)])
def test_a_value_says_its_types(made: Any) -> None:
    python_type = list[c.Point] if isinstance(made, list) else type(made)
    value = packer(python_type)(made)
    assert value.python_type is python_type
    assert value.literal_type == TypeEngine.to_literal_type(python_type)


def test_threads_that_ask_at_once_get_one_literal() -> None:
    value = packer(np.ndarray)(np.arange(100_000))
    barrier = threading.Barrier(8)
    literals: list[Any] = []

    def ask() -> None:
        barrier.wait()
        literals.append(value.literal())

    threads = [threading.Thread(target=ask, name=f"asker-{i}") for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(literals) == 8
    assert len(set(map(id, literals))) == 1


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_wrong_value_is_refused_as_flytekit_refuses_it() -> None:
    with pytest.raises(TypeTransformerFailedError, match="but got 'x'"):
        packer(int)("x")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("python_type", "made", "words"),
    [
        (int, 2**63, "at most 64 bits, got 9223372036854775808"),
        (int, -(2**63) - 1, "-9223372036854775809"),
        pytest.param(int, 10**5000, "<int of 16,610 bits>", id="too long to write"),
        (int | None, 2**64, "64 bits"),
        (list[int], [1, 2**63], "64 bits"),
        (dict[str, list[int | str]], {"a": [2**63]}, "64 bits"),
        (str, "a\ud800", "lone surrogates"),
        (list[str], ["a", "é\udfff"], "lone surrogates"),
        (c.Everything, c.Everything(whole=2**64), "18446744073709551616"),
        (c.MixinEverything, c.MixinEverything(wholes=[2**64]), "18446744073709551616"),
        (dict[int, str], {2**64: "a"}, "18446744073709551616"),
    ],
)
def test_what_no_literal_holds_is_refused_as_a_pod_refuses_it(
    python_type: Any, made: Any, words: str, strict: bool
) -> None:
    with pytest.raises(UnholdableError, match=words) as caught:
        packer(python_type, strict=strict)(made)
    assert caught.value.hint
    assert len(caught.value.message) < 200


def test_an_output_that_no_literal_holds_is_named() -> None:
    @task
    def both(x: int) -> tuple[int, int]:
        return x, x * 2**40

    with pytest.raises(UnholdableError, match=r"output 'o1' of task '.*both': expected an integer of at most 64 bits"):
        build_packing(both)([(1, 2**80)])


@pytest.mark.parametrize(("python_type", "made"), [(int, 2**63), (str, "\ud800")])
def test_protobuf_refuses_what_is_refused_here(python_type: Any, made: Any) -> None:
    """The reason for the refusal: flytekit's local run lets these pass, its own serialisation doesn't."""
    literal = TypeEngine.get_transformer(python_type).to_literal(None, made, python_type, None)
    with pytest.raises(ValueError):
        literal.to_flyte_idl()


@pytest.mark.parametrize("made", [2**63 - 1, -(2**63)])
def test_protobuf_holds_what_passes_here(made: int) -> None:
    assert packer(int)(made).literal().to_flyte_idl().scalar.primitive.integer == made


# -- handing over ------------------------------------------------------------------------------------------------------


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def held(value: CrossingValue) -> np.ndarray:
    return value.held  # type: ignore[attr-defined, no-any-return]


def test_an_array_that_is_let_go_is_not_copied() -> None:
    give = box_packer(np.ndarray)
    box = [np.arange(5)]
    where = address(box[0])
    value = give(box)
    assert (box, address(held(value)), value.native().tolist()) == ([], where, [0, 1, 2, 3, 4])


HOLDERS: dict[str, Callable[[np.ndarray], Any]] = {
    "name": lambda made: made,
    "view": lambda made: made[:2],
    "buffer": memoryview,
    "weak reference": weakref.ref,
    "container": lambda made: {"a": made},
}


@pytest.mark.parametrize("hold", [pytest.param(hold, id=name) for name, hold in HOLDERS.items()])
def test_an_array_that_somebody_may_hold_is_copied(hold: Callable[[np.ndarray], Any]) -> None:
    box = [np.arange(5)]
    where = address(box[0])
    kept = hold(box[0])
    assert address(held(box_packer(np.ndarray)(box))) != where
    assert kept is not None


def test_a_view_that_is_let_go_is_copied_since_its_base_may_not_be() -> None:
    base = np.arange(5)
    value = box_packer(np.ndarray)([base[1:]])
    base[:] = 7
    assert value.native().tolist() == [1, 2, 3, 4]


FRAMES: dict[str, Callable[[], pd.DataFrame]] = {
    "columns": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    "types": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "c": [True, False]}),
    "array": lambda: pd.DataFrame(np.ones((3, 2)), columns=["a", "b"]),
    "copy": lambda: pd.DataFrame(np.ones((3, 2)), columns=["a", "b"]).copy(),
    "computed": lambda: pd.DataFrame({"a": [1.0, 2.0]}) * 2,
    "added column": lambda: pd.DataFrame({"a": [1.0, 2.0]}).assign(b=3),
}

FRAME_HOLDERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "name": lambda made: made,
    "weak reference": weakref.ref,
    "column": lambda made: made["a"],
    "array of a column": lambda made: made["a"].array,
    "values": lambda made: made["a"].values,
    "array of the frame": lambda made: made.to_numpy(),
    "buffer": lambda made: memoryview(made["a"].to_numpy()),
    "shallow copy": lambda made: made.copy(deep=False),
    "frame of a frame": pd.DataFrame,
    "slice": lambda made: made[:1],
    "transposed": lambda made: made.T,
    "renamed": lambda made: made.rename(columns=str.upper),
    "subset": lambda made: made[["a"]],
    "manager": lambda made: made._mgr,
    "block": lambda made: made._mgr.blocks[-1],
    "array of a block": lambda made: made._mgr.blocks[0].values,
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in FRAMES.items()])
def test_a_frame_that_is_let_go_is_not_copied(make: Callable[[], pd.DataFrame]) -> None:
    box, expected = [make()], make()
    where = id(box[0])
    value = box_packer(pd.DataFrame)(box)
    assert (box, id(held(value))) == ([], where)
    assert difference(expected, value.native()) == ""


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in FRAMES.items()])
@pytest.mark.parametrize("hold", [pytest.param(hold, id=name) for name, hold in FRAME_HOLDERS.items()])
def test_memory_of_a_frame_that_something_may_hold_is_not_kept(
    make: Callable[[], pd.DataFrame], hold: Callable[[pd.DataFrame], Any]
) -> None:
    box = [make()]
    kept = hold(box[0])
    value = box_packer(pd.DataFrame)(box)
    mine = [block.values for block in held(value)._mgr.blocks]
    shared = [each for each in _arrays_in(kept) for one in mine if np.shares_memory(each, one)]
    assert shared == []


def _arrays_in(kept: Any) -> list[np.ndarray]:
    """Return the arrays through which what a holder keeps reaches memory."""
    if isinstance(kept, weakref.ref):
        kept = kept()
    if isinstance(kept, pd.Series):
        kept = kept.to_frame()
    if isinstance(kept, pd.DataFrame):
        kept = kept._mgr
    if hasattr(kept, "blocks"):
        return [block.values for block in kept.blocks]
    return [] if kept is None else [np.asarray(getattr(kept, "values", kept))]


def test_a_frame_of_a_part_of_an_array_is_copied() -> None:
    base = np.ones((4, 2))
    value = box_packer(pd.DataFrame)([pd.DataFrame(base[:2], columns=["a", "b"], copy=False)])
    base[:] = 7
    assert value.native().to_numpy().tolist() == [[1, 1], [1, 1]]


def test_a_frame_keeps_no_memory_that_it_does_not_use() -> None:
    value = box_packer(pd.DataFrame)([pd.DataFrame(np.ones((1000, 2))[:2], columns=["a", "b"], copy=False)])
    [block] = held(value)._mgr.blocks
    memory = block.values if block.values.base is None else block.values.base
    assert memory.nbytes == block.values.nbytes


def test_what_a_file_says_about_a_dtype_is_all_that_crosses() -> None:
    noted = np.zeros(2, dtype=np.dtype("i4", metadata={"unit": "m"}))
    with pytest.warns(UserWarning, match="metadata"):
        value = packer(np.ndarray)(noted)
    assert (value.method, value.native().dtype.metadata) == ("literal", None)


@pytest.mark.parametrize("make", [lambda: np.arange(9)[::2], lambda: np.arange(6).reshape(2, 3), lambda: np.arange(3)])
def test_what_is_handed_over_is_what_a_file_would_give(make: Callable[[], np.ndarray]) -> None:
    given = box_packer(np.ndarray)([make()])
    assert difference(unpacker(np.ndarray, np.ndarray, strict=True)(given), given.native()) == ""


@pytest.mark.parametrize(
    ("python_type", "made"),
    [
        (int, 3),
        (list[int], [1]),
        (np.ndarray, np.array([1, "a"], dtype=object)),
        (pd.DataFrame, pd.DataFrame({"a": [1]})),
    ],
)
def test_handing_over_is_packing_for_all_other_types(python_type: Any, made: Any) -> None:
    expected = outcome(lambda: packer(python_type)(made).native())
    assert verdict(expected, outcome(lambda: box_packer(python_type)([made]).native())) == ""
    assert box_packer(int, strict=True)([3]).method == "literal"
