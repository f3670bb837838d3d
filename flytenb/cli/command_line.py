"""The program `flytenb`: its commands, and the exit status of errors."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

import rich_click as click

from flytenb import __version__
from flytenb.errors import FlytenbError, InputError, NotAnEntityError, UnknownNameError, UsageError, headline
from flytenb.wording.text import clean

_COMMANDS = {
    "attach": "cluster_commands",
    "check": "commands",
    "draw": "commands",
    "export": "commands",
    "import": "commands",
    "launch": "cluster_commands",
    "publish": "publish_command",
    "replay": "cluster_commands",
    "run": "run_command",
    "types": "commands",
}
"""The module of each command, imported when it is used."""
_MISUSES = (UsageError, UnknownNameError, InputError, NotAnEntityError)
INTERRUPTED = 130
_BY_SIGNAL = 128
"""What shells add to the number of the signal that has ended a program."""


class _Commands(click.RichGroup):
    """The commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = _COMMANDS.get(cmd_name)
        if home is None:
            return None
        module = f"flytenb.cli.{home}"
        # When flytekit is imported by the main thread, it replaces the handler of interrupts.
        importer = threading.Thread(target=_try_import, args=(module,), daemon=True)
        importer.start()
        importer.join()
        command: click.Command = getattr(import_module(module), cmd_name.upper())
        return command


def _try_import(module: str) -> None:
    with suppress(Exception):  # the main thread meets it again
        import_module(module)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flytenb")
def flytenb() -> None:
    """Draw, run, check, export and launch the tasks and workflows of notebooks: .ipynb and MyST Markdown.

    The exit status is 0 for success, 1 for a failed run or an error that was found, 2 for a wrong command line.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    try:
        status: Any = flytenb.main(arguments, "flytenb", standalone_mode=False)
    except click.ClickException as error:
        click.UsageError(clean(error.format_message()), ctx=getattr(error, "ctx", None)).show()
        return error.exit_code
    except click.Abort:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except FlytenbError as error:
        sys.stderr.write(f"{clean(str(error))}\n")
        return 2 if isinstance(error, _MISUSES) else 1
    except Exception as error:
        sys.stderr.write(f"{headline(error)}\n")
        return 1
    return int(status or 0)


def run_program() -> None:
    """Run the command of this process and end it; a signal that ends programs cancels the run, as an interrupt does."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # whoever started the program has closed it
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
    ended_by: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # a process that has been forked
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        ended_by.append(number)
        handler = signal.getsignal(signal.SIGINT)
        (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)

    owner = os.getpid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    status = main()
    sys.exit(_BY_SIGNAL + ended_by[0] if ended_by and status == INTERRUPTED else status)
