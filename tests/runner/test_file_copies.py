"""Files are handed over as copies, whatever holds them and wherever the task ran; so is what a run gives out.

Each producer writes another text to one path and returns it: a reader of an earlier output must find the earlier text,
as on a cluster, where a pod's disk is gone with it.
"""

from __future__ import annotations

import gc
import pickle
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
import pytest
from flytekit import HashMethod, PythonFunctionTask, dynamic, eager, map_task, task, workflow
from flytekit.extend import TaskPlugins
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured.structured_dataset import StructuredDataset
from pydantic import BaseModel

import flytenb
from flytenb.bridge.execution.files import recent_handouts
from flytenb.model import CacheStatus

SETTINGS = [{}, {"strict": True}, {"workers": 1}, pytest.param({"processes": True}, marks=pytest.mark.slow)]


Text = FlyteFile["txt"]
Picture = FlyteFile["png"]


@dataclass
class Inner:
    file: FlyteFile
    name: str = "inner"


@dataclass
class Record:
    file: FlyteFile
    files: list[FlyteFile] = field(default_factory=list)
    folder: FlyteDirectory | None = None
    inner: Inner | None = None


@dataclass
class Heir(Record):
    """Its fields are those of its base."""


class Model(BaseModel):
    file: FlyteFile
    more: dict[str, FlyteFile]


class Two(NamedTuple):
    file: FlyteFile
    text: str


def in_file(folder: str, text: str) -> str:
    path = Path(folder, "fixed.txt")
    path.write_text(text)
    return str(path)


def in_folder(folder: str, text: str) -> str:
    path = Path(folder, "fixed")
    (path / "deep").mkdir(parents=True, exist_ok=True)
    (path / "deep" / "one.txt").write_text(text)
    return str(path)


def in_parquet(folder: str, text: str) -> str:
    path = Path(folder, "fixed.parquet")
    pd.DataFrame({"text": [text]}).to_parquet(path)
    return str(path)


@task
def file(folder: str, text: str) -> FlyteFile:
    return FlyteFile(in_file(folder, text))


@task
def file_of_path(folder: str, text: str) -> FlyteFile:
    return in_file(folder, text)


@task
def file_of_pathlib(folder: str, text: str) -> Text:
    return Path(in_file(folder, text))


@task
def typed_file(folder: str, text: str) -> Text:
    return Text(in_file(folder, text))


@task
def annotated(folder: str, text: str) -> Annotated[FlyteFile, HashMethod(lambda f: str(f))]:
    return FlyteFile(in_file(folder, text))


@task
def optional(folder: str, text: str) -> FlyteFile | None:
    return FlyteFile(in_file(folder, text))


@task
def union(folder: str, text: str) -> FlyteFile | int:
    return FlyteFile(in_file(folder, text))


@task
def listed(folder: str, text: str) -> list[FlyteFile]:
    return [FlyteFile(in_file(folder, text)), FlyteFile(in_file(folder, text))]


@task
def listed_optionals(folder: str, text: str) -> list[FlyteFile | None]:
    return [FlyteFile(in_file(folder, text)), None]


@task
def by_name(folder: str, text: str) -> dict[str, FlyteFile]:
    return {"a": FlyteFile(in_file(folder, text))}


@task
def nested(folder: str, text: str) -> dict[str, list[FlyteFile]]:
    return {"a": [FlyteFile(in_file(folder, text))]}


@task
def record(folder: str, text: str) -> Record:
    made = FlyteFile(in_file(folder, text))
    return Record(made, [made], FlyteDirectory(in_folder(folder, text)), Inner(made))


@task
def heir(folder: str, text: str) -> Heir:
    return Heir(FlyteFile(in_file(folder, text)))


@task
def records(folder: str, text: str) -> list[Record]:
    return [Record(FlyteFile(in_file(folder, text)))]


@task
def model(folder: str, text: str) -> Model:
    made = FlyteFile(in_file(folder, text))
    return Model(file=made, more={"a": made})


@task
def directory(folder: str, text: str) -> FlyteDirectory:
    return FlyteDirectory(in_folder(folder, text))


@task
def directory_of_path(folder: str, text: str) -> FlyteDirectory:
    return in_folder(folder, text)


@task
def directories(folder: str, text: str) -> list[FlyteDirectory]:
    return [FlyteDirectory(in_folder(folder, text))]


@task
def frame(folder: str, text: str) -> pd.DataFrame:
    return pd.read_parquet(in_parquet(folder, text))


@task
def dataset(folder: str, text: str) -> StructuredDataset:
    return StructuredDataset(dataframe=pd.read_parquet(in_parquet(folder, text)))


@task
def dataset_of_path(folder: str, text: str) -> StructuredDataset:
    return StructuredDataset(uri=in_parquet(folder, text), file_format="parquet")


@task
def two(folder: str, text: str) -> Two:
    return Two(FlyteFile(in_file(folder, text)), text)


PRODUCERS = [
    file, file_of_path, file_of_pathlib, typed_file, annotated, optional, union, listed, listed_optionals, by_name,
    nested, record, heir, records, model, directory, directory_of_path, directories, frame, dataset, dataset_of_path,
]  # fmt: skip


def texts(value: Any) -> list[str]:
    """Every text in the files of a value."""
    if isinstance(value, FlyteDirectory):
        return [p.read_text() for p in sorted(Path(value).rglob("*.txt"))]
    if isinstance(value, FlyteFile):
        return [Path(value).read_text()]
    if isinstance(value, StructuredDataset):
        return list(value.open(pd.DataFrame).all()["text"])
    if isinstance(value, pd.DataFrame):
        return list(value["text"])
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, Record | Inner | Model):
        return [text for each in vars(value).values() for text in texts(each)]
    return []


def spoil(value: Any) -> None:
    """Write into every file of a value, by its path and as what opens it."""
    if isinstance(value, FlyteFile):
        Path(value.path).write_text("spoilt")
        with open(value, "a") as opened:  # noqa: PTH123 - it is what a user writes
            opened.write(" twice")
    elif isinstance(value, FlyteDirectory):
        for path in Path(value.path).rglob("*.txt"):
            path.write_text("spoilt")
        Path(value, "new.txt").write_text("spoilt")
    elif isinstance(value, StructuredDataset):
        uri = Path(value.literal.uri)
        for path in [uri] if uri.is_file() else list(uri.iterdir()):
            path.write_bytes(b"spoilt")
    elif isinstance(value, pd.DataFrame):
        value["text"] = "spoilt"
    elif isinstance(value, list):
        for each in value:
            spoil(each)
    elif isinstance(value, dict):
        spoil(list(value.values()))
    elif isinstance(value, Record | Inner | Model):
        spoil(list(vars(value).values()))


@cache
def flow_of(producer: Any) -> Any:
    """A workflow that calls a producer twice and then reads what came first."""
    declared = producer.python_interface.outputs["o0"]

    def read(value: Any, after: str) -> list[str]:
        return [text for text in texts(value) if after]

    def flow(folder: str) -> Any:
        one = producer(folder=folder, text="one")
        other = producer(folder=folder, text="two")
        one >> other
        first = reader(value=one, after=last(value=other))
        return one, first

    def tell(value: Any) -> str:
        return "".join(texts(value))

    read.__annotations__["value"] = tell.__annotations__["value"] = declared
    flow.__annotations__["return"] = tuple[declared, list[str]]
    for function in (read, flow, tell):
        function.__annotations__ = {
            k: {"str": str, "list[str]": list[str]}.get(v, v) for k, v in function.__annotations__.items()
        }
        function.__qualname__ = function.__name__
    reader, last = task(read), task(tell)
    return workflow(flow)


NAMES = [producer.task_function.__name__ for producer in PRODUCERS]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("producer", PRODUCERS, ids=NAMES)
def test_what_a_task_returns_stays_as_it_was_returned(producer: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    run = flytenb.options(**settings).run(flow_of(producer), folder=str(tmp_path))
    _, first = run.result
    assert set(first) == {"one"}
    assert set(texts(run.outputs["o0"])) == {"one"}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("settings", [{}, pytest.param({"processes": True}, marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("producer", PRODUCERS, ids=NAMES)
def test_what_a_run_gives_out_is_a_copy(producer: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    run = flytenb.options(**settings).run(flow_of(producer), folder=str(tmp_path))
    gives: list[Callable[[], Any]] = [
        lambda: run.result[0],
        lambda: run.outputs["o0"],
        lambda: run.nodes["n0"].outputs["o0"],
        lambda: run.nodes["n3"].inputs["value"],
    ]
    for give in gives:
        spoil(give())
    for give in gives:
        assert set(texts(give())) == {"one"}
    assert {text for _, value, _ in run._declared_outputs() for text in texts(value)} == {"one"}
    assert {text for name, value, _ in run.nodes["n3"]._declared_inputs() for text in texts(value)} == {"one"}


# --- what a run gives out lives as long as somebody holds it ----------------------------------------------------------


def left_over() -> list[Path]:
    recent_handouts.clear()
    gc.collect()
    return [path for path in Path(tempfile.gettempdir()).iterdir() if path.name.startswith("flytenb-")]


@pytest.fixture
def nothing_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    yield
    assert left_over() == []


@pytest.mark.usefixtures("nothing_left")
def test_a_file_outlives_its_run_and_a_path_its_file(tmp_path: Path) -> None:
    given = flytenb.run(file, folder=str(tmp_path), text="one").result
    gc.collect()
    assert Path(given).read_text() == "one"
    path = flytenb.run(file, folder=str(tmp_path), text="two").result.path
    gc.collect()
    assert (type(path), Path(path).read_text()) != (str, "")
    assert Path(path).read_text() == "two"
    folder = flytenb.run(directory, folder=str(tmp_path), text="three").result
    gc.collect()
    assert texts(folder) == ["three"]


@pytest.mark.usefixtures("nothing_left")
def test_two_copies_are_two_files(tmp_path: Path) -> None:
    run = flytenb.run(file, folder=str(tmp_path), text="one")
    first, second = run.outputs["o0"].path, run.outputs["o0"].path
    Path(first).write_text("spoilt")
    assert Path(second).read_text() == "one"
    assert Path(first).name == Path(second).name
    Path(first).unlink()
    assert texts(run.result) == ["one"]


@pytest.mark.usefixtures("nothing_left")
def test_what_was_given_out_and_changed_is_what_another_run_gets(tmp_path: Path) -> None:
    given = flytenb.run(file, folder=str(tmp_path), text="one").result
    Path(given).write_text("changed")

    @task
    def read(value: FlyteFile) -> str:
        return Path(value).read_text()

    started = flytenb.start(read, value=given)
    del given
    assert started.wait().result == "changed"


AT_EXIT = """
import os, sys
from pathlib import Path
from flytekit import task
from flytekit.types.file import FlyteFile
import flytenb

@task
def make(folder: str) -> FlyteFile:
    Path(folder, "made.txt").write_text("made")
    return FlyteFile(folder + "/made.txt")

if __name__ == "__main__":
    run = flytenb.run(make, folder=sys.argv[1])
    given = run.result
    child = os.fork()
    if child == 0:
        sys.exit()
    os.waitpid(child, 0)
    print(Path(given).read_text(), given.path)
"""


@pytest.mark.slow
def test_copies_are_gone_when_the_interpreter_exits_but_not_with_a_fork_of_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(AT_EXIT)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text, path = printed.splitlines()[-1].split()
    assert text == "made"
    assert not Path(path).parent.parent.exists()


def test_what_was_given_out_can_be_pickled(tmp_path: Path) -> None:
    given = flytenb.run(file, folder=str(tmp_path), text="one").result
    assert type(pickle.loads(pickle.dumps(given.path))) is str
    assert Path(pickle.loads(pickle.dumps(given)).path).read_text() == "one"


@pytest.mark.usefixtures("nothing_left")
def test_nothing_is_copied_for_a_display(tmp_path: Path) -> None:
    run = flytenb.run(file, folder=str(tmp_path), text="one")
    assert texts(run._declared_outputs()[0][1]) == ["one"]
    assert texts(run.nodes["n0"]._declared_outputs()[0][1]) == ["one"]
    assert left_over() == []


# --- what is kept, and what code of a run is given --------------------------------------------------------------------


@task(cache=True, cache_version="1")
def cached(folder: str, text: str) -> FlyteFile:
    return FlyteFile(in_file(folder, text))


@pytest.mark.parametrize("settings", [{}, pytest.param({"processes": True}, marks=pytest.mark.slow)], ids=str)
def test_a_cached_answer_is_not_changed_by_a_reader(settings: dict[str, Any], tmp_path: Path) -> None:
    for expected in (CacheStatus.POPULATED, CacheStatus.HIT, CacheStatus.HIT):
        run = flytenb.options(**settings).run(cached, folder=str(tmp_path), text="one")
        assert run.nodes["n0"].cache_status is expected
        assert texts(run.result) == ["one"]
        spoil(run.result)
        spoil(run.nodes["n0"].outputs["o0"])


@task
def tell(value: FlyteFile, after: str = "") -> str:
    return Path(value).read_text()


@dynamic
def spoils_in_dynamic(value: FlyteFile) -> str:
    Path(value).write_text("spoilt")
    return tell(value=value)


@eager
async def spoils_in_eager(folder: str) -> list[str]:
    made = file(folder=folder, text="one")
    Path(made).write_text("spoilt")
    return [tell(value=made)]


@workflow
def around_dynamic(folder: str) -> tuple[str, str]:
    made = file(folder=folder, text="one")
    spoilt = spoils_in_dynamic(value=made)
    return spoilt, tell(value=made, after=spoilt)


def test_a_dynamic_writes_into_a_copy(tmp_path: Path) -> None:
    assert tuple(flytenb.run(around_dynamic, folder=str(tmp_path)).result) == ("one", "one")


def test_an_eager_writes_into_a_copy_of_what_it_called(tmp_path: Path) -> None:
    run = flytenb.run(spoils_in_eager, folder=str(tmp_path))
    assert texts(run.nodes["n0/e0"].outputs["o0"]) == ["one"]


@workflow
def mapped(folders: list[str]) -> list[FlyteFile]:
    return map_task(file)(folder=folders, text=["one", "two", "three"])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_elements_of_a_map_that_write_to_one_path_one_after_the_other(settings: dict[str, Any], tmp_path: Path) -> None:
    run = flytenb.options(**{**settings, "workers": 1}).run(mapped, folders=[str(tmp_path)] * 3)
    assert texts(run.result) == ["one", "two", "three"]
    shutil.rmtree(tmp_path)
    assert texts(run.result) == ["one", "two", "three"]


def answer(folder: str, text: str) -> FlyteFile:
    return FlyteFile(in_file(folder, text))


def test_a_stand_in_hands_its_files_over_as_copies(tmp_path: Path) -> None:
    run = flytenb.options(stand_ins={file.name: answer}).run(flow_of(PRODUCERS[0]), folder=str(tmp_path))
    assert texts(run.result[0]) == ["one"]


# --- tasks that convert their values themselves, and flytekit's check of file types -----------------------------------


class Converting(PythonFunctionTask):
    """A task type that dispatches its calls itself, as plugins do."""

    def dispatch_execute(self, ctx: Any, input_literal_map: Any) -> Any:
        return super().dispatch_execute(ctx, input_literal_map)


class Config:
    pass


TaskPlugins.register_pythontask_plugin(Config, Converting)


@task(task_config=Config())
def plugin_file(folder: str, text: str) -> FlyteFile:
    return FlyteFile(in_file(folder, text))


@task(task_config=Config())
def plugin_record(folder: str, text: str) -> Record:
    return Record(FlyteFile(in_file(folder, text)), folder=FlyteDirectory(in_folder(folder, text)))


@task(task_config=Config())
def plugin_directories(folder: str, text: str) -> list[FlyteDirectory]:
    return [FlyteDirectory(in_folder(folder, text))]


@task(task_config=Config())
def plugin_spoils(value: FlyteFile, directory: FlyteDirectory) -> FlyteFile:
    spoil([value, directory])
    return value


@workflow
def around_plugin(folder: str) -> tuple[FlyteFile, FlyteFile, FlyteDirectory]:
    made = file(folder=folder, text="one")
    directory_ = directory(folder=folder, text="one")
    return plugin_spoils(value=made, directory=directory_), made, directory_


PLUGIN_FLOWS = [flow_of(producer) for producer in (plugin_file, plugin_record, plugin_directories)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("settings", [{}, {"strict": True}], ids=str)
@pytest.mark.parametrize("entity", PLUGIN_FLOWS, ids=["file", "record", "directories"])
def test_what_a_plugin_returns_stays_as_it_was_returned(entity: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    run = flytenb.options(**settings).run(entity, folder=str(tmp_path))
    assert set(run.result[1]) == {"one"}
    assert set(texts(run.outputs["o0"])) == {"one"}


def test_a_plugin_writes_into_copies(tmp_path: Path) -> None:
    run = flytenb.run(around_plugin, folder=str(tmp_path))
    assert [texts(value) for value in run.result] == [["spoilt twice"], ["one"], ["one"]]


@pytest.fixture
def libmagic(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-magic, as far as flytekit asks it: what isn't there is an error."""
    module = types.ModuleType("magic")

    def from_file(path: str, mime: bool) -> str:
        return "text/plain" if Path(path).read_text() else "inode/x-empty"

    module.from_file = from_file  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "magic", module)


@task
def hands_on(value: Text) -> Text:
    return value


@task
def hands_on_record(value: Text) -> Record:
    return Record(value, [value])


@task
def wrong_type(folder: str) -> Picture:
    return Picture(in_file(folder, "no picture"))


@dynamic
def in_dynamic(value: Text) -> Text:
    return hands_on(value=value)


@eager
async def in_eager(value: Text) -> Text:
    return hands_on(value=value)


@workflow
def handed_on(folder: str) -> tuple[Text, list[Text], Record]:
    made = typed_file(folder=folder, text="one")
    on = in_dynamic(value=hands_on(value=made))
    return on, map_task(hands_on)(value=[made, on]), hands_on_record(value=on)


@pytest.mark.usefixtures("libmagic")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_file_of_a_checked_type_is_handed_on(settings: dict[str, Any], tmp_path: Path) -> None:
    run = flytenb.options(**settings).run(handed_on, folder=str(tmp_path))
    assert {text for value in run.result for text in texts(value)} == {"one"}
    assert texts(flytenb.run(in_eager, value=in_file(str(tmp_path), "mine")).result) == ["mine"]


@pytest.mark.usefixtures("libmagic")
def test_a_file_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    run = flytenb.start(wrong_type, folder=str(tmp_path)).wait()
    assert "Incorrect file type, expected image/png, got text/plain" in str(run.error)
