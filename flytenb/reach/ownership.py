"""The user's own code and installed code: one written rule.

Installed, and known by name and version, is

- what Python itself brings, flytenb and flytekit;
- every file below a directory called `site-packages` or `dist-packages` (an environment's, the user's, the system's,
  wherever it was put on `sys.path`), and every `.egg`;
- on any other entry of `sys.path`, each top-level module or package that the `RECORD` of a `*.dist-info` there lists,
  as `pip install --target` leaves it.

Everything else is the user's own and known by its content: cells, scripts, modules beside the notebook, packages on
`PYTHONPATH`, and what is installed as editable, since its files are not in the directory that records it.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from flytenb.bridge.installation import flytekit_directory

_MAKERS = frozenset(["abc", "dataclasses", "enum", "types", "typing", "typing_extensions"])
"""Modules of Python whose functions make classes for their caller."""
_HEAP = 1 << 9
"""Of a type's flags: it wasn't made in C."""
_INSTALLED = frozenset(["site-packages", "dist-packages"])


def is_own_class(cls: type) -> bool:
    """Tell whether the user wrote a class."""
    name = type.__getattribute__(cls, "__module__")
    if type(name) is not str or name in sys.builtin_module_names or name.startswith("_cython_"):
        return False
    module = sys.modules.get(name)
    if module is None or is_own_module(module):
        return True
    # `make_dataclass`, `new_class` and a metaclass that is called leave the name of their own module.
    return name in _MAKERS and cls.__qualname__.partition(".")[0] not in vars(module) and bool(cls.__flags__ & _HEAP)


def is_own_module(module: ModuleType) -> bool:
    """Tell whether the user wrote a module; a notebook has no file, and neither has what is built into Python."""
    scope = object.__getattribute__(module, "__dict__")
    if scope.get("__name__") == "__main__":
        return True
    file = scope.get("__file__")
    if type(file) is str:
        return not is_installed(file)
    spec = scope.get("__spec__")
    if spec is None:
        return (
            scope.get("__name__") not in sys.builtin_module_names
            and scope.get("__name__") not in sys.stdlib_module_names
        )
    places = getattr(spec, "submodule_search_locations", None)  # of a namespace package
    return spec.origin is None and any(not is_installed(str(place)) for place in places or ())


def is_installed(filename: str) -> bool:
    """Tell whether a file belongs to what is installed."""
    return _is_installed(filename, tuple(sys.path))


def installed_entries() -> tuple[str, ...]:
    """Return the entries of `sys.path` on which an installer recorded packages, as `pip install --target` does."""
    return tuple(entry for entry in sys.path if entry and _recorded((entry,)))


@lru_cache(maxsize=16384)
def _is_installed(filename: str, entries: tuple[str, ...]) -> bool:
    if filename.startswith(_python_roots()):
        return True
    path = Path(filename)
    if not _INSTALLED.isdisjoint(path.parts) or any(part.endswith(".egg") for part in path.parts):
        return True
    recorded = _recorded(entries)
    return bool(recorded) and not recorded.isdisjoint([path, *path.parents])


@cache
def _python_roots() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    homes = [paths["stdlib"], paths["platstdlib"], flytekit_directory(), Path(__file__).parents[1]]
    return (*(f"{home}/" for home in homes), "<frozen ")


@lru_cache(maxsize=8)
def _recorded(entries: tuple[str, ...]) -> frozenset[Path]:
    """The modules and packages on these entries that an installer recorded beside them."""
    roots: set[Path] = set()
    for entry in entries:
        folder = Path(entry or ".")
        if folder.name in _INSTALLED or not folder.is_dir():
            continue
        roots |= {folder / top for record in folder.glob("*.dist-info/RECORD") for top in _tops(record)}
    return frozenset(roots)


@cache
def version_of(module: str) -> str:
    """Return what the top package of an installed module is known by: its distributions and their versions."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "__main__":
        return "python {}.{}.{}".format(*sys.version_info)
    try:
        return f"{top} {_version(top)}"
    except (metadata.PackageNotFoundError, ValueError):
        return " ".join(sorted(_distributions(tuple(sys.path)).get(top, ()))) or top


def _version(distribution: str) -> str:
    """Return the version of a distribution; parsing all of its metadata takes longer than a small run."""
    header = metadata.distribution(distribution).read_text("METADATA") or ""
    found = header.partition("\nVersion: ")[2].partition("\n")[0]
    return found or metadata.version(distribution)


@lru_cache(maxsize=8)
def _distributions(entries: tuple[str, ...]) -> dict[str, list[str]]:
    """The distributions on these entries, as `name-version`, by the packages that they bring."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        for record in Path(entry or ".").glob("*.dist-info/RECORD"):
            for top in _tops(record):
                found.setdefault(top.removesuffix(".py"), []).append(record.parent.name.removesuffix(".dist-info"))
    return found


def _tops(record: Path) -> set[str]:
    """The modules and packages that an installer put beside a distribution's metadata."""
    lines = record.read_text("utf-8", "replace").splitlines()
    tops = {line.partition(",")[0].partition("/")[0] for line in lines}
    return {top for top in tops if not top.endswith((".dist-info", ".pth")) and top != ".."}
