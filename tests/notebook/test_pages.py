"""What pages share: one object that unloading closes."""

from __future__ import annotations

import pytest

from flytenb.notebook.explore.explorer import Explorer
from flytenb.notebook.pages import Pages, pages
from tests.kernel import Kernel
from tests.waiting import wait_for


class Widget:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_only_the_latest_finished_widgets_stay_open_until_all_are_closed() -> None:
    made, widgets = Pages(), [Widget() for _ in range(20)]
    for widget in widgets:
        made.retire(widget)
    assert [w.is_closed for w in widgets] == [True] * 12 + [False] * 8
    made.close()
    assert all(w.is_closed for w in widgets)
    assert not made.finished


def test_closing_leaves_open_explorers_still() -> None:
    explorer = Explorer([{"a": n} for n in range(500)])
    assert "data-ft-set" in explorer.live.fragment
    explorer.open()
    assert explorer in pages.explorers
    pages.close()
    assert explorer._value is None
    assert "data-ft-set" not in explorer._repr_mimebundle_()["text/html"]


@pytest.mark.kernel
def test_unloading_closes_what_is_open() -> None:
    with Kernel() as kernel:
        kernel.run("from flytenb.notebook.pages import pages; import flytenb").ok()
        kernel.run("e = flytenb.explore([{'a': n} for n in range(500)]); html = e.open()").ok()
        assert kernel.value("len(pages.explorers)") == 1
        names = "[thread.name for thread in threading.enumerate() if 'flytenb' in thread.name]"
        kernel.run("import threading\nfrom flytekit import task\n@task\ndef f(n: int) -> int: return n").ok()
        kernel.run("%flyte follow f(n=1)").ok()
        wait_for(lambda: {"flytenb-live", "flytenb-show"} <= set(kernel.value(names)))
        kernel.run("%unload_ext flytenb").ok()
        assert kernel.value("[len(pages.explorers), len(pages.finished)]") == [0, 0]
        wait_for(lambda: not kernel.value(names))
