"""The command line as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import CommandLine
from tests.cluster.cluster import Cluster, start_cluster
from tests.ship.notebooks import nothing_defined


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """Commands in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    with nothing_defined():
        yield CommandLine(tmp_path, capsys)


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The double of a cluster."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def at_double(cli: CommandLine, double: Cluster, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Commands that find the double."""
    for name, value in double.environment().items():
        monkeypatch.setenv(name, value)
    return cli
