"""The table of verbs: one file adds a verb to the magic, its help and its completion."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from flytenb.errors import UsageError
from flytenb.notebook.magics import verbs
from flytenb.notebook.magics.complete import Completer
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.notebook.magics.line import REST, split_options
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.notebook.magics.verbs.draw import SUFFIXES
from flytenb.render.drawing import FORMATS
from flytenb.session import Session
from tests.notebook_cells import NotebookCells

TOY = """
from flytenb.notebook.magics.arguments import VALUE
from flytenb.notebook.magics.verb import Option, Verb

VERB = Verb(
    name="repeat",
    summary="Repeat a value as often as the argument says.",
    handler=lambda line: [line.evaluate()] * line.options.get("times", 1),
    argument=VALUE,
    options=(Option("times", "how often", ("N",), int, lambda cursor: ("2", "3")),),
)
"""


@pytest.fixture
def shell() -> InteractiveShell:
    made = InteractiveShell()
    made.register_magics(FlyteMagics(made, Session(), ready=lambda: None))
    return made


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """A verb in a file of its own."""
    (tmp_path / "repeat.py").write_text(TOY)
    monkeypatch.setattr(verbs, "__path__", [*verbs.__path__, str(tmp_path)])
    found = verbs.read_verbs()
    monkeypatch.setitem(verbs.VERBS, "repeat", found["repeat"])
    return found["repeat"]


def test_the_table_holds_one_verb_for_each_file() -> None:
    files = {file.stem for file in Path(next(iter(verbs.__path__))).glob("*.py")} - {"__init__"}
    assert set(verbs.VERBS) == files


def test_draw_offers_every_format_of_a_drawing() -> None:
    assert tuple(FORMATS) == SUFFIXES


def test_one_file_adds_a_verb_to_magic_help_and_tab(toy: Verb, shell: InteractiveShell) -> None:
    shell.user_ns["word"] = "ha"
    assert shell.run_line_magic("flyte", "repeat word * 2 --times 2") == ["haha", "haha"]
    assert "%flyte repeat EXPRESSION …" in repr(shell.run_line_magic("flyte", "help"))
    for line in ("help repeat", "repeat --help"):
        text = repr(shell.run_line_magic("flyte", line))
        assert text.startswith("%flyte repeat EXPRESSION [--times N]")
        assert "--times N    how often" in text
    completer = Completer(Session(), {"word": "ha"})
    offers = {
        "%flyte repe": ("repeat",),
        "%flyte repeat w": ("word",),
        "%flyte repeat word --t": ("--times",),
        "%flyte repeat word --times ": ("2", "3"),
        "%flyte help repe": ("repeat",),
    }
    for line, texts in offers.items():
        offer = completer.offer(line)
        assert offer is not None
        assert offer.texts == texts


def test_without_the_file_there_is_no_such_verb(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="unknown verb 'repeat' of %flyte"):
        shell.run_line_magic("flyte", "repeat 1")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("draw", "%flyte draw needs a name"),
        ("show", "%flyte show needs an expression"),
        ("type", "%flyte type needs a type"),
        ("run", "%flyte run needs a call"),
        ("run wf", r"expected a call, got 'wf'\n  hint: %flyte run wf\(…\)"),
        ("run a.wf", r"expected a call, got 'a.wf'\n  hint: %flyte run a.wf\(…\)"),
        ("run 3", r"expected a call, got '3'\n  hint: %flyte run NAME\(…\)"),
        ("sweep wf + 1", r"expected a call, got 'wf \+ 1'\n  hint: %flyte sweep NAME\(…\)"),
        ("run wf(n=", "expected a Python expression, got 'wf\\(n='"),
        ("draw wf --deep 2", "unknown option '--deep' of %flyte draw"),
        ("draw wf --depth", "--depth needs a value"),
        ("draw wf --depth -1", "--depth must be an integer >= 0, got '-1'"),
        ("draw wf --between a", "--between needs 2 values"),
        ("show 1 --explore=yes", "--explore takes no value, got 'yes'"),
        ("draw wf --depth 1 other", "unexpected argument 'other'"),
        ("runs 3", "unexpected argument '3'"),
        ("settings all", "unexpected argument 'all'"),
        ("help everything", "unknown verb 'everything' of %flyte"),
        ("run wf(n=1) --strict --no-strict", "--strict and --no-strict exclude each other"),
        ("run wf(n=1) --workers 0", "workers must be an integer >= 1, got 0"),
        ("run wf(n=1) --workers=1.5", "workers must be an integer >= 1, got '1.5'"),
    ],
)
def test_a_wrong_line_says_what_was_expected_and_got(line: str, message: str, shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        shell.run_line_magic("flyte", line)


@pytest.mark.parametrize("text", ["wf(s='a --depth 2')", "wf(s='--save x')", "{'--depth': 2}", "a - -b"])
@pytest.mark.parametrize("before", ["", "--depth 3 "])
@pytest.mark.parametrize("after", ["", " --save 'my file.svg'"])
def test_options_stand_before_or_after_any_expression(text: str, before: str, after: str) -> None:
    known: dict[str, Any] = {"depth": ("N",), "save": ("FILE",)}
    argument, options = split_options(before + text + after, known, "draw")
    assert argument == text
    assert options == {**({"depth": "3"} if before else {}), **({"save": "my file.svg"} if after else {})}


@pytest.mark.parametrize("text", ["3 + 4", "[1, 2, 3]", "'a b'", "f(x, y=1)", "'--depth'", "x", "-1"])
@pytest.mark.parametrize("join", [" ", "="])
def test_an_option_with_an_expression_takes_the_rest_of_the_line(text: str, join: str) -> None:
    known: dict[str, Any] = {"sample": ("EXPRESSION", REST), "depth": ("N",)}
    assert split_options(f"list[int] --sample{join}{text}", known, "type") == ("list[int]", {"sample": text})
    assert split_options("--sample 3 int --depth 1", known, "type") == ("int", {"sample": "3", "depth": "1"})


def test_every_help_text_has_the_usage_and_each_option_on_a_line() -> None:
    for verb in verbs.VERBS.values():
        lines = verb.help.text.splitlines()
        assert lines[0] == verb.usage
        assert verb.summary in lines
        for option in verb.options:
            assert any(line.startswith(option.usage) and line.endswith(option.help) for line in lines)
        assert verb.summary[0].isupper() and verb.summary.endswith(".")


def test_names_of_options_are_unique_within_a_verb() -> None:
    for verb in verbs.VERBS.values():
        names = [option.name for option in verb.options]
        assert len(names) == len(set(names))
        assert all(isinstance(option, Option) for option in verb.options)


def test_a_run_is_resumed_as_its_line_says(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "notebook_of_cells", None)
    cells = NotebookCells()
    cells.run(
        "@task\ndef up(x: int) -> int:\n    note('up')\n    return x + 1",
        "@task\ndef plus(x: int, y: int) -> int:\n    note('plus')\n    return x + y",
        "@workflow\ndef wf(n: int) -> int:\n    first = up(x=n)\n    return plus(x=plus(x=first, y=1), y=first)",
    )
    shell.user_ns.update(vars(cells.module), five=5)
    runs = []

    def ran(line: str) -> tuple[int, list[str]]:
        runs.append(shell.run_line_magic("flyte", f"run {line}"))
        return runs[-1].result, cells.take_ran()

    with pytest.raises(UsageError, match="there is no run of 'wf' to resume"):
        ran("wf(n=3) --resume")
    assert ran("wf(n=3)") == (9, ["plus", "plus", "up"])
    assert ran("wf(n=3) --resume") == (9, [])
    assert ran("--from n1 wf(n=3)") == (9, ["plus", "plus"])
    assert ran("wf() --only n1") == (5, ["plus"])
    assert ran('wf(n=3) --set n0.o0=five --set "n1.o0 = five + 1"') == (11, ["plus"])
    with pytest.raises(UsageError, match=r"expected NODE\.OUTPUT=EXPR, got 'n0\.o0'"):
        ran("wf(n=3) --set n0.o0")
