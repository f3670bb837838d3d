"""The places that know a kind of node: few, and listed in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from flytenb.model import Kind
from flytenb.model.node import PSEUDO_KINDS
from flytenb.render import theme

ROOT = Path(__file__).parent.parent


def places(kind: str) -> set[str]:
    """The files of the package that the table in `docs/contributing.md` names."""
    text = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    table = text.partition("## A new kind of node")[2].partition("\n## ")[0]
    files: set[str] = set()
    for row in table.splitlines():
        found = re.findall(r"`([\w/<>]+\.py)`", row.split("|")[1]) if row.startswith("|") else []
        folder = found[0].rpartition("/")[0] if found else ""
        files |= {name.replace("<kind>", kind) if "/" in name else f"{folder}/{name}" for name in found}
    return files


def test_the_table_of_the_places_of_a_kind_names_files_that_exist() -> None:
    for name in places("gate"):
        folder = ROOT if name.startswith("tests/") else ROOT / "flytenb"
        assert (folder / name).is_file() or name in {"bridge/execution/gate.py", "tests/flows/gate.py"}, name


def test_a_kind_is_named_only_in_the_places_that_the_table_lists() -> None:
    package = ROOT / "flytenb"
    kinds = "|".join(kind.name for kind in Kind if kind not in PSEUDO_KINDS)
    naming = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(rf"\bKind\.({kinds})\b|\bimport .*\bGate\b", path.read_text("utf-8"))
    }
    allowed = places("gate") | {"bridge/entities/gate.py", "bridge/private.py"}  # a gate's own file, private names
    assert naming - allowed == set()


def test_each_kind_has_a_colour_unless_it_is_a_port_or_a_constant() -> None:
    coloured = {kind for kinds in theme._BAND.values() for kind in kinds}
    assert set(Kind) - coloured == {Kind.INPUTS, Kind.OUTPUTS, Kind.CONSTANT}
