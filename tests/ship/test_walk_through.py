"""`docs/from_notebook_to_cluster.md`: its cells run in order, on a double of a cluster, and give what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cluster.cluster import start_cluster
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # loops that IPython leaves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.slow,  # three tasks run as pods, and three on the double
]

PAGE = (Path(__file__).parents[2] / "docs" / "from_notebook_to_cluster.md").read_text()
EXAMPLE = "f6371abb3b1744e5d98a"
RESTART = "Attach after a restart"


def sections() -> dict[str, list[str]]:
    """The cells of each section."""
    titles = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)[1:]
    pairs = zip(titles[::2], titles[1::2], strict=True)
    return {title: re.findall(r"^```python\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE) for title, text in pairs}


def run(notebook: Notebook, cell: str) -> None:
    """Run a cell; what its last line says about its value must be true."""
    if ".approve(" in cell:
        wait_for(lambda: notebook.names["launched"].waiting)
    result = notebook.run(cell)
    said = re.search(r"  # (.*)$", cell.splitlines()[-1])
    if said is not None:
        assert repr(result) == said[1], cell


def test_the_page_says_what_its_cells_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = sections()
    titles = [*found]
    restart = titles.index(RESTART)
    assert all(found[title] for title in titles[:-1])
    with start_cluster(tmp_path / "cluster") as cluster:
        for name, value in cluster.environment().items():
            monkeypatch.setenv(name, value)
        with open_notebook() as notebook:
            for title in titles[:restart]:
                for cell in found[title]:
                    run(notebook, cell)
            execution = notebook.names["launched"].execution.rpartition(":")[2]
        with open_notebook() as notebook:
            for title in ("Define", *titles[restart:]):
                for cell in found[title]:
                    run(notebook, cell.replace(EXAMPLE, execution))
