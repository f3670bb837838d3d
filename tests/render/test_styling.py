"""Own styles: what a user's function gives is in every format, and text of users remains text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import pytest

from flytenb.errors import UsageError
from flytenb.model import Graph, Node, NodeState, Phase
from flytenb.render import styling
from flytenb.render.contrast import tint
from flytenb.render.drawing import Drawing, draw
from flytenb.render.styling import NodeStyle, StyleFunction, set_style, styled
from flytenb.render.theme import COLOURS
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
    return [colour for e in node.iter() if (colour := e.get("fill", "")) == "#D55E00"]


def test_a_style_is_in_every_format_and_the_name_remains() -> None:
    drawing = draw(samples.pipeline(), style=by_name)
    assert marks(drawing.svg, "n3") == ["#D55E00", "#D55E00"]
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
        assert marks(drawing.svg, "n3") == ["#D55E00", "#D55E00"]
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


class Unspeakable(BaseException):
    """An error of which nothing can be said, and that isn't an `Exception`."""

    def __str__(self) -> str:
        raise SystemExit


def raise_at(error: BaseException) -> StyleFunction:
    def style(node: Node) -> NodeStyle:
        if node.name == "features":
            raise error
        return NodeStyle(badge="told")

    return style


@pytest.mark.parametrize("error", [SystemExit(3), Unspeakable(), ValueError("<b>" * 99), KeyError("\n\x1b[31m")])
def test_no_error_of_a_theme_prevents_a_drawing(error: BaseException) -> None:
    set_style(raise_at(error))
    try:
        drawing = Drawing(samples.pipeline())
        assert drawing.svg.count(">told<") > 3
        assert "the style failed at n3: " in drawing.text
        assert len(drawing.notes[0]) < 200
    finally:
        set_style(None)


def test_an_interrupt_in_a_theme_is_an_interrupt() -> None:
    set_style(raise_at(KeyboardInterrupt()))
    try:
        with pytest.raises(KeyboardInterrupt):
            Drawing(samples.pipeline()).text  # noqa: B018
    finally:
        set_style(None)


def test_a_slow_theme_is_stopped_and_a_slow_style_of_one_drawing_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(styling.time, "monotonic", lambda: now[0])

    def slow(node: Node) -> NodeStyle:
        now[0] += styling.TIME_LIMIT * 0.4
        return NodeStyle(badge="told")

    set_style(slow)
    try:
        drawing = Drawing(samples.pipeline())
        assert drawing.text.count("told") == 3
        assert "the style took longer than 2 s; it isn't applied from n3 on" in drawing.text
    finally:
        set_style(None)
    assert draw(samples.pipeline(), style=slow).text.count("told") > 3


@pytest.mark.parametrize("make", samples.SAMPLES.values(), ids=samples.SAMPLES)
def test_the_colour_has_the_outline_of_the_node(make: Callable[[], Graph]) -> None:
    """No colour is outside of the outline, and none of the dark theme's rules applies to it."""
    for colour in ("#ffffff", *(light for light, _, _ in COLOURS.values())):
        svg = ET.fromstring(draw(make(), style=lambda node, colour=colour: NodeStyle(colour=colour)).svg)
        own = [e for e in svg.iter() if e.get("fill") == colour.upper()]
        assert own or make is samples.SAMPLES["empty"]
        assert f'[fill="{colour.upper()}"]' not in ET.tostring(svg, encoding="unicode")
    shapes = {"ft-kind-branch": "path", "ft-kind-gate": "path"}
    for node in svg.iter("{*}g"):
        kind = (node.get("class") or "").rpartition(" ")[2]
        inside = [e.tag.rpartition("}")[2] for e in node if e.get("fill-opacity") and e.get("fill") == colour.upper()]
        assert inside in ([], [shapes.get(kind, "rect")]), kind


def test_every_colour_leaves_text_legible_in_both_themes() -> None:
    """The contrast of text on the mixed colours is computed here by the formula of WCAG."""
    for number in range(0, 1 << 24, 0x1D3F7):
        colour = f"#{number:06x}"
        share = tint(colour)
        assert 0.05 <= share <= 0.14, colour
        for theme in (0, 1):
            below = parts(COLOURS["box"][:2][theme])
            mixed = [share * upper + (1 - share) * lower for upper, lower in zip(parts(colour), below, strict=True)]
            for name in ("ink", "grey", "running", "succeeded", "failed", "cached", "idle"):
                lighter, darker = sorted((light_of(mixed), light_of(parts(COLOURS[name][:2][theme]))), reverse=True)
                assert (lighter + 0.05) / (darker + 0.05) >= 4.49, (colour, name, theme)


def parts(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def light_of(rgb: list[float]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_frames_have_the_colour_in_every_format() -> None:
    drawing = draw(samples.nested(), style=lambda node: NodeStyle(colour="#d55e00") if node.path == "n1" else None)
    assert marks(drawing.svg, "n1") == ["#D55E00"]
    assert 'fillcolor="#d55e0022"' in drawing.dot
    assert "style c0 fill:#d55e0022" in drawing.mermaid


def test_what_all_folded_nodes_share_remains() -> None:
    builder = samples.GraphBuilder("many")
    for number in range(130):
        builder.task(f"n{number}", f"{'ab'[number % 2]}{number}")
    found = draw(builder.graph(), style=lambda node: NodeStyle(colour="#d55e00", badge="ours", label=node.path))
    (box,) = [node for node in found.graph.nodes.values() if "folded" in node.settings]
    assert (box.settings["colour"], box.settings["badge"]) == ("#d55e00", "ours")
    assert "label" not in box.settings
    other = draw(builder.graph(), style=lambda node: NodeStyle(badge=node.path))
    assert not [node for node in other.graph.nodes.values() if "folded" in node.settings and "badge" in node.settings]


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
