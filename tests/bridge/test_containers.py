"""Raw containers on a real engine: what flytekit's own local run gets wrong is right, and nothing stays behind."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import docker
import msgpack
import pytest
from flytekit import ContainerTask, TaskMetadata, kwtypes, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

from flytenb.errors import ContainerError
from flytenb.model import Phase
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from tests.engine import IMAGE, docker_engine
from tests.flows import FLOWS
from tests.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


class Color(enum.Enum):
    RED = "red"


@dataclass
class Size:
    width: int
    name: str


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with docker_engine() as address:
        yield address


@pytest.fixture(autouse=True)
def on_that_engine(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine)


@pytest.fixture
def client(engine: str) -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=engine)
    yield made
    made.close()


def container(
    script: str, inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None, **kwargs: Any
) -> Any:
    return ContainerTask(
        name="boxed",
        image=kwargs.pop("image", IMAGE),
        input_data_dir="/var/inputs",
        output_data_dir="/var/outputs",
        inputs=kwtypes(**(inputs or {})),
        outputs=kwtypes(**(outputs or {})),
        command=["/bin/sh", "-c", script],
        **kwargs,
    )


def run(entity: Any, settings: Settings | None = None, **inputs: Any) -> Run:
    return Run(entity, inputs, settings or Settings())._begin().wait()


def error_of(done: Run) -> str:
    assert done.phase is Phase.FAILED
    assert done.error is not None
    assert isinstance(done.error.exception, ContainerError), done.error.full()
    return str(done.error.exception)


@pytest.mark.parametrize("strict", [False, True])
def test_a_workflow_with_a_container_gives_its_answer(strict: bool) -> None:
    flow = FLOWS["container"]
    done = Run(flow.entity, flow.inputs, Settings(strict=strict))._begin().wait()
    assert done.error is None, done.error.full()
    assert done.result == flow.expected


def test_inputs_are_files_as_a_cluster_lays_them() -> None:
    script = "cat /var/inputs/n /var/inputs/yes /var/inputs/xs/1 > /var/outputs/all"
    task = container(script, {"n": int, "yes": bool, "xs": list[str]}, {"all": str})
    assert run(task, n=3, yes=True, xs=["a", "é"]).result == "3trueé"


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        (int, "7", 7),
        (float, "0.5", 0.5),
        (str, "two words", "two words"),
        (bool, "false", False),
        (bool, "0", False),
        (bool, "true", True),
        (datetime.timedelta, "1.5s", datetime.timedelta(seconds=1.5)),
        (datetime.timedelta, "-2s", datetime.timedelta(seconds=-2)),
        (datetime.timedelta, "1h2m3.5s", datetime.timedelta(hours=1, minutes=2, seconds=3.5)),
        (datetime.datetime, "2030-01-31T12:00:00.5Z", datetime.datetime(2030, 1, 31, 12, 0, 0, 500000, datetime.UTC)),
        (str, "  \t around ", "around"),
        (type(None), "anything", None),
        (dict, '{"a": 1, "b": [true, null]}', {"a": 1, "b": [True, None]}),
        (Size, '{"width": 3, "name": "x"}', Size(3, "x")),
    ],
)
def test_outputs_are_read_by_their_type_without_space_around(kind: Any, written: str, read: Any) -> None:
    assert run(container(f"echo '{written}' > /var/outputs/out", {}, {"out": kind})).result == read


@pytest.mark.parametrize(
    ("kind", "value", "content"),
    [
        (datetime.timedelta, datetime.timedelta(days=20), "480h0m0s"),
        (datetime.timedelta, datetime.timedelta(microseconds=-1500), "-1.5ms"),
        (datetime.datetime, datetime.datetime(2030, 1, 31, 12, 30), "2030-01-31T12:30:00Z"),
        (datetime.date, datetime.date(2030, 1, 31), "2030-01-31T00:00:00Z"),
        (float, 1e21, "1000000000000000000000"),
        (float, 2.0, "2"),
        (Color, Color.RED, "red"),
        (type(None), None, "null"),
        (int | None, None, "null"),
        (int | None, 4, "4"),
        (dict[str, int], {"a b": 1}, "a b:1"),
        (list[list[int]], [[7]], "0:0:7"),
    ],
)
def test_an_input_is_written_as_a_cluster_writes_it(kind: Any, value: Any, content: str) -> None:
    show = """
        show() { if [ -d "$1" ]; then for e in $(ls -1 "$1" | tr ' ' '?'); do echo -n "$(echo $e | tr '?' ' '):"; \
        show "$1/$(echo $e | tr '?' ' ')"; done; else cat "$1"; fi; }
        show /var/inputs/value > /var/outputs/out
    """
    assert run(container(show, {"value": kind}, {"out": str}), value=value).result == content


def test_its_inputs_stand_once_more_in_one_file() -> None:
    task = container("cat /var/inputs/inputs.json > /var/outputs/out", {"n": int, "xs": list[str]}, {"out": dict})
    assert run(task, n=3, xs=["a"]).result == {"n": 3, "xs": ["a"]}


def test_a_number_that_json_doesn_t_have_is_refused_as_on_a_cluster() -> None:
    assert "JSON can't hold NaN" in error_of(run(container("true", {"x": float}), x=float("nan")))


def test_a_dataclass_is_given_as_message_pack() -> None:
    task = container("cat /var/inputs/size > /var/outputs/out", {"size": Size}, {"out": FlyteFile})
    assert msgpack.unpackb(Path(str(run(task, size=Size(3, "x")).result)).read_bytes()) == {"width": 3, "name": "x"}


Text = FlyteFile[TypeVar("txt")]


@task
def read(file: Text, size: Size, sizes: dict) -> str:  # type: ignore[valid-type]
    return f"{Path(file).read_text().strip()} {size} {sizes}"


boxed = container(
    'echo hello > /var/outputs/file; echo \'{"width": 3, "name": "x"}\' > /var/outputs/size.json; '
    "echo '{\"a\": [1]}' > /var/outputs/sizes",
    {},
    {"file": Text, "size": Size, "sizes": dict},
)


@workflow
def boxed_and_read() -> str:
    file, size, sizes = boxed()
    return read(file=file, size=size, sizes=sizes)


@pytest.mark.parametrize("strict", [False, True])
def test_a_task_takes_what_a_container_gives(strict: bool) -> None:
    done = Run(boxed_and_read, {}, Settings(strict=strict))._begin().wait()
    assert done.error is None, done.error.full()
    assert done.result == "hello Size(width=3, name='x') {'a': [1.0]}"


def test_directories_go_in_and_come_out_flat(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("A")
    task = container("mkdir -p /var/outputs/out/x; cat /var/inputs/src/deep/a.txt > /var/outputs/out/x/b.txt",
                     {"src": FlyteDirectory}, {"out": FlyteDirectory})  # fmt: skip
    result = Path(str(run(task, src=FlyteDirectory(str(tmp_path / "in"))).result))
    assert {p.name: p.read_text() for p in result.iterdir()} == {"b.txt": "A"}


def test_an_input_that_co_pilot_can_t_write_is_named() -> None:
    said = error_of(run(container("true", {"xs": dict[str, int]}), xs={"../up": 1}))
    assert "input 'xs' of container task 'boxed'" in said
    assert "'../up'" in said


def test_an_unknown_name_in_a_command_is_named() -> None:
    assert "'m'" in error_of(run(container("echo {{.inputs.m}}", {"n": int}), n=1))


def test_a_file_goes_in_and_comes_out(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("from outside")
    task = container("cat /var/inputs/src > /var/outputs/copy; echo ' and in' >> /var/outputs/copy",
                     {"src": FlyteFile}, {"copy": FlyteFile})  # fmt: skip
    result = run(task, src=FlyteFile(str(source))).result
    assert Path(str(result)).read_text() == "from outside and in\n"


def test_a_template_is_rendered_inside_a_longer_word_too() -> None:
    task = container("echo n={{.inputs.n}}, twice={{ .inputs.n }} > /var/outputs/out", {"n": int}, {"out": str})
    assert run(task, n=4).result == "n=4, twice=4"


def test_its_environment_and_its_output_are_the_node_s() -> None:
    task = container("echo called $NAME; echo ok > /var/outputs/out", {}, {"out": str}, environment={"NAME": "Ada"})
    done = run(task)
    assert done.result == "ok"
    assert "called Ada" in done.nodes["n0"].log


@pytest.mark.parametrize(
    ("script", "outputs", "words"),
    [
        ("echo out > /var/outputs/out; echo broken pipe >&2; exit 3", {"out": str}, "status 3: broken pipe"),
        ("echo x > /var/outputs/other", {"out": str}, "wrote no output 'out'"),
        ("echo many > /var/outputs/out", {"out": int}, "can't be read as int: expected a whole number, got 'many'"),
        ("echo perhaps > /var/outputs/out", {"out": bool}, "expected true or false, got 'perhaps'"),
        ("echo why > /var/outputs/_ERROR; echo 1 > /var/outputs/out", {"out": int}, "failed: why"),
        ("awk 'BEGIN { for (i = 0; i < 2000; i++) printf \"x\" }' > /var/outputs/out", {"out": str}, "1,024"),
        ("echo 1 > /var/outputs/out", {"out": list[int]}, "can't be a list[int]"),
        ("echo RED > /var/outputs/out", {"out": Color}, "can't be a Color"),
        ("echo '[1]' > /var/outputs/out", {"out": dict}, "expected a JSON object, got a list"),
        ("ln -s /etc/passwd /var/outputs/out", {"out": str}, "leads out"),
    ],
)
def test_what_goes_wrong_is_told(script: str, outputs: dict[str, Any], words: str) -> None:
    assert words in error_of(run(container(script, {}, outputs)))


def test_an_image_that_isn_t_there_is_named() -> None:
    said = error_of(run(container("true", image="localhost/no-such-image:1")))
    assert "'localhost/no-such-image:1'" in said


def test_no_engine_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    assert "DOCKER_HOST" in error_of(run(container("true"), Settings(engine="docker")))


def test_a_cancelled_container_is_ended(client: docker.DockerClient) -> None:
    started = Run(container("sleep 600"), {}, Settings())._begin()
    wait_for(lambda: client.api.containers())
    assert started.cancel().phase is Phase.ABORTED
    wait_for(lambda: not client.api.containers(all=True))


def test_a_late_container_is_timed_out_and_ended(client: docker.DockerClient) -> None:
    done = run(container("sleep 600", metadata=TaskMetadata(timeout=datetime.timedelta(seconds=1))))
    assert done.nodes["n0"].phase is Phase.TIMED_OUT
    wait_for(lambda: not client.api.containers(all=True))


def test_nothing_stays_behind(client: docker.DockerClient) -> None:
    run(container("echo 1 > /var/outputs/out", {}, {"out": int}))
    assert client.api.containers(all=True) == []
