"""What every engine does with a job: one table of expectations for all of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from flytenb.engines import ContainerJob, Exit, Mount, ResourceLimits, engine_named, unpack
from flytenb.engines.docker_engine import DockerEngine
from flytenb.engines.job_output import HEAD, TAIL
from flytenb.errors import ContainerError
from tests.engine import IMAGE, daemon_in, docker_engine, import_image, packed_busybox
from tests.processes import processes_with
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets of docker-py

DOCKER = pytest.param("docker", marks=pytest.mark.docker)
ALL = [DOCKER, "bubblewrap", "host"]
ISOLATED = [DOCKER, "bubblewrap"]
ON_THIS_MACHINE = ["bubblewrap", "host"]


class Stop(BaseException):
    """Raised by a check, as a request to stop."""


@pytest.fixture(scope="module", autouse=True)
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The image, unpacked for bubblewrap from what `docker export` would write."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "busybox.tar").write_bytes(packed_busybox())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        unpack(folder / "busybox.tar", IMAGE)
        yield


@pytest.fixture(scope="module")
def docker_host() -> Iterator[str]:
    with docker_engine() as address:
        yield address


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "docker":
        monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("docker_host"))
    return engine_named(request.param)


on_all = pytest.mark.parametrize("engine", ALL, indirect=True)


@dataclass
class Trial:
    """One run of a job: what it printed, and when it is to be stopped.

    Attributes:
        stop_at: stops the job as soon as its output contains this.
        on_check: called with the output at each check.
    """

    stop_at: str = ""
    on_check: Callable[[str], None] = lambda output: None
    pieces: list[str] = field(default_factory=list)
    end: float = field(default_factory=lambda: time.monotonic() + PATIENCE)

    @property
    def output(self) -> str:
        return "".join(self.pieces)

    def check(self) -> None:
        assert time.monotonic() < self.end, f"it didn't end; it printed {self.output[-500:]!r}"
        if self.stop_at and self.stop_at in self.output:
            raise Stop
        self.on_check(self.output) if self.stop_at == "" else None

    def run(self, engine: Any, job: ContainerJob) -> Exit:
        ended: Exit = engine.run(job, self.pieces.append, self.check)
        return ended


@pytest.fixture
def job(tmp_path: Path) -> ContainerJob:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    mounts = (Mount(tmp_path / "in", "/var/inputs"), Mount(tmp_path / "out", "/var/outputs", is_writable=True))
    return ContainerJob("boxed", IMAGE, mounts=mounts)


def shell(job: ContainerJob, script: str, **changes: Any) -> ContainerJob:
    return replace(job, command=("sh", "-c", script), **changes)


def unique_seconds() -> str:
    """A number of seconds that names one `sleep`."""
    return str(10**8 + uuid.uuid4().int % 10**8)


# --- a run ------------------------------------------------------------------------------------------------------------


@on_all
@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("echo out", 0, "out\n"),
        ("echo err >&2", 0, "err\n"),
        ("exit 3", 3, ""),
        ("sh -c 'kill -9 $$'; exit $?", 137, None),
        ("exec >&- 2>&-; exit 4", 4, ""),
        ("printf '\\303\\251\\377'", 0, "é\ufffd"),
        ("read line; echo [$line]", 0, "[]\n"),
    ],
)
def test_its_status_and_its_output_are_those_of_the_command(
    engine: Any, job: ContainerJob, script: str, status: int, output: str | None
) -> None:
    trial = Trial()
    assert trial.run(engine, shell(job, script)) == Exit(status)
    assert output is None or trial.output == output


@on_all
def test_words_variables_and_the_directory_arrive_as_they_are(engine: Any, job: ContainerJob) -> None:
    odd = ["a b", "$(id)", "--rm", "x\ny", "", "'\"", "é", "{{.inputs.x}}"]
    trial = Trial()
    trial.run(engine, replace(job, command=("printf", "%s|", *odd)))
    assert trial.output == "|".join([*odd, ""])
    given = shell(job, 'printf %s "$ODD" > here', environment={"ODD": "a b\n$x --y"}, directory="/var/outputs")
    assert Trial().run(engine, given) == Exit(0)
    assert (job.mounts[1].source / "here").read_text() == "a b\n$x --y"


@on_all
def test_files_go_in_and_come_out(engine: Any, job: ContainerJob) -> None:
    inside, outside = (mount.source for mount in job.mounts)
    (inside / "deep").mkdir()
    (inside / "deep" / "é b").write_bytes(bytes(range(256)))
    inside.chmod(0o700)
    script = "mkdir -p /var/outputs/x/y; cat '/var/inputs/deep/é b' > /var/outputs/x/y/copy; ln -s x /var/outputs/link"
    assert Trial().run(engine, shell(job, script)) == Exit(0)
    assert (outside / "x/y/copy").read_bytes() == bytes(range(256))
    assert str((outside / "link").readlink()) == "x"


@on_all
def test_what_a_command_made_unreadable_can_be_read_and_removed(engine: Any, job: ContainerJob) -> None:
    script = "cd /var/outputs; mkdir d; echo a > d/f; mkfifo p; chmod 000 d/f d; ln -s /etc/passwd link"
    assert Trial().run(engine, shell(job, script)) == Exit(0)
    outside = job.mounts[1].source
    assert (outside / "d").stat().st_mode & 0o700 == 0o700
    assert (outside / "d/f").stat().st_mode & 0o600 == 0o600
    assert (outside / "d/f").stat().st_uid == os.getuid()
    assert (outside / "link").is_symlink()
    assert not (outside / "p").is_file()


@on_all
def test_output_is_passed_on_while_it_runs(engine: Any, job: ContainerJob) -> None:
    trial = Trial(stop_at="early")
    with pytest.raises(Stop):
        trial.run(engine, shell(job, "echo early; sleep 100000"))


@on_all
def test_of_a_long_output_the_beginning_and_the_end_are_kept(engine: Any, job: ContainerJob) -> None:
    megabytes = 100 if isinstance(engine, DockerEngine) else 1000
    trial = Trial()
    tracemalloc.start()
    try:
        trial.run(engine, shell(job, f"echo begin; dd if=/dev/zero bs=1048576 count={megabytes} 2>/dev/null; echo end"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert trial.output.startswith("begin\n\0")
    assert trial.output.endswith("\0end\n")
    assert "B left out" in trial.output
    assert len(trial.output) < HEAD + TAIL + 100
    assert peak < 30_000_000


# --- the end ----------------------------------------------------------------------------------------------------------


@on_all
def test_a_stopped_job_ends_with_all_its_processes_whatever_they_ignore(engine: Any, job: ContainerJob) -> None:
    seconds = unique_seconds()
    script = f"trap '' TERM INT HUP; setsid sleep {seconds} & sleep {seconds} & echo ready; sleep {seconds}"
    with pytest.raises(Stop):
        Trial(stop_at="ready").run(engine, shell(job, script))
    assert processes_with(seconds) == []


@on_all
def test_processes_that_a_command_leaves_end_with_it(engine: Any, job: ContainerJob) -> None:
    seconds = unique_seconds()
    assert Trial().run(engine, shell(job, f"sleep {seconds} & setsid sleep {seconds} & exit 5")) == Exit(5)
    assert processes_with(seconds) == []


KILLED = """
import os, sys
from pathlib import Path
from flytenb.engines import ContainerJob, engine_named
engine_named(sys.argv[1]).run(
    ContainerJob("boxed", sys.argv[2], ("sh", "-c", f"echo ready; sleep {sys.argv[3]}")),
    lambda text: print(text, flush=True), lambda: None,
)
"""


@on_all
def test_nothing_stays_of_a_process_that_is_killed(engine: Any, job: ContainerJob, request: Any) -> None:
    seconds = unique_seconds()
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, engine.name, IMAGE, seconds], stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    with killed.stdout:
        assert "ready" in killed.stdout.readline()
        killed.kill()
        killed.wait()
    if isinstance(engine, DockerEngine):  # the next process that uses the engine removes it
        Trial().run(DockerEngine(), shell(job, "true"))
        assert processes_with(seconds) == []
    wait_for(lambda: not processes_with(seconds))


# --- limits -----------------------------------------------------------------------------------------------------------


@on_all
def test_a_memory_hog_is_ended(engine: Any, job: ContainerJob) -> None:
    script = """
        x=0123456789012345; while [ ${#x} -lt 8000000 ]; do x=$x$x; done
        all=; while [ ${#all} -lt 150000000 ]; do all=$all$x; done; echo it has it; sleep 100000
    """
    ended = Trial().run(engine, shell(job, script, limits=ResourceLimits(memory=64 << 20)))
    assert ended == Exit(137, "out of memory")


@on_all
def test_a_fork_bomb_is_ended(engine: Any, job: ContainerJob) -> None:
    seconds = unique_seconds()
    trial = Trial()
    bomb = shell(job, f"while :; do sleep {seconds} & done", limits=ResourceLimits(processes=40))
    ended = trial.run(engine, bomb)
    assert ended.status != 0
    assert ended.reason == "more than 40 processes" or "fork" in trial.output
    assert processes_with(seconds) == []


@pytest.mark.parametrize("engine", ON_THIS_MACHINE, indirect=True)
def test_half_a_processor_is_one(engine: Any, job: ContainerJob) -> None:
    trial = Trial()
    trial.run(engine, replace(job, command=("nproc",), limits=ResourceLimits(cpus=0.5)))
    assert trial.output == "1\n"


@pytest.mark.docker
def test_docker_gets_all_limits(docker_host: str, job: ContainerJob, monkeypatch: pytest.MonkeyPatch) -> None:
    import docker

    monkeypatch.setenv("DOCKER_HOST", docker_host)
    limits = ResourceLimits(cpus=0.5, memory=64 << 20, processes=40)
    found: list[Any] = []

    def look(output: str) -> None:
        if "ready" in output:
            client = docker.DockerClient(base_url=docker_host)
            found.extend(container.attrs["HostConfig"] for container in client.containers.list())
            client.close()
            raise Stop

    with pytest.raises(Stop):
        Trial(on_check=look).run(DockerEngine(), shell(job, "echo ready; sleep 100000", limits=limits))
    [config] = found
    assert (config["NanoCpus"], config["Memory"], config["PidsLimit"]) == (500_000_000, 64 << 20, 40)
    assert config["MemorySwap"] == 64 << 20


@pytest.mark.parametrize("engine", ISOLATED, indirect=True)
def test_without_permission_there_is_no_network(engine: Any, job: ContainerJob) -> None:
    trial = Trial()
    trial.run(engine, shell(job, "cat /proc/net/dev"))
    assert [line.split(":")[0].strip() for line in trial.output.splitlines()[2:]] in (["lo"], [])


def test_with_permission_there_is_this_machine_s_network(job: ContainerJob) -> None:
    trial = Trial()
    trial.run(engine_named("bubblewrap"), shell(job, "ls -l /proc/self/ns/net", has_network=True))
    assert trial.output.strip().endswith(str(Path("/proc/self/ns/net").readlink()))


@pytest.mark.parametrize("engine", ISOLATED, indirect=True)
def test_the_image_is_the_same_for_the_next_job(engine: Any, job: ContainerJob, tmp_path: Path) -> None:
    harm = "echo x > /new; rm -f /bin/cat; echo x > /bin/echo; true"
    assert Trial().run(engine, shell(job, harm)) == Exit(0)
    trial = Trial()
    assert trial.run(engine, shell(job, "exec 2>&1; cat /new; echo fine | cat")) == Exit(0)
    assert trial.output.endswith("fine\n")
    assert "new" in trial.output.splitlines()[0]  # there is no such file


@on_all
def test_a_hundred_jobs_at_once(engine: Any, job: ContainerJob) -> None:
    def run(number: int) -> str:
        trial = Trial()
        assert trial.run(engine, shell(replace(job, mounts=()), f"echo {number}")) == Exit(0)
        return trial.output

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(run, range(100))) == [f"{number}\n" for number in range(100)]


# --- what can't be run ------------------------------------------------------------------------------------------------


@on_all
@pytest.mark.parametrize("word", ["no-such-program", "--privileged", "-v", "/no/such/program", "a b", "/var/inputs"])
def test_a_command_that_isn_t_there_is_named(engine: Any, job: ContainerJob, word: str) -> None:
    with pytest.raises(ContainerError, match="boxed") as raised:
        Trial().run(engine, replace(job, command=(word, "--help")))
    assert raised.value.hint


@pytest.mark.parametrize("engine", ISOLATED, indirect=True)
def test_an_image_that_isn_t_there_is_named(engine: Any, job: ContainerJob) -> None:
    missing = shell(replace(job, image="localhost/no-such-image:1"), "true")
    assert engine.why_not(missing, lambda: None)
    for use in (engine.digest, lambda given: Trial().run(engine, given)):
        with pytest.raises(ContainerError, match="localhost/no-such-image:1"):
            use(missing)


@pytest.mark.docker
def test_a_daemon_that_is_killed_is_named_and_leaves_nothing(
    job: ContainerJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(tempfile.mkdtemp(prefix="killed-"))  # `tmp_path` is too long for the path of a socket
    seconds = unique_seconds()
    engine = DockerEngine()
    with daemon_in(root) as (address, daemon):
        monkeypatch.setenv("DOCKER_HOST", address)
        import_image(address, packed_busybox(), IMAGE)
        trial = Trial(on_check=lambda output: daemon.kill() if "ready" in output else None)
        with pytest.raises(ContainerError, match="boxed"):
            trial.run(engine, shell(job, f"echo ready; sleep {seconds}"))
        daemon.wait()
        for process in processes_with(str(root)) + processes_with(seconds):  # what it started, as a crash would
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: not processes_with(str(root)) + processes_with(seconds))
        assert not engine.answers()
        assert engine.why_not(job, lambda: None)
    shutil.rmtree(root / "exec")  # as after a restart of the machine
    with daemon_in(root):
        import docker

        assert Trial().run(engine, shell(job, "true")) == Exit(0)
        client = docker.DockerClient(base_url=address)
        assert client.api.containers(all=True) == []
        client.close()
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("name", ON_THIS_MACHINE)
def test_a_supervisor_that_its_own_command_kills_is_no_success(name: str, job: ContainerJob) -> None:
    if name == "host":  # another process can't be reached from within bubblewrap
        ended = Trial().run(engine_named(name), shell(job, "kill -9 $PPID"))
        assert ended == Exit(128 + signal.SIGKILL, "its supervisor was killed")
    else:
        assert Trial().run(engine_named(name), shell(job, "kill -9 $PPID 2>/dev/null; exit 7")).status != 0
