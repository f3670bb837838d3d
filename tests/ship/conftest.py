"""What the tests of a module that launches share: a double of a cluster, and a folder for what tasks write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import flytenb
from tests.cluster.cluster import Cluster, start_cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in a folder of their own: a task writes into the current one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("current"))
        yield


@pytest.fixture(scope="module")
def double(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with the `SETTINGS` of the module, if it has any."""
    with start_cluster(tmp_path_factory.mktemp("cluster"), getattr(request.module, "SETTINGS", None)) as cluster:
        yield cluster


@pytest.fixture
def choice(double: Cluster) -> Iterator[flytenb.Cluster]:
    """The cluster as flytenb knows it, without faults and with no requests counted."""
    double.faults.calls.clear()
    yield flytenb.cluster(double.config())
    double.faults.clear()
