"""`%flyte` and the cell magics. Errors are raised, never printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand

from flytenb.errors import UsageError, closest
from flytenb.notebook.magics.cell import cell_number, define
from flytenb.notebook.magics.container_line import define_container
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.line import split_verb, strip_end
from flytenb.notebook.magics.setting_traits import setting_traits
from flytenb.notebook.magics.verb import overview
from flytenb.notebook.magics.verbs import VERBS
from flytenb.session import Session
from flytenb.session.configuration import Choice, check

_CONFIG = "%config FlyteMagics.{}"
_CONFIG_FILE = "c.FlyteMagics.{} in ipython_config.py"


@magics_class
class FlyteMagics(Magics):
    """The magics of one shell, and the settings of its runs as traits.

    Args:
        shell: the IPython shell.
        session: the session of the notebook.
        ready: waits until flytekit has been imported; raises if it can't be.
    """

    vars().update(setting_traits())

    def __init__(self, shell: Any, session: Session, ready: Callable[[], None]) -> None:
        self._session = session
        self._ready = ready
        self._is_configured = False
        kept = dict(session.configured)
        session.configured.clear()
        super().__init__(shell)  # sets the traits that IPython's configuration names
        self.shell: Any = shell
        self._is_configured = True
        for name, choice in kept.items():
            if choice.place == _CONFIG.format(name):
                setattr(self, name, choice.value)

    def choose(self, name: str, value: Any) -> Any:
        """Keep the value of a setting in the session; None removes it.

        A value of IPython's configuration is checked when it is used, so that a mistake there doesn't prevent loading.

        Raises:
            UsageError: if the setting doesn't accept the value.
        """
        if value is None:
            self._session.configured.pop(name, None)
            return None
        place = (_CONFIG if self._is_configured else _CONFIG_FILE).format(name)
        if self._is_configured:
            check(name, value, place)
        self._session.configured[name] = Choice(value, place)
        return value

    @no_var_expand
    @needs_local_scope
    @line_magic
    def flyte(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        self._ready()
        name, rest = split_verb(strip_end(line))
        name = "help" if name in ("--help", "-h") else name
        self._session.update(self.shell.user_ns, cell_number(self.shell), "")
        if not name:
            from flytenb import api

            return api.entities(self._session)
        if name not in VERBS:
            raise UsageError(f"unknown verb {name!r} of %flyte", hint=closest(name, VERBS))
        verb = VERBS[name]
        if rest == "-h" or rest.split()[-1:] == ["--help"]:
            return verb.help
        argument, options = verb.parse(rest)
        names = {**self.shell.user_ns, **(local_ns or {})}
        result = verb.handler(Invocation(name, argument, options, self.shell, self._session, names, VERBS))
        if "save" in options:
            print(f"wrote {Path(options['save']).absolute()}")  # noqa: T201
        return result

    flyte.__doc__ = overview(VERBS).text

    @no_var_expand
    @cell_magic
    def task(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a task; the line is the argument list of `@task`.

        Functions whose name starts with an underscore stay functions; imports and classes run unchanged.
        """
        self._define("task", line, cell)

    @no_var_expand
    @cell_magic
    def workflow(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a workflow; the line is the argument list of `@workflow`."""
        self._define("workflow", line, cell)

    @no_var_expand
    @cell_magic
    def dynamic(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell a dynamic task; the line is the argument list of `@dynamic`."""
        self._define("dynamic", line, cell)

    @no_var_expand
    @cell_magic
    def eager(self, line: str, cell: str) -> None:
        """Make every top-level function of the cell an eager task; the line is the argument list of `@eager`."""
        self._define("eager", line, cell)

    @no_var_expand
    @cell_magic
    def container(self, line: str, cell: str) -> None:
        """Make the cell, which is in another language, a task that runs in a container.

            %%container --lang r --image r-base:4.4 fit(xs: list[float], ys: list[float]) -> kwtypes(slope=float)
            slope <- coef(lm(ys ~ xs))[[2]]

        Typed inputs are variables of the code, typed outputs are read from variables of their names.
        """
        self._ready()
        define_container(self.shell, strip_end(line), cell)

    def _define(self, kind: str, line: str, cell: str) -> None:
        self._ready()
        define(self.shell, kind, strip_end(line), cell)
