"""What has changed in the code of entities since they ran, in words; the oracle is the edit that the test made."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from flytenb.errors import UsageError
from flytenb.model import Phase
from flytenb.reach.object_digest import WatchingWalker
from flytenb.session.host import host
from flytenb.session.listing import Listing, _last_runs
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import wait_for

BASE = """
import os
import flytenb
from flytekit import task, workflow
RATE = 2
TABLE = {"a": 1}
class Options:
    by = 3
def deeper(x): return x + TABLE["a"]
def scale(x): return deeper(x) * RATE
def outside(x): return x
@task
def a(x: int) -> int:
    return scale(x)
@task
def b(x: int) -> int:
    return x + Options.by + len(os.environ.get("FLYTENB_EDIT", ""))
@workflow
def inner(x: int) -> int:
    return b(x=x)
@workflow
def wf(x: int = 1) -> int:
    return inner(x=a(x=x))
"""
EDITS = {
    "a helper": ("def scale(x): return deeper(x) - RATE", "`scale` was redefined in cell 3", ["a", "wf"]),
    "a helper's helper": ("def deeper(x): return x", "`deeper` was redefined in cell 3", ["a", "wf"]),
    "a constant": ("RATE = 3", "`RATE` was redefined in cell 3", ["a", "wf"]),
    "inside of a constant": ("TABLE['a'] = 2", "`TABLE` has changed", ["a", "wf"]),
    "a class": ("class Options:\n    by = 4", "`Options` was redefined in cell 3", ["b", "inner", "wf"]),
    "a class attribute": ("Options.by = 4", "`Options` has changed", ["b", "inner", "wf"]),
    "a task": ("@task\ndef b(x: int) -> int:\n    return x", "`b` was redefined in cell 3", ["inner", "wf"]),
    "two": (
        "RATE = 3\ndef scale(x): return deeper(x) - RATE",
        "`RATE` was redefined in cell 3, `scale` in cell 3",
        ["a", "wf"],
    ),
    "a variable": (
        "os.environ['FLYTENB_EDIT'] = 'b'",
        "environment variable FLYTENB_EDIT has changed",
        ["b", "inner", "wf"],
    ),
    "nothing": ("def outside(x): return 2 * x", "", []),
    "a comment": ("def scale(x):\n    # the same\n    return deeper(x) * RATE", "", []),
}


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setenv("FLYTENB_EDIT", "")
    with open_notebook() as notebook:
        yield notebook


def stale() -> dict[str, str]:
    session = host.session
    return {name: text for name in session.definitions if (text := session.stale_text(name))}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("edit", EDITS)
def test_an_entity_is_stale_if_what_it_reaches_was_redefined_since_it_ran(edit: str, notebook: Notebook) -> None:
    source, why, names = EDITS[edit]
    notebook.run(BASE, "run = flytenb.run(wf)")
    assert stale() == {}
    notebook.run(source)
    assert stale() == dict.fromkeys(names, why)
    assert [name for name in host.session.definitions if host.session.is_stale(name)] == names
    listing = notebook.run("%flyte")
    assert {row[0]: row[3] for row in listing.rows} == {
        name: f"stale: {why}" if name in names else "fresh" for name in ("a", "b", "inner", "wf")
    }
    notebook.run("run = flytenb.run(wf)")
    assert stale() == {}


def test_the_list_of_entities_has_signatures_and_the_last_run_also_as_a_node(notebook: Notebook) -> None:
    notebook.run(BASE, "run = flytenb.run(wf)")
    rows = {row[0]: row for row in notebook.run("%flyte").rows}
    assert re.fullmatch(r"✓ succeeded [<\d.]+ m?s", rows["wf"][4])
    assert re.fullmatch(r"✓ succeeded [<\d.]+ m?s in wf", rows["a"][4].replace("< ", "<"))
    assert all(row[5].startswith("(") and " -> " in row[5] for row in rows.values())


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_the_last_run_of_a_mapped_task_failed_if_an_element_failed(order: tuple[int, ...]) -> None:
    """Others end before it, or after it because it stopped them."""
    entity = object()
    phases = (Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED)
    nodes = {
        f"n0/{number}": SimpleNamespace(entity=entity, phase=phases[number], started=1.0, duration=2.0)
        for number in order
    }
    run: Any = SimpleNamespace(nodes=nodes, entity=object(), name="wf")
    assert _last_runs([run], [entity]) == {id(entity): "✕ failed 2 s in wf"}


def test_a_run_without_outputs_makes_nothing_stale(notebook: Notebook) -> None:
    failing = "@task\ndef b(x: int) -> int:\n    return x // 0"
    notebook.run(BASE, failing, "@workflow\ndef one(x: int = 1) -> int:\n    return b(x=x)")
    notebook.run("run = flytenb.start(one).wait()", "@task\ndef b(x: int) -> int:\n    return x")
    assert "stale" not in notebook.run("flytenb.draw(one)").text
    assert "one" not in stale()
    notebook.run("run = flytenb.run(one)", "@task\ndef b(x: int) -> int:\n    return x + 1")
    assert "`b` was redefined" in stale()["one"]


def test_what_changed_since_a_run_is_named_as_text_and_html(notebook: Notebook) -> None:
    notebook.run(BASE, "run = flytenb.run(wf)")
    assert notebook.run("flytenb.code_of(wf).since(run)") == ()
    notebook.run("RATE = 3\n\ndef scale(x): return deeper(x) - RATE")
    found = notebook.run("flytenb.code_of(wf).since(run)")
    assert found == ("changed constant RATE (this notebook)", "changed function scale (cell 4, line 3)")
    assert [(change.verb, change.name) for change in found.changes] == [("changed", "RATE"), ("changed", "scale")]
    assert "scale  cell 4, line 3" in repr(found)
    assert "<td>cell 4, line 3</td>" in found._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("edit", EDITS)
def test_a_run_of_a_workflow_names_of_a_part_what_a_run_of_the_part_names(notebook: Notebook, edit: str) -> None:
    names = ("a", "b", "inner")
    notebook.run(BASE, "runs = {e: flytenb.run(globals()[e], x=1) for e in ('a', 'b', 'inner', 'wf')}")
    since = "{{e: flytenb.code_of(globals()[e]).since(runs[{}]) for e in {}}}"
    assert notebook.run(since.format("'wf'", names)) == dict.fromkeys(names, ())
    notebook.run(EDITS[edit][0])
    assert notebook.run(since.format("'wf'", names)) == notebook.run(since.format("e", names))


def test_a_run_that_does_not_reach_an_entity_says_nothing_about_it(notebook: Notebook) -> None:
    notebook.run(BASE, "run = flytenb.run(inner, x=1)")
    for other in ("a", "wf"):
        with pytest.raises(UsageError, match=f"expected a run that reaches '{other}', got one of 'inner'"):
            notebook.run(f"flytenb.code_of({other}).since(run)")


def test_the_code_of_a_run_that_no_notebook_started_is_unknown(notebook: Notebook) -> None:
    notebook.run(BASE)
    with pytest.raises(UsageError, match="expected a run of this notebook"):
        notebook.run("flytenb.code_of(wf).since(object())")


def test_what_was_read_is_looked_at_and_not_read_again(notebook: Notebook) -> None:
    notebook.run(BASE, "run = flytenb.run(wf)")
    first = notebook.run("flytenb.code_of(wf)")
    assert notebook.run("flytenb.code_of(wf)") is first
    notebook.run("def scale(x): return x")
    assert notebook.run("flytenb.code_of(wf)").digest != first.digest


def test_an_object_that_code_reached_is_freed_when_the_notebook_drops_it(notebook: Notebook) -> None:
    notebook.run(BASE, "class Big: pass", "BIG = Big()", "def scale(x): return x if BIG else 0", "flytenb.run(wf)")
    big = weakref.ref(notebook.names["BIG"])
    notebook.run("BIG = 1")
    wait_for(lambda: gc.collect() >= 0 and big() is None)  # a thread of the run may hold it a moment longer


def test_code_that_cannot_be_read_does_not_keep_a_run_from_starting(notebook: Notebook) -> None:
    notebook.run(BASE)
    notebook.run("class Sly:\n    @property\n    def __class__(self): raise RuntimeError('no')\nSLY = Sly()")
    notebook.run("@task\ndef b(x: int) -> int:\n    return x if SLY is not None else 0")
    assert notebook.run("flytenb.run(wf)").result == 4
    notebook.run("RATE = 3")
    assert isinstance(notebook.run("%flyte").rows, tuple)


def marked(drawing: Any) -> dict[str, str]:
    return {n.path: str(n.settings["stale"]) for n in drawing.graph.nodes.values() if "stale" in n.settings}


def test_drawings_and_cards_mark_the_nodes_that_reach_what_was_redefined(notebook: Notebook) -> None:
    notebook.run(BASE)
    assert marked(notebook.run("flytenb.draw(wf)")) == {}
    notebook.run("run = flytenb.run(wf)", "def scale(x): return x")
    why = "`scale` was redefined in cell 4"
    for source in ("flytenb.draw(wf)", "flytenb.draw(run)", "%flyte draw wf"):
        drawing = notebook.run(source)
        assert marked(drawing) == {"n0": why}
        assert drawing.graph.settings["stale"] == why
    assert f"stale: {why}" in notebook.shell.display_formatter.format(notebook.names["wf"])[0]["text/plain"]
    notebook.run("again = flytenb.run(wf)")
    assert marked(notebook.run("flytenb.draw(wf)")) == marked(notebook.run("flytenb.draw(again)")) == {}
    assert marked(notebook.run("flytenb.draw(run)")) == {"n0": why}


def test_a_redefined_task_is_marked_where_it_is_used(notebook: Notebook) -> None:
    notebook.run(BASE, "run = flytenb.run(wf)", EDITS["a task"][0])
    why = "`b` was redefined in cell 3"
    assert marked(notebook.run("flytenb.draw(wf)")) == {"n1": why, "n1/n0": why}


def test_a_map_is_marked_for_what_it_maps(notebook: Notebook) -> None:
    notebook.run(BASE, "from flytekit import map_task")
    notebook.run("@workflow\ndef each(xs: list[int]) -> list[int]:\n    return map_task(a)(x=xs)")
    notebook.run("run = flytenb.run(each, xs=[1])", "RATE = 5")
    assert marked(notebook.run("flytenb.draw(each)")) == {"n0": "`RATE` was redefined in cell 5"}


def test_a_table_of_a_notebook_compares_each_task_once(monkeypatch: pytest.MonkeyPatch, notebook: Notebook) -> None:
    count = 20
    tasks = "".join(f"@task\ndef t{n}(x: int) -> int:\n    return scale(x) + {n}\n" for n in range(count))
    calls = "".join(f"    x = t{n}(x=x)\n" for n in range(count))
    notebook.run(f"{BASE}{tasks}@workflow\ndef chain(x: int) -> int:\n{calls}    return x\n")
    notebook.run("flytenb.run(chain, x=1)")
    compared: list[object] = []
    is_holding = WatchingWalker.is_holding

    def counted(self: WatchingWalker) -> bool:
        compared.append(self)
        return is_holding(self)

    monkeypatch.setattr(WatchingWalker, "is_holding", counted)
    assert [row[3] for row in Listing.of_session(host.session).rows].count("fresh") == count + 5
    assert compared
    assert len(compared) == len(set(map(id, compared)))
    notebook.run("RATE = 5")
    assert sum("`RATE` was redefined" in row[3] for row in Listing.of_session(host.session).rows) == count + 1


def test_a_sweep_counts_as_one_of_the_latest_runs(notebook: Notebook) -> None:
    notebook.run(BASE)
    first = notebook.run("flytenb.run(wf, x=7)")
    sweep = notebook.run("flytenb.sweep(wf, x=range(25))")
    wait_for(lambda: all(run.phase.is_terminal for run in sweep.runs))
    assert host.session.runs[0] is first
    assert set(host.session.runs[1:]) == set(sweep.runs)
    for _ in range(18):
        notebook.run("other = flytenb.run(wf)")
    assert len(host.session.runs) == 1 + 25 + 18
    notebook.run("other = flytenb.run(wf)")
    assert first not in host.session.runs
    assert len(host.session.runs) == 25 + 19
    notebook.run("other = flytenb.run(wf)")
    assert len(host.session.runs) == 20
