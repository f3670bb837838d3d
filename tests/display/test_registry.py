from __future__ import annotations

import collections.abc
import dataclasses
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from types import ModuleType
from typing import Any

import pytest

import flytenb
from flytenb.display import registry as registry_module
from flytenb.display.part import Group, Html, Section, Table, Text, Tree, Value
from flytenb.display.registry import BUILT_IN, Registry, plugin_displays
from flytenb.display.show import show
from flytenb.errors import DefinitionError
from flytenb.wording.packages import named


@pytest.fixture
def registry() -> Registry:
    return Registry(below=BUILT_IN)


class Animal:
    pass


class Dog(Animal):
    pass


def _text(value: Any, registry: Registry) -> str:
    return show(value, registry=registry).text


def test_a_display_may_return_text_a_part_or_another_value(registry):
    registry.register(Dog)(lambda value, view: "woof")
    assert _text(Dog(), registry) == "'woof' (str)"
    registry.register(Dog)(lambda value, view: Table(("a", "b"), [[1, "x"]]))
    assert _text(Dog(), registry).split() == ["a", "b", "─", "─", "1", "x"]
    registry.register(Dog)(lambda value, view: [1, 2])
    assert _text(Dog(), registry).startswith("[1, 2] (list[int]")


def test_the_exact_type_is_before_its_ancestors_and_these_before_predicates(registry):
    registry.register(lambda value: isinstance(value, Animal))(lambda value, view: Value("predicate"))
    assert _text(Dog(), registry) == "predicate"
    registry.register(Animal)(lambda value, view: Value("ancestor"))
    assert _text(Dog(), registry) == "ancestor"
    registry.register(Dog)(lambda value, view: Value("exact"))
    assert _text(Dog(), registry) == "exact"
    assert _text(Animal(), registry) == "ancestor"


def test_the_newest_predicate_is_tried_first(registry):
    def older(value, view):
        return Value("older")

    def newer(value, view):
        return Value("newer")

    registry.register(lambda value: isinstance(value, Dog))(older)
    registry.register(lambda value: isinstance(value, Animal))(newer)
    assert _text(Dog(), registry) == "newer"


def test_a_users_predicate_is_before_every_built_in_display(registry):
    registry.register(lambda value: value == [1, 2, 3])(lambda value, view: Value("mine"))
    assert _text([1, 2, 3], registry) == "mine"
    assert _text([1, 2], registry) != "mine"


def test_registering_is_seen_at_once_by_types_already_shown(registry):
    assert _text(Dog(), registry) == "<Dog object> (Dog)"
    registry.register(Animal)(lambda value, view: Value("now"))
    assert _text(Dog(), registry) == "now"


def _run_cell(registry: Registry, answer: str, threshold: int) -> None:
    """Define a predicate and its display anew, as re-running a cell does."""

    @registry.register(lambda value: isinstance(value, int) and value > threshold)
    def show_large(value, view):
        return Value(answer)


def test_rerunning_a_cell_replaces_its_predicate_even_if_that_was_edited(registry):
    _run_cell(registry, "first", threshold=10)
    _run_cell(registry, "second", threshold=100)
    assert _text(500, registry) == "second"
    assert _text(50, registry) == "50 (int)"


def test_one_display_may_serve_several_predicates(registry):
    @registry.register(lambda value: value == 1)
    @registry.register(lambda value: value == 2)
    def show_some(value, view):
        return Value("one or two")

    assert {_text(n, registry) for n in (1, 2)} == {"one or two"}


def test_a_class_of_the_notebook_keeps_its_display_when_its_cell_is_run_again(registry):
    def define() -> type:
        return type("Clip", (), {"__module__": "__main__", "__qualname__": "Clip"})

    registry.register(define())(lambda value, view: Value("a clip"))
    assert _text(define()(), registry) == "a clip"


def test_an_abstract_class_stands_for_all_that_fulfil_it(registry):
    registry.register(collections.abc.Sized)(lambda value, view: Value(f"sized {len(value)}"))

    class Box:
        def __len__(self):
            return 3

    assert _text(Box(), registry) == "sized 3"


def test_a_dotted_name_stands_for_a_class_that_may_not_be_there(registry):
    registry.register("tests.display.test_registry.Dog")(lambda value, view: Value("by name"))
    registry.register("nowhere.at.all.Thing")(lambda value, view: Value("never"))
    assert _text(Dog(), registry) == "by name"


@pytest.mark.parametrize("place", ["defines", "gives another name to"])
@pytest.mark.parametrize("key", ["class", "ancestor"])
def test_a_dotted_name_is_found_once_the_module_that_has_it_is_imported(registry, monkeypatch, place, key):
    base = type("Thing", (), {"__module__": "heavylib.core"})
    shown = (base if key == "class" else type("Special", (base,), {"__module__": "heavylib.core"}))()
    path = "heavylib.core" if place == "defines" else "heavylib.api"
    registry.register(f"{path}.Thing")(lambda value, view: Value("by name"))
    assert "by name" not in _text(shown, registry)
    module = ModuleType(path)
    module.Thing = base
    monkeypatch.setitem(sys.modules, path, module)
    assert _text(shown, registry) == "by name"


def test_a_lookup_is_kept_unless_a_name_is_still_unknown(registry, monkeypatch):
    looked_up = []
    monkeypatch.setattr(registry_module, "named", lambda path: looked_up.append(path) or named(path))
    registry.register("tests.display.test_registry.Dog")(lambda value, view: Value("by name"))
    registry.register("heavylib.Thing")(lambda value, view: Value("never"))
    looked_up.clear()
    for _ in range(3):
        assert _text(Dog(), registry) == "by name"
    assert looked_up.count("tests.display.test_registry.Dog") == 1
    assert "heavylib.Thing" not in looked_up  # a name of another package says nothing about the class


def test_not_implemented_and_the_value_itself_leave_it_to_the_next(registry):
    registry.register(Dog)(lambda value, view: NotImplemented)
    registry.register(Animal)(lambda value, view: value)
    assert _text(Dog(), registry) == "<Dog object> (Dog)"


def test_a_display_that_raises_is_passed_over_and_named(registry):
    @registry.register(Dog)
    def show_dog(value, view):
        raise LookupError("<b>no</b>")

    shown = show(Dog(), registry=registry)
    assert "the display show_dog raised LookupError: <b>no</b>" in shown.text
    assert "&lt;b&gt;no&lt;/b&gt;" in shown.fragment
    assert shown.text.startswith("<Dog object> (Dog)")


@pytest.mark.parametrize(
    "part",
    [
        Text(5),
        Text(None),
        Value(None),
        Html(b"<b>"),
        Group((1, "a")),
        Section(3, (None,), "body"),
        Tree(("x",)),
    ],
    ids=repr,
)
def test_parts_made_of_anything_do_not_break_the_page(registry, part):
    registry.register(Dog)(lambda value, view: part)
    assert isinstance(show(Dog(), registry=registry).fragment, str)
    assert isinstance(show({"dog": Dog()}, registry=registry, name="pets").text, str)


def test_a_predicate_that_raises_does_not_fit(registry):
    registry.register(lambda value: value.no_such_attribute)(lambda value, view: Value("never"))
    assert _text(7, registry) == "7 (int)"


def test_a_display_that_never_ends_its_own_nesting_is_cut(registry):
    registry.register(Dog)(lambda value, view: [Dog(), Dog()])
    assert "deeper levels are left out" in _text(Dog(), registry)


@pytest.mark.parametrize("key", [None, 3, ["int"]])
def test_a_key_that_is_neither_type_nor_predicate_is_refused(registry, key):
    with pytest.raises(DefinitionError, match="expected a type, a dotted type name or a predicate, got"):
        registry.register(key)


def test_a_display_that_takes_no_view_is_refused_where_it_is_written(registry):
    with pytest.raises(DefinitionError, match="must take a value and a view"):
        registry.register(Dog)(lambda value: "woof")


def test_a_users_display_cannot_overflow_and_its_markup_is_sandboxed(registry):
    registry.register(Dog)(lambda value, view: Table(("n",), [[i] for i in range(10_000)]))
    assert show(Dog(), registry=registry).fragment.count("<tr>") == 11
    registry.register(Dog)(lambda value, view: Text("x" * 10_000_000))
    assert len(show(Dog(), registry=registry).fragment) < 5_000
    registry.register(Dog)(lambda value, view: Html("<script>alert(1)</script>"))
    assert "<script" not in show(Dog(), registry=registry).fragment


class _Point(metadata.EntryPoint):
    """An entry point that counts how often it is loaded."""

    loads: list[str] = []

    def load(self) -> Any:
        self.loads.append(self.name)
        if self.value == "broken:display":
            raise ImportError("no module named broken")
        return lambda value, view: Value(f"from {self.value}")


@pytest.fixture
def plugins(monkeypatch):
    points = [
        _Point("tests.display.test_registry.Dog", "dogs:show_dog", registry_module.GROUP),
        _Point("tests.display.test_registry.Cat", "broken:display", registry_module.GROUP),
    ]
    _Point.loads.clear()
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points if group == "flytenb.displays" else [])
    return Registry(below=Registry(below=BUILT_IN, load=plugin_displays))


class Cat:
    def __repr__(self):
        return "Cat()"


def test_an_installed_package_brings_displays_loaded_when_first_needed(plugins):
    assert _text(5, plugins) == "5 (int)"
    assert _Point.loads == []
    assert _text(Dog(), plugins) == "from dogs:show_dog"


def test_a_broken_plugin_is_named_and_passed_over(plugins):
    text = _text(Cat(), plugins)
    assert text.startswith("Cat()")
    assert "the display broken:display raised ImportError" in text


def test_the_session_comes_before_plugins(plugins):
    plugins.register(Dog)(lambda value, view: Value("mine"))
    assert _text(Dog(), plugins) == "mine"


@dataclasses.dataclass
class Clip:
    seconds: int


def test_nested_values_are_shown_by_their_displays_too(registry):
    registry.register(Clip)(lambda value, view: Text(f"♪ {value.seconds} s\nof sound"))
    assert "♪ 3 s" in _text({"intro": Clip(3)}, registry)


class _Graph:
    """Says nothing by its repr, but something as text."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def __str__(self) -> str:
        return self.said.upper()


def test_an_object_without_a_repr_says_what_it_is_as_text_and_what_it_has() -> None:
    assert show(_Graph("4 nodes")).text == "_Graph\n  4 NODES\n  said  '4 nodes' (str)"
    assert show(_Graph(5)).text == "_Graph\n  said  5 (int)"


class _Dataset(Mapping):
    """More than its items, and shows itself, as xarray's does."""

    def __getitem__(self, key: str) -> int:
        return {"a": 1}[key]

    def __iter__(self) -> Iterator[str]:
        return iter("a")

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "<Dataset>\nDimensions: x 3"

    def _repr_html_(self) -> str:
        return "<pre hidden>never seen</pre><b>Dimensions</b>"


def test_a_mapping_that_shows_itself_does_so_and_its_text_is_its_own() -> None:
    shown = show(_Dataset())
    assert shown.text == "_Dataset\n  <Dataset>\n  Dimensions: x 3"
    assert "&lt;b&gt;Dimensions" in shown.fragment
    assert "'a'  1" in flytenb.explore(_Dataset()).choose(is_open=True).static.text
