"""Import plugins, serialise, run or rehearse their samples, in the Python that this is run with.

Usage: python -m tests.plugins.try_plugin [--plain] NAME …

Prints a JSON object in a line for each plugin; anything else that is printed goes to stderr. With `--plain`, flytekit
runs the sample without flytenb.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import json
import os
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass
from types import ModuleType

from tests.plugins.catalogue import PLUGINS, Plugin


@dataclass(frozen=True)
class Trial:
    """How far a plugin got: `step` is the one that failed, or the last one if `error` is empty."""

    name: str
    step: str
    error: str = ""


def try_plugin(plugin: Plugin, *, is_plain: bool) -> Trial:
    """Take the steps one after the other, until one fails or what the plugin needs isn't there."""
    step = "import"
    try:
        importlib.import_module(plugin.module)
        from tests.plugins.templates import template_of

        sample = importlib.import_module(f"tests.plugins.samples.{plugin.sample}")
        step = "serialise"
        template_of(sample.ENTITY)
        if hasattr(sample, "ANSWER"):
            step = "rehearse"
            rehearse(sample)
        elif not plugin.needs:
            step = "run"
            (run_plain if is_plain else run)(sample)
    except Exception as error:
        traceback.print_exc()
        return Trial(plugin.name, step, f"{type(error).__name__}: {error}")
    return Trial(plugin.name, step)


def run(sample: ModuleType) -> None:
    """Run a sample by flytenb and hold the run against what the sample expects."""
    import flytenb

    made = flytenb.run(sample.ENTITY, **sample.INPUTS)
    if hasattr(sample, "EXPECTED"):
        assert made.result == sample.EXPECTED, f"expected {sample.EXPECTED!r}, got {made.result!r}"
    else:
        sample.check(made)


def rehearse(sample: ModuleType) -> None:
    """Rehearse a sample and have it check what would be sent."""
    import flytenb

    sample.check(flytenb.rehearse(sample.ENTITY, **sample.INPUTS, with_=sample.ANSWER))


def run_plain(sample: ModuleType) -> None:
    """Call a sample as flytekit runs it locally."""
    result = sample.ENTITY(**sample.INPUTS)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def main() -> int:
    """Try the plugins that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=PLUGINS, metavar="NAME")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    report = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)  # where plugins leave their files
        for name in options.names:
            print(json.dumps(asdict(try_plugin(PLUGINS[name], is_plain=options.plain))), file=report, flush=True)
        os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
