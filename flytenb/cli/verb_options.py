"""The options of a verb of `%flyte` as options of the command line."""

from __future__ import annotations

import re
from typing import Any

import rich_click as click

from flytenb.errors import FlytenbError
from flytenb.notebook.magics.verb import Option, Verb


class OptionType(click.ParamType):  # type: ignore[type-arg] # older versions take no arguments
    """The type of an option's value, read by the verb's own reader.

    Args:
        option: the option.
    """

    def __init__(self, option: Option) -> None:
        self.name = option.values[0]
        self._read = option.read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value) if isinstance(value, str) else value
        except FlytenbError as error:
            self.fail(str(error), param, ctx)


def options_of(verb: Verb, prefix: str = "") -> list[click.Option]:
    """Return the options of a verb; their names begin with a prefix."""
    return [_option(option, prefix) for option in verb.options]


def terminal_text(text: str) -> str:
    """Return a text about a magic as one about the command: without the forms of a cell's line."""
    sentences = re.split(r"(?<=\.) ", re.sub(r"; also -\w [A-Z]+$", "", text))
    return " ".join(each for each in sentences if "[one, two]" not in each).replace("`%flyte ", "`flytenb ")


def _option(option: Option, prefix: str) -> click.Option:
    names = [
        f"--{option.name}",
        *([f"-{option.short}"] if option.short else []),
        prefix + option.name.replace("-", "_"),
    ]
    if not option.values:
        return click.Option(names, is_flag=True, help=terminal_text(option.help))
    return click.Option(
        names,
        type=OptionType(option),
        nargs=len(option.values),
        metavar=" ".join(option.values),
        help=terminal_text(option.help),
    )


def given_options(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the options that were given, by the names of the verb."""
    named = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}
    return {name.replace("_", "-"): value for name, value in named.items() if value not in (None, False)}
