"""Many names in few words."""

from __future__ import annotations

import pytest

from flytenb.wording.series import names_text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a", "b", "a"], "a, b"),
        (list("abcdef"), "a, b and 4 more"),
        ([f"load_{i}" for i in range(1, 28)], "load_1…27"),
        ([f"{name}_{i}" for i in range(27) for name in ("u", "e")], "u_0…26, e_0…26"),
        ([*(f"publish_{i}" for i in range(1, 28)), "rank"], "publish_1…27, rank"),
        (["a", "b", "c", *(f"f{i}" for i in range(5))], "a, b and 6 more"),
        (["a1", "a3", "a4", "a5"], "a1, a3 and 2 more"),
        (["a01", "a02", "a03", "a04"], "a01, a02 and 2 more"),
        (["a4", "a3", "a2", "a1"], "a4, a3 and 2 more"),
        (["a", "a1", "a2", "a3"], "a, a1 and 2 more"),
        (["7", "8", "9", "10"], "7…10"),
        ([], ""),
    ],
)
def test_numbered_names_without_a_gap_are_one_part(names: list[str], text: str) -> None:
    assert names_text(names) == text
