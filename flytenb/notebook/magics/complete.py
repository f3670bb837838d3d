"""Tab in a `%flyte` or `%%task` line: verbs, options, entities, input names and values, nodes, types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from flytenb.notebook.magics.offers import Notebook
from flytenb.notebook.magics.options import OPTIONS, Options

if TYPE_CHECKING:
    from flytenb.session import Session

_LINE = re.compile(r"^\s*(?:[\w.\[\]\"']+\s*=\s*)?%flyte\s+(.*)$")
_CELL = re.compile(r"^%%(task|workflow|dynamic|eager)\s+(.*)$")
_KEY = re.compile(r"(\w+)\.(?:nodes\[[\"']([^\"']*)[\"']\]\.)?(nodes|inputs|outputs)\[[\"']([^\"']*)$")
_ENTITY_VERBS = frozenset({"draw", "run", "form"})
_VALUES: Mapping[str, tuple[str, ...]] = {"workers": ("1", "2", "4", "8"), "depth": ("0", "1", "2", "3")}
_ENDINGS = ("svg", "png", "dot", "html", "mmd", "txt")


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
        self._notebook = Notebook(session, namespace)

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
        return self._after_verb(verb, rest.lstrip())

    def _after_verb(self, verb: str, rest: str) -> Offer | None:
        words = rest.split(" ")
        last = words[-1]
        known = OPTIONS.get(verb, {})
        call = _open_call(rest)
        if last.startswith("--") and call is None:
            return self._option(verb, words)
        if option := _option_before(words, known):
            return self._value(option, rest, last)
        if call is not None and verb == "run":
            return self._inside_call(*call)
        if verb in ("debug", "error"):
            return _offer(last, self._notebook.failed_nodes(), "node") if len(words) == 1 else None
        if verb == "help":
            return _offer(last, OPTIONS, "verb") if len(words) == 1 else None
        if _has_expression(words[:-1], known) and not last:
            return self._option(verb, words)
        return self._expression(verb, rest, last)

    def _expression(self, verb: str, rest: str, last: str) -> Offer | None:
        """What the verb is about."""
        if verb == "show":
            return self._shown(rest)
        name = re.search(r"[\w.]*$", rest)
        assert name is not None, "nothing is a match too"
        if verb == "type":
            return _offer(name[0], self._notebook.types(), "type")
        if verb in _ENTITY_VERBS and last == name[0]:
            runs = self._notebook.runs() if verb == "draw" else ()
            return _offer(last, [*self._notebook.entities(), *runs], "entity")
        return None

    def _option(self, verb: str, words: list[str]) -> Offer | None:
        used = {word.lstrip("-") for word in words[:-1] if word.startswith("--")}
        options = [f"--{name}" for name in OPTIONS.get(verb, ()) if name not in used]
        return _offer(words[-1], [*options, "--help"] if len(words) == 1 else options, "option")

    def _value(self, option: str, rest: str, last: str) -> Offer | None:
        """A value of an option."""
        names = re.findall(r"[A-Za-z_][\w.]*", rest)
        if option == "save":
            stems = [name for name in names if self._notebook.entity(name) is not None] or ["drawing"]
            return _offer(last, [f"{stems[0].rpartition('.')[2]}.{ending}" for ending in _ENDINGS], "file")
        if option in _VALUES:
            return _offer(last, _VALUES[option], "value")
        if option == "sample":
            return _offer(last, self._notebook.values(), "value")
        return _offer(last, self._notebook.nodes(names), "node")

    def _shown(self, rest: str) -> Offer | None:
        """A value of the notebook, or of a run: `run.outputs["o0"]`, `run.nodes["n0"].inputs["x"]`."""
        found = _KEY.search(rest)
        if found is None:
            name = re.search(r"(?<![\w.\"'\])])[A-Za-z_]?\w*$", rest)
            return _offer(name[0], [*self._notebook.values()], "value") if name is not None else None
        run = self._notebook.run(found[1])
        if run is None:
            return None
        holder: Any = run if found[2] is None else run.nodes[found[2]]
        return _offer(found[4], getattr(holder, found[3]), "key")

    def _inside_call(self, function: str, arguments: str) -> Offer | None:
        """An input's name, or a value that its type lists."""
        from flytenb.bridge.entities.source import input_types

        entity = self._notebook.entity(function)
        if entity is None:
            return None
        return self._named(arguments, input_types(entity), "input")

    def _argument(self, kind: str, arguments: str) -> Offer | None:
        """An argument of the decorator that the cell's line belongs to."""
        from flytenb.bridge.workflow.definition import decorator_arguments

        return self._named(arguments, decorator_arguments(kind), "argument")

    def _named(self, arguments: str, types: Mapping[str, Any], kind: str) -> Offer | None:
        """The name of what may be given, or a value for it."""
        current = _last_argument(arguments)
        name, is_value, value = current.partition("=")
        if is_value:
            argument = name.strip() if kind == "argument" else ""
            declared = types.get(name.strip())
            return (
                None
                if declared is None
                else _offer(value.lstrip(), self._notebook.values_of(declared, argument), "value")
            )
        given = set(re.findall(r"(\w+)\s*=(?!=)", arguments))
        return _offer(current.lstrip(), [f"{name}=" for name in types if name not in given], kind)


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


def _option_before(words: list[str], known: Options) -> str | None:
    """The option whose value the last word is."""
    for back in (2, 3):
        if len(words) >= back and words[-back].startswith("--"):
            name = words[-back][2:]
            return name if len(known.get(name, ())) >= back - 1 else None
    return None


def _has_expression(words: list[str], known: Options) -> bool:
    """Whether any of the words is neither an option nor the value of one."""
    left = 0
    for word in filter(None, words):
        if word.startswith("--"):
            left = len(known.get(word[2:], ()))
        elif left:
            left -= 1
        else:
            return True
    return False


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
