"""Values go through a cell of each language and come back as they were, bit for bit."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flytenb.languages.language import CellPort
from flytenb.languages.language_registry import find_language
from flytenb.languages.lines import DEEPEST, dumps
from tests.examples import examples
from tests.languages.cells import Sent, run_cell
from tests.languages.values import ENCODED, SCALARS, Limits, shown, typed_values

ASSIGNMENTS = {"python": "{} = {}", "r": "{} <- {}", "node": "var {} = {}", "julia": "{} = {}"}
"""How a variable is assigned to another, by the name of the language."""
LANGUAGES = [pytest.param(name, marks=[pytest.mark.slow] if name == "julia" else []) for name in ASSIGNMENTS]
MILLI = datetime.timedelta(milliseconds=1)
_MILLIS = Limits(unit=MILLI, integer=2**63 - 1)
LIMITS = {"python": Limits(integer=2**63 - 1), "r": Limits(), "node": _MILLIS, "julia": _MILLIS}
PORTABLE = {"LANG": "C", "LC_ALL": "C"}


def send(language: str, values: list[tuple[str, Any]], folder: Path) -> list[tuple[Any, Any]]:
    """Send values as inputs of one cell that gives them back; return pairs of what was sent and what came back."""
    inputs = {f"in{i}": Sent(shape, value, True) for i, (shape, value) in enumerate(values)}
    outputs = {f"out{i}": CellPort(shape, True) for i, (shape, _) in enumerate(values)}
    code = "\n".join(ASSIGNMENTS[language].format(f"out{i}", f"in{i}") for i in range(len(values)))
    ended = run_cell(find_language(language), code, folder, inputs, outputs, environment=PORTABLE)
    assert ended.error is None and ended.status == 0 and not ended.stderr, ended
    return [(value, ended.outputs[f"out{i}"]) for i, (_, value) in enumerate(values)]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_values_of_every_shape_come_back_as_they_were(language: str, tmp_path: Path) -> None:
    for sent, back in send(language, ENCODED, tmp_path):
        assert shown(back) == shown(sent)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_deep_values_come_back(language: str, tmp_path: Path) -> None:
    value: Any = ["a", "b"]
    for i in range(DEEPEST - 1):
        value = {"key": value} if i % 2 else [None, value]
    ((_, back),) = send(language, [("j", value)], tmp_path)
    assert dumps(back, "j") == dumps(value, "j")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_value_comes_back_as_it_was(language: str) -> None:
    @examples(5)
    @given(st.lists(typed_values(LIMITS[language]), min_size=40, max_size=60))
    def check(values: list[tuple[str, Any]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for sent, back in send(language, values, Path(folder)):
                assert shown(back) == shown(sent)

    check()


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_of_copilot_are_read_and_written(language: str, tmp_path: Path) -> None:
    values = [(tag, value) for tag, some in SCALARS.items() for value in some]
    inputs = {f"in{i}": Sent(tag, value) for i, (tag, value) in enumerate(values)}
    outputs = {f"out{i}": CellPort(tag, tag in "sa") for i, (tag, _) in enumerate(values)}
    for tag, some in SCALARS.items():
        inputs[f"in_{tag}"], outputs[f"out_{tag}"] = Sent(f"l {tag}", some), CellPort(f"l {tag}", True)
        inputs[f"in_empty_{tag}"], outputs[f"out_empty_{tag}"] = Sent(f"l {tag}", []), CellPort(f"l {tag}", True)
    inputs["in_deep"], outputs["out_deep"] = Sent("l l i", [[1], [], [2, 3]]), CellPort("l l i", True)
    code = "\n".join(ASSIGNMENTS[language].format(f"out{n[2:]}", n) for n in inputs)
    ended = run_cell(find_language(language), code, tmp_path, inputs, outputs, environment=PORTABLE)
    assert ended.error is None and ended.status == 0 and not ended.stderr, ended
    for name, sent in inputs.items():
        assert shown(ended.outputs[f"out{name[2:]}"]) == shown(sent.value), name
