"""`flytenb launch` and `flytenb attach` on the double of a cluster."""

from __future__ import annotations

import pytest

from tests.cli.command import CommandLine
from tests.cluster.cluster import Cluster

pytestmark = [
    pytest.mark.slow,  # pods are processes
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CELLS = (
    "from flytekit import task, workflow",
    "@task\ndef half(n: int) -> int:\n    if n % 2:\n        raise ValueError(f'{n} is odd')\n    return n // 2",
    '@workflow\ndef wf(n: int) -> int:\n    """Halve a number."""\n    return half(n=n)',
    "%flyte launch wf(n=1)",
)


@pytest.fixture
def at_notebook(at_double: CommandLine) -> CommandLine:
    """Commands in a folder with a notebook."""
    at_double.write(*CELLS)
    return at_double


def test_an_execution_is_launched_and_followed(at_notebook: CommandLine) -> None:
    done = at_notebook.run("launch", "notebook.md", "wf", "--n", "6", "--wait", "--json")
    assert (done.status, done.data["phase"], done.data["outputs"]) == (0, "SUCCEEDED", {"o0": 3})
    again = at_notebook.run("attach", done.data["execution"], "--json")
    assert (again.status, again.data["outputs"]) == (0, {"o0": 3})
    assert again.data["url"] == done.data["url"]


def test_a_failed_execution_fails_the_command(at_notebook: CommandLine) -> None:
    launched = at_notebook.run("launch", "notebook.md", "wf", "--n", "5")
    assert (launched.status, launched.err) == (0, "")
    first, _, last = launched.out.strip().splitlines()
    execution = first.split()[1]
    assert last.strip() == f"follow it: flytenb attach {execution}"
    done = at_notebook.run("attach", execution)
    assert (done.status, done.out) == (1, "")
    assert "5 is odd" in done.err


def test_a_node_is_replayed_with_the_current_task(at_notebook: CommandLine) -> None:
    launched = at_notebook.run("launch", "notebook.md", "wf", "--n", "6", "--wait", "--json").data["execution"]
    same = at_notebook.run("replay", "notebook.md", launched, "half", "--json")
    assert (same.status, same.data["node"], same.data["is_same"], same.data["differences"]) == (0, "n0", True, [])
    assert same.data["recorded"] == {"outputs": {"o0": 3}, "error": None}
    assert (same.data["phase"], same.data["outputs"]) == ("SUCCEEDED", {"o0": 3})
    at_notebook.write(*(cell.replace("n // 2", "n // 3") for cell in CELLS))
    whole = at_notebook.run("replay", "notebook.md", launched)
    assert whole.status == 1
    assert "o0: 2 here, 3 recorded" in whole.out


def test_a_replay_that_fails_as_recorded_has_no_equal_outputs(at_notebook: CommandLine) -> None:
    launched = at_notebook.run("launch", "notebook.md", "wf", "--n", "5", "--wait", "--json").data["execution"]
    failed = at_notebook.run("replay", "notebook.md", launched, "--json")
    assert (failed.status, failed.data["node"], failed.data["is_same"]) == (1, "n0", True)
    assert failed.data["recorded"] == {"outputs": {}, "error": "ValueError: 5 is odd"}
    assert failed.data["error"]["message"] == "5 is odd"
    text = at_notebook.run("replay", "notebook.md", launched)
    assert (text.status, "it fails here too: ValueError: 5 is odd" in text.out, "5 is odd" in text.err) == (
        1,
        True,
        True,
    )


def test_a_rehearsal_sends_nothing(at_notebook: CommandLine, double: Cluster) -> None:
    at_notebook.write(*CELLS, "OTHER = 1", CELLS[2].replace("wf", "other"))
    double.faults.calls.clear()
    done = at_notebook.run("launch", "--dry-run", "--json", "notebook.md", "other", "--n", "2")
    assert (done.status, done.data["is_registered"]) == (0, False)
    assert [spec["kind"] for spec in done.data["specs"]] == ["task", "workflow", "launch_plan"]
    assert not [call for call in double.faults.calls if call.startswith("Create")]


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (("launch", "notebook.md"), 2, "expected the name of a task"),
        (("launch", "notebook.md", "wf"), 2, "--n"),
        (("launch", "notebook.md", "wf", "--n", "x"), 2, "expected int, got 'x'"),
        (("launch", "--config", "none.yaml", "notebook.md", "wf", "--n", "1"), 2, "none.yaml"),
        (("attach",), 2, "EXECUTION"),
        (("attach", "nowhere"), 1, "nowhere"),
        (("replay", "notebook.md"), 2, "EXECUTION"),
        (("replay", "none.md", "nowhere"), 2, "none.md"),
        (("replay", "notebook.md", "nowhere"), 1, "nowhere"),
    ],
)
def test_what_is_wrong_is_named(at_notebook: CommandLine, arguments: tuple[str, ...], status: int, error: str) -> None:
    done = at_notebook.run(*arguments)
    assert done.status == status
    assert error in done.err


def test_help_lists_the_inputs(at_notebook: CommandLine) -> None:
    done = at_notebook.run("launch", "notebook.md", "wf", "--help")
    assert done.status == 0
    assert "Halve a number" in done.out
    assert "--n" in done.out
    assert "--dry-run" in done.out
