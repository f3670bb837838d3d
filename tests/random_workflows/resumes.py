"""One random program, edited and resumed, and what is wrong with that.

The oracle says which bodies run: those of calls of which the code or an input has changed, by plain Python.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from flytekit import LaunchPlan
from flytekit.core.context_manager import FlyteEntities

import flytenb
from flytenb.record.run_description import RunDescription
from flytenb.record.run_store import RunStore
from flytenb.session.kept_runs import load
from tests.notebook_cells import NotebookCells
from tests.random_workflows.generator import generate
from tests.random_workflows.oracle import Made, calls_of
from tests.random_workflows.program import Dynamic, Eager, Program, targets
from tests.random_workflows.tasks import TASKS, Task
from tests.random_workflows.trial import difference_of
from tests.waiting import PATIENCE

EDITS = {
    "inc": ("x + 1", "x + 2"),
    "slow": ("x + 2", "x + 5"),
    "ainc": ("x + 3", "x + 1"),
    "add": ("(x + y)", "(x + y + 1)"),
    "spread": ("[x + i", "[x + 2 * i"),
    "total": ("sum(xs)", "(1 + sum(xs))"),
    "ordered": ("append(7)", "append(8)"),
    "table": ("x + 1", "x + 2"),
    "tally": ("found = ", "found = 1 + "),
    "grow": ('table["c"] = x', 'table["c"] = x + 1'),
    "point": ("Inner(x + 5)", "Inner(x + 6)"),
    "shift": ("append(9)", "append(8)"),
    "weigh": ("p.x +", "2 * p.x +"),
    "gather": ("found = ", "found = 1 + "),
    "maybe": ("x % 3", "x % 2"),
    "unmaybe": ("-1 if", "-2 if"),
    "either": ("x % 2", "x % 3"),
    "uneither": ("len(e)", "len(e) + 1"),
    "moment": ("hours=x", "hours=x + 1"),
    "span": ("250", "350"),
    "later": ("m + s", "m - s"),
    "hours": ("3600", "1800"),
    "colour": ("x % 3", "(x + 1) % 3"),
    "uncolour": ("len(c.value)", "len(c.name) + 1"),
    "pair": ("x - 1", "x - 2"),
    "check3": ("return x", "return x + 1"),
    "check7": ("x + 10", "x + 11"),
    "acheck": ("x + 20", "x + 21"),
    "write": ('f"file {x}"', 'f"file: {x}"'),
    "spoil": ("len(", "1 + len("),
    "extend": (" and more", " and so on"),
    "folder": ('f"{x} {i}"', 'f"{x}, {i}"'),
    "frame": ("x + 1]", "x + 2]"),
    "column": ("found = ", "found = 1 + "),
}
"""What changes what a task returns, most of the time."""

HELPERS = {
    "note": ("time.sleep(chance // 3 % 4 / 1000)", "time.sleep(chance // 3 % 3 / 1000)"),
    "place": (".working_directory) / name", ".working_directory).joinpath(name)"),
    "Boom": ("What the tasks of this program raise.", "What a task raises."),
}
"""Edits of what several tasks reach, which change no value."""

REACHED_BY = {"place": {"write", "folder"}, "Boom": {"check3", "check7", "acheck"}, "note": {*TASKS}}


def try_resumes(seeds: range, edits: int = 1, *, is_kept: bool = False) -> str:
    """Return what is wrong with the first seed that goes wrong; too few seeds of which something can be told is wrong.

    With `is_kept`, each run resumes the one before it as it was kept on disk.

    `python -m tests.random_workflows.resumes SEED` tries one seed again, with more edits.
    """
    tried = 0
    for seed in seeds:
        wrong = try_resume(seed, edits, is_kept=is_kept)
        if wrong:
            return f"seed {seed}: {wrong}\n  again: python -m tests.random_workflows.resumes {seed}"
        tried += wrong is not None
    return "" if 3 * tried > len(seeds) else f"only {tried} of {len(seeds)} programs could be tried"


class Version(NamedTuple):
    """A program with the edits that it has had: tasks, helpers, and whether comments were added."""

    program: Program
    tasks: frozenset[str] = frozenset()
    helpers: frozenset[str] = frozenset()
    has_comments: bool = False

    @property
    def source(self) -> str:
        """The text of all cells."""
        text = self.program.source()
        for name in self.tasks:
            text = text.replace(TASKS[name].source(), _edited(name).source())
        for name in self.helpers:
            text = text.replace(*HELPERS[name])
        return text.replace("\n    return ", "\n\n    # what it returns\n    return ") if self.has_comments else text

    def calls(self) -> tuple[tuple[Any, ...], dict[str, Made]] | None:
        """Return the outputs and the calls that make them, None if a call fails."""
        return calls_of(self.program, *map(_edited, sorted(self.tasks)))


def _edited(name: str) -> Task:
    task = TASKS[name]
    old, new = EDITS[name]
    return dataclasses.replace(task, body=task.body.replace(old, new), plain=task.plain.replace(old, new))


def try_resume(seed: int, edits: int = 1, *, is_kept: bool = False) -> str | None:
    """Return what is wrong with a seed's program when it is edited and resumed, None if nothing can be told of it.

    It can if no call fails, nothing is cached, and no task reads what it logs.
    """
    random, version = Random(seed), Version(generate(seed))
    before = version.calls()
    if before is None or any(name.startswith(("cached", "flaky")) for name in version.program.tasks()):
        return None
    with _notebook(seed) as notebook:
        notebook.run(*_cells(version))
        run = _start(notebook, version, None)
        wrong = _judge(run, notebook, before[0], [*before[1].values()])
        if wrong:
            return f"the first run: {wrong}"
        for _ in range(edits):
            edited, touched = _edit(random, version)
            after = edited.calls()
            if after is None:
                continue
            _run_cells(notebook, version, edited, is_whole=random.random() < 0.5)
            bodies = {each.name for each in version.program.entities if is_kept and isinstance(each, Dynamic)}
            expected = [
                call
                for path, call in after[1].items()
                if call.name in bodies or _must_run(path, call, before[1], edited, touched)
            ]
            run = _start(notebook, edited, _kept(run, notebook) if is_kept else run)
            wrong = _judge(run, notebook, after[0], expected)
            if not wrong:
                own = _start(notebook, edited, None)
                wrong = _judge(own, notebook, after[0], [*after[1].values()])
                wrong = wrong and f"a run of its own: {wrong}"
            if wrong:
                return f"from {version[1:]} to {edited[1:]}: {wrong}"
            before, version = after, edited
    return ""


@contextmanager
def _notebook(seed: int) -> Iterator[NotebookCells]:
    """Return a notebook with the settings of a program; take back what it leaves behind."""
    known, name = len(FlyteEntities.entities), f"resumed_program_{seed}"
    with tempfile.TemporaryDirectory(prefix="program-") as folder:
        notebook = NotebookCells(name)
        vars(notebook.module).update(LOG=str(Path(folder) / "log"), SEED=seed, VERSION="1")
        try:
            yield notebook
        finally:
            del sys.modules[name], FlyteEntities.entities[known:]
            _forget_plans(name)


def _forget_plans(module: str) -> None:
    for plan in [name for name in LaunchPlan.CACHE if name.startswith(f"{module}.")]:
        del LaunchPlan.CACHE[plan]


def _start(notebook: NotebookCells, version: Version, earlier: Any) -> Any:
    Path(notebook.LOG).write_text("")
    options = flytenb.options(workers=version.program.mode.workers)
    options = options if earlier is None else options.options(resume=earlier)
    return options.start(notebook.wf, **dict(version.program.inputs)).wait(PATIENCE)


def _kept(run: Any, notebook: NotebookCells) -> Any:
    """Return a run as another kernel reads it."""
    folder = Path(notebook.LOG).with_name("runs")
    store = RunStore(folder)
    began = run.started or 0.0
    store.write(run.id, began, RunDescription(run, store.begin(run.id, began)).write())
    return load(folder, run.id, {run.name: notebook.wf})


def _judge(run: Any, notebook: NotebookCells, outputs: tuple[Any, ...], calls: list[Made]) -> str:
    """Return what is wrong with the outputs of a run, or with the bodies that ran."""
    if str(run.phase) != "SUCCEEDED":
        return f"the run is {run.phase}: {run.error}"
    found = tuple(run.result) if len(outputs) > 1 else (run.result,)
    wrong = difference_of(found, outputs)
    if wrong:
        return f"outputs: {wrong}"
    logged = Counter(Path(notebook.LOG).read_text().splitlines())
    expected = Counter(call.entry for call in calls)
    if logged == expected:
        return ""
    why = {path: node.resumed for path, node in run.nodes.items() if node.resumed}
    return f"ran needlessly: {dict(logged - expected)}, didn't run: {dict(expected - logged)}\n{why}"


# --- edits -----------------------------------------------------------------------------------------------------------


def _edit(random: Random, version: Version) -> tuple[Version, frozenset[str]]:
    """Return a program after a random edit, and the tasks and helpers that it touches; an edit may be taken back."""
    tasks = [name for name in version.program.tasks() if name in EDITS]
    kind = random.choice(["task", "task", "task", "helper", "comments", "input", "input", "nothing"])
    if kind == "task" and tasks:
        name = random.choice(tasks)
        return version._replace(tasks=version.tasks ^ {name}), frozenset({name})
    if kind == "helper":
        name = random.choice([*HELPERS])
        return version._replace(helpers=version.helpers ^ {name}), frozenset(REACHED_BY[name])
    if kind == "comments":
        return version._replace(has_comments=not version.has_comments), frozenset()
    if kind == "input":
        inputs = dict(version.program.inputs)
        inputs[random.choice([*inputs])] += random.randint(1, 3)
        return version._replace(program=dataclasses.replace(version.program, inputs=tuple(inputs.items()))), frozenset()
    return version, frozenset()


def _cells(version: Version) -> list[str]:
    return version.source.split("\n\n\n")


def _run_cells(notebook: NotebookCells, version: Version, edited: Version, *, is_whole: bool) -> None:
    """Run the first cell that was edited and all after it, or the whole notebook."""
    _forget_plans(notebook.module.__name__)
    cells = _cells(edited)
    changed = [n for n, pair in enumerate(zip(cells, _cells(version), strict=True)) if len({*pair}) > 1]
    notebook.run(*cells[0 if is_whole else min(changed, default=len(cells)) :])


def _must_run(path: str, call: Made, before: Mapping[str, Made], edited: Version, touched: frozenset[str]) -> bool:
    """Return whether a call has to run: it is new, or its code or an input has changed."""
    old = before.get(path)
    return (
        old is None
        or old.name != call.name
        or not touched.isdisjoint(_reached(call.name, edited.program))
        or bool(difference_of(dict(call.args), dict(old.args)))
    )


def _reached(name: str, program: Program) -> set[str]:
    """Return the names of the tasks that the code of an entity reaches; a body that is run reaches what it calls."""
    entity = next((e for e in program.entities if e.name == name), None)
    if entity is None:
        return {name}
    found = {"note"} if isinstance(entity, Dynamic | Eager) else set()
    return found.union(*(_reached(target, program) for target in targets(entity)))


if __name__ == "__main__":
    given = int(sys.argv[1])
    print(generate(given).source(), try_resume(given, 5, is_kept="kept" in sys.argv) or "right", sep="\n\n")
