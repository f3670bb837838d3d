"""What a task read of the file system is stored with its answer, which counts only while that is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flytekit import dynamic, eager, task
from flytekit.core.local_cache import LocalTaskCache
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.reach.file_reads import ChangedFileError, FileReads

ENDING = ".txt"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diskcache import Cache as Store

    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


@task(cache=True, cache_version="1")
def cached(stem: str) -> str:
    return Path(stem + ENDING).read_text()


@task
def plain(stem: str) -> str:
    return Path(stem + ENDING).read_text()


@dynamic(cache=True, cache_version="1")
def in_a_dynamic(stem: str) -> str:
    return plain(stem=stem)


@eager
async def in_an_eager(stem: str) -> str:
    return plain(stem=stem)  # type: ignore[no-any-return]


# flytekit 1.16.31 drops what @eager is given unless the extension is loaded.
in_an_eager.metadata.cache, in_an_eager.metadata.cache_version = True, "1"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("entity", [cached, in_a_dynamic, in_an_eager], ids=lambda entity: entity.name.split(".")[-1])
def test_an_answer_counts_while_the_files_that_were_read_are_the_same(
    entity: Any, processes: bool, tmp_path: Path
) -> None:
    path = tmp_path / "read.txt"

    def answer(text: str) -> tuple[str, str]:
        path.write_text(text)
        run = flytenb.options(processes=processes).run(entity, stem=str(tmp_path / "read"))
        return run.result, run.nodes["n0"].cache_status.name

    assert [answer(text) for text in ("one", "one", "two", "two")] == [
        ("one", "POPULATED"),
        ("one", "HIT"),
        ("two", "POPULATED"),
        ("two", "HIT"),
    ]


@task(cache=True, cache_version="1")
def size(file: FlyteFile) -> int:
    return len(Path(file).read_text())


def test_the_files_that_are_given_count_by_what_they_hold(tmp_path: Path) -> None:
    found = []
    for folder in "ab":
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "file"
        path.write_text("abc")
        found.append(flytenb.run(size, file=str(path)).nodes["n0"].cache_status.name)
        path.unlink()
    assert found == ["POPULATED", "HIT"]


@task(cache=True, cache_version="1")
def is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - as a text


def test_a_question_about_a_path_that_is_given_counts_by_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "there"
    answers = [flytenb.run(is_there, path=str(path)).result for _ in range(2)]
    path.touch()
    assert [*answers, flytenb.run(is_there, path=str(path)).result] == [False, False, True]


def noted(body: Callable[[], Any]) -> set[str]:
    reads = FileReads()
    with reads.watch():
        body()
    return {read.name for read in reads.all()}


def test_what_a_call_writes_first_is_its_own(tmp_path: Path) -> None:
    def body() -> None:
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "own").write_text("a")
        (tmp_path / "made" / "own").read_text()
        list((tmp_path / "made").iterdir())

    assert noted(body) == set()


def test_installed_code_is_not_among_the_files() -> None:
    assert noted(lambda: Path(pytest.__file__).read_text()) == set()


def test_a_file_that_is_missing_is_among_them(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    reads = FileReads()
    with reads.watch(), pytest.raises(FileNotFoundError):
        path.read_text()
    (read,) = reads.all()
    assert read.is_current()
    path.write_text("here")
    assert not read.is_current()


def test_a_file_that_changes_after_it_was_read_leaves_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a")
    reads = FileReads()
    with reads.watch():
        path.read_text()
        path.write_text("another")
    with pytest.raises(ChangedFileError, match="changed while"):
        reads.all()


def test_what_was_touched_and_holds_the_same_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("a")
    reads = FileReads()
    with reads.watch():
        path.read_text()
    (read,) = reads.all()
    path.write_text("a")
    assert read.is_current()


def test_an_event_that_can_not_be_read_fails_nothing(tmp_path: Path) -> None:
    class Odd:
        def __fspath__(self) -> str:
            raise ZeroDivisionError

    with FileReads().watch(), pytest.raises(ZeroDivisionError):
        os.scandir(Odd())  # type: ignore[call-overload]
