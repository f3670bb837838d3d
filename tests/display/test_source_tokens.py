"""Sources in the colours of their language: no character is lost, and the line that failed is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.source_tokens import failed_line, source_lines
from flytenb.display.show import show
from flytenb.languages.language_registry import find_language, language_names
from tests.examples import examples

CODE = {
    "python": ("def f():\n    return 1  # why\n", ["def", "# why"]),
    "r": ("f <- function(x) {\n  'text'\n}", ["function", "'text'"]),
    "julia": ('function f(x)\n    "text"\nend\n', ["function", '"text"']),
    "node": ("const a = `text`; // why\n", ["const", "// why"]),
    "shell": ("# why\nfor i in 1 2; do echo $i; done\n", ["# why", "for"]),
}


@pytest.mark.parametrize("language", CODE)
def test_words_have_kinds(language: str) -> None:
    code, coloured = CODE[language]
    pieces = [piece for line in source_lines(code, find_language(language).highlight) for piece in line]
    assert {text.strip() for kind, text in pieces if kind} >= set(coloured)


def test_every_character_is_kept() -> None:
    @examples(60)
    @given(st.sampled_from([*(find_language(name).highlight for name in language_names()), "no such"]), st.data())
    def check(language: str, data: st.DataObject) -> None:
        source = data.draw(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n'\"#$\\"), max_size=40)
        )
        lines = source_lines(source, language)
        assert "\n".join("".join(text for _, text in line) for line in lines) == source.removesuffix("\n")

    check()


@pytest.mark.parametrize(("message", "line"), [
    ("task failed: Error in f(): no\nline 3: stop('no')", 3), ("line 1: a\nline 2: b", 2), ("no line 3: x", 0), ("", 0),
])  # fmt: skip
def test_the_line_is_the_last_that_a_message_names(message: str, line: int) -> None:
    assert failed_line(message) == line


def test_the_details_of_a_failed_cell_have_its_line() -> None:
    failing = flytenb.container("failing", "x=1\nfalse\ny=1", lang="sh", outputs={"y": int})
    run = flytenb.options(engine="host").start(failing)
    run.wait()
    details = NodeDetails.of(run, "n0", show)
    assert (details.failed_line, details.source[1]) == (2, [("known", "false")])
