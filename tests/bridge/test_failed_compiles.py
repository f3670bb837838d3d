"""Workflows that don't compile, in a plain script without the extension: each verb fails each time, with one error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import json
import sys
import warnings

import flytenb
from flytekit import LaunchPlan, conditional, dynamic, task, workflow

@task
def say():
    print("hello")

@task
def text(n: int) -> str:
    return str(n)

@task
def inc(n: int) -> int:
    return n + 1

@workflow
def attribute_of_nothing():
    say().oops()

@workflow
def unknown_name(n: int = 1) -> int:
    return missing(n=n)

@workflow
def wrong_input(n: int = 1) -> int:
    return inc(m=n)

@workflow
def raises_after_nodes(n: int = 1) -> int:
    x = inc(n=n)
    if x is not None:
        raise ZeroDivisionError("by the user")
    return x

@workflow
def wrong_output(n: int = 1) -> int:
    return text(n=n)

@workflow
def wrong_count(n: int = 1) -> tuple[int, int]:
    return inc(n=n)

@workflow
def no_annotation(n: int = 1):
    return inc(n=n)

@workflow
def no_end(n: int = 1) -> int:
    return conditional("c").if_(n > 1).then(inc(n=n))

@workflow
def a_circle(n: int = 1) -> int:
    a = inc(n=n)
    b = inc(n=a)
    b >> a
    return b

@workflow
def written(n: int = 1) -> str:
    return f"{inc(n=n)}!"

@workflow
def around(n: int = 1) -> int:
    return raises_after_nodes(n=n)

@workflow
def around_that(n: int = 1) -> int:
    return around(n=n)

@workflow
def around_wrong_output(n: int = 1) -> int:
    return inc(n=wrong_output(n=n))

@workflow
def in_a_case(n: int = 1) -> int:
    return conditional("c").if_(n > 1).then(wrong_output(n=n)).else_().then(inc(n=n))

plan = LaunchPlan.get_or_create(raises_after_nodes, "plan")

@workflow
def through_a_plan(n: int = 1) -> int:
    return plan(n=n)

@dynamic
def dynamic_task(n: int) -> int:
    return raises_after_nodes(n=n)

@workflow
def through_a_dynamic(n: int = 1) -> int:
    return dynamic_task(n=n)

@workflow
def good(n: int = 1) -> int:
    return inc(n=n)

def said(verb, entity):
    try:
        verb(entity)
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    return None

def call(entity):
    return entity()

def start(entity):
    run = flytenb.start(entity).wait()
    run._raise_failure()

found = {}
for entity in (attribute_of_nothing, unknown_name, wrong_input, raises_after_nodes, wrong_output, wrong_count,
               no_annotation, no_end, a_circle, written, around, around_that, around_wrong_output, in_a_case, plan,
               through_a_plan, through_a_dynamic, good):
    name = entity.name.rpartition(".")[2]
    verbs = [flytenb.run, start] if entity is through_a_dynamic else [flytenb.run, flytenb.graph, flytenb.draw, start]
    first = said(verbs[0], entity)
    again = [said(verb, entity) for verb in (*verbs, *verbs)]
    said(call, entity)  # flytekit's own call, which marks the workflow as compiled whatever comes of it
    found[name] = [first, *again, *(said(verb, entity) for verb in verbs)]
print("FOUND" + json.dumps(found))
"""
NAMES = {
    "attribute_of_nothing": "AttributeError",
    "unknown_name": "NameError",
    "wrong_input": "",
    "raises_after_nodes": "ZeroDivisionError",
    "wrong_output": "DefinitionError",
    "wrong_count": "AssertionError",
    "no_annotation": "DefinitionError",
    "no_end": "DefinitionError",
    "a_circle": "DefinitionError",
    "written": "DefinitionError",
    "around": "ZeroDivisionError",
    "around_that": "ZeroDivisionError",
    "around_wrong_output": "DefinitionError",
    "in_a_case": "DefinitionError",
    "plan": "ZeroDivisionError",
    "through_a_plan": "ZeroDivisionError",
    "through_a_dynamic": "ZeroDivisionError",
}


@pytest.fixture(scope="module", params=[False, True], ids=["called after", "called first"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What each verb said of each workflow; in the second script flytekit's own call came before everything."""
    source = SCRIPT
    if request.param:
        source = source.replace("    first = said(", "    said(call, entity)\n    first = said(")
        assert source != SCRIPT
    path = Path(tmp_path_factory.mktemp("script")) / "script.py"
    path.write_text(source)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.partition("FOUND")[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_that_does_not_compile_fails_every_time_with_the_same_words(found: Any, name: str) -> None:
    said = found[name]
    assert said[0] is not None
    assert said[0].startswith(NAMES[name])
    assert set(said) == {said[0]}


@pytest.mark.slow
def test_one_that_compiles_runs_every_time(found: Any) -> None:
    assert set(found["good"]) == {None}


AGAIN = """
import flytenb
from flytekit import task, workflow

@task
def inc(n: int) -> int:
    return n + 1

STEPS = 1

@workflow
def wf(n: int = 1) -> int:
    for _ in range(STEPS):
        n = inc(n=n)
    return n

assert flytenb.run(wf).result == 2
good, STEPS = STEPS, None
for verb in (flytenb.run, lambda wf: wf(), flytenb.run):
    try:
        verb(wf)
    except TypeError:
        pass
    else:
        raise SystemExit("compiled")
try:
    wf.compiled = False
    wf.compile()  # flytekit's own, which leaves it marked as compiled
except TypeError:
    pass
assert wf.compiled
STEPS = good
assert flytenb.run(wf).result == 2
"""


@pytest.mark.slow
def test_what_flytekit_alone_compiled_last_is_compiled_again(tmp_path: Path) -> None:
    """Also where the names have the values again that the last good compile had."""
    path = tmp_path / "script.py"
    path.write_text(AGAIN)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
