"""Container tasks on the engines that need no daemon: settings of the task and of the run, errors, the cache."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diskcache import Cache as Store
from flytekit import ContainerTask, ImageSpec, Resources, TaskMetadata, kwtypes
from flytekit.core.local_cache import LocalTaskCache
from flytekit.types.file import FlyteFile

from flytenb.bridge import context
from flytenb.bridge.execution.container_resources import limits_of
from flytenb.engines import choice, unpack
from flytenb.errors import ContainerError
from flytenb.model import CacheStatus, Phase
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from tests.engine import IMAGE, packed_busybox
from tests.flows import FLOWS
from tests.waiting import PATIENCE

on_each = pytest.mark.parametrize("engine", ["bubblewrap", "host"])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "busybox.tar"
    path.write_bytes(packed_busybox())
    return path


@pytest.fixture(autouse=True)
def images(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    unpack(archive, IMAGE)
    monkeypatch.setattr(context, "_announced", {})
    choice._said.clear()
    yield
    choice._said.clear()


def container(
    script: str, inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None, **kwargs: Any
) -> Any:
    return ContainerTask(
        input_data_dir="/var/inputs",
        output_data_dir="/var/outputs",
        inputs=kwtypes(**(inputs or {})),
        outputs=kwtypes(**(outputs or {})),
        **{"name": "boxed", "image": IMAGE, "command": ["sh", "-c", script], **kwargs},
    )


def run(entity: Any, engine: str = "bubblewrap", **inputs: Any) -> Run:
    return Run(entity, inputs, Settings(engine=engine))._begin().wait()


def message_of(done: Run) -> str:
    assert done.phase is Phase.FAILED
    assert done.error is not None
    assert isinstance(done.error.exception, ContainerError), done.error.full()
    return str(done.error.exception)


@on_each
def test_a_workflow_with_a_container_gives_its_answer(engine: str) -> None:
    flow = FLOWS["container"]
    done = Run(flow.entity, flow.inputs, Settings(engine=engine))._begin().wait()
    assert done.error is None, done.error.full()
    assert done.result == flow.expected


@on_each
@pytest.mark.parametrize(("word", "is_printed"), [
    ("$(A)-$(B)", "1-two"), ("$$(A) $$", "$(A) $"), ("$$$(A)", "$1"), ("$(NO) $( $A", "$(NO) $( $A"),
    ("{{.inputs.x}}", "1"),
])  # fmt: skip
def test_variables_in_a_command_are_replaced_as_kubernetes_does(engine: str, word: str, is_printed: str) -> None:
    settings = {"command": ["printf", "%s", word], "environment": {"A": "1", "B": "two"}}
    done = run(container("", {"x": str}, **settings), engine, x="$(A)")
    assert done.nodes["n0"].log.strip() == is_printed


def test_a_command_that_removes_its_output_directory_wrote_nothing() -> None:
    task = container("rm -r /var/outputs", outputs={"out": int})
    assert "wrote no output 'out'" in message_of(run(task, "host"))


@on_each
def test_files_go_in_and_come_out(engine: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("from outside")
    task = container("cat /var/inputs/src > /var/outputs/copy", {"src": FlyteFile}, {"copy": FlyteFile})
    result = run(task, engine, src=FlyteFile(str(tmp_path / "in.txt"))).result
    assert Path(str(result)).read_text() == "from outside"


@on_each
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo broken >&2; exit 3", "ended with status 3: broken"),
        ("echo noise; echo the reason > /var/outputs/_ERROR; exit 1", "failed: the reason"),
        ("ln -s /etc/passwd /var/outputs/_ERROR; exit 1", "leads out"),
        ("ln -s /etc/passwd /var/outputs/out", "leads out"),
        ("ln -s ../inputs/x /var/outputs/out", "leads out"),
        ("mkfifo /var/outputs/out", "special file"),
        ("echo 1 > /var/outputs/out.1; echo 2 > /var/outputs/out.2", "wrote no output 'out'"),
    ],
)
def test_what_goes_wrong_is_named(engine: str, script: str, said: str) -> None:
    assert said in message_of(run(container(script, {}, {"out": str}), engine))


@pytest.mark.parametrize(
    ("command", "arguments", "printed"),
    [
        (["sh", "-c", "echo $0 $1"], ["{{.inputs.n}}", "b"], "4 b"),
        ([], ["sh", "-c", "echo replaced"], "replaced"),
    ],
)
def test_arguments_follow_the_command(command: list[str], arguments: list[str], printed: str) -> None:
    done = run(container("", {"n": int}, command=command, arguments=arguments), n=4)
    assert done.error is None, done.error.full()
    assert printed in done.nodes["n0"].log


def test_a_memory_limit_is_kept_and_named() -> None:
    hog = "x=0123456789012345; while [ ${#x} -lt 200000000 ]; do x=$x$x; done; sleep 100000"
    assert "ended with status 137 (out of memory)" in message_of(run(container(hog, limits=Resources(mem="64Mi"))))


@pytest.mark.parametrize(
    ("given", "cpus", "memory"),
    [
        ({"limits": Resources(cpu="500m", mem="1Gi")}, 0.5, 1 << 30),
        ({"requests": Resources(cpu=2, mem="500M")}, 2, 500_000_000),
        ({"requests": Resources(cpu="1", mem="1k"), "limits": Resources(mem="1e9")}, 1, 10**9),
        ({"resources": Resources(cpu=(1, 3), mem=1024)}, 3, 1024),
        ({}, None, None),
    ],
)
def test_limits_are_read_as_kubernetes_reads_them(given: dict[str, Any], cpus: Any, memory: Any) -> None:
    limits = limits_of(container("", **given))
    assert (limits.cpus, limits.memory) == (cpus, memory)


@on_each
def test_a_variable_may_refer_to_those_before_it_as_in_kubernetes(engine: str) -> None:
    environment = {"A": "1", "B": "$(A)-$(C)-$$(A)", "C": "$(B)$$"}
    done = run(container('printf "$B|$C"', environment=environment), engine)
    assert done.nodes["n0"].log.strip() == "1-$(C)-$(A)|1-$(C)-$(A)$"


@pytest.mark.parametrize("quantity", ["much", "1 Gi", "-1", "0", "1GiB", "1gi", "1K", "", "1e999999999"])
def test_a_quantity_that_kubernetes_refuses_is_named(quantity: str) -> None:
    with pytest.raises(ContainerError, match="mem of container task 'boxed': expected a positive quantity") as raised:
        limits_of(container("true", limits=Resources(mem=quantity)))
    assert repr(quantity) in str(raised.value)


def test_what_only_a_cluster_can_apply_is_said() -> None:
    task = container("echo fine", pod_template_name="small", limits=Resources(gpu="1"))
    log = run(task).nodes["n0"].log
    assert "pod_template_name of container task 'boxed' has no effect here" in log
    assert "gpu of container task 'boxed' has no effect here" in log
    assert log.endswith("fine\n")


def test_a_container_that_fails_is_tried_again(tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) -ge 3 ] && echo 1 > /var/outputs/out"
    done = run(container(script, {}, {"out": int}, metadata=TaskMetadata(retries=3)), "host")
    assert (done.result, done.nodes["n0"].attempts) == (1, 3)


def test_a_late_container_is_timed_out() -> None:
    done = run(container("sleep 100000", metadata=TaskMetadata(timeout=datetime.timedelta(seconds=0.3))))
    assert done.nodes["n0"].phase is Phase.TIMED_OUT


def test_a_cancelled_container_is_ended() -> None:
    printed = threading.Event()
    started = Run(
        container("echo ready; sleep 100000"),
        {},
        Settings(engine="bubblewrap"),
        [lambda event: printed.set() if "ready" in (event.text or "") else None],
    )._begin()
    assert printed.wait(PATIENCE)
    assert started.cancel().wait().phase is Phase.ABORTED


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("--privileged", "expected the name of an image, got '--privileged'"),
        ("busybox;reboot", "expected the name of an image"),
        ("../../etc", "expected the name of an image"),
        ("{{.image.default}}", "expected the name of an image"),
        ("localhost/missing:1", "image 'localhost/missing:1' isn't unpacked"),
    ],
)
def test_an_image_that_can_t_be_used_is_named(image: str, said: str) -> None:
    assert said in message_of(run(container("true", image=image)))


def test_an_image_that_is_not_built_is_named_with_the_way_to_build_it() -> None:
    said = message_of(run(container("true", image=ImageSpec(name="mine", tag_format="v-{spec_hash}"))))
    assert "mine:v-" in said
    assert "ImageBuildEngine.build" in said


def test_the_first_engine_that_can_is_taken_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (run(container("echo hi"), "auto").nodes["n0"].log for _ in range(2))
    assert capsys.readouterr().out == first.removesuffix("hi\n")
    assert "container tasks run on the engine 'bubblewrap'; docker: no Docker engine answers at unix:///" in first
    assert first.endswith("hi\n")
    assert second == "hi\n"


def test_the_host_is_the_last_and_not_for_images_named_by_digest() -> None:
    there = run(container("echo hi", image="localhost/missing:1"), "auto")
    assert "'host', which has no isolation and uses no image" in there.nodes["n0"].log
    digest = f"localhost/missing@sha256:{'0' * 64}"
    said = message_of(run(container("echo hi", image=digest), "auto"))
    assert "host: not without being asked, since the image is named by digest" in said
    assert run(container("echo hi", image=digest), "host").phase is Phase.SUCCEEDED


def test_cached_results_belong_to_the_image_and_the_command(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "store")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)

    def task(script: str) -> Any:
        metadata = TaskMetadata(cache=True, cache_version="1")
        return container(script, {"n": int}, {"out": int}, metadata=metadata)

    def status(script: str = "echo 7 > /var/outputs/out", n: int = 1) -> CacheStatus:
        done = run(task(script), n=n)
        assert done.result == 7
        return done.nodes["n0"].cache_status

    assert status() is CacheStatus.POPULATED
    assert status() is CacheStatus.HIT
    assert status(n=2) is CacheStatus.POPULATED
    assert status("echo 7 > /var/outputs/out; true") is CacheStatus.POPULATED
    root = unpack(archive, "other")
    (root / "etc" / "note").write_text("changed")
    unpack(root, IMAGE)
    assert status() is CacheStatus.POPULATED
    unpack(archive, IMAGE)
    assert status() is CacheStatus.HIT
