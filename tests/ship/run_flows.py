"""Runs exported flows where no notebook is: `python -m tests.ship.run_flows FOLDER` writes what differs."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from flytekit.core.launch_plan import LaunchPlan

import flytenb
from tests.crossing import difference

FLOWS = Path(__file__).parents[1] / "flows"


def rest_of(source: str, module: ModuleType) -> SimpleNamespace:
    """Run what the cell of a flow says about it, with the entities and types of the exported module."""
    names = dict(vars(module))
    for statement in ast.parse(source).body:
        defined = getattr(statement, "name", None)
        says = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]).isupper()
        if isinstance(statement, ast.Import | ast.ImportFrom) or says or (defined is not None and defined not in names):
            exec(compile(ast.Module([statement], []), "<the rest>", "exec"), names)
    return SimpleNamespace(**{name: value for name, value in names.items() if name.isupper()})


def run(flow: Any) -> Any:
    """Call the entity as flytekit does; where that is wrong or needs an answer, as flytenb does."""
    if hasattr(flow, "FLYTEKIT_LOCAL") or hasattr(flow, "NEEDS"):
        stand_ins = {entity.name: function for entity, function in getattr(flow, "STAND_INS", ())}
        options = flytenb.options(answers=getattr(flow, "ANSWERS", {}), stand_ins=stand_ins)
        return options.run(flow.ENTITY, **flow.INPUTS).result
    result = flow.ENTITY(**flow.INPUTS)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


def problem_of(flow: Any) -> str:
    """Return how the result differs from the flow's, `""` if it doesn't."""
    raises = getattr(flow, "RAISES", None)
    try:
        result = run(flow)
    except Exception as error:
        is_expected = raises is not None and isinstance(error, raises[0]) and raises[1] in str(error)
        return "" if is_expected else f"{type(error).__name__}: {error}"
    if raises is not None:
        return f"it doesn't raise {raises[0].__name__}"
    return difference(tuple(result) if isinstance(result, tuple) else result, flow.EXPECTED)


def main(folder: Path) -> None:
    """Run every module of a folder and write the problems by name."""
    sys.path.insert(0, str(folder))
    found = {}
    for file in sorted(folder.glob("*.py")):
        module = importlib.import_module(file.stem)
        flow = rest_of((FLOWS / file.name.removeprefix("exported_")).read_text(), module)
        found[file.stem.removeprefix("exported_")] = problem_of(flow)
        LaunchPlan.CACHE.clear()
    (folder / "problems.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
