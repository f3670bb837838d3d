"""`%flyte run`: its options are the settings of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.arguments import CALL
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.session.configuration import RULES, Rule, check

_FLAGS = {flag: (name, value) for name, rule in RULES.items() for flag, (value, _) in rule.flags.items()}
"""The options without a value: the setting and the value that each chooses."""


def _run(line: Invocation) -> Any:
    from flytenb import api

    prepared = api.options(**chosen_settings(line.options))
    entity, positional, inputs = line.call()
    if "background" in line.options:
        return prepared.start(entity, *positional, **inputs)
    return prepared.run(entity, *positional, **inputs)


def chosen_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that some options choose.

    Raises:
        UsageError: for two options that choose different values, or a value that isn't accepted.
    """
    chosen: dict[str, Any] = {}
    chosen_by: dict[str, str] = {}
    for option, given in options.items():
        if option == "background":
            continue
        name, value = _FLAGS.get(option, (option, given))
        if name in chosen:
            raise UsageError(f"--{chosen_by[name]} and --{option} exclude each other", hint="leave out one of them")
        check(name, value, f"--{option}")
        chosen[name], chosen_by[name] = value, option
    return chosen


def _number(text: str) -> Any:
    """Return an integer where the text is one; the setting's own check reports other texts."""
    try:
        return int(text)
    except ValueError:
        return text


def _suggest(rule: Rule, cursor: Any) -> tuple[str, ...]:
    return rule.suggestions()


def _options() -> Iterator[Option]:
    for name, rule in RULES.items():
        if rule.metavar:
            yield Option(name, rule.help, (rule.metavar,), _number, partial(_suggest, rule))
        for flag, (_, text) in rule.flags.items():
            yield Option(flag, text)
    yield Option("background", "return at once; run.wait(), await run and run.cancel() follow it")


VERB = Verb(
    name="run",
    summary="Run a call, evaluated in the notebook, and return the run.",
    handler=_run,
    argument=CALL,
    options=tuple(_options()),
    details="`run = %flyte run wf(n=3)` keeps the run. `%flyte settings` lists the settings of runs without options.",
)
