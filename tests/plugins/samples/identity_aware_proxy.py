"""The commands that make tokens for Identity Aware Proxy."""

from click.testing import CliRunner
from flytekit import task, workflow
from flytekitplugins.identity_aware_proxy.cli import cli


@task
def commands(option: str) -> list[str]:
    shown = CliRunner().invoke(cli, [option]).output
    return [name for name in cli.commands if name in shown]


@workflow
def listed(option: str) -> list[str]:
    return commands(option=option)


ENTITY = listed
INPUTS = {"option": "--help"}
EXPECTED = ["generate-user-id-token", "generate-service-account-id-token"]
