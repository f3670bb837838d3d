"""Specs of the modules that were registered last, for a module that differs only in what specs don't depend on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flytekit.configuration import ImageConfig
from flytekit.configuration.default_images import DefaultImages

from flytenb.bridge.cluster.module_outline import installed_packages, is_plain, outline
from flytenb.bridge.cluster.spec_process import environment
from flytenb.bridge.cluster.specs import EntitySpec, SpecRequest
from flytenb.locks import new_lock

_MOST = 8
"""Modules whose specs are kept."""
_SHORTEST = 16
"""Characters of a version that nothing else in a spec contains by chance."""


@dataclass(frozen=True)
class SpecSource:
    """What the specs of a module depend on, except for its version and the address of its archive.

    Attributes:
        key: the module's outline, the packages that it imports, settings and variables.
        tree: the syntax tree of the module.
    """

    key: tuple[Any, ...]
    tree: ast.Module = field(repr=False, compare=False)

    @classmethod
    def of(
        cls, files: Mapping[str, bytes], request: SpecRequest, read: Callable[[str], ast.Module]
    ) -> SpecSource | None:
        """Read a module; None if it has other files with it, can't be compiled, or isn't plain text.

        Args:
            files: the content of the module's file and of those beside it, by their paths.
            request: what the specs are made of.
            read: compiles a module and returns its syntax tree, or raises SyntaxError.
        """
        if [*files] != [file := f"{request.module}.py"]:
            return None
        try:
            text = files[file].decode()
            tree = read(text)
        except (SyntaxError, ValueError):
            return None
        packages = installed_packages(tree)
        if packages is None or not {"\r", "\f", "\0"}.isdisjoint(text):
            return None
        images = ImageConfig.auto(request.config_file, request.image or DefaultImages.default_image()).to_json()
        key = (
            outline(text, tree),
            packages,
            replace(request, version="", archive=""),
            images,
            tuple(sorted(environment().items())),
        )
        return cls(key, tree)


class KnownSpecs:
    """Specs by what they depend on."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._kept: dict[tuple[Any, ...], tuple[SpecRequest, tuple[EntitySpec, ...]]] = {}

    def find(self, source: SpecSource, request: SpecRequest) -> tuple[EntitySpec, ...] | None:
        """Return the specs of a known source with the version and archive of a request; None if it isn't known."""
        with self._lock:
            found = self._kept.get(source.key)
        if found is None:
            return None
        before, specs = found
        pairs = [(before.archive, request.archive), (before.version, request.version)]
        return None if _is_ambiguous(pairs, source.key) else tuple(_with(spec, pairs) for spec in specs)

    def keep(self, source: SpecSource, request: SpecRequest, specs: tuple[EntitySpec, ...]) -> None:
        """Keep the specs of a module if they depend on its source only."""
        if not is_plain(source.tree):
            return
        with self._lock:
            self._kept.pop(source.key, None)
            self._kept[source.key] = (request, specs)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]


def _is_ambiguous(pairs: Sequence[tuple[str, str]], key: tuple[Any, ...]) -> bool:
    """Whether texts can't be replaced in messages: they differ in length, are short, or may come from elsewhere."""
    [archive, version] = pairs
    lengths = {len(old.encode()) - len(new.encode()) for old, new in pairs}
    others = repr(key)
    return (
        lengths != {0}
        or min(map(len, version)) < _SHORTEST
        or any(old in others for old, _ in pairs)
        or any(version[0] in each for each in archive)
    )


def _with(spec: EntitySpec, pairs: Sequence[tuple[str, str]]) -> EntitySpec:
    message = spec.message
    for old, new in pairs:
        message = message.replace(old.encode(), new.encode())
    return replace(spec, message=message)


known_specs = KnownSpecs()
