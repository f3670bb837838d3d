"""Why a call isn't answered from the cache: what the latest stored call of its task had that this one hasn't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flytenb.cache import store as cache_store
from flytenb.reach.code_parts import PartsReader
from flytenb.reach.read_results import FileRead

_MOST_NAMED = 3
_WORDS = {
    "variable": "environment variable {} has changed",
    "file": "file {} has changed",
    "setting": "the {} has changed",
    "patch": "{} was patched",
    "identity": "which names refer to one object has changed",
}


class StoredCall(NamedTuple):
    """What the key of a stored call was made of.

    Attributes:
        code: the digest of its code.
        parts: the parts of that, each as kind, name, place and digest.
        inputs: the digests of its inputs.
        image: the digest of its image or of what a connector is sent.
        key: the key of its outputs.
    """

    code: bytes
    parts: tuple[tuple[str, str, str, str], ...]
    inputs: dict[str, bytes]
    image: str
    key: str


def latest(name: str) -> StoredCall | None:
    """Return the latest stored call of a task, None if its outputs have been removed."""
    match cache_store.read(_key(name)):
        case (bytes(code), tuple(parts), dict(inputs), str(image), str(key)) if cache_store.read(key) is not None:
            return StoredCall(code, parts, inputs, image, key)
    return None


def keep(name: str, task: Any, call: StoredCall) -> None:
    """Keep a call as the latest of its task; its parts are read unless they are those of the call before."""
    before = latest(name)
    parts = before.parts if before is not None and before.code == call.code else parts_of(task)
    cache_store.write(_key(name), tuple(call._replace(parts=parts)))


def parts_of(task: Any) -> tuple[tuple[str, str, str, str], ...]:
    """Return the parts of a task's code as they are now, in a form that can be stored."""
    return tuple((part.kind, part.name, part.place, part.digest) for part in PartsReader(task).parts)


def why(task: Any, before: StoredCall | None, now: StoredCall, stored: Any) -> str:
    """Return why a call isn't answered: "`scale` was redefined in cell 12", "input `x`", "no entry".

    Args:
        task: the task.
        before: the latest stored call.
        now: this call, without parts.
        stored: what is stored under the key of this call, None if nothing is.
    """
    if stored is not None:
        return _stored_but_wrong(stored)
    if before is None:
        return "no entry"
    said = [] if before.code == now.code else list(_changed_code(before.parts, parts_of(task)))
    names = dict.fromkeys((*before.inputs, *now.inputs))
    said += [f"input `{name}`" for name in names if before.inputs.get(name) != now.inputs.get(name)]
    said += ["what it sends, or its image, has changed"] if before.image != now.image else []
    more = [f"{len(said) - _MOST_NAMED} more"] if len(said) > _MOST_NAMED else []
    return ", ".join([*said[:_MOST_NAMED], *more]) or "no entry"


def _stored_but_wrong(stored: Any) -> str:
    match stored:
        case (_, tuple(reads)):
            changed = [read.name for read in (FileRead(*read) for read in reads) if not read.is_current()]
            if changed:
                return f"file {changed[0]} has changed since it was read"
    return "the stored outputs can't be read any more"


def _changed_code(
    before: tuple[tuple[str, str, str, str], ...], now: tuple[tuple[str, str, str, str], ...]
) -> Iterator[str]:
    earlier, later = _by_key(before), _by_key(now)
    changed = [key for key in later if key in earlier and earlier[key][1] != later[key][1]]
    for kind, name in changed or sorted(earlier.keys() ^ later.keys()):
        place = later.get((kind, name), ("", ""))[0]
        if kind in _WORDS:
            yield _WORDS[kind].format(name)
        elif (kind, name) not in changed:
            yield f"`{name}` was {'added' if (kind, name) in later else 'removed'}"
        elif place.startswith("cell "):
            yield f"`{name}` was redefined in {place.partition(',')[0]}"
        else:
            yield f"`{name}` has changed" + (f" in {place.partition(':')[0]}" if ".py" in place else "")
    if not changed and earlier.keys() == later.keys():
        yield "the version of Python or of a library"


def _by_key(parts: tuple[tuple[str, str, str, str], ...]) -> Mapping[tuple[str, str], tuple[str, str]]:
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, name, place, digest in sorted(parts):
        before = found.get((kind, name), ("", ""))[1]
        found[kind, name] = place, before + digest
    return found


def _key(name: str) -> str:
    return f"flytenb-latest-{name}"
