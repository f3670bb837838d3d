"""The decks of a node are there after the run; the oracle is what flytekit itself renders for the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flytekit
import pytest
from flytekit import Deck, PythonFunctionTask, dynamic, eager, map_task, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.deck import DeckField, MarkdownRenderer
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.extend import TaskPlugins

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.show import show
from flytenb.model import CacheStatus

FIELDS = (DeckField.INPUT, DeckField.OUTPUT, DeckField.TIMELINE, DeckField.SOURCE_CODE)


def decks(run: Any, path: str) -> dict[str, str]:
    return {deck.name: deck.html for deck in run.nodes[path].decks}


@task(enable_deck=True, deck_fields=FIELDS)
def rendered(n: int) -> int:
    Deck("notes", f"<b>{n}</b>")
    flytekit.current_context().default_deck.append(MarkdownRenderer().to_html("# made"))
    return n + 1


def test_they_are_those_that_flytekit_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decks(flytenb.run(rendered, n=3), "n0")
    pages: list[dict[str, str]] = []

    def keep(name: str, parameters: Any) -> None:
        pages.append({deck.name: deck.html for deck in parameters.decks})

    monkeypatch.setattr("flytekit.deck.deck._output_deck", keep)
    rendered(n=3)
    (expected,) = pages
    assert list(found) == list(expected)
    assert found == expected | {"Timeline": found["Timeline"]}  # which has durations


@dataclass
class Reported:
    """Configuration of a plugin whose hooks make decks, as Papermill's does."""


class ReportedTask(PythonFunctionTask[Reported]):
    def __init__(self, task_config: Reported, task_function: Any, **options: Any) -> None:
        super().__init__(task_config, task_function, task_type="reported", **options)

    def pre_execute(self, user_params: Any) -> Any:
        Deck("pre", "pre")
        return user_params.builder().add_attr("MARK", 1).build()

    def post_execute(self, user_params: Any, rval: Any) -> Any:
        Deck("post", "post")
        return rval


TaskPlugins.register_pythontask_plugin(Reported, ReportedTask)


@task(task_config=Reported())
def reported(n: int) -> int:
    Deck("body", "body")
    return n


@task
def unfielded(n: int) -> int:
    Deck("plain", f"<i>{n}</i>")
    return n


@task
def nothing(n: int) -> int:
    return n


@dynamic
def grown(n: int) -> int:
    Deck("grown", "dynamic")
    return unfielded(n=n)


@eager
async def eagerly(n: int) -> int:
    Deck("eager", "eager")
    return unfielded(n=n)


@workflow
def everything(n: int) -> tuple[int, int, int, list[int], int]:
    return (
        reported(n=n),
        nothing(n=n),
        grown(n=n),
        map_task(unfielded)(n=[n, 2]),
        create_node(eagerly, n=n).o0,
    )


@pytest.mark.parametrize("settings", [{}, {"strict": True}], ids=str)
def test_each_kind_of_node_has_its_own(settings: dict[str, Any]) -> None:
    run = flytenb.options(**settings).run(everything, n=1)
    found = {path: decks(run, path) for path in run.nodes}
    assert {path: made for path, made in found.items() if made} == {
        "n0": {"pre": "pre", "body": "body", "post": "post"},
        "n2": {"grown": "dynamic"},
        "n2/dn0": {"plain": "<i>1</i>"},
        "n3/0": {"plain": "<i>1</i>"},
        "n3/1": {"plain": "<i>2</i>"},
        "n4": {"eager": "eager"},
        "n4/e0": {"plain": "<i>1</i>"},
    }


tries: list[int] = []


@task(retries=1, enable_deck=True, deck_fields=())
def fails(n: int) -> int:
    tries.append(n)
    Deck("try", f"<p>try {len(tries)}</p>")
    if tries:
        raise FlyteRecoverableException("no")
    return n


@task(retries=1)
def fails_once(n: int) -> int:
    tries.append(n)
    if len(tries) == 1:
        Deck("try", "first")
        raise FlyteRecoverableException("no")
    return n


def test_a_failed_node_has_those_of_its_last_attempt_and_they_are_shown() -> None:
    tries.clear()
    run = flytenb.start(fails, n=1).wait(30)
    assert decks(run, "n0") == {"try": "<p>try 2</p>"}
    details = NodeDetails.of(run, "n0", show)
    assert len(details.decks) == 1
    assert "try 2" in details.decks[0].fragment
    tries.clear()
    assert decks(flytenb.run(fails_once, n=1), "n0") == {}


class Odd(Deck):
    """Can be rendered neither in a process nor here."""

    @property
    def html(self) -> str:
        raise RuntimeError("no markup")


@task
def odd(n: int) -> int:
    Odd("odd")
    Deck("even", "even")
    return n


@pytest.mark.parametrize("settings", [{}, {"processes": True}], ids=str)
def test_a_deck_that_raises_harms_nothing(settings: dict[str, Any]) -> None:
    run = flytenb.options(**settings).run(odd, n=1)
    assert run.result == 1
    assert run.nodes["n0"].decks[-1].html == "even"
    assert "even" in NodeDetails.of(run, "n0", show).decks[-1].fragment


@task(cache=True, cache_version="decks", enable_deck=True, deck_fields=())
def once(n: int) -> int:
    Deck("made", str(n))
    return n


def test_a_hit_makes_none() -> None:
    made = flytenb.options(cache="overwrite").run(once, n=1)
    assert decks(made, "n0") == {"made": "1"}
    again = flytenb.run(once, n=1)
    assert again.nodes["n0"].cache_status is CacheStatus.HIT
    assert decks(again, "n0") == {}
