"""What may stand at the end of a magic line: semicolons and a comment, which are no part of what it says."""

from __future__ import annotations

import pytest

from flytenb.notebook.magics.line import strip_end


@pytest.mark.parametrize("end", ["", ";", " ;", ";;", "; ", "  # a comment", ";# it's", "; # a; b", ' # "quoted', "#"])
@pytest.mark.parametrize(
    "line",
    [
        "run wf(n=1)",
        'run wf(s="a;")',
        "run wf(s='#no;')",
        'run wf(s="""it\'s; # " here""")',
        r'run wf(s="\"; # \\")',
        "run wf(cfg={'a': ';'}) --workers 2",
        "draw wf --save 'a # b;.svg'",
        "draw wf --save a#b.svg",
        "runs",
        "",
    ],
)
def test_semicolons_and_a_comment_are_taken_off_and_nothing_else(line: str, end: str) -> None:
    if end == "#" and line:
        assert strip_end(line + end) == line + end  # it may be a part of a file's name
        return
    assert strip_end(line + end) == line


@pytest.mark.parametrize("line", ["run wf(s='open;", 'run wf(s="a # b'])
def test_a_line_with_an_open_quote_is_left_to_its_reader(line: str) -> None:
    assert strip_end(line) == line
