"""`flytenb run`: the settings of `%flyte run` as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb import api
from flytenb.cli.entity_command import SETTING, entity_command, finished, run_reply
from flytenb.cli.verb_options import options_of
from flytenb.notebook.magics.verbs import VERBS
from flytenb.notebook.magics.verbs.run import chosen_settings

if TYPE_CHECKING:
    from flytenb.cli.reply import Reply
    from flytenb.notebook.headless import HeadlessNotebook


def _run(
    notebook: HeadlessNotebook, entity: Any, inputs: dict[str, Any], options: dict[str, Any], has_traceback: bool
) -> Reply:
    settings = api.options(**chosen_settings(options, notebook.shell.user_ns))
    run = finished(lambda: settings.run(entity, **inputs))
    return run_reply(run, notebook, has_traceback=has_traceback)


RUN = entity_command(
    "run",
    [option for option in options_of(VERBS["run"], SETTING) if "--background" not in option.opts],
    _run,
    "Run a task, workflow or launch plan of a notebook.",
)
