"""Any two values have one digest exactly if they hold the same, of the same types, in the same order."""

from __future__ import annotations

import copy
import hashlib
import math
import pickle
import random
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flytenb.reach.array_digest import add_memory
from flytenb.reach.code_digest import structure_of
from flytenb.reach.object_digest import OpaqueError


@dataclass(frozen=True)
class Pair:
    one: Any
    other: Any


@dataclass(frozen=True)
class Couple:
    one: Any
    other: Any


class Slotted:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, -0.0, 1.0, math.nan]), st.sampled_from("a0"),
    st.binary(max_size=1), st.sampled_from([0j, 1j]),
)  # fmt: skip
keys = st.one_of(st.booleans(), st.integers(0, 1), st.sampled_from("a0"))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    few = st.lists(inner, max_size=3)
    return st.one_of(
        few,
        few.map(tuple),
        st.dictionaries(keys, inner, max_size=3),
        st.frozensets(keys, max_size=3),
        st.sets(keys, max_size=3),
        st.builds(Pair, inner, inner),
        st.builds(Couple, inner, inner),
        st.builds(Slotted, inner),
    )


values = st.recursive(scalars, containers, max_leaves=6)


def told(value: Any) -> Any:
    """A value as what may be compared with `==` and is equal only if all of it is, types and order too."""
    kind = type(value)
    if kind in (list, tuple):
        return (kind, *map(told, value))
    if kind is dict:
        return (kind, *((told(k), told(v)) for k, v in value.items()))
    if kind in (set, frozenset):
        return (kind, frozenset(map(told, value)))
    if kind in (Pair, Couple):
        return (kind, told(value.one), told(value.other))
    if kind is Slotted:
        return (kind, told(value.held))
    return (kind, repr(value))


@settings(deadline=None)
@given(values, values)
@example([[1], 2], [[1, 2]])
@example((1, "a"), (1, ("a",)))
@example({True: 0}, {1: 0})
def test_digests_are_equal_exactly_if_values_are(one: Any, other: Any) -> None:
    assert (structure_of(one) == structure_of(other)) == (told(one) == told(other))


@settings(deadline=None)
@given(values)
def test_a_copy_has_the_same_digest_however_it_was_made(value: Any) -> None:
    digest = structure_of(value)
    assert structure_of(copy.deepcopy(value)) == digest
    assert structure_of(pickle.loads(pickle.dumps(value))) == digest
    # Twice the same object, and two that are equal.
    assert structure_of([value, value]) == structure_of([value, pickle.loads(pickle.dumps(value))])


def test_a_value_that_holds_itself_has_a_digest() -> None:
    def loop(extra: int) -> list[Any]:
        made: list[Any] = [extra]
        made.append(made)
        return made

    assert structure_of(loop(1)) == structure_of(loop(1)) != structure_of(loop(2))


@pytest.mark.parametrize(
    "make", [lambda: (i for i in "ab"), lambda: [random.SystemRandom()], lambda: {"a": sys.stdout}]
)
def test_what_does_not_tell_what_it_holds_is_an_error(make: Any) -> None:
    with pytest.raises(OpaqueError):
        structure_of(make())


def test_what_python_brings_is_known_by_its_name() -> None:
    assert structure_of({"a": open}) == structure_of({"a": open}) != structure_of({"a": print})
    assert structure_of(math.sin) != structure_of(math.cos)


def test_arrays_inside_are_their_memory() -> None:
    made = [np.arange(3.0), {"a": np.zeros((2, 2))}]
    assert structure_of(made) == structure_of(copy.deepcopy(made))
    made[0][1] = 7
    assert structure_of(made) != structure_of([np.arange(3.0), {"a": np.zeros((2, 2))}])


SHOW = """
from tests.reach.test_digests_values import *
value = [{"b", "a", "c"}, frozenset("xyz"), Pair({"q": {1, "s"}}, Slotted(("t",))), str.upper, lambda x: x]
print(structure_of(value).hex())
"""


@pytest.mark.slow
def test_a_digest_is_the_same_in_every_process() -> None:
    shown = {
        subprocess.run(
            [sys.executable, "-c", SHOW],
            env={"PATH": "", "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1


texts = st.lists(st.sampled_from(["", "a", "b", "ab", "é", None]), max_size=5)


def column_digest(made: pd.Series) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    assert add_memory(digest, pd.DataFrame, pd.DataFrame({"t": made}))
    return digest.digest()


@pytest.mark.parametrize("storage", ["pyarrow", "python"])
@given(first=texts, second=texts, before=texts)
@settings(max_examples=60, deadline=None)
def test_columns_of_texts_have_one_digest_exactly_if_they_hold_the_same(
    storage: str, first: list[str | None], second: list[str | None], before: list[str | None]
) -> None:
    dtype = pd.StringDtype(storage=storage)
    one, other = pd.Series(first, dtype=dtype), pd.Series(second, dtype=dtype)
    assert (column_digest(one) == column_digest(other)) == (first == second)
    joined = pd.concat([pd.Series(before, dtype=dtype), one], ignore_index=True)  # in pieces, and not from the start
    cut = joined.iloc[len(before) :].reset_index(drop=True)
    assert column_digest(cut) == column_digest(one)
