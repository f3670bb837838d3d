"""Languages are found by name and alias, built in, registered or of an installed package."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from flytenb.errors import DefinitionError, UnknownNameError
from flytenb.languages import language_registry
from flytenb.languages.language_registry import find_language, language_names, register


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_registry, "_registered", {})


@pytest.mark.parametrize(
    ("name", "title"), [("R", "R"), ("py", "Python"), ("JavaScript", "Node"), ("sh", "Shell"), ("jl", "Julia")]
)
def test_a_language_is_found_by_name_or_alias_in_any_case(name: str, title: str) -> None:
    assert find_language(name).title == title


def test_an_unknown_one_names_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="expected a language, got 'pyton'") as caught:
        find_language("pyton")
    assert "'python'" in caught.value.hint


def test_a_registered_one_replaces_that_of_its_name() -> None:
    ours = dataclasses.replace(find_language("r"), title="Ours", aliases=("mine",))
    register(ours)
    assert find_language("R") is ours and find_language("mine") is ours
    assert language_names() == ["julia", "node", "python", "r", "shell"]


def test_only_languages_are_registered() -> None:
    wrong: Any = "r"
    with pytest.raises(DefinitionError, match="expected a Language, got 'r'"):
        register(wrong)


def test_a_language_of_an_installed_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("other", "flytenb.languages.r:LANGUAGE", language_registry.GROUP)
    monkeypatch.setattr(
        language_registry, "_installed", lambda: {point.name: dataclasses.replace(point.load(), name="other")}
    )
    assert find_language("other").title == "R"
