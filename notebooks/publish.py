"""Run MyST notebooks in a real kernel and write each as one HTML page that opens without a network."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbconvert.preprocessors import HighlightMagicsPreprocessor, Preprocessor
from traitlets.config import Config

from flytenb.languages.language_registry import find_language

HERE = Path(__file__).parent
MAGICS = ("%%task", "%%workflow", "%%dynamic", "%%eager")
_FILE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)[^)]+\)")
_CONTAINER = re.compile(r"%%container\b.*?--lang[ =](\w+)")


class HighlightLanguages(HighlightMagicsPreprocessor):
    """Colours the cells of our magics as Python, those of `%%container` as their own language."""

    enabled = True
    languages = dict.fromkeys(MAGICS, "python3")

    def which_magic_language(self, source: str) -> str | None:
        """Return the language of a cell, None if it is that of the notebook."""
        container = _CONTAINER.match(source)
        return find_language(container[1]).highlight if container else super().which_magic_language(source)


class PlainLinks(Preprocessor):
    """Replaces links to other files by their texts, since the page is sent without them."""

    enabled = True

    def preprocess_cell(
        self, cell: nbformat.NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[nbformat.NotebookNode, dict[str, Any]]:
        """Return the cell; that of the notebook, which is written too, keeps its links."""
        if cell.cell_type == "markdown":
            cell = nbformat.from_dict({**cell, "source": _FILE_LINK.sub(r"*\1*", cell.source)})
        return cell, resources


def execute(source: Path) -> nbformat.NotebookNode:
    """Run every cell of the notebook at `source` in a kernel of this interpreter and return it with its outputs.

    Raises:
        CellExecutionError: if a cell fails that isn't tagged `raises-exception`.
    """
    notebook = jupytext.read(source)
    notebook.metadata["title"] = source.stem.replace("_", " ").capitalize()
    with tempfile.TemporaryDirectory() as sockets:  # no ports: several notebooks may run at once
        client = NotebookClient(
            notebook,
            timeout=600,
            startup_timeout=600,
            resources={"metadata": {"path": str(source.parent)}},  # the working directory, as in JupyterLab
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
        )
        client.execute()
    return notebook


def to_page(notebook: nbformat.NotebookNode) -> str:
    """Render an executed notebook as HTML that holds all it shows."""
    exporter = HTMLExporter(
        template_name="page",
        extra_template_basedirs=[str(HERE)],
        embed_images=True,
        preprocessors=[HighlightLanguages, PlainLinks],
        config=Config({"HTMLExporter": {"anchor_link_text": ""}}),
    )
    html, _ = exporter.from_notebook_node(notebook, resources={"dark_theme": _dark_theme(exporter)})
    return str(html)


def _dark_theme(exporter: HTMLExporter) -> str:
    source, *_ = exporter.environment.loader.get_source(exporter.environment, "static/theme-dark.css")
    return str(source)


def publish(source: Path, folder: Path) -> Path:
    """Run the notebook at `source`; write its `.ipynb` and its page into `folder` and return the page's path."""
    notebook = execute(source)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{source.stem}.ipynb")
    page = folder / f"{source.stem}.html"
    page.write_text(to_page(notebook), encoding="utf-8")
    return page


def main() -> int:
    """Publish the notebooks named on the command line; return 1 if a cell of one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path, help="MyST notebooks (.md)")
    parser.add_argument("--to", type=Path, default=Path("build"), help="folder for the pages (default: build)")
    options = parser.parse_args()
    for source in options.notebooks:
        try:
            page = publish(source, options.to)
        except CellExecutionError as error:
            sys.stderr.write(f"{source}: a cell failed\n{error}\n")
            return 1
        sys.stdout.write(f"{source} ran; wrote {page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
