"""`%flyte run`: its options are the settings of a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flytenb.errors import UsageError, closest
from flytenb.notebook.magics.arguments import CALL, nodes
from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.line import is_expression
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.notebook.magics.verbs.launch import config_files
from flytenb.session.configuration import RULES, Rule, check

_FLAGS = {flag: (name, value) for name, rule in RULES.items() for flag, (value, _) in rule.flags.items()}
"""The options without a value: the setting and the value that each chooses."""


OF_A_SESSION = ("background", "resume", "from", "only", "set", "keep-answers")
"""The options that aren't settings and make sense in a session only."""


def _run(line: Invocation) -> Any:
    from flytenb import api

    prepared = api.options(**chosen_settings(line.options, line.names), **_resuming(line))
    entity, positional, inputs = line.call()
    if "background" in line.options:
        return prepared.start(entity, *positional, **inputs)
    return prepared.run(entity, *positional, **inputs)


def _resuming(line: Invocation) -> dict[str, Any]:
    """Return which run is resumed, and how."""
    given = line.options
    chosen: dict[str, Any] = {"resume": True} if "resume" in given else {}
    chosen |= {"from_node": given["from"]} if "from" in given else {}
    chosen |= {"only_node": given["only"]} if "only" in given else {}
    chosen |= {"keep_answers": True} if "keep-answers" in given else {}
    outputs = {}
    for text in given.get("set", ()):
        node, equals, expression = text.partition("=")
        if not equals or not is_expression(expression.strip()):
            raise UsageError(f"expected NODE.OUTPUT=EXPR, got {text!r}", hint="--set n2.o0=5")
        outputs[node.strip()] = line.evaluate(expression.strip())
    return {**chosen, "outputs": outputs} if outputs else chosen


def chosen_settings(options: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that some options choose.

    Args:
        options: the options.
        names: the variables of the notebook, of which `--on` may name a cluster.

    Raises:
        UsageError: for two options that choose different values, or a value that isn't accepted.
    """
    chosen: dict[str, Any] = {}
    chosen_by: dict[str, str] = {}
    for option, given in options.items():
        if option in OF_A_SESSION:
            continue
        if option == "on":
            cluster, listed = given
            chosen["on_cluster"] = _nodes_on(cluster, listed, names)
            continue
        name, value = _FLAGS.get(option, (option, given))
        if name in chosen:
            raise UsageError(f"--{chosen_by[name]} and --{option} exclude each other", hint="leave out one of them")
        check(name, value, f"--{option}")
        chosen[name], chosen_by[name] = value, option
    return chosen


def _nodes_on(cluster: str, listed: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cluster of each node in `fit,evaluate`.

    Raises:
        UsageError: for a name that isn't a cluster's, or a missing node.
    """
    from flytenb import api
    from flytenb.session.cluster_place import ClusterPlace

    found: Any = names.get(cluster)
    files = [file for file in (cluster, f"{cluster}.yaml") if Path(file).is_file()]
    if not isinstance(found, ClusterPlace):
        if cluster != "cluster" and not files:
            known = [name for name, value in names.items() if isinstance(value, ClusterPlace)]
            hint = closest(cluster, ["cluster", *known])
            raise UsageError(f"expected a cluster after --on, got {cluster!r}", hint=f"{hint}, or a file NAME.yaml")
        found = api.cluster(None if cluster == "cluster" else files[0])
    chosen = [node.strip() for node in listed.split(",")]
    if not all(chosen):
        raise UsageError(
            f"expected nodes separated by commas after --on {cluster}, got {listed!r}", hint="fit,evaluate"
        )
    return dict.fromkeys(chosen, found)


def _suggest_on(cursor: Cursor) -> Iterable[str]:
    """Return clusters, then the nodes that are left after those that the word contains."""
    if cursor.words[-2] == "--on":
        return ("cluster", *cursor.names.clusters(), *config_files(cursor))
    chosen, comma, _ = cursor.word.rpartition(",")
    return [f"{chosen}{comma}{node}" for node in nodes(cursor) if node not in chosen.split(",")]


def _number(text: str) -> Any:
    """Return an integer where the text is one; the setting's own check reports other texts."""
    try:
        return int(text)
    except ValueError:
        return text


def _suggest(rule: Rule, cursor: Any) -> tuple[str, ...]:
    return rule.suggestions()


def _nodes(cursor: Cursor) -> Iterable[str]:
    return cursor.names.nodes(re.findall(r"[\w.]+", cursor.rest))


def _options() -> Iterator[Option]:
    for name, rule in RULES.items():
        if rule.metavar:
            yield Option(name, rule.help, (rule.metavar,), _number, partial(_suggest, rule))
        for flag, (_, text) in rule.flags.items():
            yield Option(flag, text)
    yield Option(
        "on",
        "execute nodes on a cluster: `cluster`, a variable or a file NAME.yaml, then paths or names of tasks",
        ("CLUSTER", "NODES"),
        complete=_suggest_on,
    )
    yield Option("resume", "re-use what succeeded in the last run and hasn't changed since")
    yield Option("from", "run this node and what follows it, re-use the others", ("NODE",), complete=_nodes)
    yield Option("only", "run this node alone, on its inputs of the last run", ("NODE",), complete=_nodes)
    yield Option("set", "a value in the place of an output", ("NODE.OUTPUT=EXPR",), complete=_nodes, is_repeated=True)
    yield Option("keep-answers", "gates take their answers of the last run")
    yield Option("background", "return at once; run.wait(), await run and run.cancel() follow it")


VERB = Verb(
    name="run",
    summary="Run a call, evaluated in the notebook, and return the run.",
    handler=_run,
    argument=CALL,
    options=tuple(_options()),
    details="`--from`, `--only` and `--set` resume too. `run = %flyte run wf(n=3)` keeps the run. `%flyte settings` "
    "lists the settings of runs without options.",
)
