"""Tab in a `%flyte` or `%%task` line: verbs, options, entities, input names and values, nodes."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from flytenb.magics.options import NODE_OPTIONS, OPTIONS

if TYPE_CHECKING:
    from flytenb.session import Session

_LINE = re.compile(r"^\s*(?:[\w.\[\]\"']+\s*=\s*)?%flyte\s+(.*)$")
_CELL = re.compile(r"^%%(task|workflow|dynamic|eager)\s+(.*)$")
_ENTITY_VERBS = frozenset({"draw", "run", "check", "export", "form", "launch"})


@dataclass(frozen=True)
class Offer:
    """What Tab offers: texts of one kind that take the place of `fragment`."""

    fragment: str
    texts: tuple[str, ...]
    kind: str


class Completer:
    """Knows what may come next in a line.

    Args:
        session: the entities and runs.
        namespace: the notebook's variables.
    """

    def __init__(self, session: Session, namespace: Mapping[str, Any]) -> None:
        self._session = session
        self._namespace = namespace

    def offer(self, line: str) -> Offer | None:
        """Return what may stand at the end of the line, None if the line is none of ours."""
        if found := _CELL.match(line):
            return self._argument(found[1], found[2])
        found = _LINE.match(line)
        if found is None:
            return None
        verb, space, rest = found[1].partition(" ")
        if not space:
            return _offer(verb, OPTIONS, "verb")
        return self._after_verb(verb, rest)

    def _after_verb(self, verb: str, rest: str) -> Offer | None:
        words = rest.split(" ")
        last = words[-1]
        if last.startswith("--"):
            used = {word.lstrip("-") for word in words[:-1] if word.startswith("--")}
            options = [f"--{name}" for name in OPTIONS.get(verb, ()) if name not in used]
            return _offer(last, [*options, "--help"] if len(words) == 1 else options, "option")
        option = _option_before(words, OPTIONS.get(verb, {}))
        if option in NODE_OPTIONS:
            return _offer(last, self._nodes(rest), "node")
        if option is not None:
            return None
        if verb == "debug":
            return _offer(last, self._failed(), "node")
        call = _open_call(rest)
        if call is not None and verb != "show":
            return self._inside_call(*call)
        if verb in _ENTITY_VERBS and re.fullmatch(r"[\w.]*", last):
            return _offer(last, self._entities(), "entity")
        return None

    def _inside_call(self, function: str, arguments: str) -> Offer | None:
        """An input's name, or a value that its type lists."""
        from flytenb.bridge.definition_facts import input_types

        entity = self._entity(function)
        if entity is None:
            return None
        types = input_types(entity)
        current = _last_argument(arguments)
        name, is_value, value = current.partition("=")
        if is_value:
            declared = types.get(name.strip())
            return _offer(value.lstrip(), _values(declared), "value") if declared is not None else None
        given = set(re.findall(r"(\w+)\s*=(?!=)", arguments))
        return _offer(current.lstrip(), [f"{name}=" for name in types if name not in given], "input")

    def _argument(self, kind: str, arguments: str) -> Offer | None:
        """An argument of the decorator that the cell's line belongs to."""
        from flytenb.bridge.definition import decorator_arguments

        current = _last_argument(arguments)
        if "=" in current:
            return None
        given = set(re.findall(r"(\w+)\s*=(?!=)", arguments))
        return _offer(current.lstrip(), [f"{n}=" for n in decorator_arguments(kind) if n not in given], "argument")

    def _nodes(self, rest: str) -> list[str]:
        """The nodes of the entity that the line names."""
        from flytenb.bridge.graphs import read_graph

        for word in re.findall(r"[A-Za-z_]\w*", rest):
            entity = self._entity(word)
            if entity is not None:
                nodes = [node for node in read_graph(entity).nodes.values() if not node.is_pseudo]
                return list(dict.fromkeys([*(n.path for n in nodes), *(n.name for n in nodes)]))
        return []

    def _failed(self) -> list[str]:
        """The nodes that failed in the last run that did, by path and by name."""
        run = next((run for run in reversed(self._session.runs) if run.error is not None), None)
        if run is None:
            return []
        paths = [path for path, node in run.nodes.items() if node.error is not None]
        names = [run.graph.nodes[path].name for path in paths if path in run.graph.nodes]
        return list(dict.fromkeys([*paths, *names]))

    def _entities(self) -> list[str]:
        """The notebook's entities, also those of the cell that was run just now."""
        from flytenb.bridge.entities import is_entity

        return [n for n, value in list(self._namespace.items()) if not n.startswith("_") and is_entity(value)]

    def _entity(self, name: str) -> Any:
        from flytenb.bridge.entities import is_entity

        found = self._session.definitions.get(name)
        if found is not None:
            return found.entity
        value = self._namespace.get(name)
        return value if is_entity(value) else None


def matcher(completer: Completer, ready: Callable[[], bool]) -> Any:
    """Return a matcher for `shell.Completer.custom_matchers`.

    Args:
        completer: what knows.
        ready: whether flytekit is there; until then nothing is offered, Tab must not wait.
    """

    @context_matcher(identifier="flytenb")  # type: ignore[untyped-decorator]
    def match(context: CompletionContext) -> SimpleMatcherResult:
        line = context.text_until_cursor.rpartition("\n")[2]
        try:
            offer = completer.offer(line) if ready() else None
        except Exception:
            offer = None  # Tab never shows an error
        if offer is None:
            return SimpleMatcherResult(completions=[])
        completions = [SimpleCompletion(text, type=offer.kind) for text in offer.texts]
        return SimpleMatcherResult(completions=completions, matched_fragment=offer.fragment, suppress=bool(completions))

    return match


def _offer(fragment: str, texts: Iterable[str], kind: str) -> Offer:
    return Offer(fragment, tuple(text for text in texts if text.startswith(fragment)), kind)


def _option_before(words: list[str], known: Mapping[str, int]) -> str | None:
    """The option whose value the last word is."""
    for back in (2, 3):
        if len(words) >= back and words[-back].startswith("--"):
            name = words[-back][2:]
            return name if known.get(name, 0) >= back - 1 else None
    return None


def _open_call(text: str) -> tuple[str, str] | None:
    """The function and the arguments of the outermost call that is still open."""
    found = re.match(r"^(?:--\S+\s+\S+\s+)*([A-Za-z_][\w.]*)\((.*)$", text, flags=re.S)
    if found is None or _depth(found[2]) < 0:
        return None
    return found[1], found[2]


def _depth(text: str) -> int:
    """How many brackets are open at the end, outside of strings; negative once the call itself is closed."""
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
    """What stands behind the last comma that is at the level of the call."""
    start = 0
    for at, character in enumerate(arguments):
        if character == "," and _depth(arguments[:at]) == 0:
            start = at + 1
    return arguments[start:]


def _values(declared: Any) -> list[str]:
    """The values that a type lists: members of an Enum, a Literal's, True and False."""
    found: list[str] = []
    for kind in (declared, *typing.get_args(declared)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            found += [f"{kind.__name__}.{member.name}" for member in kind]
        elif kind is bool:
            found += ["True", "False"]
        elif kind is type(None):
            found.append("None")
    if typing.get_origin(declared) is typing.Literal:
        found += [repr(value) for value in typing.get_args(declared)]
    return found
