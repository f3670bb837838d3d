"""Colors of error cards and of phases in a terminal."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from flytenb.notebook.emphasis import colored, emphasized, has_colors, is_colored_terminal

_ANSI = re.compile(r"\x1b\[[\d;]*m")
CARD = [
    "ValueError: score: 3",
    "  node n1 (score) of bad failed",
    "    raise ValueError()",
    "    ^^^^^^^^^^^^^^^^^^",
    "  hint: smaller",
    "  the whole traceback: %flyte error",
]
RUN = """✓ churn succeeded · 8 s · 2 nodes · threshold 0.99
│  in   text: str = 'is ✓done'
├─ ✓ n0  load  (task · 1 ms)
└─ ◷ n1  fit  (task · timed out · 2 s)
n1    fit    ◷ timed out  2 s
n2    score  – skipped"""


@pytest.mark.parametrize("is_page", [True, False])
def test_emphasis_changes_no_character_of_a_card(is_page: bool) -> None:
    shown = emphasized(CARD, is_page=is_page)
    assert ("\x1b[1;91m" in "".join(shown)) is not is_page
    assert [_ANSI.sub("", line) for line in shown] == CARD
    assert [a != b for a, b in zip(shown, CARD, strict=True)] == [True, False, False, True, True, True]
    assert emphasized([]) == []


def test_phases_are_colored_and_other_text_stays() -> None:
    shown = colored(RUN)
    assert _ANSI.sub("", shown) == RUN
    head, given, load, fit, row, skipped = shown.splitlines()
    assert head.startswith("\x1b[32m✓\x1b[0m \x1b[1mchurn\x1b[0m \x1b[32msucceeded\x1b[0m · 8 s")
    assert (given, skipped) == (RUN.splitlines()[1], RUN.splitlines()[5])
    assert "\x1b[32m✓\x1b[0m n0" in load
    assert "\x1b[1;91m◷\x1b[0m n1" in fit
    assert "\x1b[1;91m◷ timed out\x1b[0m  2 s" in row


@pytest.mark.parametrize(
    ("variable", "colors", "expected"),
    [("", "neutral", True), ("1", "neutral", False), ("", "nocolor", False), ("", "NoColor", False)],
)
def test_colors_are_off_by_no_color_or_the_setting_of_ipython(
    variable: str, colors: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", variable)
    assert has_colors(SimpleNamespace(colors=colors, kernel="one")) is expected


@pytest.mark.parametrize(
    ("is_terminal", "kind", "expected"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_without_a_kernel_colors_need_a_terminal_that_shows_them(
    is_terminal: bool, kind: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(
        "flytenb.notebook.emphasis.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: is_terminal))
    )
    shell = SimpleNamespace(colors="neutral")
    assert (has_colors(shell), is_colored_terminal(shell)) == (expected, expected)
