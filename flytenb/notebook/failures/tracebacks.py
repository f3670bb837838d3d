"""Replacements for two methods of a shell: error cards of runs, short tracebacks of definitions, one `error` output."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from flytenb.errors import FlytenbError, has_group
from flytenb.notebook.emphasis import emphasized, has_colors

if TYPE_CHECKING:
    from collections.abc import Callable

    from flytenb.session import Session


class Tracebacks:
    """The methods `_showtraceback` and `showtraceback` of a shell; errors of other code are shown as before.

    Args:
        shell: the shell.
        session: has the runs, and keeps the error shown last in its short form.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell = shell
        self._session = session
        self._show: Callable[..., None] = type(shell)._showtraceback
        self._show_any: Callable[..., None] = shell.showtraceback

    def show(self, etype: Any, error: BaseException, lines: list[str]) -> None:
        """Show an error (`_showtraceback`) without the frames of flytekit and flytenb, and with a hint."""
        from flytenb.notebook.failures.short_error import has_own_card, printable

        is_run = self._session.run_of(error) is not None
        short = self._in_short(error, lines) if not has_own_card(error) else None
        if is_run or short is not None:
            self._session.short_error = error
        is_shown_by_us = is_run or short is not None or isinstance(error, FlytenbError)
        shown = printable(error, is_shown_by_us=is_shown_by_us)
        result = getattr(self._shell.displayhook, "exec_result", None)
        if shown is not error and result is not None and result.error_in_exec is error:
            result.error_in_exec = shown  # IPython and ipykernel read its message again
        lines = _cleaned(error, lines) if short is None else short
        is_card = is_shown_by_us and (short is not None or hasattr(error, "_render_traceback_"))
        if is_card and has_colors(self._shell):
            lines = emphasized(lines, is_page=getattr(self._shell, "kernel", None) is not None)
        self._show(self._shell, etype if shown is error else type(shown), shown, lines)

    def _in_short(self, error: BaseException, lines: list[str]) -> list[str] | None:
        from flytenb.display.runs.hints import hint_for
        from flytenb.notebook.failures.short_error import short_lines

        # Another mode was chosen by the user, with %xmode.
        short = short_lines(error, self._shell) if self._shell.InteractiveTB.mode == "Context" else []
        if short:
            return short
        hint = hint_for(error)
        if hint:
            lines += [f"hint: {hint}"]
        return None

    def choose(self, *args: Any, **options: Any) -> None:
        """Choose how an error is shown (`showtraceback`).

        IPython (9.17) ignores `_render_traceback_` of groups, exits and syntax errors, and prints errors that came from
        a group to standard error, so that no `error` output reaches the notebook. Here they are shown like others.
        """
        shell = self._shell
        given = args[0] if args else options.get("exc_tuple")
        etype, error, _ = shell._get_exc_info(given) if given or sys.exc_info()[0] else (None, None, None)
        self._attach_card(error)
        card = getattr(error, "_render_traceback_", None)
        is_special = has_group(error) or (card and isinstance(error, SystemExit | SyntaxError))
        if error is None or not is_special:
            self._show_any(*args, **options)
            return
        shell._showtraceback(etype, error, card() if card else "".join(traceback.format_exception(error)).splitlines())
        if shell.call_pdb:
            shell.debugger(force=True)

    def _attach_card(self, error: BaseException | None) -> None:
        """Attach the card to the error of a run that was not waited for here: `run.result` raises it."""
        from flytenb.display.runs.error_card import ErrorCard
        from flytenb.notebook.failures.error_cards import attach

        run = self._session.run_of(error)
        if run is not None and not isinstance(getattr(error, "_render_traceback_", None), ErrorCard):
            attach(run, self._shell)


def _cleaned(error: BaseException, lines: list[str]) -> list[str]:
    """Remove control characters from an error of ours, which quotes values of the user."""
    from flytenb.wording.values import clean

    return [clean(line) for line in lines] if isinstance(error, FlytenbError) else lines
