"""PyTorch, or what stands in for it: 5.3 GB, as PyPI has it for Linux, are more than a test suite may ask for.

The stand-in keeps numpy arrays and does of PyTorch 2.15 what the displays ask: which questions raise, what is
conjugated only when it is read, where nothing is stored. Where PyTorch is installed the same tests run on it.
"""

from __future__ import annotations

import importlib.util
import math
import types
from typing import Any

import numpy as np

HAS_TORCH = importlib.util.find_spec("torch") is not None
_TYPES = {"bfloat16": "float32"}
"""Types that numpy lacks, and what holds their elements here."""


class Device:
    def __init__(self, name: str) -> None:
        self.type, self._name = name.partition(":")[0], name

    def __str__(self) -> str:
        return self._name


class Tensor:
    is_nested = is_quantized = False
    layout = "torch.strided"
    requires_grad = False

    def __init__(self, array: Any, dtype: str = "", device: str = "cpu", is_conj: bool = False) -> None:
        self._array, self._is_conj = array, is_conj
        self.dtype, self.device = f"torch.{dtype or array.dtype}", Device(device)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    def stride(self) -> tuple[int, ...]:
        return tuple(s // self._array.itemsize for s in self._array.strides)

    def element_size(self) -> int:
        return 2 if self.dtype == "torch.bfloat16" else self._array.itemsize

    def nelement(self) -> int:
        return math.prod(self.shape)

    def detach(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        if self.device.type != "cpu":
            raise AssertionError("copied from a device")
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        if self._is_conj:
            raise RuntimeError("Can't call numpy() on Tensor that has conjugate bit set")
        return self._array

    def item(self) -> Any:
        return self._array.item()

    def conj(self) -> Tensor:
        return type(self)(self._array, is_conj=True)

    def resolve_conj(self) -> Tensor:
        if not self._is_conj:
            return self
        self._only_little()
        return type(self)(self._array.conj())

    def resolve_neg(self) -> Tensor:
        return self

    def is_complex(self) -> bool:
        return self._array.dtype.kind == "c"

    def bfloat16(self) -> Tensor:
        return type(self)(self._array, "bfloat16")

    def float(self) -> Tensor:
        self._only_little()
        return type(self)(self._array.astype("float32"))

    def expand(self, *shape: int) -> Tensor:
        made = type(self)(np.broadcast_to(self._array, shape), self.dtype.removeprefix("torch."))
        made._is_conj = self._is_conj
        return made

    def reshape(self, *shape: int) -> Tensor:
        return type(self)(self._array.reshape(*shape), self.dtype.removeprefix("torch."))

    def __getitem__(self, index: Any) -> Tensor:
        return type(self)(self._array[index], self.dtype.removeprefix("torch."), is_conj=self._is_conj)

    def requires_grad_(self) -> Tensor:
        self.requires_grad = True
        return self

    def to_sparse(self) -> Tensor:
        return Sparse(self)

    def _only_little(self) -> None:
        if self.nelement() > 10_000_000:
            raise MemoryError("a copy of a tensor that fills no memory")


class Sparse(Tensor):
    layout = "torch.sparse_coo"

    def __init__(self, dense: Tensor) -> None:
        super().__init__(dense._array)

    def stride(self) -> tuple[int, ...]:
        raise RuntimeError("sparse tensors do not have strides")

    def numpy(self) -> Any:
        raise AssertionError("made dense")

    def _indices(self) -> Tensor:
        return Tensor(np.array(np.nonzero(self._array)))

    def _values(self) -> Tensor:
        return Tensor(self._array[np.nonzero(self._array)])


class Quantized(Tensor):
    is_quantized = True

    def __init__(self, tensor: Tensor, scale: float, zero: int) -> None:
        super().__init__(np.round(tensor._array / scale + zero).astype("uint8"), "quint8")
        self._scale, self._zero = scale, zero

    def numpy(self) -> Any:
        raise TypeError("Got unsupported ScalarType QUInt8")

    def qscheme(self) -> str:
        return "torch.per_tensor_affine"

    def q_scale(self) -> float:
        return self._scale

    def q_zero_point(self) -> int:
        return self._zero

    def dequantize(self) -> Tensor:
        return Tensor((self._array.astype("float32") - self._zero) * np.float32(self._scale))


class Nested(Tensor):
    is_nested = True

    def __init__(self, parts: list[Tensor]) -> None:
        self._parts, self.dtype, self.device = parts, parts[0].dtype, Device("cpu")

    @property
    def shape(self) -> Any:
        raise RuntimeError("Internal error: NestedTensorImpl doesn't support sizes. Please file an issue.")

    def unbind(self) -> tuple[Tensor, ...]:
        return tuple(self._parts)


class Parameter(Tensor):
    requires_grad = True


class Module:
    training = True

    def __init__(self) -> None:
        self._weights: dict[str, Parameter] = {}
        self._inner: dict[str, Module] = {}

    def named_parameters(self, recurse: bool = True) -> Any:
        yield from self._weights.items()
        if recurse:
            for name, module in self._inner.items():
                yield from ((f"{name}.{n}", w) for n, w in module.named_parameters())

    def parameters(self) -> Any:
        return (weight for _, weight in self.named_parameters())

    def named_children(self) -> Any:
        return iter(self._inner.items())

    def extra_repr(self) -> str:
        return ""

    def eval(self) -> Module:
        self.training = False
        return self


class Linear(Module):
    def __init__(self, wide: int, high: int) -> None:
        super().__init__()
        self._said = f"in_features={wide}, out_features={high}, bias=True"
        self._weights = {
            "weight": Parameter(np.zeros((high, wide), "float32")),
            "bias": Parameter(np.zeros(high, "float32")),
        }

    def extra_repr(self) -> str:
        return self._said


class ReLU(Module):
    pass


class Sequential(Module):
    def __init__(self, *modules: Module) -> None:
        super().__init__()
        self._inner = {str(i): module for i, module in enumerate(modules)}


def stand_in() -> dict[str, types.ModuleType]:
    """Return what `sys.modules` holds of PyTorch, by name."""
    names = ("torch", "torch.nn", "torch.nn.modules", "torch.nn.modules.module", "torch.nested")
    made = {name: types.ModuleType(name) for name in names}
    torch, nn, home, nested = made["torch"], made["torch.nn"], made["torch.nn.modules.module"], made["torch.nested"]
    for cls in (Tensor, Sparse, Quantized, Nested, Parameter):
        cls.__module__, cls.__name__ = "torch", "Parameter" if cls is Parameter else "Tensor"
        cls.__qualname__ = cls.__name__
    for cls in (Module, Linear, ReLU, Sequential):
        cls.__module__ = "torch.nn.modules.module"
        setattr(nn, cls.__name__, cls)
        setattr(home, cls.__name__, cls)
    torch.Tensor, torch.nn, torch.nested = Tensor, nn, nested
    torch.from_numpy = Tensor
    torch.quint8 = "quint8"
    torch.quantize_per_tensor = lambda tensor, scale, zero, dtype: Quantized(tensor, scale, zero)
    torch.empty = lambda *shape, device: Tensor(np.broadcast_to(np.zeros(1, "float32"), shape), device=device)
    nested.nested_tensor = Nested
    return made
