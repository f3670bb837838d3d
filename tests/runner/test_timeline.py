"""A run along the clock."""

from __future__ import annotations

from tests.runner.test_comparison import run


def test_a_timeline_has_each_node_that_started_in_that_order() -> None:
    done = run(x=5, y=1)
    timeline = done.timeline()
    assert {bar.path for bar in timeline.bars} == {"n0", "n1", "n2"}
    assert [bar.start for bar in timeline.bars] == sorted(bar.start for bar in timeline.bars)
    starts = {bar.path: bar for bar in timeline.bars}
    assert starts["n1"].start >= starts["n0"].start + starts["n0"].duration
    assert all(bar.start + bar.duration <= timeline.total for bar in timeline.bars)
    text = repr(timeline)
    assert all(f"{path} half" in text for path in ("n0", "n1"))
    assert "total" in text
