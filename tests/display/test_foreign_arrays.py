"""Arrays of other libraries by the array protocol: array-api-strict, and PyTorch and JAX where they are installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import array_api_strict
import numpy as np
import pytest

from flytenb.display.show import show
from flytenb.wording.values import brief

LIBRARIES = [name for name in ("array_api_strict", "torch", "jax.numpy") if find_spec(name.partition(".")[0])]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, of what is new in it


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Any:
    return import_module(request.param)


def text_of(value: Any) -> str:
    shown = show(value)
    assert "raised" not in shown.text, shown.text
    assert len(shown.html) < 200_000
    return shown.text


def without_title(shown: str) -> str:
    return shown.partition(" · ")[2]


@pytest.mark.parametrize(
    "array",
    [
        np.linspace(0, 1, 100, dtype="float32"),
        np.arange(12, dtype="int64").reshape(3, 4),
        np.arange(3_000, dtype="uint8").reshape(60, 50),
        np.array([1 + 2j, 3], "complex64"),
        np.array([np.nan, np.inf, 1] * 10, "float32"),
        np.array([True, False]),
        np.zeros((0, 3), "float32"),
        np.zeros((2, 3, 2), "float32"),
    ],
    ids=["vector", "integers", "picture", "complex", "not finite", "booleans", "empty", "3 axes"],
)
def test_an_array_is_shown_like_the_one_of_numpy_that_it_becomes(library, array):
    foreign = library.asarray(array)
    assert without_title(text_of(foreign)) == without_title(text_of(np.asarray(foreign)))
    shape = " × ".join(map(str, array.shape))
    assert brief(foreign) == f"{type(foreign).__name__} {np.asarray(foreign).dtype} {shape}"


def test_an_image_with_its_channels_first_is_a_picture(library):
    assert "12 × 9 pixels" in text_of(library.asarray(np.zeros((3, 9, 12), dtype="uint8")))


def test_a_single_number_has_its_type(library):
    number = library.asarray(np.array(2.5, "float32"))
    assert text_of(number) == f"2.5 ({type(number).__name__}, float32, 4 bytes)"


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "jax.numpy"], indirect=True)
def test_an_array_that_is_repeated_is_not_copied(library):  # JAX has none
    big = library.broadcast_to(library.asarray(np.ones(1, "float32")), (100_000, 100_000))
    assert without_title(text_of(big)).startswith("100,000 × 100,000 · float32 · 4 bytes\n  1.0, mean 1.0")


def test_elements_that_the_library_refuses_to_convert_are_not_shown():
    elsewhere = array_api_strict.asarray([1.0, 2.0], device=array_api_strict.Device("device1"))
    text = text_of(elsewhere)
    assert text.startswith("Array · 2 elements · float64\n  (its elements can't be read here: RuntimeError: ")
    assert "'device1'" in text


def test_an_array_on_a_device_is_not_converted(monkeypatch):
    array = array_api_strict.asarray([1.0, 2.0])
    monkeypatch.setattr(type(array), "__dlpack_device__", lambda self: (2, 0))  # a graphics card
    monkeypatch.setattr(type(array), "__array__", lambda *_, **__: pytest.fail("converted"))
    assert text_of(array).startswith("Array · 2 elements · float64\n  (not copied from ")


def test_an_array_without_a_shape_is_shown_as_an_object(monkeypatch):
    array = array_api_strict.asarray([1.0, 2.0])
    monkeypatch.setattr(type(array), "shape", property(lambda self: 1 / 0))
    assert text_of(array) == "Array (Array)"
