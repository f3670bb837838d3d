"""The store of kept runs: what was reported as written is there, and what is read is what was written, or missing."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flytenb.record.run_store import DATABASE, RunStore, StoredRun, StoreError, digests_in
from tests.forks import fork
from tests.waiting import PATIENCE

KILLS = 100
NOBODY = 65534


def sample(number: int, nodes: int = 2) -> StoredRun:
    """The run of a number; equal for equal numbers."""
    content = b"%d" % number
    return StoredRun(b"head " + content, b"body " + content * 50, {f"n{at}": content * (at + 1) for at in range(nodes)})


def put(store: RunStore, number: int, size: int = 100) -> None:
    """Write the run of a number, with a file."""
    folder = store.begin(f"run{number}", float(number)) / "1"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"%d" % number * size)
    store.write(f"run{number}", float(number), sample(number))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def forked(work: Callable[[], None]) -> int:
    """Start a child process that does some work and ends; return its id."""
    child = fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def ends_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_run_is_read_as_it_was_written(folder: Path) -> None:
    store = RunStore(folder)
    for number in (2, 1):
        put(store, number)
    for reader in (store, RunStore(folder, is_made=False)):
        assert reader.heads() == {"run1": b"head 1", "run2": b"head 2"}
        assert reader.read("run2") == sample(2)
        assert reader.read("run3") is None
    store.write("run2", 2.0, sample(5))
    assert store.read("run2") == sample(5)


def test_only_the_user_can_access_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        put(RunStore(folder), 1)
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) in ((0o700, 0o755, 0o777) if path.is_dir() else (0o600,))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_with_other_files_isnt_taken_unless_it_is_private(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "mine").touch()
    with pytest.raises(StoreError, match="others can access"):
        put(RunStore(folder), 1)
    assert [path.name for path in folder.iterdir()] == ["mine"]
    folder.chmod(0o700)
    put(RunStore(folder), 1)


# --- damage -----------------------------------------------------------------------------------------------------------


def readable(folder: Path) -> dict[str, StoredRun]:
    """The runs that can be read; a store that can't be used has none."""
    store = RunStore(folder, is_made=False)
    with suppress(StoreError):
        found = {run: store.read(run) for run, head in store.heads().items() if head is not None}
        store.close()
        return {run: stored for run, stored in found.items() if stored is not None}
    store.close()
    return {}


@pytest.fixture
def written(folder: Path) -> Iterator[Path]:
    """The database of a store of three small runs, in one file."""
    store = RunStore(folder)
    for number in range(3):
        put(store, number)
    store.close()
    with sqlite3.connect(folder / DATABASE) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM")
    connection.close()
    yield folder / DATABASE


def flipped(path: Path, positions: Iterator[int] | range) -> None:
    """Flip a bit at each position in turn: what can be read then is what was written."""
    content = path.read_bytes()
    for number, at in enumerate(positions):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << number % 8]) + content[at + 1 :])
        for run, stored in readable(path.parent).items():
            assert stored == sample(int(run.removeprefix("run"))), at
        for beside in path.parent.glob(f"{DATABASE}-*"):
            beside.unlink()
    path.write_bytes(content)
    assert len(readable(path.parent)) == 3


def test_a_flipped_bit_makes_a_run_missing_and_never_another(written: Path) -> None:
    used = [at for at, byte in enumerate(written.read_bytes()) if byte]
    flipped(written, iter(random.Random(5).sample(used, 300)))


@pytest.mark.slow
def test_a_flipped_bit_at_every_position_makes_a_run_missing(written: Path) -> None:
    flipped(written, range(written.stat().st_size))


def test_a_truncated_store_has_no_wrong_run(written: Path) -> None:
    content = written.read_bytes()
    for length in range(0, len(content), 101):
        written.write_bytes(content[:length])
        for run, stored in readable(written.parent).items():
            assert stored == sample(int(run.removeprefix("run")))


def test_a_flipped_bit_of_a_file_changes_its_digest(folder: Path) -> None:
    put(RunStore(folder), 1, size=30)
    file = folder / "files" / "run1" / "1" / "file"
    right, content = digests_in(file.parent), file.read_bytes()
    for at in range(len(content)):
        file.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        assert digests_in(file.parent) != right
    file.write_bytes(content)
    assert digests_in(file.parent) == right


def test_rows_moved_to_another_run_or_node_are_missing(written: Path) -> None:
    with sqlite3.connect(written) as connection:
        connection.execute("UPDATE nodes SET body = (SELECT body FROM nodes WHERE run = 'run1' AND path = 'n0')")
    assert not readable(written.parent)


def test_a_store_whose_tables_are_about_to_be_made_has_no_runs(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "runs.sqlite").touch(mode=0o600)
    store = RunStore(folder, is_made=False)
    assert store.heads() == {}
    store.close()


def test_a_store_of_another_version_is_left_alone(written: Path) -> None:
    with sqlite3.connect(written) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = written.read_bytes()
    for store in (RunStore(written.parent), RunStore(written.parent, is_made=False)):
        with pytest.raises(StoreError, match="of version 2, expected 1"):
            store.heads()
        with pytest.raises(StoreError, match="of version 2"):
            put(store, 9)
    assert written.read_bytes() == before


@pytest.mark.parametrize("part", ["", DATABASE])
def test_a_store_of_another_user_is_left_alone(written: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, foreign = Path.lstat, written.parent / part

    def lstat(path: Path) -> os.stat_result:
        found = list(real(path))
        found[4] += path == foreign
        return os.stat_result(found)

    monkeypatch.setattr(Path, "lstat", lstat)
    for store in (RunStore(written.parent), RunStore(written.parent, is_made=False)):
        with pytest.raises(StoreError, match="belongs to another user"):
            store.heads()


# --- several processes ------------------------------------------------------------------------------------------------


def test_two_processes_write_one_store_from_its_first_moment_on(folder: Path) -> None:
    def write(first: int) -> None:
        store = RunStore(folder)
        for number in range(first, 30, 2):
            put(store, number)
            assert store.read(f"run{number}") == sample(number)

    children = [forked(lambda first=first: write(first)) for first in range(2)]  # type: ignore[misc]
    assert all(map(ends_well, children))
    assert readable(folder) == {f"run{number}": sample(number) for number in range(30)}


def test_a_fork_doesnt_use_the_connection_of_its_parent(folder: Path) -> None:
    store = RunStore(folder)
    put(store, 1)
    assert ends_well(forked(lambda: put(store, 2)))
    put(store, 3)
    assert list(readable(folder)) == ["run1", "run2", "run3"]


def test_a_fork_reads_while_a_thread_of_its_parent_writes(folder: Path) -> None:
    store = RunStore(folder)
    put(store, 1)
    begun, may_end = threading.Event(), threading.Event()

    def write() -> None:
        with store._open(is_writing=True):
            begun.set()
            may_end.wait(PATIENCE)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(PATIENCE)

    def read() -> None:
        signal.alarm(60)
        assert list(store.heads()) == ["run1"]
        store.close()

    assert ends_well(forked(read))
    may_end.set()
    writer.join()
    assert list(readable(folder)) == ["run1"]


def kill_writers(folder: Path, kills: int) -> None:
    """Kill a process that writes runs at a random moment, time after time; what it reported is there."""
    chance = random.Random(7)
    reported: set[int] = set()
    for round_ in range(kills):
        reads, writes = os.pipe()

        def write(first: int = round_ * 1000, to: int = writes) -> None:
            store = RunStore(folder)
            for number in range(first, first + 1000):
                put(store, number, size=chance.randrange(1, 20_000))
                os.write(to, b"%d\n" % number)

        child = forked(write)
        os.close(writes)
        said = os.read(reads, 1) if chance.random() < 0.8 else b""  # else perhaps before it has written anything
        time.sleep(chance.random() * 0.01)  # the moment, not a wait: any is right
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reads, "rb") as pipe:
            said += pipe.read()
        reported |= {int(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")}
    there = readable(folder)
    assert {f"run{number}" for number in reported} <= there.keys()
    for run, stored in there.items():
        number = int(run.removeprefix("run"))
        assert stored == sample(number)
        content = (folder / "files" / run / "1" / "file").read_bytes()
        assert content
        assert not content.replace(b"%d" % number, b"")
    assert len(reported) >= kills // 2
    RunStore(folder).prune(1e12, 10**12)
    assert readable(folder) == there


def test_nothing_that_was_reported_is_lost_when_the_process_is_killed(folder: Path) -> None:
    kill_writers(folder, 8)


@pytest.mark.slow
def test_nothing_that_was_reported_is_lost_in_a_hundred_kills(folder: Path) -> None:
    kill_writers(folder, KILLS)


# --- disks ------------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_an_error_and_leaves_what_was_there(folder: Path) -> None:
    put(RunStore(folder), 1)

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        store = RunStore(folder)
        failures = 0
        for number in range(2, 40):
            try:
                put(store, number, size=3_000)
            except (OSError, StoreError):
                failures += 1
                continue
            assert store.read(f"run{number}") == sample(number)
        assert failures

    assert ends_well(forked(fill))
    there = readable(folder)
    assert "run1" in there
    assert all(stored == sample(int(run.removeprefix("run"))) for run, stored in there.items())
    put(RunStore(folder), 99)
    assert "run99" in readable(folder)


def test_a_read_only_folder_can_be_read_and_not_written(written: Path) -> None:
    """As a user whom permissions hold back, and who can reach the folder."""
    is_root = os.getuid() == 0
    copy = Path(tempfile.mkdtemp(dir="/tmp")) / "store"  # the directory of a test run is closed to other users
    shutil.copytree(written.parent, copy)
    try:
        if is_root:
            copy.parent.chmod(0o755)
            for path in (copy, *copy.rglob("*")):
                os.chown(path, NOBODY, -1)
        copy.chmod(0o500)

        def use() -> None:
            if is_root:
                os.setuid(NOBODY)
            assert len(readable(copy)) == 3
            with pytest.raises((OSError, StoreError)):
                put(RunStore(copy), 9)
            assert len(readable(copy)) == 3

        assert ends_well(forked(use))
    finally:
        copy.chmod(0o700)
        shutil.rmtree(copy.parent)


# --- removing ---------------------------------------------------------------------------------------------------------


def test_the_oldest_runs_go_first_and_abandoned_files_with_them(folder: Path) -> None:
    store = RunStore(folder)
    now = time.time()
    for age in (4, 3, 2, 1):
        run = f"run{age}"
        (store.begin(run, now - age * 100) / "1").mkdir(parents=True)
        store.write(run, now - age * 100, sample(age))
    (folder / "files" / "left-behind").mkdir()
    begun = store.begin("begun", now - 5)
    begun.mkdir()
    store.prune(350, 10**9)
    assert list(store.heads()) == ["run3", "run2", "run1"]
    assert sorted(path.name for path in (folder / "files").iterdir()) == ["begun", "run1", "run2", "run3"]
    store.prune(350, 400)
    assert list(store.heads())[-1:] == ["run1"]
    assert begun.exists()


def test_a_damaged_run_doesnt_make_others_go(written: Path) -> None:
    with sqlite3.connect(written) as connection:
        connection.execute("UPDATE runs SET size = 1 << 60 WHERE id = 'run2'")
    store = RunStore(written.parent)
    store.prune(1e12, 10**9)
    assert list(readable(written.parent)) == ["run0", "run1"]
