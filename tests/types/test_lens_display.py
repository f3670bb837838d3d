"""The lens as its reader sees it: the same facts as text and as HTML, bounded, escaped, as the golden files say."""

from __future__ import annotations

import datetime
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, make_dataclass
from html import unescape
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, TypeVar

import pydantic
import pytest
from flytekit.core.type_engine import TypeEngine
from flytekit.loggers import logger

import flytenb
from flytenb.bridge.type_engine.transformers import captured_log
from flytenb.display.type_lens import Lens
from flytenb.errors import UsageError
from tests.kernel import Kernel

GOLDEN = Path(__file__).parents[1] / "golden" / "lens"
HOSTILE = '<img src=x onerror="alert(1)">'


@dataclass
class Marker:
    at: float
    label: str


@dataclass
class Loop:
    inside: list["Loop"]  # noqa: UP037


class Unknown:
    """Nobody knows it."""


class Knot(pydantic.BaseModel):
    """flytekit warns of it whenever it is converted."""

    inside: list["Knot"] = []  # noqa: UP037


SHOWN: dict[str, tuple[Any, ...]] = {
    "changed": (Marker, Marker(3, "clap")),
    "generated": (datetime.datetime,),
    "pickled": (list[Unknown],),
    "refused": (tuple[int, str],),
    "literal": (Literal["a", "b"], "a"),
    "union": (Marker | None, None),
    "too_large": (int, 2**63),
}


@pytest.mark.parametrize("name", SHOWN)
def test_it_reads_as_its_golden_file(name: str, update_golden: bool) -> None:
    text = repr(flytenb.lens(*SHOWN[name])) + "\n"
    path = GOLDEN / f"{name}.txt"
    if update_golden:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("name", SHOWN)
def test_text_and_html_hold_the_same_facts(name: str) -> None:
    bundle = flytenb.lens(*SHOWN[name])._repr_mimebundle_()
    body = bundle["text/html"].partition("</style>")[2]
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
    for line in bundle["text/plain"].splitlines():
        for part in re.split(r"\s{2,}| · |[()─]", line.strip()):
            assert " ".join(part.split()) in words, part


def test_a_page_folds_the_schema_and_text_spells_it_out() -> None:
    lens = flytenb.lens(Marker)
    html = lens._repr_mimebundle_()["text/html"]
    folds = re.findall(r'<details class="ft-section ft-fold"><summary>(.*?)</summary>(.*?)</details>', html, re.DOTALL)
    (lookup, questions), (schema, text) = folds
    assert "lookup" in lookup and "it is an Enum" in questions
    assert "JSON schema" in schema and "&#34;properties&#34;" in text
    assert '"properties"' in repr(lens)


def test_hostile_names_and_values_are_escaped_and_bounded() -> None:
    evil = make_dataclass("Evil", [("a", str)])
    evil.__name__ = evil.__qualname__ = f"<b>{HOSTILE}</b>"
    for lens in (flytenb.lens(evil), flytenb.lens(str, HOSTILE * 1000), flytenb.lens(Literal[HOSTILE])):  # type: ignore[valid-type]
        bundle = lens._repr_mimebundle_()
        assert "<img" not in bundle["text/html"]
        assert "<b>" not in bundle["text/html"]
        assert len(bundle["text/plain"]) <= 4000
        assert len(bundle["text/html"]) <= 200_000


def test_the_data_is_there_as_data() -> None:
    lens = flytenb.lens(Marker, Marker(3, "clap"))
    assert isinstance(lens, Lens)
    assert lens.lookup.transformer == "DataclassTransformer"
    assert lens.trip is not None and lens.trip.change is not None
    assert (lens.trip.change.path, lens.trip.change.before) == (".at", "3 (int)")
    assert not lens.is_pickle and not lens.is_generated
    assert lens == flytenb.lens(Marker, Marker(3, "clap"))


def test_what_would_match_too_is_named() -> None:
    class Color(str):
        pass

    assert flytenb.lens(bool).lookup.others == ("SimpleTransformer 'int', for its ancestor int",)
    lookup = flytenb.lens(Color).lookup
    assert [s.answer for s in lookup.steps if s.is_chosen] == ["SimpleTransformer 'str', for its ancestor str"]


def test_a_type_that_holds_itself_is_warned_of() -> None:
    assert any("is recursive" in warning for warning in flytenb.lens(Loop, Loop([])).warnings)
    assert not any("is recursive" in warning for warning in flytenb.lens(Marker).warnings)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What flytekit logs; its logger hands nothing on to the root's."""
    messages: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler = Kept()
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_flytekit_s_own_warning_is_told_and_not_logged(logged: list[str]) -> None:
    class Fresh:
        pass

    class Other:
        pass

    assert "pickles it" in flytenb.lens(Fresh).warnings[0]
    assert logged == []
    TypeEngine.get_transformer(Other)
    assert "Unsupported Type" in logged[0]


def test_what_flytekit_says_on_a_thread_of_its_own_is_told_too(logged: list[str]) -> None:
    lens = flytenb.lens(Marker | Knot, Knot())
    assert any("cannot be converted" in warning for warning in lens.warnings)
    assert logged == []


def test_only_the_thread_that_looks_is_quiet(logged: list[str]) -> None:
    with captured_log() as said:
        logger.warning("mine")
        other = threading.Thread(target=logger.warning, args=("somebody else's",))
        other.start()
        other.join()
    assert said == ["mine"]
    assert logged == ["somebody else's"]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    flytenb.lens(Unknown, Unknown())
    flytenb.lens(list[Marker])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


@pytest.mark.slow
@pytest.mark.kernel
def test_the_magic_takes_any_type_and_a_sample(kernel: Kernel) -> None:
    kernel.run("""
        from dataclasses import dataclass

        @dataclass
        class Point:
            x: float

        here = Point(1)
    """).ok()
    assert "unchanged" in kernel.run("%flyte type dict[str, list[Point]]").ok().shown
    assert ".x" in kernel.run("%flyte type Point --sample here").ok().shown
    assert kernel.run("%flyte type Nowhere").fails().ename == "NameError"
    assert kernel.run("%flyte type").fails().ename == "UsageError"
    assert "SimpleTransformer" in kernel.run("lens = %flyte type int\nlens.lookup.transformer").ok().result


@pytest.mark.kernel
def test_a_form_is_its_line_where_nobody_can_see_widgets(kernel: Kernel) -> None:
    kernel.run("""
        from flytekit import task

        @task
        def double(x: int, by: int = 2) -> int:
            return x * by
    """).ok()
    watched = kernel.run("%flyte form double").ok()
    (bundle,) = watched.bundles
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "flytenb.run(double, x=…)" in bundle["text/plain"]
    kernel.run("import os; os.environ['FLYTENB_STATIC'] = '1'").ok()
    outcome = kernel.run("%flyte form double").ok()
    assert "flytenb.run(double, x=…)" in outcome.shown
    assert outcome.bundles
    assert all("application/vnd.jupyter.widget-view+json" not in bundle for bundle in outcome.bundles)
    assert kernel.run("%flyte form doubel").fails().evalue.startswith("no task, workflow or launch plan named 'doubel'")


@pytest.mark.parametrize("value", [3, "int", [int], {"a": int}, print, datetime.datetime(2024, 1, 1)], ids=repr)
def test_a_value_is_no_type_and_is_told_to_go_along_as_a_sample(value: Any) -> None:
    with pytest.raises(UsageError, match="expected a type, got") as raised:
        flytenb.lens(value)
    assert f"flytenb.lens({type(value).__name__}, sample=…)" in raised.value.hint


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "python_type",
    [
        None,
        int,
        list[int],
        int | None,
        Optional[int],  # noqa: UP045
        Any,
        Annotated[int, "m"],
        Literal["a"],
        TypeVar("T"),
        list,
        Callable,
    ],
    ids=str,
)
def test_whatever_an_annotation_can_be_has_a_lens(python_type: Any) -> None:
    assert "lookup, in the order" in repr(flytenb.lens(python_type))
