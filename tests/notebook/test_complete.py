"""Tab in `%flyte` and `%%task` lines: what may come next there, and nothing in anybody else's line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Any, Literal

import flytekit
import pytest
from flytekit import task, workflow

import flytenb
from flytenb.notebook.magics.complete import Completer
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.notebook.magics.verbs import VERBS as TABLE
from flytenb.session import Session
from tests.kernel import Kernel, Outcome


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@task
def paint(
    n: int,
    colour: Colour = Colour.RED,
    is_wet: bool = True,
    how: Literal["thin", "thick"] = "thin",
    maybe: Literal["yes", "no"] | None = None,
) -> int:
    return 1 // n


@workflow
def painted(n: int, colour: Colour = Colour.RED) -> int:
    return paint(n=paint(n=n, colour=colour))


def by_name(node: Any) -> None:
    """A style."""


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def completer(session: Session) -> Completer:
    finished = flytenb.start(painted, n=1).wait()
    namespace: dict[str, Any] = {
        "paint": paint, "painted": painted, "Colour": Colour, "number": 3, "_hidden": paint, "flytekit": flytekit,
        "Resources": flytekit.Resources, "done": finished, "exit": object(), "Alias": dict[str, int], "helper": print,
        "td": timedelta, "by_name": by_name,
    }  # fmt: skip
    session.keep(finished)
    session.keep(flytenb.start(painted, n=0).wait())
    return Completer(session, namespace)


VERBS = [
    "attach",
    "cache",
    "check",
    "debug",
    "draw",
    "error",
    "export",
    "follow",
    "forget",
    "form",
    "help",
    "launch",
    "plans",
    "rehearse",
    "replay",
    "run",
    "runs",
    "settings",
    "show",
    "sweep",
    "type",
]
OF_A_SESSION = ["--on", "--resume", "--from", "--only", "--set", "--keep-answers", "--background"]
SETTINGS = [
    "--workers",
    "--strict",
    "--no-strict",
    "--cache",
    "--no-cache",
    "--overwrite-cache",
    "--processes",
    "--no-processes",
    "--engine",
    "--network",
    "--no-network",
]
NODES = ["n0", "n1", "paint"]
INPUTS = ["n=", "colour=", "is_wet=", "how=", "maybe="]
PLAIN_TYPES = ["bool", "bytes", "float", "int", "str", "dict[", "list[", "tuple["]

OFFERS = {
    # verbs
    "%flyte ": VERBS,
    "%flyte dr": ["draw"],
    "%flyte run": ["run", "runs"],
    "  %flyte d": ["debug", "draw"],
    "run = %flyte r": ["rehearse", "replay", "run", "runs"],
    "runs[0] = %flyte dra": ["draw"],
    # what a verb is about
    "%flyte draw ": ["paint", "painted", "done"],
    "%flyte draw painte": ["painted"],
    "%flyte run ": ["paint", "painted"],
    "%flyte run  pa": ["paint", "painted"],
    "%flyte rehearse pain": ["paint", "painted"],
    "%flyte cache --clear nothing_cal": [],
    "%flyte cache --older ": ["1d", "7d"],
    "%flyte follow pain": ["paint", "painted"],
    "%flyte forget ": ["done"],
    "%flyte form p": ["paint", "painted"],
    "%flyte export pa": ["paint", "painted"],
    "%flyte check pa": ["paint", "painted"],
    "%flyte launch pain": ["paint", "painted"],
    "%flyte launch paint(n=3) ": ["--config", "--project", "--domain", "--dry-run", "--wait"],
    "%flyte launch paint(n=3) --config ": [],
    "%flyte launch paint(n=3) --project ": ["flytesnacks"],
    "%flyte launch paint(n=3) --domain s": ["staging"],
    "%flyte plans --d": ["--domain", "--deactivate"],
    "%flyte plans --activate pain": ["paint", "painted"],
    "%flyte plans --deactivate pain": ["paint", "painted"],
    "%flyte attach ": [],
    "%flyte replay ": [],
    "%flyte debug ": ["n0", "paint"],
    "%flyte debug p": ["paint"],
    "%flyte error ": ["n0", "paint"],
    "%flyte error n": ["n0"],
    "%flyte help ": VERBS,
    "%flyte help ru": ["run", "runs"],
    "%flyte show ": ["number", "done"],
    "%flyte show nu": ["number"],
    "%flyte show [number, do": ["done"],
    "%flyte show done.nodes['": ["n0", "n1"],
    '%flyte show done.nodes["n1': ["n1"],
    "%flyte show done.outputs['": ["o0"],
    "%flyte show done.inputs['": ["n", "colour"],
    "%flyte show done.nodes['n1'].outputs['": ["o0"],
    "%flyte show done.nodes['n0'].inputs['c": ["colour"],
    "%flyte type ": ["Colour", "Resources", "Alias", "td", *PLAIN_TYPES],
    "%flyte type Co": ["Colour"],
    "%flyte type dict[str, fl": ["float"],
    "%flyte type list[Al": ["Alias"],
    # options
    "%flyte draw painted --up": ["--upstream"],
    "%flyte draw painted ": ["--upstream", "--downstream", "--between", "--depth", "--style", "--save"],
    "%flyte draw --depth 2 painted --d": ["--downstream"],
    "%flyte draw --depth 2 ": ["paint", "painted", "done"],
    "%flyte export painted ": ["--save"],
    "%flyte run --wor": ["--workers"],
    "%flyte run --": [*SETTINGS, *OF_A_SESSION, "--help"],
    "%flyte run paint(n=3) --b": ["--background"],
    "%flyte run paint(n=3) ": [*SETTINGS, *OF_A_SESSION],
    "%flyte run paint(n=3) --strict ": [o for o in (*SETTINGS, *OF_A_SESSION) if o != "--strict"],
    "%flyte run paint(n=3) --from ": ["n0", "paint"],
    "%flyte run paint(n=3) --only pa": ["paint"],
    "%flyte run paint(n=3) --set n": ["n0"],
    "%flyte show number ": ["--explore"],
    "%flyte show number --e": ["--explore"],
    "%flyte type Colour --s": ["--sample"],
    # values of options
    "%flyte draw painted --upstream ": NODES,
    "%flyte draw painted --downstream pa": ["paint"],
    "%flyte draw painted --between n0 n": ["n0", "n1"],
    "%flyte draw done --upstream n": ["n0", "n1"],
    "%flyte draw painted --depth ": ["0", "1", "2", "3"],
    "%flyte draw painted --style ": ["by_name"],
    "%flyte draw painted --style b": ["by_name"],
    "%flyte draw painted --save ": [f"painted.{e}" for e in ("svg", "png", "dot", "html", "mmd", "txt")],
    "%flyte draw painted --save painted.s": ["painted.svg"],
    "%flyte export painted --save ": ["painted.py"],
    "%flyte export painted -o ": ["painted.py"],
    "%flyte run paint(n=3) --workers ": ["1", "2", "4", "8"],
    "%flyte run painted(n=3) --on ": ["cluster"],
    "%flyte run painted(n=3) --on clu": ["cluster"],
    "%flyte run painted(n=3) --on cluster ": NODES,
    "%flyte run painted(n=3) --on cluster n1,": ["n1,n0", "n1,paint"],
    "%flyte run painted(n=3) --on cluster n1,pa": ["n1,paint"],
    "%flyte run --on cluster n1 painted(": ["n=", "colour="],
    "%flyte run paint(n=3) --engine ": ["auto", "docker", "bubblewrap", "host"],
    "%flyte type Colour --sample nu": ["number"],
    "%flyte check paint --inputs nu": ["number"],
    "%flyte rehearse paint(n=3) --with nu": ["number"],
    "%flyte sweep pain": ["paint", "painted"],
    "%flyte sweep paint(n=3) --rows nu": ["number"],
    "%flyte sweep paint(n=[1, 2]) --outputs ": [],
    # inside a call
    "%flyte run paint(": INPUTS,
    "%flyte run paint(n=3, ": INPUTS[1:],
    "%flyte run paint(n=max(1, 2), col": ["colour="],
    "%flyte run paint(colour=": ["Colour.RED", "Colour.BLUE"],
    "%flyte run paint(colour=Colour.B": ["Colour.BLUE"],
    "%flyte run paint(is_wet=": ["True", "False"],
    "%flyte run paint(how=": ["'thin'", "'thick'"],
    "%flyte run paint(maybe=": ["'yes'", "'no'", "None"],
    "%flyte run --workers 2 painted(": ["n=", "colour="],
    "%flyte run --strict painted(": ["n=", "colour="],
    "%flyte run --strict --workers 2 painted(n=1, ": ["colour="],
    # cells
    "%%container --l": ["--lang"],
    "%%container --lang sh": ["shell"],
    "%%container --lang python --ret": ["--retries"],
    "%%container --lang r f(x: fl": ["float"],
    "%%container --lang r f(x: Col": ["Colour"],
    "%%container --lang r f(x: list[fl": ["float"],
    "%%container --lang r f(x: int) -> fl": ["float"],
    "%%container --lang r f(x: int) -> kwtypes(y=fl": ["float"],
    "%%task ret": ["retries="],
    "%%task retries=2, int": ["interruptible="],
    "%%task cache=": ["True", "False", "flytekit.Cache("],
    "%%task cache=T": ["True"],
    "%%task retries=": ["1", "2", "3"],
    "%%task retries=2, timeout=": ["td(", "60", "600", "3600"],
    "%%task requests=R": ["Resources("],
    "%%task container_image=": ["flytekit.ImageSpec(", "None"],
    "%%task interruptible=": ["True", "False", "None"],
    "%%dynamic cac": ["cache="],
    "%%dynamic exec": [],
    "%%workflow fai": ["failure_policy="],
    "%%workflow failure_policy=": [
        "flytekit.WorkflowFailurePolicy.FAIL_IMMEDIATELY",
        "flytekit.WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE",
        "None",
    ],
    "%%workflow on_failure=": ["paint", "painted"],
    "%%eager contai": ["container_image="],
    "%%eager retr": [],
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("line", OFFERS)
def test_what_may_come_next_is_offered_at_every_place(completer: Completer, line: str) -> None:
    offer = completer.offer(line)
    assert offer is not None
    assert list(offer.texts) == OFFERS[line]
    assert line.endswith(offer.fragment)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("line", OFFERS)
def test_a_line_that_is_being_typed_offers_only_what_continues_it(completer: Completer, line: str) -> None:
    for end in range(len(line)):
        typed = line[:end]
        offer = completer.offer(typed)
        if offer is not None:
            assert typed.endswith(offer.fragment)
            assert all(text.startswith(offer.fragment) for text in offer.texts)


def test_every_verb_and_every_option_has_a_place_in_the_table() -> None:
    assert list(TABLE) == VERBS
    for name, verb in TABLE.items():
        assert not verb.argument.usage or any(line.startswith(f"%flyte {name} ") for line in OFFERS)
        for option in verb.options:
            assert not option.values or any(f"--{option.name} " in line for line in OFFERS)


@pytest.mark.parametrize(
    "line",
    [
        "painted(",
        "x = %timeit painted(",
        "%flyte run paint(n=",
        "%flyte run paint(n=3)",
        "%flyte run paint(how='--w",
        "%flyte runs ",
        "%flyte nothing ",
        "%flyte show done.",
        "%flyte show other.nodes['",
        "%flyte draw nothing --upstream ",
        "%flyte draw painted --save pic",
        "%%task secret_requests=[",
        "%%task nothing=",
        "%%timeit retries=",
        "print('%flyte dr",
    ],
)
def test_where_nothing_of_ours_may_come_the_others_are_asked(completer: Completer, line: str) -> None:
    offer = completer.offer(line)
    assert offer is None or offer.texts == ()


def test_an_option_is_offered_once(completer: Completer) -> None:
    offer = completer.offer("%flyte draw painted --depth 2 --")
    assert offer is not None
    assert "--depth" not in offer.texts
    assert "--upstream" in offer.texts


def test_every_verb_has_options_and_help() -> None:
    reported = FlyteMagics.flyte.__doc__ or ""
    for verb in TABLE:
        assert f"%flyte {verb}" in reported


@pytest.fixture(scope="module")
def before_any_failure() -> list[Outcome]:
    """What the verbs about failures said when nothing had failed in the kernel."""
    return []


@pytest.fixture(scope="module")
def kernel(before_any_failure: list[Outcome]) -> Iterator[Kernel]:
    with Kernel() as kernel:
        before_any_failure += [kernel.run(f"%flyte {verb}") for verb in ("debug", "error")]
        kernel.run("""
            from flytekit import task, workflow
            import flytenb
            x = "mine"

            @task
            def divide(x: int, by: int = 0) -> int:
                # a comment that stays
                return x // by

            @workflow
            def divided(x: int = 7) -> int:
                return divide(x=x)
        """).ok()
        kernel.run("%flyte").ok()
        yield kernel


@pytest.mark.kernel
def test_tab_offers_it_in_a_real_kernel(kernel: Kernel) -> None:
    assert kernel.complete("%flyte dr") == ["draw"]
    assert {"divide", "divided"} <= set(kernel.complete("%flyte run "))
    assert set(kernel.complete("%flyte run divide(")) == {"x=", "by="}
    assert "retries=" in kernel.complete("%%task re")
    kernel.run("half = flytenb.start(divided, x=7).wait()").ok()
    for verb in ("error", "debug"):
        assert set(kernel.complete(f"%flyte {verb} ")) == {"n0", "divide"}
    assert kernel.complete("%flyte show half.nodes['") == ["n0"]
    assert "half" in kernel.complete("%flyte show ")
    assert "float" in kernel.complete("%flyte type list[fl")
    assert kernel.complete("%%task cache=Tr") == ["True"]
    assert kernel.complete("%flyte draw divided --depth ") == ["0", "1", "2", "3"]


@pytest.mark.slow  # jedi reads much before its first answer
@pytest.mark.kernel
def test_python_is_completed_as_ever(kernel: Kernel) -> None:
    assert "divided" in kernel.complete("print(divid")
    assert "divided" in kernel.complete("x = [divid")


@pytest.mark.kernel
@pytest.mark.parametrize("way", ["%flyte {} --help", "%flyte help {}", "%flyte {}?", " %flyte  {} ?", "%flyte {}??"])
def test_each_verb_tells_of_itself(kernel: Kernel, way: str) -> None:
    for verb in TABLE:
        reported = kernel.run(way.format(verb)).ok().result or ""
        assert reported.startswith(f"%flyte {verb}")
        assert len(reported.splitlines()) >= 3
        assert len(reported.splitlines()[2]) > 20
        for option in TABLE[verb].options:
            assert f"[{' '.join(['--' + option.name, *filter(None, option.placeholders)])}]" in reported
            assert option.help in reported


@pytest.mark.kernel
def test_help_is_told_by_every_way_to_ask_for_it(kernel: Kernel) -> None:
    for way in ("%flyte help", "%flyte --help", "%flyte -h"):
        reported = kernel.run(way).ok().result or ""
        assert all(f"%flyte {verb}" in reported for verb in TABLE)
    for way in ("%flyte?", "?%flyte", "%%task?"):
        [page] = [p["data"]["text/plain"] for p in kernel.run(way).ok().reply["payload"]]
        assert ("argument list of `@task`" if "task" in way else "%flyte run wf(n=3)") in page
    assert "[--upstream NODE]" in (kernel.run("%flyte draw divided --help").ok().result or "")
    assert "did you mean 'run'" in kernel.run("%flyte help rum").fails().traceback
    assert "did you mean 'run'" in kernel.run("%flyte rum?").fails().traceback
    # Whatever else ends with a question mark is IPython's.
    [page] = [p["data"]["text/plain"] for p in kernel.run("divided?").ok().reply["payload"]]
    assert "PythonFunctionWorkflow" in page


@pytest.mark.kernel
def test_a_word_that_a_verb_does_not_take_is_refused(kernel: Kernel) -> None:
    assert kernel.run("%flyte runs divided").fails().ename == "UsageError"
    kernel.run("%flyte run divided(x=7)").fails()
    for verb in ("error", "debug"):
        assert kernel.run(f"%flyte {verb} nowhere").fails().ename == "UnknownNameError"


@pytest.mark.kernel
def test_the_whole_traceback_of_one_node_can_be_asked_for(kernel: Kernel) -> None:
    kernel.run("%flyte run divided(x=7)").fails()
    for node in ("n0", "divide"):
        reported = kernel.run(f"%flyte error {node}").ok().result or ""
        assert reported.startswith("node n0 (divide) of divided\nTraceback")


@pytest.mark.kernel
def test_debug_without_a_failure_says_so(kernel: Kernel, before_any_failure: list[Outcome]) -> None:
    assert [outcome.fails().ename for outcome in before_any_failure] == ["UsageError", "UsageError"]


@pytest.mark.kernel
def test_a_failed_node_can_be_tried_again_with_what_it_was_given(kernel: Kernel) -> None:
    error = kernel.run("%flyte run divided(x=7)").fails()
    assert error.traceback.splitlines()[1] == "  node n0 (divide) of divided failed"
    outcome = kernel.run("%flyte debug").ok()
    reported = outcome.result or ""
    assert "x is in x_1" in reported
    assert kernel.value("[x, x_1, by]") == ["mine", 7, 0]
    [payload] = [p for p in outcome.reply["payload"] if p["source"] == "set_next_input"]
    assert "# a comment that stays" in payload["text"]
    assert "@task" not in payload["text"]
    again = kernel.run(payload["text"]).fails()
    assert again.ename == "ZeroDivisionError"
    mended = kernel.run(payload["text"].replace("x // by", "x // (by + 1)")).ok()
    assert mended.result == "7"
    assert kernel.value("type(divide).__name__") == "PythonFunctionTask"


@pytest.mark.kernel
def test_the_debugger_begins_where_the_node_failed(kernel: Kernel) -> None:
    kernel.run("%flyte run divided(x=8)").fails()
    frames = "[f.f_code.co_name for f, _ in __import__('traceback').walk_tb(get_ipython().InteractiveTB.tb)]"
    assert kernel.value(frames)[-1] == "divide"
    values = "[f for f, _ in __import__('traceback').walk_tb(get_ipython().InteractiveTB.tb)][-1].f_locals['x']"
    assert kernel.value(values) == 8


@pytest.mark.kernel
def test_the_whole_traceback_is_one_verb_away(kernel: Kernel) -> None:
    kernel.run("%flyte run divided(x=7)").fails()
    reported = kernel.run("%flyte error").ok().result or ""
    assert reported.startswith("node n0 (divide) of divided\n")
    assert "Traceback (most recent call last)" in reported
    assert "return x // by" in reported
    assert kernel.run("%flyte debug nowhere").fails().ename == "UnknownNameError"
    assert (kernel.run("%flyte error").ok().result or "").startswith("node n0 (divide) of divided\n")


@pytest.mark.kernel
def test_the_whole_traceback_is_that_of_the_run_whose_error_was_shown_last(kernel: Kernel) -> None:
    kernel.run("early = flytenb.start(divided, x=7).wait()\nlate = flytenb.start(divide, x=8).wait()").ok()
    for name, reported in (
        ("early", "node n0 (divide) of divided\n"),
        ("late", "node n0 (divide) of divide\n"),
        ("early", "node n0 (divide) of divided\n"),
    ):
        kernel.run(f"{name}.result").fails()
        assert (kernel.run("%flyte error").ok().result or "").startswith(reported)


@pytest.mark.kernel
def test_an_error_of_flytekits_ends_with_its_hint_and_the_way_to_all_of_it(kernel: Kernel) -> None:
    error = kernel.run("""
        @workflow
        def impossible(x: int) -> int:
            return 1 if divide(x=x) else 2

        impossible(x=1)
    """).fails()
    *_, hint, more = error.traceback.splitlines()
    assert hint.strip().startswith("hint: in a workflow a task's output is a promise")
    assert more.strip() == "the whole traceback: %flyte error"
    assert "hint:" not in kernel.run("1/0").fails().traceback


@pytest.mark.kernel
def test_what_debug_makes_hides_nothing_of_the_notebooks_pythons_or_the_shells(kernel: Kernel) -> None:
    kernel.run("""
        import typing
        from flytekit import dynamic

        def _fit(x):
            return x // 0

        @task
        def fit(x: int, list: typing.List[int], id: str, _: int, _1: int) -> int:
            return _fit(x)
        run = flytenb.start(fit, x=1, list=[2], id="i", _=3, _1=4).wait()
    """).ok()
    outcome = kernel.run("%flyte debug").ok()
    reported = outcome.result or ""
    for name in ("list is in list_1", "id is in id_1", "_ is in __1", "_1 is in _1_1"):
        assert name in reported
    assert kernel.value("[list((1,)), list_1, id_1, __1, _1_1]") == [[1], [2], "i", 3, 4]
    [payload] = [p for p in outcome.reply["payload"] if p["source"] == "set_next_input"]
    assert payload["text"].startswith("def _fit_1(")
    assert kernel.run(payload["text"]).fails().ename == "ZeroDivisionError"
    # Asked again, it takes the name that it has made itself.
    [again] = [p for p in kernel.run("%flyte debug").ok().reply["payload"] if p["source"] == "set_next_input"]
    assert again["text"] == payload["text"]


@pytest.mark.kernel
def test_debug_says_where_there_is_nothing_to_debug_here(kernel: Kernel) -> None:
    kernel.run("""
        from flytekit import conditional

        @workflow
        def too_small(x: int) -> int:
            return conditional("size").if_(x > 3).then(divide(x=x)).else_().fail("too small")
    """).ok()
    kernel.run("%flyte run too_small(x=1)").fails()
    reported = kernel.run("%flyte debug").ok().result or ""
    assert reported.startswith("node n0 (size) of too_small: ValueError: too small")
    assert "it has no Python function to call here" in reported
    assert "%debug has no frame of it" in reported
    kernel.run("%flyte run divide(x=1)").fails()
    assert "%debug opens the frame that failed" in (kernel.run("%flyte debug").ok().result or "")


@pytest.mark.slow
@pytest.mark.kernel
def test_of_what_failed_in_another_process_debug_has_the_body_and_no_frame(kernel: Kernel) -> None:
    kernel.run("%flyte run divide(x=1) --processes").fails()
    reported = kernel.run("%flyte debug").ok().result or ""
    assert "its function is in the next cell" in reported
    assert "%debug has no frame of it" in reported


@pytest.mark.kernel
def test_what_debug_says_is_clean_and_short_whatever_the_error_says(kernel: Kernel) -> None:
    kernel.run("""
        @task
        def loud(s: str) -> int:
            raise ValueError(s)
            return 1
        run = flytenb.start(loud, s="<b>\\x1b[31m\\u202e" + "x" * 100_000).wait()
    """).ok()
    reported = kernel.run("%flyte debug").ok().result or ""
    assert "<b>\\u202exxx" in reported  # without codes of colors
    assert max(map(len, reported.splitlines())) <= 160


@pytest.mark.kernel
def test_debug_finds_an_element_of_a_map_and_a_task_inside_a_dynamic(kernel: Kernel) -> None:
    kernel.run("""
        import functools, typing
        from flytekit import dynamic, map_task

        @workflow
        def mapped(xs: typing.List[int]) -> typing.List[int]:
            return map_task(functools.partial(divide, x=7))(by=xs)

        @dynamic
        def grown(x: int) -> int:
            return divide(x=divide(x=x, by=1))
    """).ok()
    kernel.run("%flyte run mapped(xs=[1, 0, 2])").fails()
    for wanted in ("n0/1", ""):
        reported = kernel.run(f"%flyte debug {wanted}").ok().result or ""
        assert reported.startswith("node n0/1")
        assert "by" in reported
    kernel.run("%flyte run grown(x=7)").fails()
    outcome = kernel.run("%flyte debug").ok()
    assert (outcome.result or "").startswith("node n0/dn1 (divide) of grown: ZeroDivisionError")
