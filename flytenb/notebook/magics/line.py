"""Parser of a magic line: verb, options, and a Python expression or call."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flytenb.errors import UsageError, closest

_HELP_CELL = re.compile(r"\s*%flyte\s+(\w+)\s*\?{1,2}\s*")
_WORD = re.compile(r'"([^"]*)"|\'([^\']*)\'|(\S+)')

REPEATED = "…"
"""The last placeholder of an option that may be given several times."""

REST = ""
"""The last placeholder of an option whose value is the rest of the line, if that is a Python expression."""

Placeholders = Mapping[str, tuple[str, ...]]
"""The options of a verb, each with the placeholders of its values."""


@dataclass(frozen=True)
class Call:
    """A call as it was written.

    Attributes:
        function: the text of what is called.
        tree: the whole call.
    """

    function: str
    tree: ast.Expression

    def with_function(self, name: str) -> ast.Expression:
        """Return the same call of another function, so that only the arguments are evaluated."""
        call = self.tree.body
        assert isinstance(call, ast.Call)
        called = ast.copy_location(ast.Name(name, ast.Load()), call.func)
        made = ast.copy_location(ast.Call(called, call.args, call.keywords), call)
        return ast.Expression(made)


def rewrite_help(lines: list[str]) -> list[str]:
    """Rewrite a cell `%flyte run?` as `%flyte help run`; IPython would inspect the name `run`."""
    found = _HELP_CELL.fullmatch("".join(lines))
    return lines if found is None else [f"%flyte help {found[1]}\n"]


def strip_end(line: str) -> str:
    """Return the line without the comment and the semicolons at its end, except in quotes."""
    at, quote = 0, ""
    while at < len(line):
        if quote:
            if line[at] == "\\":
                at += 1
            elif line.startswith(quote, at):
                at += len(quote) - 1
                quote = ""
        elif line[at] in "'\"":
            quote = line[at] * 3 if line.startswith(line[at] * 3, at) else line[at]
            at += len(quote) - 1
        elif line[at] == "#" and (at == 0 or line[at - 1].isspace() or line[at - 1] == ";"):
            break
        at += 1
    return line if quote else line[:at].rstrip("; \t")


def split_verb(line: str) -> tuple[str, str]:
    """Split `draw wf --depth 2` into the verb and the rest."""
    verb, _, rest = line.strip().partition(" ")
    return verb, rest.strip()


def parse_expression(text: str, verb: str) -> ast.Expression:
    """Parse the Python expression of a line.

    Raises:
        UsageError: if it isn't one.
    """
    try:
        return ast.parse(text, mode="eval")
    except SyntaxError as e:
        raise UsageError(f"expected a Python expression, got {text!r}: {e.msg}", hint=f"%flyte {verb} --help") from None


def parse_call(text: str, verb: str) -> Call:
    """Parse the Python call of a line.

    Raises:
        UsageError: if it isn't one.
    """
    tree = parse_expression(text, verb)
    if not isinstance(tree.body, ast.Call):
        called = text if isinstance(tree.body, ast.Name | ast.Attribute | ast.Subscript) else "NAME"
        raise UsageError(f"expected a call, got {text!r}", hint=f"%flyte {verb} {called}(…) with the inputs by name")
    return Call(ast.unparse(tree.body.func), tree)


def is_expression(text: str) -> bool:
    """Tell whether a text is a Python expression."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def split_options(
    rest: str, known: Placeholders, verb: str, is_argument: Callable[[str], bool] = is_expression
) -> tuple[str, dict[str, Any]]:
    """Split the rest of a line into the argument and the options before or after it.

    Args:
        rest: the line without its verb.
        known: the options of the verb.
        verb: the verb, for messages.
        is_argument: whether a text is a complete argument; an expression may contain ` --` in a string.

    Raises:
        UsageError: for an unknown option, a missing value or a text after the options.
    """
    before, rest = _take_options(rest, known, verb)
    for cut in _cuts(rest):
        argument, tail = rest[:cut].strip(), rest[cut:]
        if not argument or is_argument(argument):
            after, left = _take_options(tail, known, verb)
            if left:
                raise UsageError(f"unexpected argument {left!r}", hint="options go before or after the expression")
            repeated = {n: (*before[n], *after[n]) for n in before.keys() & after if known[n][-1:] == (REPEATED,)}
            return argument, {**before, **after, **repeated}
    return rest.strip(), before


def _cuts(rest: str) -> list[int]:
    """Return where the options after an argument may begin: at each ` --`, the earliest first, or at the end."""
    found = [0] if rest.startswith("--") else []
    at = rest.find(" --")
    while at >= 0:
        found.append(at)
        at = rest.find(" --", at + 1)
    return [*found, len(rest)]


def _take_options(text: str, known: Placeholders, verb: str) -> tuple[dict[str, Any], str]:
    """Take `--name value …` off the front; return the options and what is left."""
    options: dict[str, Any] = {}
    rest = text.strip()
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, has_value, value = word[2:].partition("=")
        if name not in known:
            hint = closest(name, known) or f"%flyte {verb} has no options"
            raise UsageError(f"unknown option '--{name}' of %flyte {verb}", hint=hint)
        rest = rest.strip()
        whole = f"{value} {rest}".strip()
        if known[name][-1:] == (REST,) and is_expression(whole):
            return {**options, name: whole}, ""
        is_repeated = known[name][-1:] == (REPEATED,)
        wanted = sum(1 for each in known[name] if each not in (REPEATED, REST))
        if has_value and not wanted:
            raise UsageError(f"--{name} takes no value, got {value!r}", hint=f"--{name}")
        values = [value] if has_value else []
        while len(values) < wanted:
            if not rest or rest.startswith("--"):
                raise UsageError(f"--{name} needs {'a value' if wanted == 1 else f'{wanted} values'}")
            word, rest = _take_word(rest)
            values.append(word)
        if is_repeated:
            values = [*options.get(name, ()), *values]
        options[name] = True if not wanted else values[0] if wanted == 1 and not is_repeated else tuple(values)
    return options, rest


def _take_word(text: str) -> tuple[str, str]:
    """Take one word off the front; quotes hold a word with spaces together."""
    found = _WORD.match(text)
    assert found is not None, "the caller made sure that a word follows"
    return next(group for group in found.groups() if group is not None), text[found.end() :].strip()
