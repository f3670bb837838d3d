"""Saved notebooks for sites that remove images from HTML: each picture once, as an output of its own."""

from __future__ import annotations

import base64
import copy
import io
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import flytenb
from flytenb.cli.command_line import main
from flytenb.display.part import Picture
from flytenb.display.picture_outputs import move_pictures
from flytenb.display.rendering import render_part
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.render.saved_svg import to_image
from tests.flows import FLOWS
from tests.sanitised import sanitised_html, sanitised_svg

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def run_output() -> Any:
    flow = FLOWS["branch"]
    return new_output("display_data", run_bundle(flytenb.start(flow.entity, **flow.inputs).wait(), show))


def saved(*outputs: Any) -> dict[str, Any]:
    """The JSON of a notebook file with these outputs in a cell."""
    cells = [new_markdown_cell("text"), new_code_cell("run", outputs=[*outputs], execution_count=1)]
    content: dict[str, Any] = json.loads(nbformat.writes(new_notebook(cells=cells)))
    return content


def outputs_of(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = notebook["cells"][1]["outputs"]
    return found


def test_a_site_without_images_in_html_shows_the_picture_of_a_run_once() -> None:
    notebook = saved(run_output())
    assert move_pictures(notebook) == 1
    card, picture = outputs_of(notebook)
    html = sanitised_html("".join(card["data"]["text/html"]))
    assert "<img" not in html and "├─" not in html
    assert "succeeded" in html and "<details>" in html
    svg = "".join(picture["data"]["image/svg+xml"])
    assert svg == to_image(svg)
    assert "<text" in sanitised_svg(svg)
    assert "├─" in "".join(picture["data"]["text/plain"])
    nbformat.validate(nbformat.from_dict(notebook))
    page, _ = HTMLExporter().from_notebook_node(nbformat.reads(json.dumps(notebook), 4))
    assert page.count('src="data:image/svg+xml;base64,') == 1


def test_nothing_is_lost_or_moved_twice() -> None:
    whole = saved(run_output())
    notebook = copy.deepcopy(whole)
    move_pictures(notebook)
    again = copy.deepcopy(notebook)
    assert move_pictures(again) == 0
    assert again == notebook
    before, after = ("".join(outputs_of(each)[0]["data"]["text/html"]) for each in (whole, notebook))
    start, stop = before.index('<pre class="ft-picture"'), before.index("</pre>") + len("</pre>")
    assert after == before[:start] + before[stop:]
    assert len(json.dumps(notebook)) < len(json.dumps(whole))


def test_pictures_of_values_move_and_those_in_folded_details_and_of_others_stay() -> None:
    shown = render_part(Picture(PNG, caption="a plot"))._repr_mimebundle_()
    inside = '<img src="data:image/png;base64,AAAA">'
    html = shown["text/html"].replace("</div>", f"<details><summary>more</summary>{inside}</details></div>")
    foreign = {"text/html": f"<div>{inside}</div>", "text/plain": "theirs"}
    notebook = saved(
        new_output("display_data", {**shown, "text/html": html}),
        new_output("execute_result", foreign, execution_count=1),
        new_output("stream", name="stdout", text="printed"),
        new_output("error", ename="E", evalue="", traceback=[]),
    )
    assert move_pictures(notebook) == 1
    first, picture, other, *rest = outputs_of(notebook)
    assert "".join(first["data"]["text/html"]).count("<img") == 1
    assert base64.b64decode("".join(picture["data"]["image/png"])) == PNG
    assert "".join(other["data"]["text/html"]) == foreign["text/html"]
    assert [each["output_type"] for each in rest] == ["stream", "error"]


@pytest.mark.parametrize(
    "data", ["%%%", base64.b64encode(b"\xff\xfe").decode(), ""], ids=["no base64", "no text", "empty"]
)
def test_what_isnt_a_picture_stays(data: str) -> None:
    html = f'<div class="ft-show"><img src="data:image/svg+xml;base64,{data}"></div>'
    notebook = saved(new_output("display_data", {"text/html": html}))
    notebook["cells"].append({"cell_type": "code"})
    assert move_pictures(notebook) == 0
    assert "".join(outputs_of(notebook)[0]["data"]["text/html"]) == html


def test_the_command_rewrites_a_file_or_a_stream(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.ipynb"
    text = nbformat.writes(nbformat.from_dict(saved(run_output())))
    file.write_text(text, encoding="utf-8")
    assert main(["publish", str(file), "-o", str(tmp_path / "made.ipynb")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'made.ipynb'}: 1 picture moved\n"
    assert file.read_text(encoding="utf-8") == text
    made = (tmp_path / "made.ipynb").read_text(encoding="utf-8")
    assert len(outputs_of(json.loads(made))) == 2
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["publish", "-"]) == 0
    assert capsys.readouterr().out == made
    assert main(["publish", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == made
    assert main(["publish", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == made
    file.write_text("[]", encoding="utf-8")
    assert main(["publish", str(file)]) == 2
    assert "isn't a notebook" in capsys.readouterr().err
    assert main(["publish", str(tmp_path / "none.ipynb")]) == 2


def test_a_notebook_that_cant_be_written_whole_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.ipynb"
    file.write_text(json.dumps(saved(run_output())), encoding="utf-8")
    file.chmod(0o640)
    before = file.read_bytes()

    def write_half(path: Path, content: bytes) -> int:
        with path.open("wb") as opened:
            opened.write(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", write_half)
        assert main(["publish", str(file)]) == 130
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.ipynb"]
    link = tmp_path / "link.ipynb"
    link.symlink_to(file)
    assert main(["publish", str(link)]) == 0
    assert file.read_bytes() != before
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
