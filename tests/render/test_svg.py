"""The SVG: what a page may rely on, and that no text breaks out of its place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flytenb.model import CacheStatus, Edge, EdgeKind, Graph, Interface, Kind, Node, NodeState, Phase, Port
from flytenb.render.drawing import draw
from flytenb.render.layout import lay_out
from flytenb.render.polish import arrange
from flytenb.render.saved_svg import to_image
from flytenb.render.scene import build_scene
from flytenb.render.svg import to_svg
from flytenb.render.text_metrics import measure
from flytenb.render.theme import COLOURS, ICONS, style_sheet, theme_sheet
from tests import render_samples as samples
from tests.hostile import HOSTILE

LIGHT = {"none", *(colours[0] for colours in COLOURS.values())}
SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "style", "g", "path", "rect", "circle", "text", "tspan", "title"}
PAINT = {
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linecap"),
    *("stroke-linejoin", "font-family", "font-size", "font-weight"),
}
ATTRIBUTES = {
    *("class", "id", "width", "height", "viewBox", "role", "aria-label", "aria-hidden", "transform", "d", "rx", "cx"),
    *PAINT,
    *("cy", "r", "x", "y", "dx", "tabindex", "text-anchor", "textLength", "lengthAdjust"),
    *("data-path", "data-ports", "data-phase", "data-cache", "data-source", "data-target"),
    *("fill", "fill-opacity", "stroke", "stroke-width"),
}


def parsed(graph: Graph, **options: object) -> ET.Element:
    return ET.fromstring(draw(graph, **options).svg)  # type: ignore[arg-type]


def having(root: ET.Element, name: str) -> Iterator[ET.Element]:
    """Elements of a class."""
    return (e for e in root.iter() if name in e.get("class", "").split())


def hostile_graph(text: str) -> Graph:
    """A graph with the text everywhere that a user's text can be."""
    step = text.replace("/", "|")  # a slash in a path separates levels
    port = Port(text, text, text, text)
    interface = Interface((port,), (port, Port(text + "2", text)), text)
    settings = {"image": text, "error": text, "alias": text, "value": text, "of": text, "cache": text, "project": text}
    settings |= {"badge": text, "label": text}
    nodes = [
        Node("@inputs", Kind.INPUTS, "inputs", Interface(outputs=(port,))),
        Node("n0", Kind.TASK, text, interface, settings),
        Node("n1", Kind.BRANCH, text, interface, settings),
        Node("n1/n0", Kind.MAP, text, interface, settings),
        Node("n1/@else", Kind.CASE, text, interface, settings),
        Node("n2", Kind.SUBWORKFLOW, text, interface, settings),
        Node("n2/@inputs", Kind.INPUTS, text, Interface(outputs=(port,))),
        Node("n2/n0", Kind.STUB, text, interface, settings),
        Node("fn0", Kind.FAILURE, text, interface, settings),
        Node("@n0.x", Kind.CONSTANT, text, Interface(), settings),
        Node(f"@n2.{step}", Kind.CONSTANT, text, Interface(), settings),
        Node("@outputs", Kind.OUTPUTS, text, Interface(inputs=(port,))),
        Node(f"x{step}", Kind.GATE, text, interface, settings),
    ]
    edges = (
        Edge("@inputs", "n0", EdgeKind.DATA, text, text),
        Edge("@inputs", "fn0", EdgeKind.DATA, text, text),
        Edge("@n0.x", "n0", EdgeKind.DATA, "", text),
        Edge(f"@n2.{step}", "n2", EdgeKind.DATA, "", f"{text}[1]"),
        Edge("n0", "n1", EdgeKind.DATA, text, text),
        Edge("n1", "n1/n0", EdgeKind.CASE, label=text),
        Edge("n1", "n1/@else", EdgeKind.CASE, label=text),
        Edge("n1", "n2", EdgeKind.DATA, text, text),
        Edge("n2/@inputs", "n2/n0", EdgeKind.DATA, text, text),
        Edge("n2", f"x{step}", EdgeKind.ORDER),
        Edge("n0", "@outputs", EdgeKind.DATA, f"{text}.{text}[0]", f"{text}['{text}']"),
    )
    return Graph(text, Kind.SUBWORKFLOW, {n.path: n for n in nodes}, edges, interface, {"failure_policy": text})


def hostile_states(text: str) -> dict[str, NodeState]:
    state = NodeState(Phase.FAILED, 1.0, 2, None, 0, 0, text)
    return dict.fromkeys(("", "n0", "n1", "n2", "n2/n0", "fn0"), state)


# safety


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    svg = draw(hostile_graph(text), states=hostile_states(text), title=text).svg
    root = ET.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert set(element.attrib) <= ATTRIBUTES
        for name in ("id", "class", "transform", "d", *PAINT - {"fill", "stroke"}):
            assert re.fullmatch(r"[\w .,+()MCLHVAZQhvlaqz-]*", element.get(name, "")), element.get(name)
        for name in ("fill", "stroke"):
            assert element.get(name, "none") in LIGHT
    (style,) = root.iter(f"{SVG}style")
    assert style.text == theme_sheet(svg)
    assert len(style.text) < 2000
    assert svg.encode().decode() == svg
    assert len(svg) < 120_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_is_written_wider_than_its_box(text: str) -> None:
    root = parsed(hostile_graph(text))
    for node in having(root, "ft-node"):
        (shape, *_) = (e for e in node.iter() if e.get("class") == "ft-shape")
        for line in node.iter(f"{SVG}text"):
            assert len("".join(line.itertext())) <= 130
            if line.get("textLength") and shape.get("width"):
                end = float(line.get("x", "")) + float(line.get("textLength", ""))
                assert end <= float(shape.get("x", "")) + float(shape.get("width", "")) + 1


def test_a_hostile_text_is_shown_as_it_is() -> None:
    root = parsed(samples.GraphBuilder(HOSTILE["script"]).graph())
    (title,) = having(root, "ft-title")
    assert title.text == HOSTILE["script"]


# what a page relies on


@pytest.mark.parametrize("length", [40, 200, 1900])
@pytest.mark.parametrize("letter", ["w", "字", "ab "])
def test_a_long_title_is_cut_to_a_page_and_whole_in_its_tooltip(letter: str, length: int) -> None:
    title = (letter * length)[:length].strip()
    drawing = draw(samples.pipeline(), title=title)
    root = ET.fromstring(drawing.svg)
    (shown,) = having(root, "ft-title")
    assert float(root.get("width", "")) <= 960
    assert shown.text is not None
    assert shown.text == title or (shown.text.endswith("…") and title.startswith(shown.text[:-1]))
    assert shown.text == title or title in drawing.svg.partition(' class="ft-title"')[0].rpartition("<title>")[2]
    assert shown.text == title or length > 40


def test_long_notes_and_settings_are_cut_to_a_page() -> None:
    graph = replace(samples.pipeline(), settings={"version": "v" * 400, "fixed": "x=1, " * 100})
    scene = build_scene(graph, title="churn", notes=["one of many " * 50])
    svg = to_svg(scene, arrange(scene, lay_out), "ft")
    root = ET.fromstring(svg)
    assert float(root.get("width", "")) <= 960
    assert svg.count("…") == 2
    assert "churn" in [title.text for title in having(root, "ft-title")]
    (head,) = (e for e in root if (e.findtext(f"{SVG}title") or "").startswith("churn"))
    whole = head.findtext(f"{SVG}title", "")
    assert ("one of many " * 50).strip() in whole
    assert f"version {'v' * 400}" in whole


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_ids_are_unique_and_start_with_the_drawings_own(name: str) -> None:
    drawing = draw(samples.SAMPLES[name]())
    ids = [e.get("id", "") for e in ET.fromstring(drawing.svg).iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert all(i == drawing._uid or i.startswith(f"{drawing._uid}-") for i in ids)
    assert drawing._uid != draw(samples.SAMPLES[name]())._uid


def test_a_node_carries_its_path_kind_phase_and_name() -> None:
    graph, states = samples.phases()
    root = parsed(graph, states=states)
    (node,) = (e for e in having(root, "ft-node") if e.get("data-path") == "n0")
    assert node.get("class") == "ft-node ft-kind-sql"
    assert (node.get("role"), node.get("tabindex")) == ("img", "0")
    assert node.get("aria-label") == "load_users, sql, succeeded"
    assert (node.get("data-phase"), node.get("data-cache")) == ("SUCCEEDED", "HIT")
    (sub,) = having(node, "ft-sub")
    assert sub.text == "4 ms · hit"
    (failed,) = (e for e in having(root, "ft-node") if e.get("data-path") == "n5")
    assert "ValueError: no rows" in failed.findtext(f"{SVG}title", "")


def test_every_phase_is_told_by_colour_icon_stroke_and_text() -> None:
    graph, states = samples.phases()
    root = parsed(graph, states=states)
    sheet = style_sheet()
    icons = set()
    for node in having(root, "ft-node"):
        state = states.get(node.get("data-path", ""))
        if state is None:
            assert node.get("data-phase") is None
            continue
        assert f"[data-phase={state.phase}]>.ft-shape" in sheet
        (icon,) = having(node, "ft-icon")
        shape = next(having(node, "ft-shape"))
        assert shape.get("stroke") == icon.get("stroke") != COLOURS["rule"][0]
        icons.add(re.sub(r"[\d.]+", "", icon.get("d", "")))
        (sub,) = having(node, "ft-sub")
        assert sub.text
    assert len(icons) == len(ICONS)
    assert {str(phase) for phase in Phase} <= {name for name, _ in ICONS}


def test_the_page_can_give_any_node_a_phase_later() -> None:
    root = parsed(samples.nested())
    runnable = [e for e in (*having(root, "ft-node"), *having(root, "ft-cluster")) if "@" not in e.get("data-path", "")]
    assert len(runnable) == 8
    for element in runnable:
        assert len(list(having(element, "ft-icon"))) == 1
        assert len(list(having(element, "ft-sub"))) == 1


def test_edges_carry_both_ends_and_skipped_ways_fade() -> None:
    graph = samples.branch()
    states = {"n1/n0": NodeState(Phase.SKIPPED), "n1": NodeState(Phase.SUCCEEDED, 0.1)}
    root = parsed(graph, states=states)
    ways = {(e.get("data-source"), e.get("data-target")): e for e in having(root, "ft-edge-case")}
    assert ways["n1", "n1/n0"].get("data-phase") == "SKIPPED"
    assert ways["n1", "n1/n1"].get("data-phase") is None
    assert "".join(ways["n1", "n1/n0"].itertext()).endswith("p > 3 and q < 9")


def test_open_containers_are_clusters_with_a_phase() -> None:
    root = parsed(samples.nested(), states={"n1": NodeState(Phase.RUNNING, 2.0, 1, None, 3, 6)})
    clusters = {e.get("data-path"): e for e in having(root, "ft-cluster")}
    assert set(clusters) == {"n1", "n1/n1"}
    assert clusters["n1"].get("data-phase") == "RUNNING"
    (sub,) = having(clusters["n1"], "ft-sub")
    assert sub.text == "3/6 · 2 s"


def test_a_cache_hit_looks_its_own() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "f")
    for cache, mark in ((CacheStatus.HIT, "HIT"), (CacheStatus.MISS, "SUCCEEDED")):
        root = parsed(b.graph(), states={"n0": NodeState(Phase.SUCCEEDED, 1.0, 1, cache)})
        (icon,) = having(root, "ft-icon")
        assert re.sub(r"[\d.]+", "", icon.get("d", "")) == re.sub(r"[\d.]+", "", dict(ICONS)[mark])


def test_a_legend_stands_only_where_a_line_needs_a_word() -> None:
    assert not list(having(parsed(samples.chain()), "ft-legend"))
    assert list(having(parsed(samples.failure()), "ft-legend"))


def test_failure_handlers_hang_aside_and_name_their_inputs() -> None:
    root = parsed(samples.failure())
    assert len(list(having(root, "ft-lane"))) == 1
    (handler,) = (e for e in having(root, "ft-node") if e.get("data-path") == "fn0")
    assert "← name" in [line.text for line in handler.iter(f"{SVG}text")]
    assert not [e for e in having(root, "ft-edge") if e.get("data-target") == "fn0"]


def test_constants_of_a_container_are_written_where_they_are_used() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "inner", "size: int", "", Kind.SUBWORKFLOW)
    b.doors("n0", "size: int = 3", "")
    b.task("n0/n0", "f", "n: int", "")
    b.feed("n0/@inputs.size -> n0/n0.n")
    b.constant("n0.size", "7")
    root = parsed(b.graph())
    assert not list(having(root, "ft-kind-inputs"))
    assert not list(having(root, "ft-kind-constant"))
    assert [line.text for line in having(root, "ft-const")] == ["n ← size = 7"]


def test_a_constant_stays_at_the_door_of_a_container_that_passes_it_on() -> None:
    b = samples.GraphBuilder("g")
    for path in ("n0", "n0/n0"):
        b.task(path, "inner", "size: int = 3", "", Kind.SUBWORKFLOW)
        b.doors(path, "size: int = 3", "")
    b.task("n0/n0/n0", "f", "n: int", "")
    b.feed("n0/@inputs.size -> n0/n0.size", "n0/n0/@inputs.size -> n0/n0/n0.n")
    b.constant("n0.size", "7")
    (pill,) = having(parsed(b.graph()), "ft-kind-inputs")
    assert "".join(next(pill.iter(f"{SVG}text")).itertext()) == "sizeint = 7"


def test_an_arrow_passes_a_port_with_few_uses_and_several_share_a_pill() -> None:
    for uses, arrows in ((1, 1), (3, 3), (4, 5)):
        b = samples.GraphBuilder("g")
        b.task("n0", "load", "", "Frame")
        b.task("n1", "inner", "frame: Frame", "", Kind.SUBWORKFLOW)
        b.doors("n1", "frame: Frame", "")
        b.feed("n0.o0 -> n1.frame")
        for i in range(uses):
            b.task(f"n1/n{i}", f"use_{i}", "frame: Frame", "")
            b.feed(f"n1/@inputs.frame -> n1/n{i}.frame")
        root = parsed(b.graph())
        assert len(list(having(root, "ft-edge"))) == arrows
        assert len(list(having(root, "ft-kind-inputs"))) == (uses > 3)


def test_an_input_that_is_used_far_below_is_named_there() -> None:
    b = samples.GraphBuilder("g", "region: str")
    for i in range(4):
        b.task(f"n{i}", f"step_{i}", "x: int; where: str", "int")
        b.feed(*([f"n{i - 1}.o0 -> n{i}.x"] if i else []))
    b.feed("@inputs.region -> n0.where", "@inputs.region -> n1.where", "@inputs.region -> n3.where")
    root = parsed(b.graph())
    assert [e.get("data-target") for e in having(root, "ft-edge") if e.get("data-source") == "@inputs"] == ["n0", "n1"]
    (last,) = (e for e in having(root, "ft-node") if e.get("data-path") == "n3")
    assert [line.text for line in having(last, "ft-const")] == ["where ← region"]


def test_a_constant_that_two_nodes_take_has_a_box_of_its_own() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "f")
    b.task("n1", "f")
    b.constant("n0.x", "5")
    b.edges.append(Edge("@n0.x", "n1", EdgeKind.DATA, "", "x"))
    root = parsed(b.graph())
    assert len(list(having(root, "ft-kind-constant"))) == 1
    assert len(list(having(root, "ft-edge"))) == 2


def test_inputs_that_go_to_the_same_nodes_share_a_pill() -> None:
    root = parsed(samples.chain())
    assert [e.get("data-ports") for e in having(root, "ft-kind-inputs")] == ["num", "x_min x_max"]


def test_a_long_dotted_name_loses_its_modules_first() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "some.very.long.package.with.many.modules.train_the_model", kind=Kind.LAUNCH_PLAN)
    (name,) = having(parsed(b.graph()), "ft-name")
    assert name.text is not None
    assert name.text == "…train_the_model"


# the style sheet


def test_both_themes_are_in_the_one_style_sheet_and_all_rules_are_our_own() -> None:
    sheet = style_sheet()
    assert "prefers-color-scheme:dark" in sheet
    assert '[data-jp-theme-light="false"] .ft-drawing' in sheet
    assert not re.search("animation|@keyframes|transition", sheet)  # a picture that moves is painted anew all the time
    assert "$" not in sheet
    assert not re.search(r"https?:|url\(|@import|@font-face", sheet)
    flat = re.sub(r"@(media|supports)[^{]*\{", "", sheet)
    selectors = re.findall(r"([^{}]+)\{[^}]*\}", flat)
    assert selectors
    for selector in selectors:
        assert all(".ft-drawing" in part for part in selector.split(",")), selector


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_a_picture_without_its_style_sheet_has_all_its_colours(name: str) -> None:
    """The nearest paint of each element is a light colour; none relies on SVG's initial black."""
    root = parsed(samples.SAMPLES[name]())
    around = {child: parent for parent in root.iter() for child in parent}

    def paint(element: ET.Element, kind: str) -> str:
        while kind not in element.attrib and element in around:
            element = around[element]
        return element.get(kind, "none" if kind == "stroke" else "black")

    for element in root.iter():
        if element.tag.removeprefix(SVG) in ("rect", "path", "circle", "text", "tspan"):
            fill, stroke = paint(element, "fill"), paint(element, "stroke")
            assert {fill, stroke} <= LIGHT or fill.startswith("url(")
            if element.tag in (f"{SVG}text", f"{SVG}tspan"):
                assert stroke == "none"
                assert fill != "none"
            if "ft-line" in element.get("class", ""):
                assert (fill, stroke) == ("none", COLOURS["line"][0])


def test_the_colours_of_the_light_theme_differ_as_texts() -> None:
    assert len({light for light, _, _ in COLOURS.values()}) == len(COLOURS)
    assert len({dark for _, dark, _ in COLOURS.values()}) == len(COLOURS)


@pytest.mark.parametrize("text", ['" data-path="x"', " role='img'", "<title>t</title>", ' class="ft-x"'])
def test_an_image_has_all_texts_and_nothing_for_a_page(text: str) -> None:
    svg = draw(hostile_graph(text), states=hostile_states(text), title=text).svg
    whole, image = ET.fromstring(svg), ET.fromstring(to_image(svg))
    texts = [["".join(e.itertext()) for e in root.iter(f"{SVG}text")] for root in (whole, image)]
    assert texts[0] == texts[1]
    assert image.get("aria-label") == whole.get("aria-label")
    names = {name for element in image.iter() if element is not image for name in element.attrib}
    assert names <= {*ATTRIBUTES, "patternUnits"} - {"role", "aria-label", "tabindex"} - {
        n for n in names if "data" in n
    }
    assert not list(image.iter(f"{SVG}title"))


@pytest.mark.parametrize("text", ['" data-path="x"', " role='img'", "<title>t</title>", ' class="ft-x"'])
def test_a_picture_in_a_page_has_a_tooltip_and_a_name_for_each_node(text: str) -> None:
    svg = draw(hostile_graph(text), states=hostile_states(text), title=text).svg
    whole, named = ET.fromstring(svg), ET.fromstring(to_image(svg, has_names=True))

    def names(root: ET.Element) -> list[tuple[str | None, str | None, list[str]]]:
        found = [e for e in root.iter(f"{SVG}g") if e.get("aria-label")]
        return [
            (e.get("role"), e.get("aria-label"), ["".join(t.itertext()) for t in e.findall(f"{SVG}title")])
            for e in found
        ]

    assert names(named) == names(whole)
    assert len(names(named)) >= 3
    assert not [name for e in named.iter() for name in e.attrib if name.startswith("data-") or name == "tabindex"]


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "grey", "bad", "running", "succeeded", "failed", "cached", "idle"])
def test_every_colour_of_text_can_be_read_on_boxes_and_card(name: str, theme: int) -> None:
    for ground in ("card", "box", "pill") if name in ("ink", "grey") else ("card", "box"):
        pair = sorted((luminance(str(COLOURS[each][theme])) for each in (name, ground)), reverse=True)
        assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["line", "rule", "accent", "tool", "bad", "running", "succeeded", "failed", "idle"])
def test_every_line_and_border_can_be_seen_on_the_card(name: str, theme: int) -> None:
    pair = sorted((luminance(str(COLOURS[each][theme])) for each in (name, "card")), reverse=True)
    assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 3


def test_arrows_and_cases_that_were_not_taken_can_be_seen() -> None:
    """They are dotted: a line of half the colour has half the contrast."""
    skipped = {path: NodeState(Phase.SKIPPED) for path in ("n1/n0", "n1/n1", "n1/n1/n0")}
    edges = [e for e in having(parsed(samples.branch(), states=skipped), "ft-edge") if e.get("data-phase") == "SKIPPED"]
    assert len(edges) > 4
    assert {(e.get("stroke-dasharray"), e.get("stroke-opacity")) for e in edges} == {("1.5 3", None)}
    assert ".ft-edge[data-phase=SKIPPED]{stroke-dasharray:1.5 3}" in style_sheet()


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_frames_can_be_seen_through_their_opacity(theme: int) -> None:
    frames = list(having(parsed(samples.nested()), "ft-cluster")) + list(having(parsed(samples.failure()), "ft-lane"))
    assert len(frames) == 3
    names = {colours[0]: name for name, colours in COLOURS.items()}
    for frame in frames:
        shape = next(having(frame, "ft-shape"))
        share = float(shape.get("stroke-opacity", "1"))
        line, card = (str(COLOURS[name][theme]) for name in (names[shape.get("stroke", "")], "card"))
        mixed = [share * int(line[i : i + 2], 16) + (1 - share) * int(card[i : i + 2], 16) for i in (1, 3, 5)]
        pair = sorted((luminance("#" + "".join(f"{round(c):02x}" for c in mixed)), luminance(card)), reverse=True)
        assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 3


def test_the_language_of_a_container_cell_stays_beside_its_state() -> None:
    node = Node("n0", Kind.CONTAINER, "fit", Interface(), {"language": "R", "image": "r-base:4.4.1"})
    root = parsed(Graph("fit", Kind.CONTAINER, {"n0": node}), states={"n0": NodeState(Phase.FAILED, 1.0)})
    assert {"failed · 1 s", "R · r-base:4.4.1"} <= {e.text for e in root.iter(f"{SVG}text")}


@pytest.mark.parametrize("phase", Phase)
def test_an_ordinary_state_fits_the_narrowest_box(phase: Phase) -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "f")
    root = parsed(b.graph(), states={"n0": NodeState(phase, 6.5, 1)})
    (sub,), (shape,) = having(root, "ft-sub"), having(root, "ft-shape")
    assert float(shape.get("width", "")) == 96
    assert sub.get("textLength") is None
    assert "…" not in (sub.text or "")


@pytest.mark.parametrize(("done", "shown"), [(37, "37/100 · 1.3 s"), (100, "100/100 · 1.3 s")])
def test_the_progress_of_a_map_fits_a_box_of_narrow_lines(done: int, shown: str) -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "square", "", "list[int]", Kind.MAP)
    root = parsed(b.graph(), states={"n0": NodeState(Phase.RUNNING, 1.3, 1, None, done, 100)})
    (sub,) = having(root, "ft-sub")
    widths = {float(shape.get("width", "")) for shape in having(root, "ft-shape")}
    assert (sub.text, widths) == (shown, {132.0})


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.SUCCEEDED, Phase.FAILED, Phase.TIMED_OUT])
@pytest.mark.parametrize(
    ("kind", "of", "shown", "width"),
    [(Kind.TASK, (0, 0), "1 min 5 s · 3 attempts", 144.0), (Kind.MAP, (37, 100), "37/100 · 6.5 s · 3 attempts", 180.0)],
)
def test_attempts_fit_the_box_of_a_node_with_retries(
    phase: Phase, kind: Kind, of: tuple[int, int], shown: str, width: float
) -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "fit", "", "int", kind, retries=3)
    root = parsed(b.graph(), states={"n0": NodeState(phase, 6.5 if of[1] else 65, 3, None, *of)})
    (sub,) = having(root, "ft-sub")
    assert (sub.text or "").endswith(shown)
    assert {float(shape.get("width", "")) for shape in having(root, "ft-shape")} == {width}


@pytest.mark.parametrize("kind", [Kind.TASK, Kind.SQL, Kind.REFERENCE, Kind.MAP, Kind.GATE])
@pytest.mark.parametrize("type_", ["int", "StructuredDataset", "dict[str, list[float | None]]"])
def test_lines_below_a_name_are_narrow_and_contain_all_settings(kind: Kind, type_: str) -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "fit", "", type_, kind, retries=3, timeout=600, cache="1")
    lines = [e.text or "" for name in ("ft-sub", "ft-badge") for e in having(parsed(b.graph()), name)]
    parts = {part for line in lines for part in re.split(r" · |(?=→)", line)}
    assert parts >= {f"→ {type_}", "3 retries", "timeout 10 min", "cached 1"}
    assert all(measure(line, 11) <= 176 or line.endswith(type_) for line in lines)


@pytest.mark.parametrize("given", ["DataFrame", "StructuredDataset"])
def test_a_change_of_type_is_written_on_two_lines(given: str) -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "load", "", given)
    b.task("n1", "fit", "x: list[DataFrame]", "int")
    b.feed("n0.o0 -> n1.x")
    root = parsed(b.graph())
    (label,) = having(root, "ft-label")
    shown = {e.text for edge in having(root, "ft-edge") for e in edge.iter(f"{SVG}text")}
    assert shown == {f"{given} →", "list[DataFrame]"}
    assert float(label.get("width", "")) < 140
