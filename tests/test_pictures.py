"""The pipelines whose pictures are compared: the same steps in the program of each tool."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "docs" / "pictures" / "compare"))

from plain_pipelines import SIZES, WRITERS, program, steps_of, transitions


@pytest.mark.parametrize("size", SIZES)
def test_a_pipeline_has_as_many_steps_as_its_size_each_after_its_inputs(size: int) -> None:
    steps = steps_of(size)
    assert len(steps) == size
    known = {"day"}
    for name, inputs in steps.items():
        assert set(inputs) <= known, name
        known.add(name)


@pytest.mark.parametrize("tool", WRITERS)
@pytest.mark.parametrize("size", SIZES)
def test_each_program_has_all_steps_with_their_inputs(tool: str, size: int) -> None:
    functions = {
        item.name: [argument.arg for argument in item.args.args]
        for item in ast.parse(program(tool, size)).body
        if isinstance(item, ast.FunctionDef)
    }
    assert steps_of(size).items() <= functions.items()


@pytest.mark.parametrize("size", SIZES)
def test_each_step_of_metaflow_comes_after_its_inputs(size: int) -> None:
    following = transitions(steps_of(size))

    def all_after(name: str) -> set[str]:
        return {later for each in following[name] for later in (each, *all_after(each))}

    for name, inputs in steps_of(size).items():
        for each in inputs:
            assert each == "day" or name in all_after(each), (each, name)


@pytest.mark.parametrize("size", SIZES)
def test_no_step_of_metaflow_both_joins_and_splits_and_all_meet_at_the_end(size: int) -> None:
    following = transitions(steps_of(size))
    reached = [name for after in following.values() for name in after]
    assert len(following.keys() - set(reached)) == 1
    assert [name for name, after in following.items() if not after] == [list(steps_of(size))[-1]]
    assert not [name for name, after in following.items() if len(after) > 1 and reached.count(name) > 1]
