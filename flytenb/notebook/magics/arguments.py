"""The arguments that several verbs take, each with its completion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.cursor import Cursor, Offer, offer
from flytenb.notebook.magics.line import parse_call
from flytenb.notebook.magics.verb import Argument

_KEY = re.compile(r"(\w+)\.(?:nodes\[[\"']([^\"']*)[\"']\]\.)?(nodes|inputs|outputs)\[[\"']([^\"']*)$")
_RUN_CALL = re.compile(r"^(?:--\S+\s+(?:[^\s(]+\s+){0,2})*([A-Za-z_][\w.]*)\((.*)$", flags=re.S)


def _complete_entity(cursor: Cursor) -> Offer | None:
    return cursor.offer(cursor.names.entities(), "entity") if _is_name(cursor.word) else None


def _complete_entity_or_run(cursor: Cursor) -> Offer | None:
    names = [*cursor.names.entities(), *cursor.names.runs()]
    return cursor.offer(names, "entity") if _is_name(cursor.word) else None


def _complete_type(cursor: Cursor) -> Offer | None:
    return offer(_last_name(cursor.rest), cursor.names.types(), "type")


def _complete_value(cursor: Cursor) -> Offer | None:
    """Offer a variable, or a key of a run: `run.outputs["o0"]`, `run.nodes["n0"].inputs["x"]`."""
    found = _KEY.search(cursor.rest)
    if found is None:
        name = re.search(r"(?<![\w.\"'\])])[A-Za-z_]?\w*$", cursor.rest)
        return offer(name[0], cursor.names.values(), "value") if name is not None else None
    run = cursor.names.run(found[1])
    if run is None:
        return None
    holder: Any = run if found[2] is None else run.nodes[found[2]]
    return offer(found[4], getattr(holder, found[3]), "key")


def _complete_call(cursor: Cursor) -> Offer | None:
    """Offer an entity; inside the parentheses an input's name, or a value of its type."""
    call = open_call(cursor.rest)
    if call is None:
        return _complete_entity(cursor)
    types = cursor.names.input_types(call[0])
    return None if types is None else offer_keyword(cursor, call[1], types, "input")


def _complete_failed_node(cursor: Cursor) -> Offer | None:
    return cursor.offer(cursor.names.failed_nodes(), "node") if len(cursor.words) == 1 else None


def _complete_verb(cursor: Cursor) -> Offer | None:
    return cursor.offer(cursor.verbs, "verb") if len(cursor.words) == 1 else None


ENTITY = Argument("ENTITY", "a name", "my_workflow", complete=_complete_entity)
ENTITIES = Argument("[ENTITY]", "", "my_workflow", complete=_complete_entity)
ENTITY_OR_RUN = Argument("ENTITY", "a name", "my_workflow", complete=_complete_entity_or_run)
CALL = Argument.call("ENTITY(INPUT=…)", _complete_call)
OPTIONAL_CALL = Argument("[ENTITY(INPUT=…)]", "", "my_workflow(n=3)", parse_call, complete=_complete_call)
VALUE = Argument("EXPRESSION", "an expression", "my_run.outputs", complete=_complete_value)
TYPE = Argument("TYPE", "a type", "dict[str, int]", complete=_complete_type)
FAILED_NODE = Argument.word("[NODE]", _complete_failed_node)
VERB = Argument.word("[VERB]", _complete_verb)


# --- values of options ------------------------------------------------------------------------------------------------


def nodes(cursor: Cursor) -> Iterable[str]:
    """Return the nodes of the entity or run that the line names."""
    return cursor.names.nodes(names_in(cursor.rest))


def names_in(text: str) -> list[str]:
    """Return the names, dotted ones as a whole, in a text."""
    return re.findall(r"[A-Za-z_][\w.]*", text)


def read_count(text: str) -> int:
    """Read an integer >= 0.

    Raises:
        UsageError: if the text isn't one.
    """
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"--depth must be an integer >= 0, got {text!r}", hint="--depth 1")
    return int(text)


# --- calls ------------------------------------------------------------------------------------------------------------


def offer_keyword(cursor: Cursor, arguments: str, types: Mapping[str, Any], kind: str) -> Offer | None:
    """Offer the name of a keyword argument, or a value for it.

    Args:
        cursor: the end of the line.
        arguments: the text after the opening parenthesis.
        types: the declared types by name.
        kind: `input` or `argument` (of a decorator).
    """
    current = _last_argument(arguments)
    name, has_value, value = current.partition("=")
    if not has_value:
        given = set(re.findall(r"(\w+)\s*=(?!=)", arguments))
        return offer(current.lstrip(), [f"{name}=" for name in types if name not in given], kind)
    declared = types.get(name.strip())
    if declared is None:
        return None
    argument = name.strip() if kind == "argument" else ""
    return offer(value.lstrip(), cursor.names.values_of(declared, argument), "value")


def open_call(text: str) -> tuple[str, str] | None:
    """Return the function and the arguments of the outermost call that is still open."""
    found = _RUN_CALL.match(text)
    if found is None or _depth(found[2]) < 0:
        return None
    return found[1], found[2]


def _depth(text: str) -> int:
    """Return how many brackets are open at the end, outside of strings; negative after the call's own closing one."""
    depth, quote = 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                return depth
    return depth


def _last_argument(arguments: str) -> str:
    """Return the text after the last comma at the level of the call."""
    start = 0
    for at, character in enumerate(arguments):
        if character == "," and _depth(arguments[:at]) == 0:
            start = at + 1
    return arguments[start:]


def _is_name(word: str) -> bool:
    return re.fullmatch(r"[\w.]*", word) is not None


def _last_name(text: str) -> str:
    name = re.search(r"[\w.]*$", text)
    assert name is not None, "the empty match is one too"
    return name[0]
