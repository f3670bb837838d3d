"""What every test uses: an option for golden files, ids that never change, what is slow, what makes a process cheap."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests import examples
from tests.waiting import are_workers_idle, be_patient, is_soon

# Each worker, kernel and script of the suite imports the same modules; compile them once, not in every process.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# jsonschema looks for it when nbformat is imported, and it parses grammars for two seconds to check kinds of addresses
# that no notebook holds. Without it, jsonschema doesn't check these.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

BROWSER = Path(__file__).parent / "browser"
ROOT = Path(__file__).parent.parent
LONGEST = {
    *("test_random.py", "test_digests_surroundings.py", "test_environments.py", "test_lab.py", "test_notebooks.py"),
    *("test_plugins.py", "test_benchmarks.py", "test_digests_edits.py", "test_sent_requests.py", "test_mlflow.py"),
    *("test_hooks.py", "test_launched_flows.py", "test_docs_site.py"),
}
"""Files whose tests take minutes altogether."""


NAMES = pytest.StashKey[set[str]]()
"""What lies in the repository's folder."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    examples.is_quick = config.option.markexpr == "not slow"
    settings.register_profile("suite", examples.examples(100))
    settings.load_profile("suite")  # of tests that say nothing themselves
    config.stash[NAMES] = visible_names(ROOT)
    if hasattr(config, "workerinput"):
        own_temporary_directory(config)


def own_temporary_directory(config: pytest.Config) -> None:
    """Give each worker a temporary directory that no other one uses, so that a test sees what it leaves there."""
    path = tempfile.mkdtemp(prefix="flytenb-tests-")
    config.add_cleanup(lambda: shutil.rmtree(path, ignore_errors=True))
    os.environ["TMPDIR"] = tempfile.tempdir = path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the browser's tests out of the quick set before they import what they need."""
    return True if examples.is_quick and collection_path == BROWSER else None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that hold an object's address: workers that run in parallel must collect the same tests."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if changing:
        raise pytest.UsageError(f"these ids change with every process, give them one of their own: {changing}")
    items.sort(key=lambda item: item.path.name not in LONGEST)  # a worker runs a file whole, so the long ones begin
    for item in items:
        if BROWSER in item.path.parents or any(map(item.get_closest_marker, ("browser", "docker", "kernel"))):
            item.add_marker("slow")
    mark_rows_slow(items)


def mark_rows_slow(items: list[pytest.Item]) -> None:
    """Mark all rows but each n-th of the tests that are `sampled`: the quick set tries a share of a long table."""
    rows: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("sampled")
        if mark and not item.get_closest_marker("slow"):
            test = item.nodeid.partition("[")[0]
            if rows[test] % mark.args[0]:
                item.add_marker("slow")
            rows[test] += 1


@pytest.hookimpl(trylast=True)  # after the fixtures, which let tasks go on
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Let what a file leaves behind end while its own filters hold: a later test would meet it or be blamed for it.

    A file that it leaves in the current folder, the repository's, is an error.
    """
    if nextitem is None or nextitem.path != item.path:
        is_soon(are_workers_idle, 20)  # a task that never returns keeps its thread
        if any("Unraisable" in str(mark.args) for mark in item.iter_markers("filterwarnings")):
            gc.collect()
        known = item.config.stash[NAMES]
        is_soon(lambda: visible_names(ROOT) <= known, 20)  # a file beside it may be at work with something
        left = visible_names(ROOT) - known
        item.config.stash[NAMES] |= left
        assert not left, f"{item.path.name}, or a file that ran beside it, left {sorted(left)} in {ROOT}"


def visible_names(folder: Path) -> set[str]:
    """The names in a folder, except those that tools hide."""
    return {name for name in os.listdir(folder) if not name.startswith((".", "__pycache__"))}  # noqa: PTH208 - no paths


def pytest_collection_finish() -> None:
    """Leave what the imports made out of later collections of garbage: it stays to the end, and there is much of it."""
    be_patient()
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_pip_in_decks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the packages out of the decks that flytekit writes for an eager task: it asks pip twice for them."""
    monkeypatch.setattr("flytekit.deck.renderer.PythonDependencyRenderer.to_html", lambda self: "")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))
