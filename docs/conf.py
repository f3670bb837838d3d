"""Configuration of the docs site, which `make docs` builds from the repository's root with Sphinx."""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes

from flytenb.languages.language_registry import find_language

ROOT = Path(__file__).parent.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _package_digest() -> str:
    """Return a digest of what notebooks run besides their own cells, so that no earlier output is kept."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "flytenb").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _make_home() -> None:
    """Give the notebooks a home of their own: no stored output of this machine is used, shown or changed."""
    caches = os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    Path(caches).mkdir(parents=True, exist_ok=True)
    home = tempfile.mkdtemp(prefix="flytenb-docs-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {"HOME": home, "FLYTE_SDK_LOGGING_LEVEL": "40", "FLYTENB_STATIC": "1", "PYTHONPATH": str(ROOT)}


_make_home()

project = _PROJECT["name"]
release = version = _PROJECT["version"]
author = "the flytenb authors"
project_copyright = "the flytenb authors"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"]
exclude_patterns = [".*", "build", "docs/pictures/compare", "flytenb", "tests", "benchmarks"]

myst_enable_extensions = ["attrs_block", "attrs_inline", "html_image"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "docs-cache" / _package_digest())
nb_execution_timeout = 600
if tags.has("without-notebooks"):  # noqa: F821  # Sphinx sets tags; a test builds the site without these
    nb_execution_excludepatterns = ["notebooks/*"]
elif "JULIA_IMAGE" not in os.environ:  # it needs images of R and Julia: see `make demo-languages`
    nb_execution_excludepatterns = ["notebooks/languages.md"]
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_render_error_lexer = "text"  # errors are sentences with lines of code, not tracebacks of IPython
nb_ipywidgets_js = {}  # outputs are static: no page loads a script from a network

html_theme = "furo"
html_title = "flytenb"
html_static_path = ["site/static"]
html_extra_path = ["site/root"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_use_index = False  # no page has entries of an index
html_copy_source = False
html_show_search_summary = False  # it fetches pages, which a page in a file can't
html_theme_options = {"navigation_with_keys": True}
REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "")
"""OWNER/NAME of the repository whose workflow builds the site; without it, pages have no links to the repository."""
if REPOSITORY:
    html_theme_options |= {
        "source_repository": f"https://github.com/{REPOSITORY}/",
        "source_branch": "main",
        "source_directory": "",
    }
copybutton_exclude = ".linenos, .gp, .go"
nitpicky = True
suppress_warnings = ["mystnb.unknown_mime_type"]  # what only front ends with a kernel can show

_MAGIC = re.compile(r"%%(task|workflow|dynamic|eager)\b")
_CONTAINER = re.compile(r"%%container\b.*?--lang[ =](\w+)")


def _name_languages(app: Any, document: nodes.document) -> None:
    """Have the cells of magics coloured as Python, those of `%%container` as their own language."""
    for block in document.findall(nodes.literal_block):
        text = block.astext()
        if container := _CONTAINER.match(text):
            block["language"] = find_language(container[1]).highlight
        elif _MAGIC.match(text):
            block["language"] = "python"


def _anchor_terms(app: Any, document: nodes.document) -> None:
    """Make each term of the glossary a target, such as `glossary.md#launch-plan`; a link to any other is a warning."""
    if app.env.docname != "docs/glossary":
        return
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for body in document.findall(nodes.tbody):
        for row in body.findall(nodes.row):
            cell = row.children[0]
            for term in cell.astext().split(", "):
                name = nodes.make_id(term)
                cell["ids"].append(name)
                slugs[name] = (row.line, name, term)


_SERVICES = {
    "Colab": "https://colab.research.google.com/github/{repository}/blob/notebooks/{name}.ipynb",
    "Binder": "https://mybinder.org/v2/gh/{repository}/main?labpath=notebooks%2F{name}.ipynb",
    "GitHub Codespaces": "https://codespaces.new/{repository}",
}
"""Addresses that open a notebook; the branch `notebooks` is made by the workflow of the site, with `.ci/colab`."""


def _link_services(app: Any, document: nodes.document) -> None:
    """Begin the page of a notebook with links that open it in a browser."""
    folder, _, name = app.env.docname.rpartition("/")
    if not REPOSITORY or folder != "notebooks" or name == "languages":  # the last one needs images of R and Julia
        return
    line = nodes.paragraph("", "Open this page in ", classes=["services"])
    for number, (service, address) in enumerate(_SERVICES.items()):
        uri = address.format(repository=REPOSITORY, name=name)
        line += [nodes.Text(", " if number else ""), nodes.reference("", service, refuri=uri)]
    line += nodes.Text(".")
    title = next(document.findall(nodes.title))
    title.parent.insert(title.parent.index(title) + 1, line)


def setup(app: Any) -> None:
    """Register what this file adds to Sphinx."""
    app.connect("doctree-read", _name_languages)
    app.connect("doctree-read", _anchor_terms)
    app.connect("doctree-read", _link_services)
