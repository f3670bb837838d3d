"""Commands with an option for each input of an entity: `flytenb run` and `flytenb launch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import rich_click as click

from flytenb import api
from flytenb.cli.input_options import given_inputs, input_options
from flytenb.cli.json_values import json_value
from flytenb.cli.reply import ALL_CELLS, JSON, NOTEBOOK, Reply, missing_name, opened
from flytenb.cli.run_progress import follow
from flytenb.cli.verb_options import given_options
from flytenb.display.runs.error_card import card_lines
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import say
from flytenb.notebook.failures.error_cards import cell_names
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.notebook.headless import HeadlessNotebook
    from flytenb.runner.run import Run

SETTING = "setting_"
"""What the names of options begin with that aren't inputs."""
TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Write the whole traceback of an error.")
Answer: TypeAlias = "Callable[[HeadlessNotebook, Any, dict[str, Any], dict[str, Any], bool], Reply]"
"""Takes the notebook, the entity, its inputs, the options, and whether errors have tracebacks; returns the reply."""


def entity_command(name: str, options: Sequence[click.Option], answer: Answer, text: str) -> click.Command:
    """Return a command that takes a notebook, an entity and its inputs.

    Args:
        name: of the verb.
        options: those of the verb; an option that an input is named as must stand before the notebook.
        answer: does what the verb does.
        text: what the verb does.
    """
    usage = f"flytenb {name} NOTEBOOK ENTITY [--INPUT VALUE]"

    def command_of(cells: HeadlessNotebook, named: str, given: dict[str, Any]) -> click.Command:
        entity = cells.evaluate(named)
        inputs = list(input_options(entity))
        taken = {text for option in inputs for text in (*option.opts, *option.secondary_opts)}
        common = [option for option in (*options, JSON, TRACEBACK) if taken.isdisjoint(option.opts)]

        def run(**params: Any) -> int:
            chosen = given | {key: value for key, value in params.items() if value}
            reply = answer(
                cells, entity, given_inputs(params), given_options(chosen, SETTING), bool(chosen["traceback"])
            )
            return reply.write(as_json=chosen["as_json"])

        about = api.graph(entity).interface.doc or f"{name.capitalize()} {named} of the notebook."
        return click.RichCommand(name=named, params=[*inputs, *common], callback=run, help=about)

    def begin(notebook: Path, entity: str | None, inputs: tuple[str, ...], **given: Any) -> int:
        with opened(notebook) as cells:
            if entity is None or entity.startswith("-"):
                raise missing_name(cells, usage)
            cells.define([entity], everything=given["all_cells"])
            command = command_of(cells, entity, given)
            status: int = command.main(list(inputs), f"flytenb {name} {notebook} {entity}", standalone_mode=False)
            return status

    return click.RichCommand(
        name=name,
        callback=begin,
        params=[
            *options,
            JSON,
            TRACEBACK,
            ALL_CELLS,
            NOTEBOOK,
            click.Argument(["entity"], required=False),
            click.Argument(["inputs"], nargs=-1, type=click.UNPROCESSED, metavar="[--INPUT VALUE]..."),
        ],
        context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False},
        help=f"{text}\n\nOnly the cells that define it are executed. "
        f"`flytenb {name} NOTEBOOK ENTITY --help` lists its inputs.",
    )


def finished(begin: Callable[[], Any]) -> Run:
    """Return the run that a function begins and waits for, when it is over.

    Raises:
        Exception: of the function, if it began no run that has failed. An interrupt is raised as well.
    """
    runs: list[Run] = []

    def watch(run: Run) -> Callable[[], None]:
        runs.append(run)
        return follow(run)

    stop = api.on_run(watch)
    try:
        begin()
    except Exception:
        if not runs or runs[0].error is None:
            raise
    finally:
        stop()
    return runs[0]


def run_reply(run: Run, notebook: HeadlessNotebook | None, *, has_traceback: bool) -> Reply:
    """Return the reply for a run that is over."""
    if run.error is None:
        return Reply(run_bundle(run, show)["text/plain"], run_data(run), str(run.phase) == "SUCCEEDED")
    lines = card_lines(run, cell_names(notebook.shell) if notebook else str)[:-1]  # the last one names a magic
    problem = run.error.full() if has_traceback else "\n".join([*lines, "  the whole traceback: --traceback"])
    return Reply("", run_data(run), is_good=False, problem=str(problem))


def run_data(run: Run) -> dict[str, Any]:
    """Return a run as data."""
    error = run.error
    return {
        "entity": run.name,
        "phase": run.phase,
        "seconds": run.duration,
        "outputs": {name: json_value(value, declared) for name, value, declared in run._declared_outputs()},
        "error": None
        if error is None
        else {"node": error.path, "type": class_name(error.exception), "message": say(error.exception)},
        "nodes": [
            {"path": path, "name": run.graph.nodes[path].name, "phase": state.phase, "seconds": state.duration}
            | {"attempts": state.attempts, "cache": state.cache}
            for path, state in run._states.items()
            if path in run.graph.nodes
        ],
    }
