"""The harness itself: what a front end would see is what `Outcome` holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import DOCUMENT, Kernel, code_cells

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(flytenb=False) as kernel:
        yield kernel


def test_streams_displays_and_the_result_are_distinguished(kernel: Kernel) -> None:
    outcome = kernel.run("""
        import sys
        from IPython.display import HTML, display
        print("out")
        print("err", file=sys.stderr)
        display(HTML("<img src='data:image/svg+xml;base64,PHN2Zy8+'>"))
        6 * 7
    """)
    assert (outcome.text, outcome.stderr, outcome.result) == ("out\n", "err\n", "42")
    assert len(outcome.bundles) == 2
    assert outcome.pictures == ["<svg/>"]
    assert outcome.ok() is outcome


def test_an_error_has_its_name_its_words_and_no_colours(kernel: Kernel) -> None:
    error = kernel.run("1/0").fails()
    assert (error.ename, error.evalue) == ("ZeroDivisionError", "division by zero")
    assert "1/0" in error.traceback
    assert "\x1b" not in error.traceback


def test_a_display_updated_by_a_later_cell_changes_where_it_stands(kernel: Kernel) -> None:
    first = kernel.run("handle = display('old', display_id=True)")
    kernel.run("handle.update('new')")
    assert first.bundles[0]["text/plain"] == "'new'"


def test_an_interrupt_reaches_the_cell_that_runs(kernel: Kernel) -> None:
    flag = kernel.cwd / "running"
    outcome = kernel.run(
        """
        import pathlib, time
        pathlib.Path("running").touch()
        time.sleep(60)
        """,
        interrupt_when=flag.exists,
    )
    assert outcome.fails().ename == "KeyboardInterrupt"


def test_a_value_is_read_without_running_a_cell(kernel: Kernel) -> None:
    kernel.run("""
        seen, cells = {'a': [1, None, 'x\\ny']}, []
        get_ipython().events.register('pre_run_cell', cells.append)
    """).ok()
    assert kernel.value("seen") == {"a": [1, None, "x\ny"]}
    assert kernel.value("len(cells)") == 0
    kernel.run("pass")
    assert kernel.value("len(cells)") == 1


def test_a_failed_cell_is_not_ok_and_a_good_one_does_not_fail(kernel: Kernel) -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        kernel.run("1/0").ok()
    with pytest.raises(AssertionError, match="no real error"):
        kernel.run("1").fails()


def test_the_document_has_four_code_cells() -> None:
    cells = code_cells()
    assert len(cells) == 4
    assert cells[-1].endswith("add_one(x=10)\n")
    assert DOCUMENT.name == "extending_flyte.md"
