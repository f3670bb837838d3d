"""What every test may lean on: the option that rewrites the golden files, and ids that are the same everywhere."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that hold an object's address: workers that run in parallel must collect the same tests."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if changing:
        raise pytest.UsageError(f"these ids change with every process, give them one of their own: {changing}")


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test again that talks to a real kernel, browser or engine: on a busy machine any of these may be late.

    The report still names it as rerun. What needs no other program gets one try.
    """
    for item in items:
        if any(item.get_closest_marker(name) for name in ("kernel", "browser", "docker")):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
