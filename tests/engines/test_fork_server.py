"""Supervisors are forks of one process: it may be killed, and each has only what its own caller gave it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flytenb.engines import Exit, run_supervised
from flytenb.engines.fork_server import ForkServer, fork_server
from tests.forks import fork
from tests.waiting import PATIENCE, wait_for


@pytest.fixture(autouse=True)
def server() -> Iterator[ForkServer]:
    fork_server.close()
    yield fork_server
    fork_server.close()


def run(script: str, on_text: str = "", then: object = None, **given: object) -> tuple[Exit, str]:
    pieces: list[str] = []

    def check() -> None:
        if callable(then) and on_text in "".join(pieces):
            then()

    settings = {"environment": os.environ, **given}
    return run_supervised(["/bin/sh", "-c", script], pieces.append, check, **settings), "".join(pieces)  # type: ignore[arg-type]


def is_running(process: int) -> bool:
    return Path(f"/proc/{process}/stat").exists()


def test_it_serves_many_and_ends_with_close(server: ForkServer) -> None:
    assert [run(f"exit {n}")[0].status for n in range(3)] == [0, 1, 2]
    process = server._process
    assert is_running(process)
    server.close()
    assert not is_running(process)
    assert run("exit 4")[0].status == 4


def test_it_may_be_killed_between_two_commands(server: ForkServer) -> None:
    run("true")
    os.kill(server._process, signal.SIGKILL)
    wait_for(lambda: Path(f"/proc/{server._process}/stat").read_text().split()[2] == "Z")
    assert run("exit 5")[0] == Exit(5)


def test_a_command_goes_on_without_it(server: ForkServer, tmp_path: Path) -> None:
    go = tmp_path / "go"

    def close() -> None:
        server.close()
        go.touch()

    ended, text = run(f"echo ready; until [ -e {go} ]; do sleep 0.01; done; echo end; exit 6", "ready", close)
    assert (ended, text) == (Exit(6), "ready\nend\n")


def test_a_request_that_is_cut_off_is_dropped(server: ForkServer) -> None:
    run("true")
    assert server._link is not None
    server._link.sendall((100).to_bytes(8, "big") + b"only a part")
    server.close()
    assert run("exit 7")[0] == Exit(7)


def test_directory_and_environment_are_the_caller_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("true")
    monkeypatch.chdir(tmp_path)
    assert run("pwd; echo $A", environment={"A": "é\udcff"}) == (Exit(0), f"{tmp_path}\né\ufffd\n")
    assert run("pwd", directory=Path("/"))[1] == "/\n"


def test_a_command_inherits_what_it_is_given_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"passed\n")
    os.close(writing)
    program = """
import os, sys
given = int(sys.argv[1])
others = {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, given}
print([n for n in others if os.path.exists(f"/proc/self/fd/{n}")], os.read(given, 9))  # without that of the list
"""
    pieces: list[str] = []
    words = [sys.executable, "-c", program, "\0"]
    run_supervised(words, pieces.append, lambda: None, environment=os.environ, descriptors=(reading,))
    os.close(reading)
    assert "".join(pieces) == "[] b'passed\\n'\n"


def test_no_file_stays_open() -> None:
    run("true")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        run("echo text")
    with pytest.raises(FileNotFoundError):
        run_supervised(["/no/such/program"], lambda text: None, lambda: None, environment={})
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_process_that_is_forked_while_a_command_starts_doesnt_delay_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[int] = []
    forked = threading.Event()

    def fork_for_long() -> None:
        child = fork()
        if not child:
            signal.pause()
        children.append(child)
        forked.set()

    forker = threading.Thread(target=fork_for_long)
    start = ForkServer.start

    def start_amid_a_fork(self: ForkServer, *request: Any) -> None:
        forker.start()
        forked.wait(0.3)  # it comes only after the start, unless there is a fault
        start(self, *request)

    monkeypatch.setattr(ForkServer, "start", start_amid_a_fork)
    answers: list[Any] = []
    runner = threading.Thread(target=lambda: answers.append(run("echo done")), daemon=True)
    runner.start()
    try:
        assert forked.wait(PATIENCE)
        runner.join(PATIENCE)
        assert answers == [(Exit(0, ""), "done\n")]
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
