"""docs/languages.md: its table agrees with what the languages do, and its example is a language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from flytenb.languages import language_registry
from flytenb.languages.language import CellPort, Language
from flytenb.languages.language_registry import find_language
from flytenb.languages.shape_notation import WORDS, read_shape
from tests.languages.cells import Sent, run_cell
from tests.languages.values import SCALARS, TEXTS

PAGE = (Path(__file__).parents[2] / "docs" / "languages.md").read_text(encoding="utf-8")
ROWS = {
    cells[2].strip("`"): cells[3:8]
    for line in PAGE.splitlines()
    if (cells := [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]) and len(cells) == 9 and "`" in cells[2]
}
"""The cells of Python, R, Julia, Node and shell, by shape."""
EXAMPLES = {"o T": "o i", "l T": "l i", "m T": "m i", "r N name T …": "r 1 name i"}


def test_the_table_has_a_row_for_every_shape() -> None:
    assert {row[0] for row in ROWS} == set(WORDS)


@pytest.mark.parametrize("row", ROWS)
def test_a_language_takes_the_types_that_the_table_has_for_it(row: str) -> None:
    shape = EXAMPLES.get(row, row)
    assert str(read_shape(shape))
    port = CellPort(shape, shape[0] not in "bidTDfF")
    for name, cell in zip(("python", "r", "julia", "node", "shell"), ROWS[row], strict=True):
        assert bool(cell) == (not find_language(name).refuse("x", port, False)), name


SHAPES = ["b", "i", "d", "s", "T", "a", "D", "l i", "m i", "r 1 name i", "t"]
CLASSES = {
    "r": (
        "class({})[1]",
        "logical integer numeric character POSIXct Date difftime integer list list data.frame",
    ),
    "python": (
        "type({}).__name__",
        "bool int float str datetime date timedelta list dict dict DataFrame",
    ),
    "node": (
        "Object.prototype.toString.call({}).slice(8, -1)",
        "Boolean Number Number String Date Date Number Array Object Object Object",
    ),
}
"""How a language names the class of a variable, and what the table says they are, in the order of `SHAPES`."""


@pytest.mark.parametrize("language", CLASSES)
def test_inputs_are_of_the_classes_that_the_table_names(language: str, tmp_path: Path) -> None:
    expression, classes = CLASSES[language]
    values: dict[str, Any] = {tag: values[0] for tag, values in SCALARS.items()}
    values |= {"l i": [1], "m i": {"a": 1}, "r 1 name i": {"name": 1}, "t": {"x": [1]}}
    inputs = {f"in{i}": Sent(shape, values[shape], True) for i, shape in enumerate(SHAPES)}
    assign = {"r": "out{} <- ", "node": "const out{} = ", "python": "out{} = "}[language]
    code = "\n".join(assign.format(i) + expression.format(f"in{i}") for i in range(len(SHAPES)))
    outputs = {f"out{i}": CellPort("s", True) for i in range(len(SHAPES))}
    ended = run_cell(find_language(language), code, tmp_path, inputs, outputs)
    assert ended.error is None
    assert [ended.outputs[f"out{i}"] for i in range(len(SHAPES))] == classes.split()


@pytest.fixture
def perl(monkeypatch: pytest.MonkeyPatch) -> Language:
    monkeypatch.setattr(language_registry, "_registered", {})
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    exec(example[1], {})
    return find_language("perl")


def test_the_example_is_a_language(perl: Language, tmp_path: Path) -> None:
    code = '$sum = $n + $x;\n$same = $text;\n$words = [sort split /,/, "b,a\\n,\\@c"];'
    sent = {"n": Sent("i", 41), "x": Sent("d", 1.5), "text": Sent("s", TEXTS[7])}
    outputs = {"sum": CellPort("d"), "same": CellPort("s", True), "words": CellPort("l s", True)}
    ended = run_cell(perl, code, tmp_path, sent, outputs)
    assert (ended.error, ended.stderr) == (None, "")
    assert ended.outputs == {"sum": 42.5, "same": TEXTS[7], "words": ["@c", "a\n", "b"]}


def test_the_example_names_the_line(perl: Language, tmp_path: Path) -> None:
    ended = run_cell(perl, "my $x = 1;\ndie 'no';", tmp_path, {}, {"y": CellPort("d")})
    assert (ended.status, ended.error) == (1, "no\nline 2: die 'no';")


def test_the_example_refuses_what_it_can_t_hold(perl: Language) -> None:
    assert perl.refuse("x", CellPort("t", True), False) and not perl.refuse("x", CellPort("i"), True)
