"""The declared type comes first: its annotated renderer, its transformer's own `to_html`."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Annotated, Any

import pandas as pd
import pytest
from flytekit.core.context_manager import FlyteContext
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.deck import MarkdownRenderer, TopFrameRenderer
from flytekit.models.literals import Literal
from flytekit.models.types import LiteralType, SimpleType

from flytenb.display.part import Value
from flytenb.display.registry import BUILT_IN, Registry
from flytenb.display.show import show
from tests.page import Page


class Clip:
    def __init__(self, title: str) -> None:
        self.title = title

    def __repr__(self) -> str:
        return f"Clip({self.title!r})"


class Silent(Clip):
    """Has a transformer that doesn't say how it selections."""


class _Transformer(TypeTransformer[Any]):
    def get_literal_type(self, t: type[Any]) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: type[Any], expected: LiteralType) -> Literal:
        raise NotImplementedError

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[Any]) -> Any:
        raise NotImplementedError


class ClipTransformer(_Transformer):
    def __init__(self) -> None:
        super().__init__("clip", Clip)

    def to_html(self, ctx: FlyteContext, python_val: Any, expected_python_type: type[Any]) -> str:
        if python_val.title == "broken":
            raise RuntimeError("no sound")
        return f"<h1>{python_val.title}</h1><script>alert(1)</script>"


class SilentTransformer(_Transformer):
    def __init__(self) -> None:
        super().__init__("silent", Silent)


@pytest.fixture(autouse=True, scope="module")
def transformers():
    TypeEngine.register(ClipTransformer())
    TypeEngine.register(SilentTransformer())
    yield
    # flytekit has no way to take a transformer back.
    for known in (Clip, Silent):
        TypeEngine._REGISTRY.pop(known)


def _frame(shown: Any) -> str:
    (frame,) = Page(shown.fragment).frames
    return frame


def test_a_transformers_own_html_is_shown_in_a_sandbox():
    shown = show(Clip("rain"), Clip)
    assert "<h1>rain</h1>" in _frame(shown)
    assert "<script" not in shown.fragment
    assert shown.text.split("\n") == ["rain", "(scripts are disabled)"]


def test_it_is_found_without_a_declaration_and_inside_containers():
    assert "<h1>rain</h1>" in _frame(show(Clip("rain")))
    assert "<h1>rain</h1>" in _frame(show([Clip("rain")], list[Clip]))


def test_a_transformer_that_overrides_nothing_leaves_it_to_the_displays():
    assert show(Silent("x"), Silent).text == "Clip('x') (Silent)"


def test_a_transformer_given_as_annotation_counts():
    assert "<h1>hum</h1>" in _frame(show(Clip("hum"), Annotated[Clip, ClipTransformer()]))


def test_a_failing_to_html_is_named_and_passed_over():
    text = show(Clip("broken"), Clip).text
    assert text.split("\n") == [
        "Clip('broken') (Clip)",
        "(the display ClipTransformer.to_html raised RuntimeError: no sound)",
    ]


def test_an_annotated_renderer_comes_before_everything():
    registry = Registry(below=BUILT_IN)
    registry.register(pd.DataFrame)(lambda value, view: Value("mine"))
    frame = pd.DataFrame({"a": range(100)})
    assert _frame(show(frame, Annotated[pd.DataFrame, TopFrameRenderer(4)], registry=registry)).count("<tr>") == 5
    assert show(frame, pd.DataFrame, registry=registry).text == "mine"


def test_an_annotated_renderer_inside_a_list_is_honoured():
    declared = list[Annotated[str, MarkdownRenderer()]]
    assert "<em>so</em>" in show(["*so* it goes, " * 10], declared).fragment


@pytest.mark.parametrize("answer", [None, 5, b"<b>"])
def test_a_renderer_that_returns_no_text_is_passed_over(answer):
    class Renderer:
        def to_html(self, value):
            return answer

    text = show(7, Annotated[int, Renderer()]).text
    assert text.startswith("7 (int)")
    assert f"expected to_html to return str, got {type(answer).__name__}" in text


def test_a_class_in_an_annotation_is_no_renderer():
    assert show("a", Annotated[str, MarkdownRenderer]).text == "'a' (str)"


def test_flytekits_own_transformers_leave_frames_to_our_displays():
    assert show(pd.DataFrame({"a": [1]}), pd.DataFrame).text.startswith("DataFrame · 1 row × 1 column")


@pytest.mark.slow
def test_showing_imports_no_library_even_with_flytekit_loaded():
    """flytekit leaves lazy stand-ins for pandas and pyarrow in `sys.modules`; touching one would import it."""
    code = """
        import sys, flytekit
        from dataclasses import dataclass
        from flytenb.display.show import show

        @dataclass
        class Point:
            x: float

        before = {n for n in sys.modules if n.partition(".")[0] not in ("flytenb", "jinja2", "markupsafe")}
        for value in (1, "a", [Point(1.0)] * 3, {"a": object()}, flytekit.FlyteFile("s3://b/k.parquet"), ValueError()):
            show(value)
        heavy = {"pandas", "pyarrow", "numpy", "polars", "torch", "PIL", "matplotlib", "IPython"}
        late = {n.partition(".")[0] for n in set(sys.modules) - before} & heavy
        awake = [n for n in heavy & set(sys.modules) if n not in before or type(sys.modules[n]).__name__ == "module"]
        print(sorted(late), sorted(n for n in awake if n in ("pandas", "pyarrow", "PIL", "torch")))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[] []", run.stderr
