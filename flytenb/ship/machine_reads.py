"""What tasks read from the machine of the notebook and find otherwise in a pod: variables, files, input, this host."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flytenb.bridge.entities.kind import function_of, inner_workflow, is_entity, short_name
from flytenb.ship.constant_texts import ConstantTexts
from flytenb.ship.finding import Finding
from flytenb.ship.local_paths import find_local_paths
from flytenb.ship.needed_statements import NeededStatements
from flytenb.ship.statements import Statement

_IN_PODS = re.compile(
    r"PATH|HOME|USER|LOGNAME|PWD|HOSTNAME|SHELL|LANG|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|CI|PYTHON\w+|CUDA\w*|NVIDIA\w*|OMP_\w+"
    r"|KUBERNETES_\w+|(_*F|FLYTE|FLYTECTL|_U)_\w+|FLYTE\w*|(RANK|WORLD_SIZE|LOCAL_RANK|MASTER_ADDR|MASTER_PORT)"
)
"""Variables that pods have as well, or that say something about the machine on purpose."""
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_READERS = re.compile(
    r"(pandas|polars|geopandas|dask|pyarrow)\.(.+\.)?(read_(?!sql|gbq|clipboard)\w+|scan_\w+|open_\w+)"
    r"|numpy\.(.+\.)?(load|loadtxt|genfromtxt|fromfile|memmap)|(torch|joblib)\.(.+\.)?load|xarray\.(.+\.)?(open|load)_\w+"
    r"|(PIL\.Image|tarfile|tarfile\.TarFile|gzip|bz2|lzma|io|_io|codecs|wave|builtins|soundfile)\.(open|read)"
    r"|(cv2|imageio|skimage|matplotlib)\.(.+\.)?imread|h5py\.(.+\.)?File|zipfile\.ZipFile|shutil\.(copy\w*|move|unpack_archive)"
    r"|(os|posix)\.(listdir|scandir|walk)|posixpath\.getsize|glob\.i?glob|runpy\.run_path"
)
_METHODS = frozenset(["read_text", "read_bytes", "iterdir", "glob", "rglob", "stat"])
_WRITERS = re.compile(
    r"to_(csv|parquet|json|excel|feather|pickle|hdf|orc|html)|save\w*|write_\w+|imwrite|extract(all)?|unpack_archive"
    r"|urlretrieve|download\w*|makedirs|mkdir|symlink_to|touch"
)
_STARTING = re.compile(
    r"(subprocess|pty|plumbum|sh)\.\w+|(os|posix)\.(system|popen|exec\w+|spawn\w+|chdir)|contextlib\.chdir"
)
_SERVING = frozenset(["bind", "listen", "serve_forever", "create_server", "start_server", "HTTPServer", "TCPServer"])
_THIS_HOST = re.compile(r"(\w+://([^/@]*@)?)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/.*)?", re.DOTALL)
_PATH = re.compile(r"[\w.~/ +@=,()\[\]*?-]{1,400}")


class _Read(NamedTuple):
    """A file that code reads."""

    path: str
    statement: Statement
    node: ast.AST


def find_machine_reads(needed: NeededStatements) -> Iterator[Finding]:
    """Yield a warning for each thing that a task reads here, and that its pod lacks or has differently."""
    for name in needed.names:
        task = needed.namespace.get(name)
        if is_entity(task) and inner_workflow(task) is None and function_of(task) is not None:
            yield from _TaskReads(needed, name, task).find()


class _TaskReads:
    """Looks for them in the code of a task: its function, and the helpers, classes and constants that this reaches."""

    def __init__(self, needed: NeededStatements, name: str, task: Any) -> None:
        self._task = task
        self._name = short_name(task)
        bound = {bound: None for statement in needed.program for bound in statement.binds}
        self._code = [(s, ConstantTexts(s, needed.namespace, bound)) for s in _reached(needed, name)]
        self._reads: list[_Read] = []
        self._uses: set[str] = set()
        self._dotted: set[str] = set()
        self._calls: set[str] = set()
        self._writes_unknown = False

    def find(self) -> Iterator[Finding]:
        """Yield the warnings."""
        for statement, texts in self._code:
            tree: ast.AST = statement.tree
            if not statement.is_definition:
                tree = ast.Constant(None)  # what it is set to is read where it is used
            self._visit(tree, statement, texts)
        yield from self._of_variables()
        yield from self._of_files()
        yield from self._of_input()
        yield from self._of_this_host()

    # --- variables ---------------------------------------------------------------------------------------------------

    def _of_variables(self) -> Iterator[Finding]:
        known = {*(getattr(self._task, "environment", None) or {})}
        known |= {*(getattr(getattr(self._task, "container_image", None), "env", None) or {})}
        secrets = getattr(getattr(self._task, "security_context", None), "secrets", None) or []
        known |= {secret.env_var for secret in secrets if getattr(secret, "env_var", None)}
        found = [(s, node, *_variable(node, texts)) for s, texts in self._code for node in s.nodes]
        known |= {name for _, _, name, how in found if how == "set"}
        for statement, node, name, how in found:
            is_other = how == "required" or (how == "optional" and name in os.environ)
            if name and is_other and name not in known and not _IN_PODS.fullmatch(name):
                hint = f"set it for the task: environment={{{name!r}: …}}, or pass its value as an input"
                if _SECRET.search(name):
                    hint = "keep it in the cluster's secrets: current_context().secrets.get(…)"
                what = f"{self._name} reads the environment variable {name}, which isn't set in its pod"
                yield Finding(what, _place(statement, node), hint, "warning")

    # --- files -------------------------------------------------------------------------------------------------------

    def _of_files(self) -> Iterator[Finding]:
        may_be_made = (
            self._writes_unknown
            or any(map(_STARTING.fullmatch, self._dotted))
            or bool(
                {name for name in self._calls if _WRITERS.fullmatch(name)} & {"extract", "extractall", "unpack_archive"}
            )
        )
        for path, statement, node in self._reads:
            is_made = any(path == use or path.startswith(f"{use.rstrip('/')}/") for use in self._uses)
            is_here = Path(path).expanduser().exists()
            if is_made or (may_be_made and not is_here) or [*find_local_paths([path])]:
                continue
            where = (
                "the home of its pod has other files"
                if path.startswith("~")
                else "its pod begins in an empty directory"
            )
            hint = "pass it as an input of type FlyteFile or FlyteDirectory, or name a storage that pods reach"
            yield Finding(f"{self._name} reads {path!r}, and {where}", _place(statement, node), hint, "warning")

    def _visit(self, node: ast.AST, statement: Statement, texts: ConstantTexts) -> None:
        """Collect the paths that are read, and all other constant texts."""
        if isinstance(node, ast.Call):
            dotted = texts.dotted(node.func)
            self._dotted.add(dotted)
            self._calls.add(getattr(node.func, "attr", "") or getattr(node.func, "id", ""))
            path = _path_read(node, dotted)
            text = texts.text(path)
            if path is not None and text is not None:
                if _is_elsewhere(text):
                    self._reads.append(_Read(os.path.normpath(text), statement, node))
                others = [*node.args, *node.keywords, node.func]
                for other in others:
                    if other is not path and getattr(other, "value", None) is not path:
                        self._visit(other, statement, texts)
                return
            self._writes_unknown |= _writes(node, dotted) and not any(
                texts.text(each) is not None for each in (*node.args, getattr(node.func, "value", None))
            )
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            is_name = texts.assigned(node.targets[0].id) is node.value
            if is_name and texts.text(node.value) is not None:
                return
        text = texts.text(node)
        if text is not None:
            self._uses.add(os.path.normpath(text) if text else text)
            return
        for child in ast.iter_child_nodes(node):
            self._visit(child, statement, texts)

    # --- input, host -------------------------------------------------------------------------------------------------

    def _of_input(self) -> Iterator[Finding]:
        for statement, texts in self._code:
            for node in statement.nodes:
                is_call = isinstance(node, ast.Call) and texts.dotted(node.func) in (
                    "builtins.input",
                    "getpass.getpass",
                )
                if is_call or (isinstance(node, ast.Attribute) and texts.dotted(node) == "sys.stdin"):
                    hint = "make it an input, or wait for it in the workflow: wait_for_input(…)"
                    what = f"{self._name} waits for somebody to type, and its pod has no terminal"
                    yield Finding(what, _place(statement, node), hint, "warning")

    def _of_this_host(self) -> Iterator[Finding]:
        if not self._calls.isdisjoint(_SERVING) or any(map(_STARTING.fullmatch, self._dotted)):
            return
        for statement, _ in self._code:
            for node in statement.nodes:
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and _THIS_HOST.fullmatch(text):
                    what = f"{self._name} uses {text!r}, which is the pod itself there, and not this machine"
                    yield Finding(
                        what, _place(statement, node), "name a host that pods reach, or pass it as an input", "warning"
                    )


def _reached(needed: NeededStatements, name: str) -> list[Statement]:
    """Return the statements that the code of a task consists of; other entities are looked at by themselves."""
    found: dict[Statement, None] = {}
    todo = needed.chain(name)
    while todo:
        statement = todo.pop()
        if statement in found or statement.is_import:
            continue
        found[statement] = None
        for read in sorted(needed.needs_of(statement)):
            if not is_entity(needed.namespace.get(read)):
                todo += needed.chain(read)
    return sorted(found, key=needed.position)


def _place(statement: Statement, node: ast.AST) -> str:
    return f"{statement.cell.place}, line {getattr(node, 'lineno', statement.tree.lineno)}"


def _variable(node: ast.AST, texts: ConstantTexts) -> tuple[str, str]:
    """Return the environment variable that an expression is about, and whether it is set, required or optional."""
    if isinstance(node, ast.Subscript) and texts.dotted(node.value) == "os.environ":
        return texts.text(node.slice) or "", "required" if isinstance(node.ctx, ast.Load) else "set"
    if isinstance(node, ast.Compare) and [texts.dotted(each) for each in node.comparators] == ["os.environ"]:
        return texts.text(node.left) or "", "optional"
    called = texts.dotted(node.func) if isinstance(node, ast.Call) and node.args else ""
    if isinstance(node, ast.Call) and called in ("os.environ.get", "os.getenv", "os.environ.pop"):
        has_default = len(node.args) > 1 or bool(node.keywords)
        return texts.text(node.args[0]) or "", "optional" if has_default else "required"
    if isinstance(node, ast.Call) and called in ("os.environ.setdefault", "os.putenv"):
        return texts.text(node.args[0]) or "", "set"
    return "", ""


def _path_read(node: ast.Call, dotted: str) -> ast.AST | None:
    """Return the path that a call reads, None if it reads none."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if _READERS.fullmatch(dotted):
        is_writing = dotted.endswith((".open", "ZipFile", "File")) and _is_writing(node, 1)
        return None if is_writing or not node.args else node.args[0]
    if isinstance(node.func, ast.Attribute) and (method in _METHODS or method == "open"):
        return None if method == "open" and _is_writing(node, 0) else node.func.value
    return None


def _is_writing(node: ast.Call, at: int) -> bool:
    modes = [each.value for each in node.keywords if each.arg == "mode"] + node.args[at : at + 1]
    return any(isinstance(mode, ast.Constant) and re.search(r"[wax]", str(mode.value)) for mode in modes)


def _writes(node: ast.Call, dotted: str) -> bool:
    name = getattr(node.func, "attr", "")
    is_open = dotted.endswith(".open") or name == "open"
    return (is_open and (_is_writing(node, 1) or _is_writing(node, 0))) or (
        bool(node.args) and bool(_WRITERS.fullmatch(name))
    )


def _is_elsewhere(text: str) -> bool:
    """Whether a text is a path in the home or the working directory, and not this directory itself."""
    return _PATH.fullmatch(text) is not None and not text.startswith("/") and os.path.normpath(text) != "."
