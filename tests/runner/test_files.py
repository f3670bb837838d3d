"""Each task has its own copies of the files that it is given, as each pod has; made when it first asks for a path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flytekit
import pytest
from flytekit import eager, map_task, task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

import flytenb

Text = FlyteFile["txt"]


@dataclass
class Parcel:
    file: FlyteFile
    more: list[FlyteFile]


@task
def make(text: str) -> Text:
    path = Path(flytekit.current_context().working_directory) / "made.txt"
    path.write_text(text)
    return Text(str(path))


@task
def make_folder(text: str) -> FlyteDirectory:
    folder = Path(flytekit.current_context().working_directory) / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.txt").write_text(text)
    return FlyteDirectory(str(folder))


@task
def spoil(file: Text) -> str:
    path = Path(file)
    assert path.suffix == ".txt"
    with path.open("a") as opened:
        opened.write(" spoilt")
    return path.read_text()


@task
def read(file: Text, after: str) -> str:
    return Path(file).read_text()


@task
def spoil_folder(folder: FlyteDirectory) -> str:
    inner = Path(folder) / "deep" / "one.txt"
    inner.write_text(inner.read_text() + " spoilt")
    (Path(folder) / "new.txt").touch()
    return inner.read_text()


@task
def read_folder(folder: FlyteDirectory, after: str) -> str:
    return " ".join(sorted(p.read_text() for p in Path(folder).rglob("*.txt")))


@task
def pack(file: Text) -> Parcel:
    return Parcel(file, [file])


@task
def spoil_parcel(parcel: Parcel) -> str:
    Path(parcel.file).write_text("spoilt")
    Path(parcel.more[0]).write_text("spoilt too")
    return Path(parcel.file).read_text()


@task
def read_parcel(parcel: Parcel, after: str) -> str:
    return Path(parcel.file).read_text() + Path(parcel.more[0]).read_text()


@workflow
def files(text: str) -> tuple[str, str]:
    made = make(text=text)
    spoilt = spoil(file=made)
    return spoilt, read(file=made, after=spoilt)


@workflow
def folders(text: str) -> tuple[str, str]:
    made = make_folder(text=text)
    spoilt = spoil_folder(folder=made)
    return spoilt, read_folder(folder=made, after=spoilt)


@workflow
def parcels(text: str) -> tuple[str, str]:
    made = pack(file=make(text=text))
    spoilt = spoil_parcel(parcel=made)
    return spoilt, read_parcel(parcel=made, after=spoilt)


@task
def first(texts: list[str]) -> str:
    return " and ".join(texts)


@workflow
def elements(text: str) -> tuple[str, str]:
    made = make(text=text)
    spoilt = first(texts=map_task(spoil)(file=[made, made]))
    return spoilt, read(file=made, after=spoilt)


@eager
async def spoil_eagerly(file: Text) -> str:
    Path(file).write_text("spoilt")
    return Path(file).read_text()


ISOLATED = [
    (files, ("kept spoilt", "kept")),
    (folders, ("kept spoilt", "kept")),
    (parcels, ("spoilt", "keptkept")),
    (elements, ("kept spoilt and kept spoilt", "kept")),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("settings", [{}, {"strict": True}, {"workers": 1}, {"processes": True}], ids=str)
@pytest.mark.parametrize(("entity", "expected"), ISOLATED, ids=lambda v: getattr(v, "__name__", None))
def test_what_a_task_writes_into_a_file_stays_with_it(entity: Any, expected: Any, settings: dict[str, Any]) -> None:
    assert tuple(flytenb.options(**settings).run(entity, text="kept").result) == expected


@pytest.mark.parametrize("entity", [spoil, spoil_eagerly], ids=["task", "eager"])
def test_a_task_does_not_write_into_the_file_that_the_run_was_given(entity: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = flytenb.run(entity, file=str(tmp_path / "mine.txt"))
    assert "spoilt" in done.result
    assert (tmp_path / "mine.txt").read_text() == "mine"


seen: list[tuple[bool, str]] = []


@task
def streams(file: Text) -> str:
    with file.open("r") as opened:
        text: str = opened.read()
    seen.append((Path(file.path).exists(), file.path))
    return text


@task
def hands_on(file: Text) -> Text:
    seen.append((Path(file.path).exists(), file.path))
    return file


@workflow
def untouched(text: str) -> tuple[str, Text]:
    made = make(text=text)
    return streams(file=made), hands_on(file=made)


def test_what_is_only_streamed_or_handed_on_is_not_copied() -> None:
    seen.clear()
    text, file = flytenb.run(untouched, text="kept").result
    assert (text, Path(file).read_text()) == ("kept", "kept")
    assert [is_there for is_there, _ in seen] == [False, False]


def test_copies_are_gone_with_the_run() -> None:
    seen.clear()
    flytenb.run(untouched, text="kept")
    assert not any(Path(path).parent.parent.exists() for _, path in seen)


@task
def read_what_is_there(file: FlyteFile, name: str) -> str:
    return Path(file).read_text() if not os.path.exists(name) else ""  # noqa: PTH110 - what its code asks is watched


@workflow
def asks(text: str) -> str:
    return read_what_is_there(file=make(text=text), name="nothing here")


@workflow
def asks_cached(text: str) -> str:
    return read_what_is_there(file=make(text=text), name="nothing here").with_overrides(cache=True, cache_version="1")


@pytest.mark.parametrize("entity", [asks, asks_cached])
def test_a_task_that_asks_for_files_gets_the_one_that_it_was_given(entity: Any) -> None:
    assert flytenb.options(cache="overwrite").run(entity, text="told").result == "told"
