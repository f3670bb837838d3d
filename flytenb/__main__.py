"""`python -m flytenb`, the same as the command `flytenb`."""

from flytenb.cli.command_line import run_program

run_program()
