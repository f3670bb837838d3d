"""Own styles: what a user's function gives is in every format, and text of users remains text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from flytenb.errors import UsageError
from flytenb.model import Node, NodeState, Phase
from flytenb.render.drawing import Drawing, draw
from flytenb.render.styling import NodeStyle, set_style, styled
from tests import render_samples as samples
from tests.hostile import HOSTILE


def by_name(node: Node) -> NodeStyle | None:
    if node.name == "features":
        return NodeStyle(colour="#d55e00", badge="team blue", label="Build features")
    return None


@pytest.fixture
def theme() -> Iterator[None]:
    """The style of all drawings, for one test."""
    set_style(by_name)
    yield
    set_style(None)


def marks(svg: str, path: str) -> list[str]:
    """The marks in the colour of the style in one node."""
    (node,) = (e for e in ET.fromstring(svg).iter() if e.get("data-path") == path)
    return [colour for e in node.iter() if (colour := e.get("fill", "")) == "#d55e00"]


def test_a_style_is_in_every_format_and_the_name_remains() -> None:
    drawing = draw(samples.pipeline(), style=by_name)
    assert marks(drawing.svg, "n3") == ["#d55e00", "#d55e00"]
    assert marks(drawing.svg, "n4") == []
    for text in (drawing.svg, drawing.text, drawing.dot, drawing.mermaid):
        assert "Build features" in text
        assert "team blue" in text
    assert "Build features [features]" in drawing.text
    assert "features(frame: StructuredDataset)" in drawing.svg
    assert '"#d55e0022"' in drawing.dot
    assert "fill:#d55e0022" in drawing.mermaid


def test_a_theme_is_in_all_drawings_with_and_without_states_and_a_given_style_replaces_it(theme: None) -> None:
    graph = samples.pipeline()
    first = Drawing(graph)
    later = first._at_states({"n3": NodeState(Phase.FAILED, 1.0)})
    for drawing in (first, later, draw(graph, upstream="n4"), draw(samples.pipeline())):
        assert marks(drawing.svg, "n3") == ["#d55e00", "#d55e00"]
    assert "failed" in later.svg
    assert ">team blue<" in later.svg
    assert marks(draw(graph, style=lambda node: None).svg, "n3") == []
    assert first._whole is graph


def test_a_theme_that_raises_is_named_and_leaves_the_picture() -> None:
    set_style(lambda node: NodeStyle(badge=str(1 // (node.name != "features"))))
    try:
        drawing = Drawing(samples.pipeline())
        assert "the style failed at n3: ZeroDivisionError" in drawing.svg
        assert "the style failed at n3: ZeroDivisionError" in drawing.text
    finally:
        set_style(None)


def test_a_given_style_that_raises_or_gives_something_else_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        draw(samples.chain(), style=lambda node: 1 // 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(UsageError, match="from the style of node 'n0', got 'red'"):
        draw(samples.chain(), style=lambda node: "red")  # type: ignore[arg-type,return-value]
    for wrong in (3, "red"):
        with pytest.raises(UsageError, match="must be a function of a node"):
            draw(samples.chain(), style=wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="must be a function of a node"):
            set_style(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", ["red", "url(#x)", "#12345", '#fff" onload="x', "rgb(1,2,3)", "#ggg", "#fff\n"])
def test_another_form_of_a_colour_is_refused(colour: str) -> None:
    with pytest.raises(UsageError, match="colour must be #rrggbb or #rgb"):
        NodeStyle(colour=colour)


def test_a_short_colour_is_made_long_and_other_types_are_refused() -> None:
    assert NodeStyle(colour="#f0A").colour == "#ff00AA"
    with pytest.raises(UsageError, match="badge must be a string, got 3"):
        NodeStyle(badge=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_of_a_style_remains_text(text: str) -> None:
    svg = draw(samples.nested(), style=lambda node: NodeStyle(badge=text, label=text)).svg
    plain = draw(samples.nested(), style=lambda node: NodeStyle(badge="x", label="y")).svg
    tags = [e.tag for e in ET.fromstring(plain).iter() if not e.tag.endswith(("text", "tspan", "path"))]
    assert {e.tag for e in ET.fromstring(svg).iter()} == {e.tag for e in ET.fromstring(plain).iter()}
    assert tags


def test_constants_and_ports_have_no_style() -> None:
    seen: list[str] = []
    styled(samples.nested(), lambda node: seen.append(node.path))  # type: ignore[func-returns-value]
    assert seen
    assert not [path for path in seen if re.search(r"(^|/)@", path)]
