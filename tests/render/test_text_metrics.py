"""Texts are cleaned, measured on the safe side, and cut to fit."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flytenb.render.text_metrics import LONGEST, clean, clean_lines, fit, is_guessed, measure, wrap, xml
from tests.hostile import HOSTILE

anything = st.text(alphabet=st.characters(), max_size=200) | st.sampled_from(list(HOSTILE.values()))


@given(anything)
def test_cleaned_text_is_valid_in_xml_and_says_the_same_there(text: str) -> None:
    cleaned = clean(text)
    element = ET.fromstring(f'<a b="{xml(cleaned)}">{xml(cleaned)}</a>')
    assert element.text == (cleaned or None)
    assert element.get("b") == cleaned


@given(anything)
def test_cleaned_text_stands_on_one_line_and_stays_as_it_is_when_cleaned_again(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.splitlines()) <= 1
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= LONGEST + 1
    cleaned.encode()


def test_plain_text_is_left_alone() -> None:
    assert (
        clean("generate_coordinates → list[Coordinate] é 座標 👍")
        == "generate_coordinates → list[Coordinate] é 座標 👍"
    )


def test_marks_that_turn_the_direction_of_what_follows_are_replaced() -> None:
    assert clean(HOSTILE["bidi override"]) == "\ufffdgnp.exe\ufffd\ufffd"


def test_stacks_of_accents_are_cut_but_accents_stay() -> None:
    assert clean("Zo\u0308e\u0301") == "Zo\u0308e\u0301"
    assert len(clean(HOSTILE["accents"])) < 10


def test_line_breaks_are_kept_where_they_may_stay() -> None:
    assert clean_lines("a\x00\nb\n") == "a\ufffd\nb"


@given(anything, st.floats(min_value=20, max_value=400), st.sampled_from([11.0, 13.0]))
def test_what_is_fitted_fits_and_begins_as_the_text_does(text: str, width: float, size: float) -> None:
    cleaned = clean(text)
    fitted = fit(cleaned, width, size)
    assert measure(fitted, size) <= width
    assert cleaned.startswith(fitted.removesuffix("…"))


@given(st.text(alphabet="ab cdé座 ", max_size=300), st.integers(min_value=1, max_value=4))
@example("座" * 20 + " a" * 40, 2)  # a word that is wider than a line, and more lines than are allowed
def test_wrapped_lines_fit_and_nothing_is_lost_unsaid(text: str, lines: int) -> None:
    cleaned = clean(text)
    found = wrap(cleaned, 120, 11, lines)
    assert len(found) <= lines
    assert all(measure(line, 11) <= 120 for line in found)
    if not any(line.endswith("…") for line in found):
        assert " ".join(found).split() == cleaned.split()


@pytest.mark.parametrize(("narrow", "wide"), [("iiii", "MMMM"), ("abcd", "座標座標"), ("ab", "👍👍")])
def test_wide_letters_measure_wider(narrow: str, wide: str) -> None:
    assert measure(wide, 13) > measure(narrow, 13)


def test_only_letters_of_unknown_width_need_a_fixed_length() -> None:
    assert not is_guessed("task · 2 retries →")
    assert is_guessed("座標")
    assert is_guessed("é")


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \t\n\r\x0b\x1c\u0301\u0300\u2028\u202e\x00←·"))))
def test_the_short_way_for_clean_texts_changes_nothing(text: str) -> None:
    assert clean_lines(text) == "\n".join(clean(line) for line in text.splitlines())
