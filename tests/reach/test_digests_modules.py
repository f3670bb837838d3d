"""Own modules count by what is taken from them, loaded or not; installed ones by name and version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

from flytenb.reach import ownership

SHOW = """
import json, os, sys
from flytenb.reach.code_digest import CodeDigest, UnreadableCodeError

def show(source):
    vars(sys.modules["__main__"]).update(__file__="<cell>")
    exec(compile(source, "<cell>", "exec"), globals())
    try:
        digest = CodeDigest(f).now().hex()
    except UnreadableCodeError as e:
        digest = f"unreadable: {e}"
    return [digest, f(3)]

for name, source in json.load(sys.stdin).items():
    sys.stdout.flush()
    if os.fork() == 0:  # nothing that one of them imports is loaded for the next
        print(json.dumps([name, *show(source)]), flush=True)
        os._exit(0)
    os.wait()
"""

MODULES = {
    "own_a": "import own_b\nfrom own_c import twice\nK = 2\nclass A:\n    k = 2\ndef use(x): return x * own_b.K\n"
    "def both(x): return twice(x)\ndef keyed(x): return x * K\n",
    "own_b": "K = 2\n",
    "own_c": "from own_b import K\ndef twice(x): return x * K\n",
    "own_package/__init__": "from .inner import K as L\n",
    "own_package/inner": "K = 2\n",
}

WAYS = {
    "import inside": ("def f(x):\n    import own_a\n    return own_a.keyed(x)", "own_a"),
    "from inside": ("def f(x):\n    from own_a import keyed\n    return keyed(x)", "own_a"),
    "a module of a module": ("def f(x):\n    import own_a\n    return own_a.use(x)", "own_b"),
    "a module of a module of a module": ("def f(x):\n    from own_a import both\n    return both(x)", "own_b"),
    "import outside": ("import own_a\ndef f(x): return own_a.use(x)", "own_b"),
    "from outside": ("from own_a import both\ndef f(x): return both(x)", "own_b"),
    "a constant": ("def f(x):\n    from own_a import K\n    return K", "own_a"),
    "a class": ("def f(x):\n    import own_a as a\n    return a.A().k", "own_a"),
    "a package inside": ("def f(x):\n    import own_package\n    return own_package.L", "own_package/inner"),
    "a part of a package": (
        "def f(x):\n    import own_package.inner\n    return own_package.inner.K",
        "own_package/inner",
    ),
    "a part by from": ("def f(x):\n    from own_package import inner\n    return inner.K", "own_package/inner"),
    "a default": ("import own_a\ndef f(x, m=own_a): return m.K", "own_a"),
    "a table": ("import own_a\nT = {'m': own_a}\ndef f(x): return T['m'].K", "own_a"),
    "an argument": ("import own_a\ndef g(m): return m.K\ndef f(x): return g(own_a)", "own_a"),
    "getattr": ("import own_a\ndef f(x): return getattr(own_a, 'K')", "own_a"),
    "getattr by a name": ("import own_a\nN = 'K'\ndef f(x): return getattr(own_a, N)", "own_a"),
    "its dict": ("import own_a\ndef f(x): return own_a.__dict__['K']", "own_a"),
    "vars": ("import own_a\ndef f(x): return vars(own_a)['K']", "own_a"),
    "importlib": ("import importlib\ndef f(x): return importlib.import_module('own_a').K", "own_a"),
    "importlib by a name": ("import importlib\nN = 'own_a'\ndef f(x): return importlib.import_module(N).K", "own_a"),
    "__import__": ("def f(x): return __import__('own_a').K", "own_a"),
    "sys.modules": ("import own_a\ndef f(x): return sys.modules['own_a'].K", "own_a"),
}


def shown(folder: Path) -> dict[str, tuple[str, int]]:
    """What a new process says of each way: the digest and the plainly called function's answer."""
    (folder / "show.py").write_text(SHOW)
    done = subprocess.run(
        [sys.executable, str(folder / "show.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])},
        input=json.dumps({name: source for name, (source, _) in WAYS.items()}),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return {name: (digest, answer) for name, digest, answer in lines}


@pytest.mark.slow
def test_an_edit_of_an_own_module_is_seen_after_a_restart(tmp_path: Path) -> None:
    def write(edited: str = "") -> None:
        for name, text in MODULES.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"# of {edited}\n{text.replace('2', '30') if name == edited else text}")

    write()
    first = shown(tmp_path)
    assert first.keys() == WAYS.keys()
    write("no module")
    assert shown(tmp_path) == first, "a comment changes nothing"
    for edited in MODULES:
        write(edited)
        for name, (digest, answer) in shown(tmp_path).items():
            assert answer == first[name][1] or digest != first[name][0] or digest.startswith("unreadable"), name
            assert (answer != first[name][1]) >= (WAYS[name][1] == edited), name


def test_what_is_own_is_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = tmp_path / "libraries"
    for name in ("site-packages/one", "dist-packages/two", "three.egg/three"):
        assert ownership.is_installed(str(entry / name / "module.py"))
    assert not ownership.is_installed(str(tmp_path / "project" / "module.py"))
    assert not ownership.is_installed("<cell>")
    assert ownership.is_installed(textwrap.__file__)
    assert ownership.is_installed(pytest.__file__)

    (entry / "four-1.0.dist-info").mkdir(parents=True)
    (entry / "four-1.0.dist-info" / "RECORD").write_text(
        "four/__init__.py,,\nfour_alone.py,,\nfour-1.0.dist-info/RECORD,,\n"
    )
    monkeypatch.syspath_prepend(entry)
    assert ownership.is_installed(str(entry / "four" / "inner" / "module.py"))
    assert ownership.is_installed(str(entry / "four_alone.py"))
    assert not ownership.is_installed(str(entry / "five.py"))
    assert not ownership.is_installed(str(entry / "fourth.py"))


def test_what_is_installed_as_editable_is_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed, project = tmp_path / "target", tmp_path / "project"
    (installed / "six-1.0.dist-info").mkdir(parents=True)
    (installed / "six-1.0.dist-info" / "RECORD").write_text("six.pth,,\nsix-1.0.dist-info/RECORD,,\n")
    (project / "six.egg-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(installed)
    monkeypatch.syspath_prepend(project)
    assert not ownership.is_installed(str(project / "six" / "module.py"))


def test_the_version_of_a_library_is_that_of_its_metadata() -> None:
    for name in ("flytekit", "pytest", "numpy", "pydantic"):
        assert ownership.version_of(name) == f"{name} {metadata.version(name)}"
    assert ownership.version_of("json") == "python {}.{}.{}".format(*sys.version_info)
    assert ownership.version_of("no_such_library") == "no_such_library"
