"""A drawing in all its formats: golden texts, the same facts in each, files, bundles, and no engine at all."""

from __future__ import annotations

import base64
import html.parser
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import pytest

from flytenb.errors import FlytenbError, LayoutError, SaveError, UnknownNameError
from flytenb.model import EdgeKind, Graph, Kind
from flytenb.render import captions, drawing, layout, png
from flytenb.render.drawing import Drawing, draw
from flytenb.render.saved_svg import to_image
from flytenb.wording.kinds import kind_text
from tests import render_samples as samples
from tests.hostile import HOSTILE
from tests.render.test_svg import hostile_graph, hostile_states

GOLDEN = Path(__file__).parents[1] / "golden" / "render"
NAMES = [*samples.SAMPLES, "phases"]


def drawn(name: str) -> Drawing:
    if name != "phases":
        return draw(samples.SAMPLES[name]())
    graph, states = samples.phases()
    return draw(graph, states=states)


class NoEngine:
    """Stands where layout engines would: there is none."""

    name = "none"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        raise LayoutError("not installed")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layout, "default_engines", lambda: (NoEngine(),))
    monkeypatch.setenv("PATH", str(tmp_path))


# golden texts


@pytest.mark.parametrize("form", ["dot", "txt", "mmd"])
@pytest.mark.parametrize("name", NAMES)
def test_texts_are_as_they_were(name: str, form: str, update_golden: bool) -> None:
    picture = drawn(name)
    found = {"dot": picture.dot, "txt": f"{picture.text}\n", "mmd": picture.mermaid}[form]
    file = GOLDEN / f"{name}.{form}"
    if update_golden:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


# the same facts


def facts(graph: Graph) -> set[str]:
    """What any picture of the graph must tell, found without the code that draws."""
    found = {graph.name}
    for node in graph.nodes.values():
        if node.kind in (Kind.INPUTS, Kind.OUTPUTS):
            ports = (*node.interface.inputs, *node.interface.outputs)
            found |= {p.name for p in ports} | {p.type for p in ports} | {p.default for p in ports if p.default}
        elif node.kind is Kind.CONSTANT:
            found |= {node.name, *(e.input for e in graph.edges_from(node.path))}
        elif node.kind is Kind.CASE:
            found.add(str(node.settings["error"]))
        else:
            found |= {node.name, kind_text(node.kind), *captions.badges(node)}
            found |= {port.type for port in node.interface.outputs}
    found |= {edge.label for edge in graph.edges if edge.kind is EdgeKind.CASE}
    for edge in graph.edges:
        source = graph.nodes[edge.source]
        if edge.kind is EdgeKind.DATA and len(source.interface.outputs) > 1:
            found.add(edge.output)
        if edge.kind is EdgeKind.ORDER:
            found.add("after")
    return found


@pytest.mark.parametrize("name", list(samples.SAMPLES))
def test_picture_and_text_tell_the_same_facts(name: str) -> None:
    graph = samples.SAMPLES[name]()
    picture = draw(graph, depth=9)
    in_svg = " ".join("\n".join(ET.fromstring(picture.svg).itertext()).split())
    in_text = " ".join(picture.text.split())
    wanted = {" ".join(fact.split()) for fact in facts(graph)}
    assert {fact for fact in wanted if fact not in in_svg} == set()
    assert {fact for fact in wanted if fact not in in_text} == set()


@pytest.mark.parametrize("name", list(samples.SAMPLES))
def test_dot_and_mermaid_name_every_node_and_condition(name: str) -> None:
    graph = samples.SAMPLES[name]()
    picture = draw(graph, depth=9)
    mermaid = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), picture.mermaid)
    names = {
        n.name for n in graph.nodes.values() if n.kind not in (Kind.INPUTS, Kind.OUTPUTS, Kind.CASE, Kind.CONSTANT)
    }
    labels = {edge.label for edge in graph.edges if edge.kind is EdgeKind.CASE}
    for fact in names | labels:
        assert fact in mermaid
        assert fact in picture.dot


def test_phases_are_told_in_every_format() -> None:
    graph, states = samples.phases()
    picture = draw(graph, states=states)
    for path, state in states.items():
        words = captions.state_caption(state)
        assert words in picture.text
        if path:
            assert words in picture.svg
            assert f"{captions.sign(state)} {words}" in picture.dot
            assert f"{captions.sign(state)} {words}" in picture.mermaid


# hostile texts


@pytest.mark.sampled(5)
@pytest.mark.dot
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_stays_a_label_in_dot(text: str) -> None:
    picture = draw(hostile_graph(text), states=hostile_states(text), title=text)
    done = subprocess.run(["dot", "-Tjson0"], input=picture.dot.encode(), capture_output=True, check=True)
    found = json.loads(done.stdout)
    boxes = [item for item in found["objects"] if "pos" in item]
    assert {item["name"] for item in boxes} == {f"ft-n-{i}" for i in range(len(boxes))}
    allowed = {"_gvid", "name", "label", "pos", "width", "height", "shape", "style", "fontname", "fontsize", "color"}
    for item in boxes:
        assert set(item) <= allowed | {"penwidth", "peripheries", "fontcolor"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_stays_on_its_line(text: str) -> None:
    picture = draw(hostile_graph(text), states=hostile_states(text))
    for line in picture.text.split("\n"):
        assert len(line) < 2_500
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", line)
    for line in picture.mermaid.splitlines():
        assert line == "flowchart TD" or re.match(
            r"""\s+(%%\ .*|n\d+.*|subgraph\ c\d+\ \["[^"]*"\]|end|classDef\ dashed\ .*|class\ [n\d,]+\ dashed)$""",
            line,
            re.VERBOSE,
        )
        quoted = re.sub(r'"[^"]*"', '""', line)
        assert quoted.count('"') % 2 == 0 or line.lstrip().startswith("%%")


class TagReader(html.parser.HTMLParser):
    """Collects the tags and attributes of a page outside its picture."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_page_holds_no_script_and_reaches_no_network(text: str) -> None:
    page = draw(hostile_graph(text), title=text).html
    reader = TagReader()
    reader.feed(page)
    assert not {"script", "iframe", "object", "embed", "link", "img", "a", "foreignobject"} & set(reader.tags)
    assert not [name for name in reader.names if name.startswith("on")]
    assert reader.tags.count("svg") >= 1
    assert reader.tags.count("html") == 1
    assert "default-src 'none'" in page


# files


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".svg", b"<svg xmlns="),
        (".png", b"\x89PNG"),
        (".dot", b"digraph"),
        (".html", b"<!doctype html>"),
        (".mmd", b"flowchart TD"),
        (".txt", b"coordinates  workflow"),
        (".SVG", b"<svg xmlns="),
    ],
)
def test_a_drawing_is_saved_in_the_format_of_its_suffix(suffix: str, start: bytes, tmp_path: Path) -> None:
    target = tmp_path / f"picture{suffix}"
    assert drawn("chain").save(str(target)) == target
    assert target.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "svg"])
def test_another_suffix_is_refused_with_those_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(FlytenbError) as caught:
        drawn("chain").save(tmp_path / name)
    assert repr(name) in caught.value.message
    assert caught.value.hint == "use one of .svg, .png, .dot, .html, .mmd, .txt"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "hint"), [("there/is/none.svg", "make it first"), ("a_folder.svg", "")], ids=["no folder", "a folder"]
)
def test_a_place_that_cannot_be_written_is_named(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "a_folder.svg").mkdir()
    with pytest.raises(SaveError) as caught:
        drawn("chain").save(tmp_path / name)
    assert isinstance(caught.value, OSError)
    assert repr(str(tmp_path / name)) in caught.value.message
    assert caught.value.hint.endswith(hint)
    assert bool(caught.value.hint) is bool(hint)


@pytest.mark.dot
def test_without_resvg_the_png_comes_from_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "find_spec", lambda name: None)
    assert drawn("branch").png.startswith(b"\x89PNG")


def test_without_any_engine_for_png_the_ways_out_are_told(monkeypatch: pytest.MonkeyPatch, no_engine: None) -> None:
    monkeypatch.setattr(png, "find_spec", lambda name: None)
    with pytest.raises(LayoutError, match="no PNG converter is available: no 'dot' on PATH") as caught:
        assert drawn("chain").png
    assert "flytenb[png]" in caught.value.hint


# bundles


def test_a_bundle_has_the_picture_once_and_as_text() -> None:
    picture = drawn("chain")
    bundle, metadata = picture._repr_mimebundle_()
    assert bundle == {"image/svg+xml": to_image(picture.svg, has_names=True), "text/plain": picture.text}
    assert repr(picture) == picture.text
    assert metadata == {"image/svg+xml": {"unconfined": True}}


def test_beside_other_contents_the_picture_is_an_image() -> None:
    picture = drawn("chain")
    (data,) = re.findall(r' src="data:image/svg\+xml;base64,([^"]+)"', picture._inline_html())
    assert base64.b64decode(data).decode() == to_image(picture.svg)
    assert "<svg" not in picture._inline_html()
    alternative = re.search(r' alt="([^"]*)"', picture._inline_html())
    assert alternative and unescape(alternative[1]).strip() == picture.text, "shown where the address is removed"


def test_a_bundle_can_be_narrowed() -> None:
    picture = drawn("chain")
    assert picture._repr_mimebundle_(include={"text/plain"}) == ({"text/plain": picture.text}, {})
    assert set(picture._repr_mimebundle_(exclude={"text/plain"})[0]) == {"image/svg+xml"}


def test_without_an_engine_the_text_is_still_there(no_engine: None, tmp_path: Path) -> None:
    picture = drawn("branch")
    assert picture._repr_mimebundle_() == ({"text/plain": picture.text}, {})
    assert "p &gt; 3 and q &lt; 9" in picture._inline_html()
    assert "p &gt; 3 and q &lt; 9" in picture.html
    assert picture.save(tmp_path / "p.dot").read_text().startswith("digraph")
    with pytest.raises(LayoutError, match="not installed"):
        assert picture.svg


# laziness and choices


def test_nothing_is_laid_out_before_somebody_looks_and_then_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = layout.lay_out
    monkeypatch.setattr(drawing.layout, "lay_out", lambda *a: calls.append(a) or real(*a))
    picture = drawn("pipeline")
    assert all(picture.text and picture.dot and picture.mermaid for _ in range(2))
    assert calls == []
    assert picture.svg == picture.svg
    assert picture.html
    assert len(calls) == 1


def test_what_was_folded_is_said_in_every_format() -> None:
    picture = drawn("fan_out")
    for text in (picture.svg, picture.text, picture.dot, picture.mermaid):
        assert "folded: process × 40" in text
    assert picture._shown_at("n20") == "@folded-n1"
    assert picture._shown_at("n0") == "n0"


def test_parts_depth_and_title_are_chosen() -> None:
    picture = draw(samples.nested(), depth=0, downstream="n1", title="what follows")
    assert set(picture.graph.nodes) == {"n1", "n2", "@n2.limit", "@outputs"}
    assert picture.text.startswith("what follows  ")
    assert "subworkflow · 5 nodes inside" in picture.svg
    assert "closed" not in picture.text  # the reader asked for it


def test_an_unknown_node_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'features'"):
        draw(samples.pipeline(), upstream="feature")


def test_another_moment_of_a_run_needs_no_other_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, states = samples.phases()
    first = draw(graph)
    shape = re.sub(r"<style>.*</style>", "", first.svg)
    monkeypatch.setattr(layout, "lay_out", lambda *a: pytest.fail("laid out again"))
    later = first._at_states(states)
    assert "37/100" in later.svg
    assert later._uid != first._uid
    assert "37/100" not in first.svg
    places = re.compile(r'<rect class="ft-shape" x="[^>]* rx="[^"]*"')
    assert places.findall(shape) == places.findall(re.sub(r"<style>.*</style>", "", later.svg))
