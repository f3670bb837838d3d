"""The style sheet of a display: what it uses, and nothing else."""

from __future__ import annotations

import re

import pytest

import flytenb
from flytenb.display.html import style, style_of
from flytenb.display.runs.run_card import card_style, run_bundle
from flytenb.display.show import show
from tests.flows import FLOWS

SHEET = """
.ft-show{color:red}
.ft-show .ft-a,.ft-show :is(b,i) .ft-b{margin:0}.ft-b-c{margin:1px}
@container(max-width:9px){.ft-a{margin:2px}.ft-b{margin:3px}}
@container(max-width:9px){.ft-b{margin:4px}}
"""


def test_rules_are_kept_whose_classes_are_there() -> None:
    kept = ".ft-show{color:red}\n.ft-show .ft-a,.ft-show :is(b,i) .ft-b{margin:0}\n"
    assert style_of('<p class="ft-show"><b class="ft-a">', SHEET) == (
        f"{kept}@container(max-width:9px){{.ft-a{{margin:2px}}}}"
    )
    assert style_of('<p class="ft-show ft-b-c">', SHEET) == ".ft-show{color:red}\n.ft-b-c{margin:1px}"
    assert style_of('<p class="ft-show ft-a ft-b ft-b-c">', SHEET).replace("\n", "") == SHEET.replace("\n", "")


@pytest.mark.parametrize(
    "value",
    [1, "text", [1, 2], {"a": {"b": 1}}, [{"a": 1}] * 3, ValueError("no")],
    ids=lambda value: type(value).__name__,
)
def test_a_short_value_has_a_short_style(value: object) -> None:
    html = show(value, name="it").html
    assert len(html) < 3_600
    sheet = html[html.index("<style>") + len("<style>") : html.index("</style>")]
    there = set(_classes(html.replace(sheet, "")))
    for rule, selectors in re.findall(r"((?<=\n)([^{}\n@]+)\{[^{}]*\})", style()):
        is_used = any(set(_classes(each)) <= there for each in re.sub(r"\([^)]*\)", "", selectors).split(","))
        assert is_used == (rule in sheet), rule


def _classes(text: str) -> list[str]:
    return re.findall(r"ft-\w[\w-]*", text)


def test_a_run_card_has_the_rules_that_it_needs() -> None:
    flow = FLOWS["branch"]
    html = run_bundle(flytenb.start(flow.entity, **flow.inputs).wait(), show)["text/html"]
    assert "\0" not in html
    assert ".ft-run .ft-main{" in html and ".ft-picture img{" in html
    assert ".ft-markdown" not in html
    assert html.count("<style>") == 1
    assert len(style_of(html, card_style())) < 0.7 * len(card_style())
