"""The address of the repository is in no file: what publishes fills it in, from the repository that it runs in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent
ADDRESS = "https://github.com/owner/name"
VERSION = "v1.2.3"


def run(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / script), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with the two files as a release has them."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    done = run("addresses", ADDRESS, VERSION, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_release_has_the_addresses_of_its_repository(written: Path) -> None:
    project = tomllib.loads((written / "pyproject.toml").read_text())["project"]
    assert project["urls"] == {
        "Documentation": "https://owner.github.io/name/",
        "Source": ADDRESS,
        "Issues": f"{ADDRESS}/issues",
        "Changelog": f"{ADDRESS}/blob/{VERSION}/CHANGELOG.md",
    }
    assert {key: project[key] for key in project.keys() - {"urls"}} == tomllib.loads(
        (ROOT / "pyproject.toml").read_text()
    )["project"]


def test_links_and_pictures_of_a_released_readme_lead_to_files_of_its_version(written: Path) -> None:
    text = (written / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    assert not [a or b for a, b in links if not (a or b).startswith("https://")]
    files = re.findall(rf"{ADDRESS}/(?:blob|raw)/{VERSION}/([^)#\"]+)", text)
    assert len(files) >= 60
    assert not [name for name in files if not (ROOT / name).exists()]
    assert text.count(f"{ADDRESS}/raw/{VERSION}/docs/pictures/") == 2
    assert f"[![CI]({ADDRESS}/actions/workflows/ci.yml/badge.svg)]" in text


@pytest.mark.parametrize("arguments", [(), (ADDRESS,), ("owner/name", VERSION), ("https://github.com/owner", VERSION)])
def test_a_wrong_address_is_refused_and_changes_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    done = run("addresses", *arguments, folder=tmp_path)
    assert done.returncode == 1
    assert "expected https://HOST/OWNER/NAME and a tag" in done.stderr
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\n"


def test_the_workflows_fill_in_the_address_before_they_build() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["build"]["steps"]
    commands = [step.get("run", "") for step in steps]
    (fills,) = (i for i, command in enumerate(commands) if command.startswith("python .ci/addresses "))
    assert fills < commands.index("uv build")
    site = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text())["jobs"]["build"]["steps"]
    assert [step["run"].split()[1] for step in site if ".ci/colab" in step.get("run", "")] == [".ci/colab"]


def test_notebooks_for_colab_install_flytenb_first_and_have_no_relative_link(tmp_path: Path) -> None:
    done = run("colab", ADDRESS, str(tmp_path / "notebooks"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = sorted((tmp_path / "notebooks").glob("*.ipynb"))
    assert {path.stem for path in found} == {p.stem for p in (ROOT / "notebooks").glob("*.md")} - {"languages"}
    links = []
    for path in found:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        assert code[:2] == ['%pip install --quiet "flytenb[demo]"', "%load_ext flytenb"]
        texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        links += [link for text in texts for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert len(links) >= 5
    files = [link.removeprefix(f"{ADDRESS}/blob/main/").partition("#")[0] for link in links]
    assert not [name for name in files if not (ROOT / name).is_file()]


@pytest.mark.slow
def test_the_site_links_to_its_repository_and_to_services_where_its_name_is_known(tmp_path: Path) -> None:
    page = "notebooks/iterating"
    settings = [f"root_doc={page}", f"include_patterns={page}.md", "nb_execution_mode=off"]
    options = [part for setting in settings for part in ("-D", setting)]
    command = [sys.executable, "-m", "sphinx", "-q", "-c", "docs", *options, ".", str(tmp_path)]
    environment = {**os.environ, "GITHUB_REPOSITORY": "owner/name"}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    links = set(re.findall(r'href="(https://[^"]+)"', (tmp_path / f"{page}.html").read_text()))
    assert links >= {
        "https://colab.research.google.com/github/owner/name/blob/notebooks/iterating.ipynb",
        "https://mybinder.org/v2/gh/owner/name/main?labpath=notebooks%2Fiterating.ipynb",
        "https://codespaces.new/owner/name",
        "https://github.com/owner/name/edit/main/notebooks/iterating.md",
    }
