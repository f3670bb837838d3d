"""A verb of `%flyte`: name, argument, options, handler, completion and help in one object."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.line import REPEATED, REST, is_expression, parse_call, parse_expression, split_options

if TYPE_CHECKING:
    from flytenb.notebook.magics.cursor import Cursor, Offer
    from flytenb.notebook.magics.invocation import Invocation


def _no_texts(cursor: Cursor) -> Iterable[str]:
    return ()


def _no_offer(cursor: Cursor) -> Offer | None:
    return None


def _as_written(text: str) -> Any:
    return text


@dataclass(frozen=True)
class Option:
    """An option of a verb.

    Attributes:
        name: without the dashes.
        help: one line.
        values: the placeholders of its values; none for a switch.
        read: converts the text of a value; raises UsageError.
        complete: the texts offered for a value.
        kind: what these texts are, for the front end.
        is_repeated: whether it may be given several times.
        takes_rest: whether its value is the rest of the line, where that is a Python expression.
        short: a letter that is accepted in place of the name, after one dash.
    """

    name: str
    help: str
    values: tuple[str, ...] = ()
    read: Callable[[str], Any] = _as_written
    complete: Callable[[Cursor], Iterable[str]] = _no_texts
    kind: str = "value"
    short: str = ""
    is_repeated: bool = False
    takes_rest: bool = False

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The placeholders of its values, then `…` if it is repeated, or `""` if it takes the rest of the line."""
        return (*self.values, *[REPEATED] * self.is_repeated, *[REST] * self.takes_rest)

    @property
    def usage(self) -> str:
        """The option with its placeholders: `--depth N`."""
        return " ".join([f"--{self.name}", *filter(None, self.placeholders)])


@dataclass(frozen=True)
class Argument:
    """The argument of a verb: what is accepted between the verb and its options.

    Attributes:
        usage: the placeholder, `""` if the verb takes no argument.
        noun: what is missing if it is left out, as in `%flyte draw needs a name`; `""` for an optional argument.
        example: an argument, for the hint.
        check: raises UsageError for a text that isn't one, called with the text and the verb's name.
        is_complete: whether a text can be the whole argument, with options behind it.
        complete: what is offered while it is typed.
    """

    usage: str = ""
    noun: str = ""
    example: str = ""
    check: Callable[[str, str], Any] = parse_expression
    is_complete: Callable[[str], bool] = is_expression
    complete: Callable[[Cursor], Offer | None] = _no_offer

    @classmethod
    def word(cls, usage: str, complete: Callable[[Cursor], Offer | None]) -> Argument:
        """Return an optional argument that is a word and not evaluated."""
        return cls(usage, check=lambda text, verb: None, is_complete=lambda text: True, complete=complete)

    @classmethod
    def call(cls, usage: str, complete: Callable[[Cursor], Offer | None]) -> Argument:
        """Return a required argument that is a call."""
        return cls(usage, "a call", "my_workflow(n=3)", parse_call, complete=complete)


NOTHING = Argument(is_complete=lambda text: True)
"""No argument."""


@dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes:
        name: the word after `%flyte`.
        summary: one sentence.
        handler: called with the parsed line; its result is the value of the line.
        argument: what the verb takes.
        options: the options, in the order of the help.
        details: further sentences of the help.
    """

    name: str
    summary: str
    handler: Callable[[Invocation], Any]
    argument: Argument = NOTHING
    options: tuple[Option, ...] = ()
    details: str = ""

    def option(self, name: str) -> Option | None:
        """Return the option of a name."""
        return next((option for option in self.options if option.name == name), None)

    def spell_out(self, rest: str) -> str:
        """Return the rest of a line with the names of options in place of their letters."""
        for option in self.options:
            if option.short:
                rest = re.sub(rf"(?<!\S)-{option.short}(?=\s)", f"--{option.name}", rest)
        return rest

    def parse(self, rest: str) -> tuple[str, dict[str, Any]]:
        """Split the rest of a line into the argument and the converted options.

        Raises:
            UsageError: for a missing, unexpected or malformed argument, or a wrong option.
        """
        known = {option.name: option.placeholders for option in self.options}
        argument, options = split_options(self.spell_out(rest), known, self.name, self.argument.is_complete)
        if self.argument is NOTHING:
            if argument:
                raise UsageError(f"unexpected argument {argument!r}", hint=f"%flyte {self.name} takes none")
        elif argument:
            self.argument.check(argument, self.name)
        elif self.argument.noun:
            hint = f"%flyte {self.name} {self.argument.example}"
            raise UsageError(f"%flyte {self.name} needs {self.argument.noun}", hint=hint)
        return argument, {option.name: _read(option, options[option.name]) for option in self._given(options)}

    def _given(self, options: Mapping[str, Any]) -> list[Option]:
        return [option for option in self.options if option.name in options]

    @property
    def usage(self) -> str:
        """The line with its placeholders."""
        words = ["%flyte", self.name, self.argument.usage, *(f"[{option.usage}]" for option in self.options)]
        return " ".join(word for word in words if word)

    @property
    def help(self) -> Help:
        """The usage, the summary, the options and the details."""
        width = max((len(option.usage) for option in self.options), default=0)
        options = "\n".join(f"{option.usage:<{width}}    {option.help}" for option in self.options)
        return Help("\n\n".join(text for text in (self.usage, self.summary, options, self.details) if text))


def _read(option: Option, value: Any) -> Any:
    if not option.values:
        return True
    return tuple(map(option.read, value)) if isinstance(value, tuple) else option.read(value)


@dataclass(frozen=True)
class Help:
    """A help text; its repr is the text."""

    text: str

    def __repr__(self) -> str:
        return self.text


def overview(verbs: Mapping[str, Verb]) -> Help:
    """Return the help of `%flyte` itself: one line for each verb."""
    lines = {"%flyte": "List the tasks, workflows and launch plans of this notebook."}
    for verb in verbs.values():
        more = " …" if verb.options else ""
        lines[f"%flyte {verb.name} {verb.argument.usage}".rstrip() + more] = verb.summary
    width = max(map(len, lines))
    table = "\n".join(f"{usage:<{width}}   {summary}" for usage, summary in lines.items())
    return Help(
        f"Draw, run and inspect the entities of this notebook.\n\n{table}\n\n"
        "`run` takes a Python call, evaluated in the notebook, and returns the run: `run = %flyte run wf(n=3)`.\n"
        "`%flyte help VERB`, `%flyte VERB --help` and `%flyte VERB?` describe the options of one verb."
    )
