"""A magic line taken apart: verb, options, and a Python expression that stays Python."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from flytenb.errors import UsageError, closest
from flytenb.notebook.magics.options import Options

_ASKED = re.compile(r"\s*%flyte\s+(\w+)\s*\?{1,2}\s*")
_WORD = re.compile(r'"([^"]*)"|\'([^\']*)\'|(\S+)')


@dataclass(frozen=True)
class Call:
    """A call as written: what is called (`wf`), and the call itself with its function's place still to be filled."""

    function: str
    tree: ast.Expression

    def with_function(self, name: str) -> ast.Expression:
        """The same call of whatever stands under `name`, so that only the arguments are evaluated."""
        call = self.tree.body
        assert isinstance(call, ast.Call)
        called = ast.copy_location(ast.Name(name, ast.Load()), call.func)
        made = ast.copy_location(ast.Call(called, call.args, call.keywords), call)
        return ast.Expression(made)


def ask_help(lines: list[str]) -> list[str]:
    """Read a cell `%flyte run?` as `%flyte help run`; IPython would tell of whatever else its last word names."""
    found = _ASKED.fullmatch("".join(lines))
    return lines if found is None else [f"%flyte help {found[1]}\n"]


def strip_end(line: str) -> str:
    """Return the line without the comment and the semicolons at its end; in quotes they stay."""
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


def parse_names(rest: str, known: Options, *, verb: str) -> tuple[str, dict[str, Any]]:
    """Split the rest of a line into one expression and its options.

    Raises:
        UsageError: for an unknown option, one without its values, or no expression.
    """
    expression, options = _split_options(rest, known, verb)
    if not expression:
        what, example = ("type", "dict[str, int]") if verb == "type" else ("name", "my_workflow")
        raise UsageError(f"%flyte {verb} needs a {what}", hint=f"%flyte {verb} {example}")
    _parse(expression, verb)
    return expression, options


def parse_call(rest: str, known: Options, *, verb: str) -> tuple[Call, dict[str, Any]]:
    """Split the rest of a line into a call and its options.

    Raises:
        UsageError: for an unknown option, or where there is no call.
    """
    expression, options = _split_options(rest, known, verb)
    if not expression:
        raise UsageError(f"%flyte {verb} needs a call", hint=f"%flyte {verb} my_workflow(n=3)")
    tree = _parse(expression, verb)
    if not isinstance(tree.body, ast.Call):
        raise UsageError(f"{expression!r} is no call", hint=f"%flyte {verb} {expression}(…) with its inputs by name")
    return Call(ast.unparse(tree.body.func), tree), options


def _parse(expression: str, verb: str) -> ast.Expression:
    try:
        return ast.parse(expression, mode="eval")
    except SyntaxError as e:
        raise UsageError(f"{expression!r} is no Python expression: {e.msg}", hint=f"%flyte {verb} --help") from None


def _split_options(rest: str, known: Options, verb: str) -> tuple[str, dict[str, Any]]:
    """Options stand before or after the expression, which may itself contain `--` inside a string."""
    before, rest = _take_options(rest, known, verb)
    for cut in _cuts(rest):
        expression, tail = rest[:cut].strip(), rest[cut:]
        if not expression or _is_python(expression):
            after, left = _take_options(tail, known, verb)
            if left:
                raise UsageError(f"what is {left!r} for?", hint="options come before or after the expression")
            return expression, {**before, **after}
    return rest.strip(), before


def _cuts(rest: str) -> list[int]:
    """Places where the options after an expression may begin: at ` --`, the earliest first, or at the end."""
    found = [0] if rest.startswith("--") else []
    at = rest.find(" --")
    while at >= 0:
        found.append(at)
        at = rest.find(" --", at + 1)
    return [*found, len(rest)]


def _is_python(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _take_options(text: str, known: Options, verb: str) -> tuple[dict[str, Any], str]:
    """Take `--name value …` off the front; return them and what is left."""
    options: dict[str, Any] = {}
    rest = text.strip()
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, has_value, value = word[2:].partition("=")
        if name not in known:
            raise UsageError(
                f"%flyte {verb} has no option '--{name}'", hint=closest(name, known) or "it takes no options"
            )
        rest = rest.strip()
        values = [value] if has_value else []
        wanted = len(known[name])
        while len(values) < wanted:
            if not rest or rest.startswith("--"):
                raise UsageError(f"--{name} needs {'a value' if wanted == 1 else f'{wanted} values'}")
            word, rest = _take_word(rest)
            values.append(word)
        options[name] = True if not wanted else values[0] if wanted == 1 else tuple(values)
    return options, rest


def _take_word(text: str) -> tuple[str, str]:
    """Take one word off the front; quotes hold a word with spaces together."""
    found = _WORD.match(text)
    assert found is not None, "the caller has looked: there is a word"
    return next(group for group in found.groups() if group is not None), text[found.end() :].strip()
