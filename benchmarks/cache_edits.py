"""Simple edits of what a cached function reaches, and what each library's cache answers after them.

Each side runs in an environment of its own (`make bench-peers`) and is given the same thirteen programs twice, in new
processes over one store: as they were and as they are after an edit. The plainly called function is the oracle: an
answer that isn't its own is stale. Each program is then run once more with only a comment added: a body that runs
again for it is a needless miss.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from side import OWN, python_of

EDITS: dict[str, tuple[str, str]] = {
    "the function's own body": ("", "x * {k}"),
    "a helper's body": ("def h(x): return x * {k}", "h(x)"),
    "a helper's helper": ("def g(x): return x * {k}\ndef h(x): return g(x)", "h(x)"),
    "a helper's default": ("def h(x, by={k}): return x * by", "h(x)"),
    "a lambda": ("h = lambda x: x * {k}", "h(x)"),
    "a global number": ("K = {k}", "x * K"),
    "a global dict": ("K = {{'k': {k}}}", "x * K['k']"),
    "a method": ("class A:\n    def m(self, x): return x * {k}", "A().m(x)"),
    "a class attribute": ("class A:\n    _k = {k}", "x * A._k"),
    "a dataclass's default": ("from dataclasses import dataclass\n@dataclass\nclass A:\n    k: int = {k}", "x * A().k"),
    "a closure": ("def make(n):\n    def h(x): return x * n\n    return h\nh = make({k})", "h(x)"),
    "a decorator": (
        "import functools\ndef d(g):\n    @functools.wraps(g)\n    def w(x): return g(x) * {k}\n    return w\n"
        "@d\ndef h(x): return x",
        "h(x)",
    ),
    "an environment variable": ("import os\nos.environ['FACTOR'] = '{k}'", "x * int(os.environ['FACTOR'])"),
}

BODY = """
{before}
def counted():
    with open('ran.txt', 'a') as log: log.write('x')
"""

SIDES: dict[str, str] = {
    "flytenb": """
from flytekit import task
import flytenb
@task(cache=True, cache_version="1")
def f(x: int) -> int:
    counted()
    return {expression}
print(flytenb.run(f, x=7).result)
""",
    "flytekit": """
from flytekit import task, workflow
@task(cache=True, cache_version="1")
def f(x: int) -> int:
    counted()
    return {expression}
@workflow
def wf(x: int) -> int:
    return f(x=x)
print(wf(x=7))
""",
    "joblib": """
from joblib import Memory
@Memory("store", verbose=0).cache
def f(x):
    counted()
    return {expression}
print(f(7))
""",
    "cachier": """
from cachier import cachier
@cachier(cache_dir="store")
def f(x):
    counted()
    return {expression}
print(f(7))
""",
    "pipefunc": """
from pipefunc import Pipeline, pipefunc
@pipefunc(output_name="y", cache=True)
def f(x):
    counted()
    return {expression}
print(Pipeline([f], cache_type="disk", cache_kwargs={{"cache_dir": "store"}})("y", x=7))
""",
    "hamilton": """
import sys
from hamilton import ad_hoc_utils, driver
def y(x: int) -> int:
    counted()
    return {expression}
module = ad_hoc_utils.create_temporary_module(y, module_name="flow")
made = driver.Builder().with_modules(module).with_cache(path="store").build()
print(made.execute(["y"], inputs=dict(x=7))["y"])
""",
    "redun": """
from redun import Scheduler, task
from redun.config import Config
redun_namespace = "edits"
@task()
def f(x):
    counted()
    return {expression}
scheduler = Scheduler(config=Config(dict(backend=dict(db_uri="sqlite:///store.db"))))
scheduler.load()
print(scheduler.run(f(7)))
""",
    "flyte": """
import flyte
env = flyte.TaskEnvironment(name="edits", cache="auto")
@env.task
def f(x: int) -> int:
    counted()
    return {expression}
flyte.init()
print(flyte.with_runcontext(mode="local").run(f, x=7).outputs()[0])
""",
}


def program(side: str, name: str, k: int, comment: str = "") -> str:
    """Return the source of a program: an edit's construct with this number, and the side's cached function."""
    before, expression = (part.format(k=k) for part in EDITS[name])
    source = BODY.format(before=before) + SIDES[side].format(expression=expression)
    return f"# {comment}\n{source}" if comment else source


def answer(side: str, source: str, folder: Path) -> tuple[int, bool]:
    """Run a program in a new process; return its answer and whether the function's body ran."""
    (folder / "program.py").write_text(source)
    ran = folder / "ran.txt"
    ran.write_text("")
    environment = {**os.environ, "HOME": str(folder), "FLYTE_SDK_LOGGING_LEVEL": "50", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(python_of(side)), "program.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"{side} failed: {done.stderr[-600:]}")
    return int(done.stdout.split()[-1].strip("()[],")), bool(ran.read_text())


def measure(side: str, name: str) -> str:
    """Return what a side does about an edit: `"right"`, `"stale"` or, for nothing but a comment, `"needless"`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if answer(side, program(side, name, 2), folder) != (14, True):
            raise RuntimeError(f"{side} answers wrongly at the first call")
        _, ran = answer(side, program(side, name, 2, "a comment"), folder)
        if answer(side, program(side, name, 3), folder)[0] != 21:
            return "stale"
        return "needless" if ran else "right"


def main() -> int:
    """Print a table of all installed sides, and a line of JSON for each; return 1 if flytenb is wrong about an edit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", default=",".join(SIDES))
    options = parser.parse_args()
    sides = [side for side in options.sides.split(",") if side in OWN or python_of(side).exists()]
    found: dict[str, dict[str, str]] = {}
    for side in sides:
        found[side] = {}
        for name in EDITS:
            try:
                found[side][name] = measure(side, name)
            except (RuntimeError, ValueError, IndexError, subprocess.TimeoutExpired) as e:
                found[side][name] = "failed"
                print(f"{side}, {name}: {e}", file=sys.stderr)
        print(json.dumps({"side": side, **found[side]}), flush=True)
    print("| edit |", " | ".join(sides), "|")
    print("|---" * (len(sides) + 1) + "|")
    for name in EDITS:
        print(f"| {name} |", " | ".join(found[side][name] for side in sides), "|")
    return int(any(result != "right" for result in found.get("flytenb", {}).values()))


if __name__ == "__main__":
    sys.exit(main())
