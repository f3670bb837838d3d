"""The kept runs of a folder: listed, found by their ids, read back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.errors import UnknownNameError, UsageError, closest
from flytenb.model import Phase
from flytenb.record.kept_run import KeptRun
from flytenb.record.run_description import unpack
from flytenb.record.run_keeper import KeepRules
from flytenb.record.run_store import RunStore, StoreError
from flytenb.runner.sizes import read_size
from flytenb.session.kept_heads import KeptHead

if TYPE_CHECKING:
    from flytenb.runner.settings import Settings


def keep_rules(settings: Settings) -> KeepRules | None:
    """Return where and how long runs are kept by some settings; None if they aren't."""
    if not settings.keep:
        return None
    return KeepRules(folder_of(settings.keep), settings.keep_days, read_size(settings.keep_size) or 0)


def folder_of(keep: str) -> Path:
    """Return the folder that a setting names; a relative one is in the working directory."""
    return Path(keep).expanduser().absolute()


def kept_heads(folder: Path) -> list[KeptHead]:
    """Return the runs in a folder, oldest first; warn of those that are damaged, and of a folder that can't be used."""
    store = RunStore(folder, is_made=False)
    try:
        return _heads_in(store)
    finally:
        store.close()


def _heads_in(store: RunStore) -> list[KeptHead]:
    if not store.exists:
        return []
    try:
        heads = store.heads()
    except StoreError as e:
        warnings.warn(f"the kept runs can't be listed: {e}", stacklevel=3)
        return []
    damaged = [run for run, head in heads.items() if head is None]
    if damaged:
        said = ", ".join(map(repr, damaged))
        warnings.warn(f"damaged runs in {store.folder} are left out: {said}", stacklevel=3)
    return [_head(run, unpack(head)) for run, head in heads.items() if head is not None]


def _head(run: str, head: Mapping[str, Any]) -> KeptHead:
    return KeptHead(
        run, head["name"], head.get("entity", ""), head["phase"], head["started"], head["ended"], head["why"]
    )


def last_kept(folder: Path, entity: Any) -> list[KeptRun]:
    """Return the last kept run of an entity, and before it, unless it succeeded, the last one that did.

    A run that can't be read is passed over with a warning.
    """
    found: list[KeptRun] = []
    for head in reversed(kept_heads(folder)):
        if head.entity == entity.name and (not found or head.phase == Phase.SUCCEEDED):
            with suppress(UnknownNameError):
                found.insert(0, load(folder, head.id, {head.name: entity}))
                if head.phase == Phase.SUCCEEDED:
                    break
    return found


def load(folder: Path, wanted: str, entities: Mapping[str, Any], *, may_unpickle: bool = False) -> KeptRun:
    """Read a run back.

    Args:
        folder: the folder of kept runs.
        wanted: the id of the run, or its first characters.
        entities: the notebook's entities, by name.
        may_unpickle: whether its values may be unpickled.

    Raises:
        UnknownNameError: if there is no such run, or what is stored of it is damaged.
    """
    store = RunStore(folder, is_made=False)
    try:
        heads = {head.id: head for head in _heads_in(store)}
        found = [run for run in heads if run.startswith(wanted)] if wanted else []
        if len(found) > 1 and wanted not in found:
            raise UsageError(f"expected the id of one run, got {wanted!r}", hint=f"it may be {', '.join(found)}")
        if found:
            run = wanted if wanted in found else found[0]
            try:
                stored = store.read(run)
                if stored is not None:
                    entity = entities.get(heads[run].name)
                    return KeptRun(run, stored, store.files_of(run), entity, may_unpickle=may_unpickle)
            except StoreError as e:
                warnings.warn(f"the kept run {run!r} can't be read: {e}", stacklevel=2)
            else:
                warnings.warn(f"the kept run {run!r} is damaged", stacklevel=2)
    finally:
        store.close()
    raise UnknownNameError(f"no kept run {wanted!r} in {folder}", hint=closest(wanted, heads))
