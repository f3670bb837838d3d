"""Archives of images, unpacked: the formats of Docker and OCI tools, and archives that try to leave the root."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flytenb.engines import ContainerJob, engine_named, unpack
from flytenb.engines.image_name import full_name, is_by_digest
from flytenb.engines.image_root import find_root, images_folder
from flytenb.errors import ContainerError
from tests.engine import packed_busybox

CONFIG = {
    "config": {
        "Entrypoint": ["sh", "-c"],
        "Cmd": ["echo $GREETING from $(pwd)"],
        "Env": ["GREETING=good day", "PATH=/bin"],
        "WorkingDir": "/app/here",
    }
}
Entry = tuple[str, bytes | None, str]
"""Name, content, and target of a link; a directory has neither."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def archive_of(*entries: Entry, mode: int = 0o644) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content, target in entries:
            member = tarfile.TarInfo(name)
            member.mode = mode
            if target:
                member.type, member.linkname = tarfile.SYMTYPE, target
            elif content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content) if content else None)
    return packed.getvalue()


def files(name: str, content: bytes) -> Entry:
    return (name, content, "")


LAYERS = [
    archive_of(files("etc/kept", b"1"), files("etc/gone", b"1"), files("opt/old/a", b"1"), ("lib", None, "/usr/lib")),
    archive_of(files("etc/.wh.gone", b""), files("opt/old/.wh..wh..opq", b""), files("opt/old/b", b"2")),
    archive_of(("usr/lib", None, ""), files("lib/tool", b"3"), files("etc/kept", b"3")),
    packed_busybox(),
]


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def docker_save(path: Path, name: str = "boxed:1") -> Path:
    config = json.dumps(CONFIG).encode()
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [f"{n}/layer.tar" for n in range(len(LAYERS))]}]
    parts = [files(f"{n}/layer.tar", layer) for n, layer in enumerate(LAYERS)]
    path.write_bytes(
        archive_of(files("config.json", config), files("manifest.json", json.dumps(manifest).encode()), *parts)
    )
    return path


def oci_layout(path: Path) -> Path:
    (path / "blobs/sha256").mkdir(parents=True)

    def keep(data: bytes) -> dict[str, Any]:
        (path / "blobs/sha256" / digest_of(data)).write_bytes(data)
        return {"digest": f"sha256:{digest_of(data)}"}

    manifest = keep(
        json.dumps({"config": keep(json.dumps(CONFIG).encode()), "layers": [keep(layer) for layer in LAYERS]}).encode()
    )
    other = {"digest": "sha256:none", "platform": {"architecture": "s390x"}}
    inner = keep(json.dumps({"manifests": [other, manifest]}).encode())
    (path / "index.json").write_text(json.dumps({"manifests": [inner]}))
    return path


def oci_archive(path: Path) -> Path:
    layout = oci_layout(path.with_suffix(".folder"))
    with tarfile.open(path, "w:gz") as tar:
        tar.add(layout, ".")
    return path


@pytest.mark.parametrize("write", [docker_save, oci_layout, oci_archive], ids=lambda write: write.__name__)
def test_layers_and_configuration_are_those_of_the_image(write: Callable[[Path], Path], tmp_path: Path) -> None:
    root = unpack(write(tmp_path / "image.tar"), "boxed:1")
    contents = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found = {name: content for name, content in contents.items() if name.startswith(("etc/k", "etc/g", "opt", "usr"))}
    assert found == {"etc/kept": b"3", "opt/old/b": b"2", "usr/lib/tool": b"3"}
    image = find_root("boxed:1")
    assert image is not None
    assert image.digest == f"sha256:{digest_of(json.dumps(CONFIG).encode())}"
    printed: list[str] = []
    ended = engine_named("bubblewrap").run(ContainerJob("boxed", "boxed:1"), printed.append, lambda: None)
    assert (ended.status, "".join(printed)) == (0, "good day from /app/here\n")


def test_a_directory_of_files_is_an_image_too(tmp_path: Path) -> None:
    (tmp_path / "files/bin").mkdir(parents=True)
    (tmp_path / "files/bin/tool").write_text("1")
    os.mkfifo(tmp_path / "files/pipe")
    root = unpack(tmp_path / "files", "tools")
    assert (root / "bin/tool").read_text() == "1"
    assert not (root / "pipe").exists()
    first = find_root("docker.io/library/tools:latest")
    (tmp_path / "files/bin/tool").write_text("2")
    unpack(tmp_path / "files", "tools")
    second = find_root("tools")
    assert first is not None
    assert second is not None
    assert first.path == second.path
    assert first.digest != second.digest
    assert [path.name for path in images_folder().iterdir()] == [second.path.parent.name]


@pytest.mark.parametrize(
    "entries",
    [
        [files("../out", b"x")],
        [files("a/../../out", b"x")],
        [("a", None, "a"), files("a/b", b"x")],
    ],
)
def test_an_archive_that_leads_out_of_the_root_is_refused(entries: list[Entry], tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(archive_of(*entries))
    with pytest.raises(ContainerError, match=r"'.*bad\.tar' can't be unpacked as image 'bad'"):
        unpack(tmp_path / "bad.tar", "bad")
    assert find_root("bad") is None
    assert list(images_folder().iterdir()) == []


@pytest.mark.parametrize("target", ["{out}", "../../../../../../../../../../../../..{out}"])
def test_links_in_an_archive_are_followed_within_the_root_only(target: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "bad.tar").write_bytes(
        archive_of(("a", None, target.format(out=out)), files("a/b", b"x"), files("/c", b"x"), mode=0o4755)
    )
    root = unpack(tmp_path / "bad.tar", "bad")
    assert list(out.iterdir()) == []
    assert (root / str(out).lstrip("/") / "b").read_bytes() == b"x"
    assert (root / "c").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("content", [b"", b"not an archive", archive_of(files("manifest.json", b"[]"))])
def test_what_is_no_image_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.tar").write_bytes(content)
    with pytest.raises(ContainerError, match="can't be unpacked") as raised:
        unpack(tmp_path / "odd.tar", "odd")
    assert "docker save" in raised.value.hint
    with pytest.raises(ContainerError, match="can't be unpacked"):
        unpack(tmp_path / "missing.tar", "odd")


def test_of_several_images_the_named_one_is_taken(tmp_path: Path) -> None:
    config = files("config.json", json.dumps(CONFIG).encode())
    images = [{"Config": "config.json", "RepoTags": [f"{name}:1"], "Layers": [f"{name}.tar"]} for name in ("a", "b")]
    layers = [files(f"{name}.tar", archive_of(files("name", name.encode()))) for name in ("a", "b")]
    (tmp_path / "two.tar").write_bytes(archive_of(config, files("manifest.json", json.dumps(images).encode()), *layers))
    assert (unpack(tmp_path / "two.tar", "b:1") / "name").read_text() == "b"
    with pytest.raises(ContainerError, match="it has the images a:1, b:1"):
        unpack(tmp_path / "two.tar", "c:1")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("team/tool:1.2", "docker.io/team/tool:1.2"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ("registry:5000/tool", "registry:5000/tool:latest"),
        ("ghcr.io/a/b_c__d-e:v1", "ghcr.io/a/b_c__d-e:v1"),
        (f"a@sha256:{'0' * 64}", f"docker.io/library/a@sha256:{'0' * 64}"),
        (f"sha256:{'0' * 64}", f"sha256:{'0' * 64}"),
    ],
)
def test_short_names_are_docker_s(name: str, full: str) -> None:
    assert full_name(name) == full
    assert is_by_digest(name) == ("@" in name or name.startswith("sha256:"))


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "-v",
        "--privileged",
        "a b",
        "A",
        "a;b",
        "a\nb",
        "a:",
        "a:b:c",
        "../a",
        "a/../b",
        "/a",
        "a//b",
        "a@sha256:0",
    ],
)
def test_what_is_no_name_of_an_image_is_refused(name: str) -> None:
    with pytest.raises(ContainerError, match="expected the name of an image"):
        full_name(name)
    with pytest.raises(ContainerError, match="expected the name of an image"):
        ContainerJob("boxed", name)


@pytest.mark.parametrize(
    "changes",
    [
        {"directory": "here"},
        {"directory": "/a/../../b"},
        {"directory": "/"},
        {"environment": {"A=B": ""}},
        {"environment": {"": ""}},
        {"environment": {"A": "a\0b"}},
        {"command": ("sh", "a\0b")},
    ],
)
def test_a_job_that_no_engine_can_run_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContainerError):
        ContainerJob("boxed", "busybox", **changes)
