"""Cache of task outputs: flytekit's store on disk, under keys of the code and the content of the inputs.

flytekit's key omits the code, so that an edited task returns its old result, and includes the random path of a frame
or file, so that these never hit. Here equal values make equal keys (`value_digest`).
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from flytenb.bridge import local_cache
from flytenb.bridge.crossing import CrossingValue, from_literal, packer, trust_of_scalars
from flytenb.bridge.entities.kind import kind_of
from flytenb.bridge.execution.calls import is_plain
from flytenb.bridge.execution.files import may_hold_files
from flytenb.cache import misses
from flytenb.cache import store as cache_store
from flytenb.cache.call_reads import holding_files, reads_of_call
from flytenb.cache.misses import StoredCall
from flytenb.cache.stamps import stamp_of
from flytenb.cache.value_digest import ValueDigest
from flytenb.model import Kind
from flytenb.model.workflow import Policy
from flytenb.reach.code_digest import CodeDigest
from flytenb.reach.digest_pieces import add_piece
from flytenb.reach.file_reads import FileReads
from flytenb.reach.read_results import FileRead

FORMAT = "flytenb-7"
"""Prefix of every key; its number changes with the stored form and with the way in which keys are made."""
_BUILTIN = (int, float, bool, str, type(None))


class TaskCache:
    """The cache of one task. Made on one thread, used on many.

    Args:
        task: the task.
        policy: its cache version and the inputs that the key omits.
        overwrite: whether to run it and replace the stored result.
    """

    def __init__(self, task: Any, policy: Policy, *, overwrite: bool = False) -> None:
        assert policy.cache_version is not None
        if not is_plain(task):
            # It asks flytekit's cache too, which holds joblib as a lazy module; cold imports in many threads fail.
            _ = importlib.import_module("joblib").hash
        interface = task.python_interface
        self._inputs = [
            (name, ValueDigest(declared))
            for name, declared in sorted(interface.inputs.items())
            if name not in policy.cache_ignore
        ]
        self._holding = holding_files(interface.inputs)
        self._is_wide = kind_of(task) in (Kind.DYNAMIC, Kind.EAGER)
        self._outputs = {name: (declared, packer(declared)) for name, declared in interface.outputs.items()}
        self._in_fields = any(map(may_hold_files, interface.outputs.values()))
        self._start = hashlib.blake2b(digest_size=20)
        for part in (task.name.encode(), policy.cache_version.encode()):
            add_piece(self._start, part)
        self._begun = b"", self._start
        self._task = task
        self._missed: dict[str, StoredCall] = {}
        self._trust = trust_of_scalars([*interface.inputs.values(), *interface.outputs.values()])
        self._code: CodeDigest | None = None
        self._unreadable: Exception | None = None
        try:
            self._code = CodeDigest(task)
        except Exception as e:  # an object of the user's may raise anything when its attributes are read
            self._unreadable = e
        self.overwrite = overwrite or local_cache.is_overwritten()

    @property
    def is_plain(self) -> bool:
        """Whether a hit runs no code of users: inputs and outputs are scalars, and flytekit itself converts them."""
        return self._trust is not None and self._trust.holds()

    def key(
        self,
        inputs: Mapping[str, Any],
        hashes: Mapping[str, str] = MappingProxyType({}),
        image: str = "",
        *,
        in_moment: bool = False,
    ) -> str:
        """Return the key of one call: the task, its code and all that it reaches now, the cache version and the inputs.

        Args:
            inputs: the inputs.
            hashes: of those inputs that were given by a node whose output type has a `HashMethod`, the hashes; each
                takes the place of its input, as on a cluster.
            image: the digest of the image of a raw container task, or of what a connector is sent.
            in_moment: whether what the code reaches may be as it was earlier in the current moment: for a look-up
                alone, since the next moment may begin before the task is called.

        Raises:
            Exception: if the code or an input can't be read.
        """
        code, begun = self.code(in_moment=in_moment), self._begun
        if begun[0] is not code:
            begun = code, self._start.copy()
            add_piece(begun[1], code)
            self._begun = begun
        digest = begun[1].copy()
        if image:
            add_piece(digest, image.encode())
        for name, value_digest in self._inputs:
            if name in hashes:
                add_piece(digest, name.encode())
                add_piece(digest, b"hash:" + hashes[name].encode())
            elif name in inputs:
                add_piece(digest, name.encode())
                value_digest.add(digest, inputs[name])
        return f"{FORMAT}-{digest.hexdigest()}"

    def code(self, *, in_moment: bool = False) -> bytes:
        """Return the part of the key that is made of the code and all that it reaches now.

        Raises:
            Exception: if the code can't be read.
        """
        if self._code is None:
            raise self._unreadable or AssertionError("neither a digest nor an error")
        return self._code.now(in_moment=in_moment)

    def reads(self, inputs: Mapping[str, Any]) -> FileReads:
        """Return the record of the files that a call with these inputs reads."""
        is_asking = self._code is not None and self._code.is_asking
        return reads_of_call(self._holding, inputs, is_asking=is_asking, is_wide=self._is_wide)

    def get(self, key: str) -> dict[str, CrossingValue] | None:
        """Return the outputs stored under the key; None if there are none, or if a file that was read has changed."""
        if self.overwrite:
            return None
        match cache_store.read(key):
            case (stored, tuple(reads)) if all(FileRead(*read).is_current() for read in reads):
                found = self._read_outputs(stored)
                if found is not None:
                    cache_store.count_hit(key)
                return found
        return None

    def why_missed(self, key: str, inputs: Mapping[str, Any], hashes: Mapping[str, str], image: str = "") -> str:
        """Return why a call isn't answered, in words; the call is kept as the latest of the task when it is stored."""
        digests = {}
        for name, value_digest in self._inputs:
            digest = hashlib.blake2b(hashes.get(name, "").encode(), digest_size=16)
            if name in inputs and name not in hashes:
                value_digest.add(digest, inputs[name])
            digests[name] = digest.digest()
        call = self._missed[key] = StoredCall(self.code(), (), digests, image, key)
        if self.overwrite:
            return "the cache is overwritten"
        return misses.why(self._task, misses.latest(self._task.name), call, cache_store.read(key))

    def _read_outputs(self, stored: Any) -> dict[str, CrossingValue] | None:
        if isinstance(stored, dict) and stored.keys() == self._outputs.keys():
            return {name: pack(stored[name]) for name, (_, pack) in self._outputs.items()}
        match stored:
            case (bytes(literals), bytes(stamp)):
                return self._read_literals(literals, stamp)
        return None

    def _read_literals(self, stored: bytes, stamp: bytes) -> dict[str, CrossingValue] | None:
        literals = local_cache.load_literals(stored)
        if literals is None or literals.keys() != self._outputs.keys():
            return None
        if stamp_of(literals.values(), in_fields=self._in_fields) != stamp:
            return None  # a file was removed or changed
        return {name: from_literal(literal, self._outputs[name][0]) for name, literal in literals.items()}

    def put(self, key: str, outputs: Mapping[str, CrossingValue], reads: FileReads | None = None) -> None:
        """Store outputs under the key: Python's scalars as they are, which are quick to read, else literals.

        Args:
            key: the key.
            outputs: the outputs.
            reads: the files that the call read; the result is valid while they are the same.

        Raises:
            ChangedFileError: if one of these files has changed since it was read.
        """
        read = () if reads is None else tuple(map(tuple, reads.all()))
        cache_store.write(key, (self._stored(outputs), read), self._task.name)
        call = self._missed.pop(key, None)
        if call is not None:
            with suppress(Exception):  # which only costs the reason of a later miss
                misses.keep(self._task.name, self._task, call)

    def _stored(self, outputs: Mapping[str, CrossingValue]) -> Any:
        if all(value.method == "share" for value in outputs.values()):
            natives = {name: value.native() for name, value in outputs.items()}
            if all(type(native) in _BUILTIN for native in natives.values()):
                return natives
        literals = {name: value.literal() for name, value in outputs.items()}
        stamp = stamp_of(literals.values(), in_fields=self._in_fields)
        return local_cache.dump_literals(literals), stamp
