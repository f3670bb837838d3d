"""Loading and unloading in a real kernel: nothing said, nothing injected, everything as it was found afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel import Kernel, Outcome, stock_kernel
from tests.waiting import PATIENCE

pytestmark = pytest.mark.kernel

SNAPSHOT = """
import gc, signal, sys, types

def snapshot():
    shell = get_ipython()
    formatters = shell.display_formatter
    every = [*formatters.formatters.values(), formatters.mimebundle_formatter, formatters.ipython_display_formatter]
    completer = shell.Completer
    return {
        "magics": {kind: sorted(table) for kind, table in shell.magics_manager.magics.items()},
        "registry": sorted(shell.magics_manager.registry),
        "configurables": sorted(type(c).__name__ for c in shell.configurables),
        "tracebacks": [
            repr(getattr(getattr(shell, n), "__func__", getattr(shell, n)))
            for n in ("_showtraceback", "showtraceback", "showsyntaxerror", "run_cell")
        ],
        "traceback handlers": [repr(shell.custom_exceptions), repr(vars(shell).get("CustomTB"))],
        "excepthook": repr(sys.excepthook),
        "interrupt": repr(signal.getsignal(signal.SIGINT)),
        "formatters": [
            [type(f).__name__, len(f.type_printers), sorted(f.deferred_printers), len(f.singleton_printers)]
            for f in every
        ],
        "events": {name: [repr(c) for c in found] for name, found in shell.events.callbacks.items()},
        "completions": [repr(m) for m in completer.custom_matchers] + [repr(m) for m in completer.matchers],
        "completion hooks": repr(getattr(shell, "strdispatchers", {}).get("complete_command")),
        "input transformers": [
            repr(t)
            for found in (shell.input_transformers_cleanup, shell.input_transformers_post, shell.ast_transformers)
            for t in found
        ],
        "import hooks": [repr(f) for f in sys.meta_path if type(f).__module__.startswith("flytenb")],
        "streams": [type(sys.stdout).__name__, type(sys.stderr).__name__],
    }

def is_ours(value):
    code = getattr(getattr(value, "__func__", value), "__code__", None)
    return isinstance(code, types.CodeType) and "/flytenb/" in code.co_filename

def patched():
    \"\"\"Names in flytekit, IPython and ipykernel that now hold code of flytenb.\"\"\"
    found = []
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in ("flytekit", "flyteidl", "IPython", "ipykernel", "signal", "builtins"):
            continue
        for key, value in list(vars(module).items()):
            if is_ours(value):
                found.append(f"{name}.{key}")
            if isinstance(value, type):
                found += [f"{name}.{key}.{n}" for n, v in list(vars(value).items()) if is_ours(v)]
    return found
"""
ALL_MAGICS = """
# IPython makes its own magics when they are first looked up.
for kind, table in get_ipython().magics_manager.magics.items():
    for name in list(table):
        get_ipython().find_magic(name, kind)
"""
USE = """
from flytekit import task, workflow

@task
def step(x: int) -> int:
    print("stepping")
    return 1 // x

@workflow
def flow(x: int) -> int:
    return step(x=x)
"""


@pytest.fixture(scope="module")
def used() -> Iterator[tuple[Kernel, list[Outcome]]]:
    """A kernel in which flytenb was loaded, used in every way, and unloaded again."""
    with Kernel(flytenb=False) as kernel:
        kernel.run(SNAPSHOT).ok()
        kernel.run(ALL_MAGICS).ok()
        kernel.run("before, names_before = snapshot(), set(get_ipython().user_ns)").ok()
        kernel.run("%load_ext flytenb").ok()
        kernel.run("names_loaded = set(get_ipython().user_ns)").ok()
        kernel.run(USE).ok()
        kernel.run("%%task\ndef celled(x: int) -> int:\n    return x").ok()
        for cell in ("flow", "%flyte", "%flyte draw flow", "run = %flyte run flow(x=1)", "run"):
            kernel.run(cell).ok()
        for cell in ("%flyte run flow(x=0)", "%flyte run flow(x='a')", "flow.nothing", "%flyte draw nothing", "1/0"):
            kernel.run(cell).fails()
        kernel.complete("%flyte run fl")
        kernel.run("patched_loaded = patched()").ok()
        kernel.run("%unload_ext flytenb").ok()
        kernel.run("after = snapshot()").ok()
        yield kernel, [kernel.run("1/0"), kernel.run("def f(:"), kernel.run("%flyte")]


def test_loading_prints_nothing_and_injects_nothing() -> None:
    with Kernel(flytenb=False) as kernel:
        before = kernel.value("sorted(get_ipython().user_ns)")
        outcome = kernel.run("%load_ext flytenb").ok()
        # What IPython itself notes about any cell starts with an underscore.
        names = kernel.value("sorted(n for n in get_ipython().user_ns if not n.startswith('_'))")
        assert (outcome.outputs, outcome.stderr) == ([], "")
        assert names == [n for n in before if not n.startswith("_")]


def test_using_it_injects_nothing(used: tuple[Kernel, list[Outcome]]) -> None:
    kernel, _ = used
    new = kernel.value("sorted(n for n in set(get_ipython().user_ns) - names_before if not n.startswith('_'))")
    mine = {"names_before", "before", "names_loaded", "task", "workflow", "step", "flow", "celled", "run"}
    assert set(new) == mine | {"patched_loaded", "after"}
    assert kernel.value("[n for n in get_ipython().user_ns if 'flyte' in n.lower()]") == []


def test_the_proof_of_a_clean_unload_sees_the_patches_while_they_are_there(
    used: tuple[Kernel, list[Outcome]],
) -> None:
    kernel, _ = used
    assert kernel.value("len(patched_loaded)") >= 3


def test_unloading_leaves_the_shell_as_it_was_found(used: tuple[Kernel, list[Outcome]]) -> None:
    kernel, _ = used
    assert kernel.value("{k: (before[k], after[k]) for k in before if before[k] != after[k]}") == {}
    assert kernel.value("patched()") == []


def test_unloading_leaves_plain_errors_with_ipythons_own_traceback(used: tuple[Kernel, list[Outcome]]) -> None:
    division, syntax, _ = used[1]
    assert division.fails().ename == "ZeroDivisionError"
    assert "Traceback (most recent call last)" in division.fails().traceback
    assert "----> 1" in division.fails().traceback
    assert syntax.fails().ename == "SyntaxError"


def test_unloading_takes_the_magics_away(used: tuple[Kernel, list[Outcome]]) -> None:
    assert "Line magic function `%flyte` not found" in used[1][2].stderr


def test_unloading_takes_the_acceptance_of_stubs_away(used: tuple[Kernel, list[Outcome]]) -> None:
    kernel, _ = used
    error = kernel.run("@task\ndef sketched(x: int) -> int: ...").fails()
    assert error.ename == "FlyteMissingReturnValueException"


def test_what_was_defined_still_runs_after_unloading(used: tuple[Kernel, list[Outcome]]) -> None:
    kernel, _ = used
    assert kernel.run("flow(x=1)").result == "1"
    assert kernel.run("celled(x=4)").result == "4"


def test_a_change_that_cannot_be_undone_does_not_keep_the_others(used: tuple[Kernel, list[Outcome]]) -> None:
    kernel, _ = used
    kernel.run("%load_ext flytenb").ok()
    kernel.run("ours = get_ipython().Completer.custom_matchers.pop()").ok()
    assert kernel.run("%unload_ext flytenb").fails().ename == "ValueError"
    kernel.run("left = snapshot()").ok()
    assert kernel.value("{k: (before[k], left[k]) for k in before if before[k] != left[k]}") == {}
    assert kernel.value("patched()") == []


@pytest.mark.slow
def test_loading_after_flytekit_mends_tracebacks_and_interrupts() -> None:
    with stock_kernel() as kernel:
        assert kernel.run("1/0").error is None
        kernel.run("""
            import signal, sys
            import flytekit
            flytekit.FlyteContextManager.initialize()
            shell, before = get_ipython(), signal.getsignal(signal.SIGINT)
            own = sorted(set(vars(shell)) & {"_showtraceback", "showtraceback", "showsyntaxerror"})
            %load_ext flytenb
            during = signal.getsignal(signal.SIGINT)
        """)
        assert kernel.value("during is signal.default_int_handler")
        assert kernel.run("1/0").fails().ename == "ZeroDivisionError"
        kernel.run("@flytekit.task\ndef sketched(x: int) -> int: ...").ok()
        kernel.run("%unload_ext flytenb").ok()
        assert kernel.value("sorted(set(vars(shell)) & {'_showtraceback', 'showtraceback', 'showsyntaxerror'}) == own")


@pytest.mark.slow
def test_an_interrupt_handler_is_put_back_as_it_was_found() -> None:
    with Kernel(flytenb=False) as kernel:
        outcome = kernel.run("""
            import signal, flytekit
            flytekit.FlyteContextManager.initialize()
            found = signal.getsignal(signal.SIGINT)
            %load_ext flytenb
            loaded = signal.getsignal(signal.SIGINT)
            %unload_ext flytenb
            left = signal.getsignal(signal.SIGINT)
            print(found is left, loaded is signal.default_int_handler)
        """)
        assert outcome.text == "True True\n"


@pytest.mark.slow
def test_reloading_keeps_the_session() -> None:
    with Kernel() as kernel:
        kernel.run(USE).ok()
        kernel.run("%flyte run flow(x=1)").ok()
        before = kernel.run("%flyte").ok().result
        outcome = kernel.run("%reload_ext flytenb").ok()
        assert outcome.outputs == []
        after = kernel.run("%flyte").ok().result
        assert str(before).splitlines() == str(after).splitlines()
        assert "succeeded" in str(after).lower()
        assert kernel.run("%flyte run flow(x=1)").ok().pictures


@pytest.mark.slow
def test_loading_unloading_and_loading_again_works() -> None:
    with Kernel() as kernel:
        for cell in ("%unload_ext flytenb", "%load_ext flytenb", "%unload_ext flytenb", "%load_ext flytenb", USE):
            kernel.run(cell).ok()
        assert "step" in str(kernel.run("%flyte").ok().result)


@pytest.mark.slow
def test_a_cell_run_while_flytekit_is_still_being_imported_is_listed_as_that_cell() -> None:
    with Kernel(flytenb=False) as kernel:
        kernel.run("%load_ext flytenb\n" + USE).ok()
        kernel.run("first = step").ok()
        kernel.run("rows = get_ipython().run_line_magic('flyte', '').rows").ok()
        assert kernel.value("[row[2] for row in rows if row[0] == 'flow']") == ["[1]"]


TERMINAL = f"""
%load_ext flytenb
{USE}

run = %flyte run flow(x=1)
flow
%flyte run flow(x="a")
%unload_ext flytenb
1/0
"""


@pytest.mark.slow
def test_a_terminal_shows_the_same_facts_as_text(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor", "--no-confirm-exit"],
        input=TERMINAL.replace("\n@", "\n\n@"),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    reported = made.stdout
    assert reported.count("✓ flow succeeded") == 1
    assert re.search(r"Out\[\d+\]: \nflow  workflow", reported)
    assert "InputError: flow: expected int for input 'x', got 'a'" in reported
    assert "ZeroDivisionError                         Traceback (most recent call last)" in reported
    assert "<img" not in reported
    assert made.stderr == ""
