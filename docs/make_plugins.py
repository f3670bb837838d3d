"""Write docs/plugins.md: what becomes of each plugin of flytekit beside flytenb, tried in an environment of its own.

Usage: python docs/make_plugins.py [NAME …]

Without names, all plugins are tried; with names, the other rows stay as they are. Needs uv.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.plugins.catalogue import PLUGINS, Plugin  # noqa: E402
from tests.plugins.environments import install, made_environment, uv  # noqa: E402

PAGE = Path(__file__).parent / "plugins.md"
HEAD = """\
# Plugins of flytekit

Each plugin of flytekit's own repository, installed beside flytenb on Linux. `make plugins` writes this page: it
installs each plugin into an environment of its own with the newest releases that fit, imports it, serialises a
sample (`tests/plugins/samples`) with flytekit and runs it with flytenb.

- **runs**: the sample ran, and what it asserts held. Packages that the plugin needs and doesn't declare are named.
- **rehearsed**: `flytenb.rehearse` ran the sample without the service, and the request was as the sample asserts.
- **imports only**: the sample was serialised and not run; the row names what is missing.
- **fails**: the row quotes the error; *in flytekit too* if flytekit's own local run fails in the same way.
  A plugin that fails to import does so before flytenb is imported.
- **holds back**: packages that flytenb depends on (with pandas and pyarrow) and that the plugin keeps from their newest
  release. A plugin that needs an older major release needs an environment of its own.
- **suite**: whether the test suite runs the sample, in one environment with the others that have a ✓.

| plugin | adds | release | flytekit | outcome | holds back | suite | tried |
|---|---|---|---|---|---|---|---|
"""
INSTALL_TIME, TRIAL_TIME = 900, 600
"""Seconds that an installation and a trial may take."""
_LONGEST = 240


def row(plugin: Plugin, newest: Mapping[str, str]) -> str:
    """Try a plugin and return its row of the table."""
    with tempfile.TemporaryDirectory(prefix="flytenb-plugin-", ignore_cleanup_errors=True) as folder:
        python = made_environment(Path(folder) / "environment")
        refusal = installed(python, plugin)
        found = {} if refusal else versions(uv("pip", "freeze", "--python", str(python)).stdout)
        outcome = f"cannot be installed: {refusal}" if refusal else tried(python, plugin, folder)
    release = found.get(plugin.distribution, "")
    if release and release != newest["flytekit"]:
        outcome = f"resolves to an old release; {outcome}"
    held = ", ".join(
        f"{name} {found[name]}" for name in sorted(newest) if name in found and is_older(name, found, newest)
    )
    sample = f"[{plugin.name}](../tests/plugins/samples/{plugin.sample}.py)"
    today = datetime.datetime.now(datetime.UTC).date()
    cells = [sample, plugin.adds, release, found.get("flytekit", ""), outcome, held, "✓" * plugin.shared, f"{today}"]
    return f"| {' | '.join(cells)} |"


def installed(python: Path, plugin: Plugin) -> str:
    """Install a plugin beside flytenb, with pandas and pyarrow where they fit; return why it can't be, or ''."""
    words = ""
    for extra in ("[frames]", ""):
        requirements = (plugin.distribution, *plugin.requirements)
        try:
            words = install(python, "--editable", f"{ROOT}{extra}", *requirements, timeout=INSTALL_TIME)
        except subprocess.TimeoutExpired:
            return f"takes more than {INSTALL_TIME // 60} minutes"
        if not words:
            return ""
    return in_short(words)


def tried(python: Path, plugin: Plugin, folder: str) -> str:
    """Import a plugin, serialise and run its sample; return what became of it."""
    trial = trial_of(python, plugin, folder)
    if not trial["error"]:
        beside = f", with {', '.join(plugin.requirements)}" if plugin.requirements else ""
        done = {"run": f"runs{beside}", "rehearse": f"rehearsed{beside}; running needs {plugin.needs}"}
        return done.get(trial["step"], f"imports only{beside}; running needs {plugin.needs}")
    where = ""
    if trial["step"] == "run":
        plain = trial_of(python, plugin, folder, "--plain")
        where = " in flytekit too" if plain["error"] == trial["error"] else ", and not in flytekit alone"
    return f"fails to {trial['step']}{where}: {in_short(trial['error'])}"


def trial_of(python: Path, plugin: Plugin, folder: str, *options: str) -> dict[str, Any]:
    """Return what `try_plugin` reports."""
    command = [str(python), "-m", "tests.plugins.try_plugin", *options, plugin.name]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": folder, "HOME": folder}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TRIAL_TIME, check=False
        )
    except subprocess.TimeoutExpired:
        return {"step": "run", "error": f"takes more than {TRIAL_TIME // 60} minutes"}
    print(done.stderr[-4000:], file=sys.stderr)
    lines = done.stdout.splitlines()
    return json.loads(lines[0]) if lines else {"step": "import", "error": done.stderr.strip().rpartition("\n")[2]}


def versions(text: str) -> dict[str, str]:
    """Return the versions in lines `name==version`."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def is_older(name: str, found: Mapping[str, str], newest: Mapping[str, str]) -> bool:
    """Tell whether a package is older than its newest release."""
    numbers = [[int(n) for n in re.findall(r"\d+", release[name])] for release in (found, newest)]
    return numbers[0] < numbers[1]


def in_short(words: str) -> str:
    """Return words of a tool on one line of a table, without what is a path of this machine."""
    line = " ".join(re.sub(r"(file://)?/\S*/", "", words.replace("╰─▶", "").replace("×", "")).split())
    line = re.sub(r"^error: |No solution found when resolving dependencies:? ?", "", line)
    line = line.replace("|", "\\|").replace("`", "'")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def kept() -> Iterator[tuple[str, str]]:
    """Yield the rows that the page has, by the plugin's name."""
    if PAGE.exists():
        for found in re.finditer(r"^\| \[([\w-]+)\].*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
            yield found[1], found[0]


def main() -> int:
    """Try the plugins that are named, or all, and write the page after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(PLUGINS)
    if unknown := sorted(set(names) - set(PLUGINS)):
        parser.error(f"expected names of plugins, got {', '.join(unknown)}; known: {', '.join(PLUGINS)}")
    resolved = uv("pip", "compile", "--quiet", "--no-header", "--extra", "frames", "pyproject.toml")
    newest = versions(resolved.stdout)
    rows = dict(kept())
    for name in names:
        rows[name] = row(PLUGINS[name], newest)
        print(rows[name], flush=True)
        ordered = [rows[each] for each in PLUGINS if each in rows]
        foot = f"\nPython {platform.python_version()}, uv {uv('--version').stdout.split()[1]}.\n"
        PAGE.write_text(HEAD + "".join(f"{each}\n" for each in ordered) + foot, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
