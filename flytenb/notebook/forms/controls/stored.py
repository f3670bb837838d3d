"""Files and directories: an address to type, or something to upload."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import ipywidgets as widgets

from flytenb.notebook.forms.control import ControlError
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.control_registry import BUILT_IN
from flytenb.notebook.forms.python_source import PythonSource
from flytenb.wording.types import bare
from flytenb.wording.values import brief


@BUILT_IN.register("flytekit.types.file.file.FlyteFile")
def file_control(declared: Any, context: ControlContext) -> StoredControl:
    """Return a field for a path or address, with an upload of one file."""
    return StoredControl(bare(declared), context, is_directory=False)


@BUILT_IN.register("flytekit.types.directory.types.FlyteDirectory")
def directory_control(declared: Any, context: ControlContext) -> StoredControl:
    """Return a field for a path or address, with an upload of several files."""
    return StoredControl(bare(declared), context, is_directory=True)


class StoredControl:
    """Where a file or directory lies; what is uploaded lies in a directory of the form."""

    def __init__(self, cls: Any, context: ControlContext, *, is_directory: bool) -> None:
        self._cls = cls
        self._folder = context.folder
        self._is_directory = is_directory
        kind = "directory" if is_directory else "file"
        self.path = widgets.Text(placeholder=f"path or address of a {kind}", layout=widgets.Layout(width="auto"))
        suffix = cls.extension() if hasattr(cls, "extension") else ""
        self.upload = widgets.FileUpload(
            multiple=is_directory,
            accept=f".{suffix}" if suffix else "",
            tooltip="upload several files, of which a directory is made" if is_directory else "upload a file",
            layout=widgets.Layout(width="max-content"),
        )
        # The widget writes behind its label how many files it holds, of which the path tells more: see form.css.
        self.upload.add_class("ft-form-upload")
        self.upload.observe(self._uploaded, names="value")
        self.path.add_class("ft-form-inside")
        self.widget = widgets.HBox([self.path, self.upload])

    def _uploaded(self, change: Any) -> None:
        files = change["new"]
        if not files:
            return
        folder = self._folder() / uuid.uuid4().hex
        folder.mkdir(parents=True)
        for file in files:
            (folder / _safe(file["name"])).write_bytes(bytes(file["content"]))
        self.path.value = str(folder if self._is_directory else folder / _safe(files[0]["name"]))

    def read(self) -> Any:
        """Return it as the declared class."""
        text = self.path.value.strip()
        if not text:
            raise ControlError(f"a {'directory' if self._is_directory else 'file'} is missing")
        if "://" not in text and not Path(text).exists():
            raise ControlError(f"there is nothing at {text!r}")
        return self._cls(text)

    def write(self, value: Any) -> None:
        """Show where it lies."""
        path = getattr(value, "path", value)
        if not isinstance(path, str | PurePath):
            raise ControlError(f"{brief(value)} is no path")
        self.path.value = str(path)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call it when the path changes."""
        self.path.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Write it by its path."""
        return source.write(self.read())


def _safe(name: str) -> str:
    """The file's own name, without any of the directories that a browser or an enemy may put before it."""
    return PurePath(name.replace("\\", "/")).name or "upload"
