"""A notebook as a task: a typed input, a typed output, and the executed notebook as a file."""

import tempfile
from pathlib import Path

import nbformat
from flytekit import kwtypes, task, workflow
from flytekit.types.file import HTMLPage, PythonNotebook
from flytekitplugins.papermill import NotebookTask
from nbformat.v4 import new_code_cell, new_notebook

SQUARE = Path(tempfile.mkdtemp()) / "square.ipynb"
RECORD = "from flytekitplugins.papermill import record_outputs\nrecord_outputs(area=area)"
CELLS = [
    new_code_cell("side = 1", metadata={"tags": ["parameters"]}),
    new_code_cell("area = side * side", metadata={"tags": []}),
    new_code_cell(RECORD, metadata={"tags": ["outputs"]}),
]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
nbformat.write(new_notebook(cells=CELLS, metadata={"kernelspec": KERNEL}), SQUARE)

square = NotebookTask(
    name="square", notebook_path=str(SQUARE), inputs=kwtypes(side=int), outputs=kwtypes(area=int), render_deck=True
)


@task
def sides(notebook: PythonNotebook, page: HTMLPage) -> str:
    assert "</html>" in Path(page).read_text()
    first = nbformat.read(notebook, as_version=4).cells[1]
    return first["source"]


@workflow
def areas(side: int) -> tuple[int, str]:
    area, notebook, page = square(side=side)
    return area, sides(notebook=notebook, page=page)


def check(run) -> None:
    area, parameters = run.result
    assert area == 9
    assert "side = 3" in parameters


ENTITY = areas
INPUTS = {"side": 3}
