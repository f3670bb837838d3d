"""Tensors of every layout and modules of PyTorch, arrays of JAX; tests/tensors.py tells what stands in for them."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from flytenb.display.show import show
from flytenb.wording.values import brief
from tests.tensors import HAS_TORCH, stand_in

if HAS_TORCH:
    import torch as _real_torch

# PyTorch itself warns of what is young or old in it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
VECTOR = np.linspace(0, 1, 100, dtype="float32")


@pytest.fixture
def torch(request: pytest.FixtureRequest) -> Any:
    return _real_torch if HAS_TORCH else request.getfixturevalue("stand_in_torch")


@pytest.fixture
def stand_in_torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Also where PyTorch is installed: no machine need have a device."""
    for name, module in stand_in().items():
        monkeypatch.setitem(sys.modules, name, module)
    return sys.modules["torch"]


def _text(value: Any) -> str:
    shown = show(value)
    assert "raised" not in shown.text, shown.text
    assert len(shown.html) < 200_000
    return shown.text


def test_a_tensor_is_shown_like_an_array(torch):
    text = _text(torch.from_numpy(VECTOR).requires_grad_())
    assert text.startswith("Tensor · 100 elements · float32 · 400 bytes · requires grad")
    assert "mean 0.5" in text


def test_a_tensor_with_channels_first_is_a_picture(torch):
    assert "12 × 9 pixels" in _text(torch.from_numpy(np.zeros((3, 9, 12), dtype="uint8")))


def test_a_single_number_says_its_type(torch):
    assert _text(torch.from_numpy(np.array(2.5, "float32"))) == "2.5 (Tensor, float32, 4 bytes)"
    assert _text(torch.from_numpy(np.array(2.5, "float32")).bfloat16()) == "2.5 (Tensor, bfloat16, 2 bytes)"


def test_a_type_that_numpy_lacks_keeps_its_shape(torch):
    text = _text(torch.from_numpy(np.array([[0.5, 1.5], [2.5, -4]], "float32")).bfloat16())
    assert text.splitlines()[0] == "Tensor · 2 × 2 · bfloat16 · 8 bytes"
    assert text.split()[-4:] == ["0.5", "1.5", "2.5", "-4.0"]


def test_what_is_conjugated_when_it_is_read_keeps_both_its_parts(torch):
    assert "1-2j" in _text(torch.from_numpy(np.array([1 + 2j], "complex64")).conj())


def test_what_fills_no_memory_is_not_copied_to_be_read(torch):
    one = torch.from_numpy(np.ones(1, "float32"))
    text = _text(one.bfloat16().expand(100_000, 100_000))
    assert text.startswith("Tensor · 100,000 × 100,000 · bfloat16 · 2 bytes\n  1.0, mean 1.0")
    assert "from 1,000,000 elements, evenly spread" in text
    assert "magnitudes 1.0" in _text(torch.from_numpy(np.ones(1, "complex64")).conj().expand(100_000, 100_000))


def test_a_sparse_tensor_tells_what_it_stores_and_is_not_made_dense(torch):
    diagonal = np.diag(np.arange(1, 101, dtype="float32"))
    text = _text(torch.from_numpy(diagonal).to_sparse())
    assert text.startswith("Tensor · 100 × 100 · float32 · 2.0 kB · sparse COO\n  100 of 10,000 elements stored, 1 %\n")
    assert "1.0 … 100.0, mean 50.5" in text
    assert "0 of 9 elements stored" in _text(torch.from_numpy(np.zeros((3, 3), "float32")).to_sparse())


def test_a_quantised_tensor_is_read_by_its_scale(torch):
    text = _text(torch.quantize_per_tensor(torch.from_numpy(np.array([0.5, 1.5], "float32")), 0.5, 0, torch.quint8))
    assert text.startswith("Tensor · 2 elements · quint8 · 2 bytes · quantised, scale 0.5, zero point 0")
    assert text.split()[-2:] == ["0.5", "1.5"]


def test_a_nested_tensor_is_the_tensors_in_it(torch):
    parts = [torch.from_numpy(np.zeros((n, 3), "float32")) for n in (2, 4)]
    text = _text(torch.nested.nested_tensor(parts))
    assert text.startswith("Tensor · nested, 2 tensors · float32\n  [0]: Tensor · 2 × 3")
    assert brief([torch.nested.nested_tensor(parts), 1]) in ("[Tensor, 1]", "[NestedTensor, 1]")


def test_a_tensor_without_elements_says_so_and_offers_no_copy(torch):
    text = _text(torch.empty(3, 4, device="meta"))
    assert text == "Tensor · 3 × 4 · float32\n  (on meta: a shape without elements)"


def test_a_tensor_on_a_device_is_not_copied(stand_in_torch):
    tensor = stand_in_torch.Tensor(np.zeros(100), device="cuda:0")
    assert "on cuda:0" in _text(tensor)
    assert "not copied from cuda:0: use .cpu() to copy it" in _text(tensor)


def test_a_module_tells_what_it_learns_and_what_is_in_it(torch):
    nn = torch.nn
    text = _text(nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 2)))
    assert text == (
        "Sequential · 262 parameters · 1.0 kB\n"
        "  0  in_features=10, out_features=20, bias=True (Linear, 220 parameters)\n"
        "  1  (ReLU, no parameters)\n"
        "  2  in_features=20, out_features=2, bias=True (Linear, 42 parameters)"
    )
    text = _text(nn.Linear(3, 2).eval())
    assert text.startswith("Linear · 8 parameters · 32 bytes · evaluation mode\n  in_features=3")
    assert "weight  float32 2 × 3 (Parameter)" in text


def test_a_module_of_many_is_bounded(torch):
    shown = show(torch.nn.Sequential(*(torch.nn.ReLU() for _ in range(1000))))
    assert "950 more" in shown.html
    assert len(shown.text) <= 4_000


class _Array:
    """Stands for jax.Array, as JAX 0.8 is asked."""

    def __init__(self, array: Any, platform: str = "cpu", *, is_ready: bool = True, is_deleted: bool = False) -> None:
        self._array, self._platform = array, platform
        self.shape, self.dtype, self.nbytes = array.shape, array.dtype, array.nbytes
        self.is_fully_addressable = True
        self.is_ready, self.is_deleted = (lambda: is_ready), (lambda: is_deleted)

    def devices(self) -> list[Any]:
        return [types.SimpleNamespace(platform=self._platform)]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        assert self._platform == "cpu" and self.is_ready() and not self.is_deleted()
        return self._array


@pytest.fixture
def jax(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = types.ModuleType("jax")
    module.Array = type("Array", (_Array,), {"__module__": "jax"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jax", module)
    return module


def test_an_array_of_jax_is_shown_only_where_it_costs_nothing(jax):
    assert "mean 0.5" in _text(jax.Array(VECTOR))
    assert _text(jax.Array(np.array(2.5, "float32"))) == "2.5 (Array, float32, 4 bytes)"
    assert "not copied from gpu" in _text(jax.Array(VECTOR, "gpu"))
    assert "not computed yet" in _text(jax.Array(VECTOR, is_ready=False))
    assert "deleted" in _text(jax.Array(VECTOR, is_deleted=True))
