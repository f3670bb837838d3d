"""A task whose allocations are profiled, with the flame graph as a deck."""

import flytekit
from flytekit import task, workflow
from flytekitplugins.memray import memray_profiling


@memray_profiling()
def allocate(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


@task(enable_deck=True)
def profiled(megabytes: int) -> tuple[int, bool]:
    size = allocate(megabytes=megabytes)
    decks = {deck.name: deck.html for deck in flytekit.current_context().decks}
    return size, "allocate" in decks["Memray Flamegraph"]


@task
@memray_profiling(memray_html_reporter="table")
def decorated(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


@workflow
def profiles(megabytes: int) -> tuple[int, bool, int]:
    size, is_in_deck = profiled(megabytes=megabytes)
    return size, is_in_deck, decorated(megabytes=megabytes)


ENTITY = profiles
INPUTS = {"megabytes": 2}
EXPECTED = (2 << 20, True, 2 << 20)
