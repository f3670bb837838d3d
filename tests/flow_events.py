"""What the events of every run say, wherever it ran."""

from __future__ import annotations

from flytenb.model import Phase
from flytenb.runner.run import Run


def check_events(done: Run) -> None:
    """Check that the events tell the run from its start to its end, and each node's phases."""
    events = done.events
    times = [e.time for e in events if e.kind != "notice"]  # of a connection, which has another clock
    assert times == sorted(times)
    assert (events[0].path, events[0].phase) == ("", Phase.RUNNING)
    assert (events[-1].path, events[-1].phase) == ("", done.phase)
    reported: dict[str, list[Phase]] = {}
    for event in events:
        if event.kind == "phase" and event.phase is not None:
            reported.setdefault(event.path, []).append(event.phase)
    for path, node in done.nodes.items():
        phases = reported[path]
        assert phases[-1] is node.phase
        assert node.phase.is_terminal
        assert phases in ([node.phase], [Phase.RUNNING, node.phase])
