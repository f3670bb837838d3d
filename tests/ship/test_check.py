"""What `check` finds before anything is sent to a cluster, one case for each rule, and nothing in what is right."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest
from flytekit.testing import task_mock

import flytenb
from flytenb.errors import ExportError
from tests.ship.notebooks import open_notebook
from tests.ship.run_flows import FLOWS
from tests.ship.test_every_flow import NAMES

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

START = "import flytekit\nfrom flytekit import ContainerTask, ImageSpec, LaunchPlan, Resources, kwtypes, task, workflow"
STEP = "@task{}\ndef step(x: int) -> int:\n    return x"
WF = "@workflow\ndef wf(x: int{}) -> int:\n    return step(x=x)"
MANY = "@workflow\ndef wf(x: int) -> int:\n    for _ in range({}):\n        x = step(x=x)\n    return x"
FILE = "from flytekit.types.file import FlyteFile as Box\n__file__ = 'given.txt'\nopen(__file__, 'w').close()"
BOX = ["@task\ndef step(b: Box) -> int:\n    return 1"]
IMAGE = "image = ImageSpec(name='i', python_version='{}', packages=['pandas=={}'])"

CASES: dict[str, tuple[list[str], str, str]] = {
    "nothing": ([STEP.format(""), WF.format("")], "", ""),
    "what export refuses": (
        ["N = [1]", "N.append(2)", STEP.format("").replace("return x", "return x + len(N)"), WF.format("")],
        "error",
        "N, a list, isn't what its statements give now",
    ),
    "what a task has changed": (
        [
            "SEEN = []",
            STEP.format("").replace("return x", "SEEN.append(x)\n    return x"),
            WF.format(""),
            "wf(x=1)",
        ],
        "warning",
        "SEEN, a list, was changed by step when a task ran",
    ),
    "a task that reads the name of its module": (
        [
            STEP.format("").replace("return x", "return x if __name__ == '__main__' else -x"),
            WF.format(""),
        ],
        "warning",
        "__name__ is '__main__' in a notebook only",
    ),
    "a task that names its logger": (
        [
            "import logging",
            STEP.format("").replace("return x", "logging.getLogger(__name__).debug('x')\n    return x"),
            WF.format(""),
        ],
        "",
        "",
    ),
    "a name that nothing defines": (
        [STEP.format("").replace("return x", "return x + NOWHERE"), WF.format("")],
        "error",
        "nothing defines 'NOWHERE'",
    ),
    "a secret that is put together": (
        [
            "USER = 'me'\nURL = f'postgresql://{USER}:word@host/db'",
            STEP.format("").replace("return x", "return len(URL)"),
            WF.format(""),
        ],
        "error",
        "URL is set to a text that looks like a secret",
    ),
    "a wide default": (
        [STEP.format(""), WF.format(" = 2**63")],
        "error",
        "the default of x, 9223372036854775808, can't be sent: Value out of range",
    ),
    "a wide default in a list": (
        [
            "@task\ndef step(x: list[int]) -> int:\n    return x[0]",
            "@workflow\ndef wf(x: list[int] = [2**63]) -> int:\n    return step(x=x)",
        ],
        "error",
        "the default of x, [9223372036854775808], can't be sent: Value out of range",
    ),
    "a default of another type": (
        [
            "@task\ndef step(x: float) -> int:\n    return int(x)",
            "@workflow\ndef wf(x: float = 3) -> int:\n    return step(x=x)",
        ],
        "error",
        "the default of x, 3, can't be sent: Expected value of type <class 'float'>",
    ),
    "a wide input of a launch plan": (
        [
            STEP.format(""),
            WF.format("").replace("wf", "inner"),
            "wf = LaunchPlan.get_or_create(inner, 'wide', fixed_inputs={'x': 2**63})",
        ],
        "error",
        "input x can't be sent: Value out of range",
    ),
    "a duration that is too long": (
        [
            "from datetime import timedelta",
            "@task\ndef step(x: timedelta) -> int:\n    return x.days",
            "@workflow\ndef wf() -> int:\n    return step(x=timedelta(days=999999999))",
        ],
        "error",
        "input x of node n0 can't be sent",
    ),
    "a large default": (
        [
            "BIG = 'x' * 5_000_000",
            "@task\ndef step(x: str) -> int:\n    return len(x)",
            "@workflow\ndef wf(x: str = BIG) -> int:\n    return step(x=x)",
        ],
        "error",
        "its constants have 5.0 MB",
    ),
    "large constants of a workflow with its subworkflow": (
        [
            "BIG = 'x' * 2_500_000",
            "@task\ndef step(x: str) -> int:\n    return len(x)",
            "@workflow\ndef inner() -> int:\n    return step(x=BIG)",
            "@workflow\ndef wf() -> int:\n    inner()\n    return step(x=BIG)",
        ],
        "error",
        "its constants have 5.0 MB",
    ),
    "a file as a constant in a branch": (
        [
            FILE,
            *BOX,
            "@workflow\ndef wf(x: int) -> int:\n    return (flytekit.conditional('c').if_(x > 1)"
            ".then(step(b=Box(__file__))).else_().fail('no'))",
        ],
        "error",
        "is a file",
    ),
    "a wide constant": (
        [STEP.format(""), WF.format("").replace("x=x", f"x={2**63}")],
        "error",
        "Value out of range: 9223372",
    ),
    "the widest constant": ([STEP.format(""), WF.format(" = 2**63 - 1").replace("x=x", f"x={2**63 - 1}")], "", ""),
    "a pickled type": (
        [
            "class Box:\n    pass",
            "@task\ndef step(x: int) -> Box:\n    return Box()",
            WF.format("").replace("-> int", "-> Box"),
        ],
        "warning",
        "output o0 of type Box is pickled",
    ),
    "an output of a container": (
        [
            "c = ContainerTask(name='c', image='busybox', outputs=kwtypes(o=list[int]), command=['true'],"
            " input_data_dir='/i', output_data_dir='/o')",
            "@workflow\ndef wf() -> list[int]:\n    return c()",
        ],
        "error",
        "output o of type list[int]: co-pilot reads only",
    ),
    "too many nodes": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    for _ in range(101):\n        x = step(x=x)\n    return x",
        ],
        "error",
        "it has 101 nodes",
    ),
    "as many nodes as there may be": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    for _ in range(100):\n        x = step(x=x)\n    return x",
        ],
        "",
        "",
    ),
    "nodes that collide": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    a = step(x=x).with_overrides(node_name='s')\n"
            "    return step(x=a).with_overrides(node_name='s')",
        ],
        "error",
        "2 nodes are named 's', of which a cluster runs one",
    ),
    "names that collide": (
        [
            "a = ContainerTask(name='c', image='busybox', command=['true'])",
            "b = ContainerTask(name='c', image='busybox', command=['false'])",
            "@workflow\ndef wf() -> None:\n    a()\n    b()",
        ],
        "error",
        "2 tasks are named 'c'",
    ),
    "an image with another Python": (
        [IMAGE.format("3.9", metadata.version("pandas")), STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        f"the image has Python 3.9, and this kernel 3.{sys.version_info.minor}",
    ),
    "a tag with another Python": (
        [STEP.format("(container_image='cr.flyte.org/flyteorg/flytekit:py3.9-1.16.0')"), WF.format("")],
        "warning",
        "the image has Python 3.9",
    ),
    "an image with another version": (
        [IMAGE.format(f"3.{sys.version_info.minor}", "1.0"), STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        "the image installs pandas 1.0, and here is",
    ),
    "an image without a package": (
        [
            "import numpy as np",
            "image = ImageSpec(name='i')",
            STEP.format("(container_image=image)").replace("return x", "return int(np.abs(x))"),
            WF.format(""),
        ],
        "warning",
        "numpy is imported, and the image doesn't install numpy",
    ),
    "an image with a range of versions": (
        [
            "image = ImageSpec(name='i', packages=['pandas>=0.1,<1'])",
            STEP.format("(container_image=image)"),
            WF.format(""),
        ],
        "warning",
        "the image installs pandas <1,>=0.1, and here is",
    ),
    "an image with a pattern of versions": (
        [
            f"image = ImageSpec(name='i', packages=['pandas=={metadata.version('pandas').partition('.')[0]}.*'])",
            STEP.format("(container_image=image)"),
            WF.format(""),
        ],
        "",
        "",
    ),
    "an image with what its packages require": (
        [
            "import numpy as np\nimport yaml",
            "image = ImageSpec(name='i', packages=['pandas'])",
            STEP.format("(container_image=image)").replace("return x", "return int(np.abs(x)) + len(yaml.dump(x))"),
            WF.format(""),
        ],
        "",
        "",
    ),
    "an image with packages of another source": (
        [
            "import numpy as np",
            "image = ImageSpec(name='i', conda_packages=['numpy'])",
            STEP.format("(container_image=image)").replace("return x", "return int(np.abs(x))"),
            WF.format(""),
        ],
        "",
        "",
    ),
    "a module that isn't installed": (
        [STEP.format("").replace("return x", "import nowhere_to_find\n    return x"), WF.format("")],
        "warning",
        "nowhere_to_find is imported, and neither this kernel nor flytekit's own image has it",
    ),
    "a module that a task can do without": (
        [
            STEP.format("").replace(
                "return x",
                "try:\n        import nowhere_to_find\n    except ImportError:\n        x = x + 1\n    return x",
            ),
            WF.format(""),
        ],
        "",
        "",
    ),
    "the image of a task in a dynamic": (
        [
            IMAGE.format("3.9", metadata.version("pandas")),
            STEP.format("(container_image=image)"),
            "@flytekit.dynamic\ndef wf(x: int) -> int:\n    return step(x=x)",
        ],
        "warning",
        "the image has Python 3.9",
    ),
    "packages that flytekit's own image lacks": (
        ["import pandas as pd", STEP.format("").replace("return x", "return len(pd.Series([x]))"), WF.format("")],
        "warning",
        "pandas is imported, and flytekit's own image, which tasks without an image have, lacks pandas",
    ),
    "packages that flytekit's own image has": (
        ["import yaml", STEP.format("").replace("return x", "return len(yaml.dump(x))"), WF.format("")],
        "",
        "",
    ),
    "an image that no cluster can pull": (
        ["image = ImageSpec(name='i')", STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        "its image has no registry",
    ),
    "an image that must be built": (
        ["image = ImageSpec(name='i', registry='example.org')", STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        "its image is built and pushed to example.org when it is registered",
    ),
    "a pickled constant": (
        ["class Box:\n    pass", *BOX, "@workflow\ndef wf() -> int:\n    return step(b=Box())"],
        "error",
        "input b of node n0 is a file, a frame or a pickled object that is stored on this machine",
    ),
    "a file as a constant": (
        [FILE, *BOX, "@workflow\ndef wf() -> int:\n    return step(b=Box(__file__))"],
        "error",
        "input b of node n0 is a file",
    ),
    "a file in a dataclass as a constant": (
        [
            f"from dataclasses import dataclass\n{FILE.replace('Box', 'Inner')}",
            "@dataclass\nclass Box:\n    f: Inner",
            *BOX,
            "@workflow\ndef wf() -> int:\n    return step(b=Box(Inner(__file__)))",
        ],
        "error",
        "input b of node n0 is a file",
    ),
    "a file as a default": (
        [FILE, *BOX, "@workflow\ndef wf(b: Box = Box(__file__)) -> int:\n    return step(b=b)"],
        "error",
        "the default of b is a file",
    ),
    "a file as an input of a launch plan": (
        [
            FILE,
            *BOX,
            "@workflow\ndef inner(b: Box) -> int:\n    return step(b=b)",
            "wf = LaunchPlan.get_or_create(inner, 'of_a_file', fixed_inputs={'b': Box(__file__)})",
        ],
        "error",
        "input b is a file",
    ),
    "a file in a storage as a constant": (
        [FILE, *BOX, "@workflow\ndef wf() -> int:\n    return step(b=Box('https://example.org/a.txt'))"],
        "",
        "",
    ),
    "constants that are too large": (
        ["BIG = 'x' * 5_000_000\nBox = str", *BOX, "@workflow\ndef wf() -> int:\n    return step(b=BIG)"],
        "error",
        "its constants have 5.0 MB",
    ),
    "a class of a cell in an image that is built already": (
        [(FLOWS / "plugin_prebuilt.py").read_text(), "wf = plugin_prebuilt"],
        "error",
        "its pod imports GreetExecutor from its image",
    ),
    "a task that a service runs": (
        [
            "from flytekit.core.base_sql_task import SQLTask",
            "numbers = SQLTask('numbers', query_template='SELECT 1', outputs=kwtypes(n=int), task_type='warehouse')",
            "@workflow\ndef wf() -> int:\n    return numbers()",
        ],
        "warning",
        "it has no container, so the cluster needs a plugin or connector for the type 'warehouse'",
    ),
    "a map of a launch plan": (
        [
            STEP.format(""),
            "@workflow\ndef inner(x: int) -> int:\n    return step(x=x)",
            "plan = LaunchPlan.get_or_create(inner, 'mapped')",
            "@workflow\ndef wf(x: list[int]) -> list[int]:\n    return flytekit.map_task(plan)(x=x)",
        ],
        "error",
        "a cluster registers no map of a launch plan",
    ),
    "a map of a container": (
        [
            "import flytenb\nc = flytenb.container('c', 'y = x', lang='python', inputs={'x': int}, outputs={'y': int})",
            "@workflow\ndef wf(x: list[int]) -> list[int]:\n    return flytekit.map_task(c)(x=x)",
        ],
        "error",
        "a cluster registers no map of a container",
    ),
    "a map of a container with encoded values": (
        [
            "import flytenb\nshapes = {'inputs': {'x': list[int]}, 'outputs': {'y': list[int]}}",
            "c = flytenb.container('c', 'y = x', lang='python', **shapes)",
            "@workflow\ndef wf(x: list[list[int]]) -> list[list[int]]:\n    return flytekit.map_task(c)(x=x)",
        ],
        "error",
        "a cluster registers no map of a container",
    ),
    "a request over its limit": (
        [
            STEP.format("(requests=Resources(cpu='1500m', mem='1Gi'), limits=Resources(cpu='1', mem='1Gi'))"),
            WF.format(""),
        ],
        "error",
        "it requests 1500m of cpu, and its limit is 1",
    ),
    "a schedule without a value for an input": (
        [
            STEP.format(""),
            WF.format("").replace("wf", "inner"),
            "wf = LaunchPlan.get_or_create(inner, 'nightly', schedule=flytekit.CronSchedule(schedule='0 3 * * *'))",
        ],
        "error",
        "its schedule starts it without a value for x",
    ),
    "a schedule that gives its time to an int": (
        [
            STEP.format(""),
            WF.format("").replace("wf", "inner"),
            "every = flytekit.CronSchedule(schedule='0 3 * * *', kickoff_time_input_arg='x')",
            "wf = LaunchPlan.get_or_create(inner, 'timed', schedule=every)",
        ],
        "error",
        "its schedule gives its time to x, which is int",
    ),
    "a schedule with all inputs": (
        [
            STEP.format(""),
            WF.format("").replace("wf", "inner"),
            "every = flytekit.CronSchedule(schedule='0 3 * * *')",
            "wf = LaunchPlan.get_or_create(inner, 'complete', schedule=every, fixed_inputs={'x': 1})",
        ],
        "",
        "",
    ),
    "a workflow that doesn't compile": (
        [STEP.format(""), "@workflow\ndef wf(x: int) -> int:\n    return step(y=x)"],
        "error",
        "it doesn't compile",
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore:.*is given to more than one node:UserWarning")  # when it compiles, as well
@pytest.mark.parametrize("name", CASES)
def test_check_finds(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells, severity, what = CASES[name]
    with open_notebook() as notebook:
        notebook.run(START, *cells)
        found = flytenb.check(notebook.names["wf"])
    if not severity:
        assert [f for f in found.findings if "its image has no registry" not in f.what] == []
        assert found.findings or "nothing was found" in repr(found)
        return
    assert [f.severity for f in found.findings if what in f.what] == [severity], found
    assert found.ok is (severity == "warning")
    assert all(f.way_out for f in found.findings)
    assert found.findings[0].what.split()[0] in repr(found)
    if severity == "error":
        with pytest.raises(ExportError):
            found.require()


def test_texts_that_are_paths_of_this_machine_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what exists, and is the user's: `/bin/sh` and `/` exist in a pod as well."""
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
        (folder / "data.csv").touch()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("tempfile.tempdir", "/elsewhere")
    monkeypatch.chdir(here)
    paths = [f"{here}/data.csv", f"{home}/data.csv", "~/data.csv", f"{home}/none.csv", str(home), "/bin/sh", "/", "~/"]
    with open_notebook() as notebook:
        notebook.run(START, f"PATHS = {paths}", STEP.format("").replace("return x", "return len(PATHS)"), WF.format(""))
        found = flytenb.check(notebook.names["wf"])
        flytenb.export(notebook.names["wf"])
    named = [f.what.removesuffix(" is a path of this machine") for f in found.findings if f.severity == "warning"]
    assert named == [repr(path) for path in sorted(paths[:3])]
    assert {f.where for f in found.findings} == {"cell 2, line 1"}


READS = {
    "a variable by its key": ("os.environ['MY_PLACE']", "step reads the environment variable MY_PLACE"),
    "a variable by a function": ("os.getenv('MY_PLACE')", "step reads the environment variable MY_PLACE"),
    "a variable by another import": ("from os import environ as e\ne['MY_PLACE']", "MY_PLACE"),
    "a variable in an import of a body": ("import os as o\no.environ.get('MY_PLACE')", "MY_PLACE"),
    "a variable with a default that is set here": ("os.getenv('SET_HERE', '')", "SET_HERE"),
    "a variable that a constant names": ("os.environ[VARIABLE]", "MY_PLACE"),
    "a variable in a helper": ("helper()", "MY_PLACE"),
    "a file": ("open('data.csv')", "step reads 'data.csv', and its pod begins in an empty directory"),
    "a file that a library reads": ("pd.read_csv('data/x.csv')", "step reads 'data/x.csv'"),
    "a file of arrays": ("np.load('x.npy')", "step reads 'x.npy'"),
    "a file as a path": ("Path('x.txt').read_text()", "step reads 'x.txt'"),
    "a file by the method of a path": ("with Path('x.txt').open('rb') as f:\n    f.read()", "step reads 'x.txt'"),
    "a file below a constant": ("(ROOT / 'x.txt').read_bytes()", "step reads 'inputs/x.txt'"),
    "a file in a variable": ("name = 'x.csv'\npd.read_csv(name)", "step reads 'x.csv'"),
    "a file in a text of parts": ("open(f'{ROOT}/x.txt')", "step reads 'inputs/x.txt'"),
    "a file of the home": ("open(os.path.expanduser('~/none.csv'))", "the home of its pod has other files"),
    "a file of the home as a path": ("(Path.home() / 'none.csv').read_text()", "step reads '~/none.csv'"),
    "a directory": ("os.listdir('inputs')", "step reads 'inputs'"),
    "an archive": ("import zipfile\nzipfile.ZipFile('x.zip')", "step reads 'x.zip'"),
    "a line that is typed": ("input('name? ')", "step waits for somebody to type"),
    "standard input": ("import sys\nsys.stdin.read()", "step waits for somebody to type"),
    "this host": ("import urllib.request as r\nr.urlopen('http://localhost:80/x')", "uses 'http://localhost:80/x'"),
    "this host as a constant": ("print(URL)", "uses 'redis://127.0.0.1:6379'"),
}
NO_READS = {
    "a variable of any pod": "os.environ['HOME'] + os.getenv('PATH')",
    "a variable with a default": "os.getenv('NOT_SET_HERE', '')",
    "a variable that the task sets": "os.environ['MY_PLACE'] = '1'\nos.environ['MY_PLACE']",
    "a file that is written": "open('x.txt', 'w').close()\nopen('x.txt').read()",
    "a file that a library writes": "pd.DataFrame().to_csv('x.csv')\npd.read_csv('x.csv')",
    "a file that a path writes": "p = Path('x.txt')\np.write_text('a')\np.read_text()",
    "a file that a program writes": "import subprocess\nsubprocess.run(['make'])\nopen('made.txt')",
    "a file in a directory that is made": "os.makedirs('out')\nopen('out/' + str(1), 'w')\nopen('out/1')",
    "a file of a name that isn't known": "open(str(x))",
    "a file that may be written": "pd.DataFrame().to_csv(str(x))\nopen('3')",
    "a file that is an input": "name = 'x.csv'\nname = str(x)\nopen(name)",
    "a file only written": "Path('x.txt').open('w')",
    "a file in a storage": "pd.read_csv('s3://bucket/x.csv')",
    "a file of the system": "open('/etc/hostname')",
    "data in a text": "pd.read_json('[{\"a\": 1}]')\njson.loads('[1]')",
    "its own directory": "os.listdir('.')\nlist(Path().glob('*'))",
    "a server of its own": "import socket\nsocket.socket().bind(('localhost', 0))",
    "a text about this host": "print('not on localhost')",
    "a function called input": "def input():\n    return 1\ninput()",
}
READ_START = """import json, os
from pathlib import Path
import numpy as np
import pandas as pd
ROOT = Path('inputs')
VARIABLE = 'MY_PLACE'
URL = 'redis://127.0.0.1:6379'
def helper():
    return os.environ['MY_PLACE']"""


def _found_reads(body: str, options: str = "") -> list[tuple[str, str]]:
    with open_notebook() as notebook:
        notebook.run(START, READ_START)
        indented = body.replace("\n", "\n    ")
        notebook.run(STEP.format(options).replace("return x", f"{indented}\n    return x"), WF.format(""))
        found = flytenb.check(notebook.names["wf"])
    others = ("own image", "path of this machine", "has no registry", "its image is built")
    assert found.ok, found
    return [(f.what, f.where) for f in found.findings if not any(text in f.what for text in others)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", READS)
def test_what_a_task_reads_from_this_machine_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SET_HERE", "1")
    body, what = READS[name]
    [(found, where)] = _found_reads(body)
    assert what in found
    assert where.startswith(
        "cell 2, line" if name in ("a variable in a helper", "this host as a constant") else "cell 3"
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NO_READS)
def test_what_a_pod_has_as_well_is_not_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _found_reads(NO_READS[name]) == []


def test_a_file_that_is_here_is_named_although_a_program_may_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    body = "import subprocess\nsubprocess.run(['true'])\nopen('here.txt')"
    assert _found_reads(body) == []
    Path("here.txt").touch()
    assert "step reads 'here.txt'" in _found_reads(body)[0][0]


@pytest.mark.parametrize(
    "options",
    [
        "(environment={'MY_PLACE': 'x'})",
        "(container_image=ImageSpec(name='i', env={'MY_PLACE': 'x'}, packages=['numpy', 'pandas']))",
        "(secret_requests=[flytekit.Secret(group='g', key='k', env_var='MY_PLACE')])",
    ],
)
def test_a_variable_that_the_task_asks_for_is_not_named(options: str) -> None:
    assert _found_reads("os.environ['MY_PLACE']", options) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_flow_reads_from_this_machine(name: str) -> None:
    with open_notebook() as notebook:
        notebook.run((FLOWS / f"{name}.py").read_text())
        found = flytenb.check(notebook.names["ENTITY"])
    assert not [f for f in found.findings if "pod" in f.what and f.severity == "warning"]


def test_findings_name_entities_by_their_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inner = "@workflow\ndef inner(b: Box) -> int:\n    return step(b=b)"
    plan = "plan = LaunchPlan.get_or_create(inner, 'of_a_box', fixed_inputs={'b': Box(__file__)})"
    broken = "@workflow\ndef broken(x: int) -> int:\n    return step(y=x)\nbad = LaunchPlan.create('bad', broken)"
    container = "c = flytenb.container('c', 'y = x', lang='python', inputs={'x': int}, outputs={'y': int})"
    maps = "@workflow\ndef wf(x: list[int]) -> list[int]:\n    return flytekit.map_task(c)(x=x)"
    with open_notebook() as notebook:
        notebook.run(START, FILE, *BOX, inner, plan, f"import flytenb\n{container}", maps, broken)
        names = notebook.names
        assert {f.where for f in flytenb.check(names["plan"]).findings if f.severity == "error"} == {
            "launch plan of_a_box"
        }
        assert [f.where for f in flytenb.check(names["wf"]).findings if f.severity == "error"] == ["map of c"]
        assert [f.where for f in flytenb.check(names["bad"]).findings] == ["launch plan bad"]
        with task_mock(names["inner"]):
            [mocked] = [f for f in flytenb.check(names["inner"]).findings if "replaced by a mock" in f.what]
        assert mocked.where == "workflow inner"


def test_own_modules_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that only the body of a task imports, which hasn't run; and the packages that they import."""
    (tmp_path / "own_helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "own_later.py").write_text("import numpy\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_helpers", raising=False)
    with open_notebook() as notebook:
        body = "import own_later\n    return twice(x)"
        notebook.run(START, "from own_helpers import twice", STEP.format("").replace("return x", body))
        notebook.run(WF.format(""))
        found = flytenb.check(notebook.names["wf"])
        made = flytenb.export(notebook.names["wf"])
    sys.modules.pop("own_helpers")
    own, later, package = ((f.severity, f.what) for f in found.findings)
    assert (own, later) == (("warning", "own_helpers is your own module"), ("warning", "own_later is your own module"))
    assert package[1].endswith("lacks numpy")
    assert made.modules == ("own_helpers", "own_later")
    assert made.packages == ("flytekit", "numpy")
    assert "\n\nfrom own_helpers import twice\n" in made.text  # a section of its own


def test_the_place_of_a_missing_name_is_the_line_that_uses_it() -> None:
    with open_notebook() as notebook:
        notebook.run(START, STEP.format("").replace("return x", "y = x\n    return y + NOWHERE"), WF.format(""))
        found = flytenb.check(notebook.names["wf"])
    assert [(f.what, f.where) for f in found.findings] == [("nothing defines 'NOWHERE'", "cell 2, line 4")]


def test_each_workflow_that_does_not_compile_is_named() -> None:
    with open_notebook() as notebook:
        notebook.run(START, STEP.format(""))
        for name in ("one", "two"):
            notebook.run(WF.format("").replace("wf", name).replace("x=x", "y=x"))
        found = flytenb.check()
    assert [(f.where, f.severity) for f in found.findings] == [("workflow one", "error"), ("workflow two", "error")]


def test_the_magic_returns_what_the_function_does() -> None:
    with open_notebook() as notebook:
        notebook.run(START, STEP.format(""), WF.format(""))
        assert notebook.run("%flyte check wf") == flytenb.check(notebook.names["wf"])
