"""Captures of registries of the standard library; of those modules that are loaded."""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flytenb.reach.library_objects import contents
from flytenb.reach.state_captures import Restore, all_of, attribute, attributes, getter_and_setter

_HELD = (
    *("copyreg.dispatch_table", "sqlite3.adapters", "sqlite3.converters", "xml.etree.ElementTree._namespace_map"),
    *("mimetypes.types_map", "mimetypes.encodings_map", "mimetypes.suffix_map", "mimetypes.common_types"),
    *("shutil._ARCHIVE_FORMATS", "shutil._UNPACK_FORMATS", "webbrowser._browsers", "webbrowser._tryorder"),
    *("email.charset.CHARSETS", "email.charset.ALIASES", "email.charset.CODEC_MAP", "doctest.OPTIONFLAGS_BY_NAME"),
)
_ERROR_HANDLERS = (
    *("strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace", "surrogateescape"),
    "surrogatepass",
)


def registries() -> Restore:
    """Capture what is registered; search functions of codecs and new error handlers can't be removed."""
    held = [_held(name) for name in _HELD]
    restores = [contents(value) for value in held if value is not None]
    restores += [_mime_types(), _dialects(), _error_handlers()]
    captures: list[Callable[[], Restore]] = [
        getter_and_setter("csv.field_size_limit", "field_size_limit"),
        getter_and_setter("calendar.firstweekday", "setfirstweekday"),
        attributes("urllib.request._opener", "zoneinfo._tzpath.TZPATH"),
        lambda: attribute("builtins", "_"),  # of gettext
    ]
    return all_of([*restores, *(capture() for capture in captures)])


def _held(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(sys.modules.get(module), attribute, None)


def _mime_types() -> Restore:
    """The tables of `mimetypes`, which it makes when it is first asked."""
    module: Any = sys.modules.get("mimetypes")
    if module is None:
        return lambda: None
    if module._db is None:
        module.init()
    database = module._db
    tables = [*database.types_map, *database.types_map_inv, database.encodings_map, database.suffix_map]
    before = attributes(*(f"mimetypes.{n}" for n in ("_db", "inited", "types_map", "encodings_map", "suffix_map")))()
    lists = [contents(each) for table in database.types_map_inv for each in table.values()]
    return all_of([before, *lists, *map(contents, tables)])


def _dialects() -> Restore:
    before = {name: csv.get_dialect(name) for name in csv.list_dialects()}

    def restore() -> None:
        for name in csv.list_dialects():
            if name not in before:
                csv.unregister_dialect(name)
        for name, dialect in before.items():
            with suppress(csv.Error):
                if csv.get_dialect(name) is dialect:
                    continue
            csv.register_dialect(name, dialect)  # type: ignore[arg-type] # it takes an instance as well

    return restore


def _error_handlers() -> Restore:
    before = {name: codecs.lookup_error(name) for name in _ERROR_HANDLERS}

    def restore() -> None:
        for name, handler in before.items():
            if codecs.lookup_error(name) is not handler:
                codecs.register_error(name, handler)

    return restore
