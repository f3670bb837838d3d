"""Names of files and directories: either their bytes arrive, or the name is refused where the value is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.errors import InputError, UnholdableError

BYTES = b"\x00bytes\xff"


@task
def write(name: str) -> tuple[FlyteFile, FlyteDirectory]:
    Path(name).write_bytes(BYTES)
    folder = Path("in it")
    folder.mkdir()
    (folder / name).write_bytes(BYTES[::-1])
    return FlyteFile(name), FlyteDirectory(str(folder))


@task
def read(file: FlyteFile, folder: FlyteDirectory) -> list[str]:
    with Path(file).open("rb") as opened, file.open("rb") as stream:
        both = opened.read() + stream.read()
    return [both.hex(), *(f"{path.name}: {path.read_bytes().hex()}" for path in Path(folder).iterdir())]


@workflow
def between(name: str) -> tuple[FlyteFile, list[str]]:
    file, folder = write(name=name)
    return file, read(file=file, folder=folder)


@task
def size(file: FlyteFile) -> int:
    return Path(file).stat().st_size


@task
def write_file(code: str) -> FlyteFile:
    name = bytes.fromhex(code).decode("utf-8", "surrogatepass")
    Path(name).write_bytes(BYTES)
    return FlyteFile(name)


@task
def count(folder: FlyteDirectory) -> int:
    return len([*Path(folder).iterdir()])


GOOD = ["a b", "a#b", "a%b", "a:b", "a\nb", "ü漢é", "-rf", "$HOME", "{x}", "a\\b", "'\"", ".hidden", "]", "a" * 255]
BAD = ["a[1]", "a*b", "a?b", "[", "a%20b", "~root"]
NOWHERE = ["a::b", "zip::a", "a\udcff"]
"""Names of files that can't be given as inputs either."""


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_the_bytes_of_a_file_arrive_under_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = flytenb.options(keep="kept").run(between, name=name)
    wanted = [(BYTES * 2).hex(), f"{name}: {BYTES[::-1].hex()}"]
    assert run.outputs["o1"] == wanted
    assert flytenb.run(size, file=name).result == len(BYTES)
    kept = flytenb.load_run(run.id, folder="kept")
    assert Path(kept.outputs["o0"]).read_bytes() == BYTES
    assert Path(kept.outputs["o0"]).name == name
    assert flytenb.run(between, name=name, resume=kept).outputs["o1"] == wanted


@pytest.mark.parametrize("name", [*BAD, *NOWHERE], ids=ascii)
def test_a_name_that_can_t_be_stored_is_refused_at_the_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("aXb").write_bytes(b"another file, which the pattern means as well")
    with pytest.raises(UnholdableError, match="rename it") as raised:
        flytenb.run(write_file, code=name.encode("utf-8", "surrogatepass").hex())
    assert "'o0'" in raised.value.message
    assert "whose path contains" in raised.value.message


@pytest.mark.parametrize("name", [*BAD, *NOWHERE], ids=ascii)
def test_a_file_with_any_local_name_is_an_input_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(BYTES)
    if name not in NOWHERE:
        assert flytenb.run(size, file=str(tmp_path / name)).result == len(BYTES)
        return
    for given in (name, FlyteFile(name), tmp_path / name):
        with pytest.raises(InputError, match="rename it"):
            flytenb.run(size, file=given)


@pytest.mark.parametrize("name", ["a[1]", "a::b"])
def test_a_directory_s_own_name_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="rename it"):
        flytenb.run(count, folder=str(tmp_path / name))


def test_a_notebook_s_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "[2024] a*b %41"
    folder.mkdir()
    (tmp_path / "2 a*b %41").mkdir()
    monkeypatch.chdir(folder)
    assert flytenb.run(between, name="x").outputs["o1"] == [(BYTES * 2).hex(), f"x: {BYTES[::-1].hex()}"]
    assert flytenb.run(count, folder="in it").result == 1
