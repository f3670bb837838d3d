"""Completion of `%flyte`, `%%task` and `%%container` lines from the table of verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from flytenb.notebook.magics.arguments import offer_keyword, open_call
from flytenb.notebook.magics.container_line import CELL
from flytenb.notebook.magics.cursor import Cursor, Offer, offer
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.notebook.magics.verbs import VERBS
from flytenb.session.notebook_names import NotebookNames

if TYPE_CHECKING:
    from flytenb.session import Session

_LINE = re.compile(r"^\s*(?:[\w.\[\]\"']+\s*=\s*)?%flyte\s+(.*)$")
_CELL = re.compile(r"^%%(task|workflow|dynamic|eager)\s+(.*)$")
_CONTAINER = re.compile(r"^%%container\s+(.*)$")


class Completer:
    """Offers texts for the end of a line.

    Args:
        session: the session of the notebook.
        namespace: the notebook's variables.
        verbs: the table of verbs.
    """

    def __init__(self, session: Session, namespace: Mapping[str, Any], verbs: Mapping[str, Verb] = VERBS) -> None:
        self._names = NotebookNames(session, namespace)
        self._verbs = verbs

    def offer(self, line: str) -> Offer | None:
        """Return what can follow at the end of a line, None for a line without a magic of ours."""
        if found := _CELL.match(line):
            cursor = Cursor(self._names, found[2], self._verbs)
            return offer_keyword(cursor, found[2], self._names.decorator_types(found[1]), "argument")
        if found := _CONTAINER.match(line):
            return _after_verb(CELL, Cursor(self._names, found[1], self._verbs))
        found = _LINE.match(line)
        if found is None:
            return None
        name, space, rest = found[1].partition(" ")
        if not space:
            return offer(name, self._verbs, "verb")
        verb = self._verbs.get(name)
        if verb is None:
            return None
        return _after_verb(verb, Cursor(self._names, verb.spell_out(rest.lstrip()), self._verbs))


def _after_verb(verb: Verb, cursor: Cursor) -> Offer | None:
    words = cursor.words
    if open_call(cursor.rest) is None:
        if cursor.word.startswith("--"):
            return _options(verb, cursor)
        if option := _option_before(words, verb):
            return cursor.offer(option.complete(cursor), option.kind)
        if verb.options and not cursor.word and _has_argument(words[:-1], verb):
            return _options(verb, cursor)
    return verb.argument.complete(cursor)


def _options(verb: Verb, cursor: Cursor) -> Offer:
    used = {word.lstrip("-") for word in cursor.words[:-1] if word.startswith("--")}
    names = [f"--{option.name}" for option in verb.options if option.name not in used]
    return cursor.offer([*names, "--help"] if len(cursor.words) == 1 else names, "option")


def _option_before(words: list[str], verb: Verb) -> Option | None:
    """Return the option whose value the last word is."""
    for back in (2, 3):
        if len(words) >= back and words[-back].startswith("--"):
            option = verb.option(words[-back][2:])
            return option if option is not None and len(option.values) >= back - 1 else None
    return None


def _has_argument(words: list[str], verb: Verb) -> bool:
    """Tell whether any of the words is neither an option nor the value of one."""
    left = 0
    for word in filter(None, words):
        if word.startswith("--"):
            option = verb.option(word[2:])
            left = 0 if option is None else len(option.values)
        elif left:
            left -= 1
        else:
            return True
    return False


def matcher(completer: Completer, is_ready: Callable[[], bool]) -> Any:
    """Return a matcher for `shell.Completer.custom_matchers`.

    Args:
        completer: makes the offers.
        is_ready: whether flytekit has been imported; before that nothing is offered, since Tab must not wait.
    """

    @context_matcher(identifier="flytenb")  # type: ignore[untyped-decorator]
    def match(context: CompletionContext) -> SimpleMatcherResult:
        line = context.text_until_cursor.rpartition("\n")[2]
        try:
            offer = completer.offer(line) if is_ready() else None
        except Exception:
            offer = None  # Tab never shows an error
        if offer is None:
            return SimpleMatcherResult(completions=[])
        completions = [SimpleCompletion(text, type=offer.kind) for text in offer.texts]
        return SimpleMatcherResult(completions=completions, matched_fragment=offer.fragment, suppress=bool(completions))

    return match
