"""Controls for files and directories: a path or URL, or an upload."""

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
    """Return a text field for a path or URL, with an upload of one file."""
    return StoredControl(bare(declared), context, is_directory=False)


@BUILT_IN.register("flytekit.types.directory.types.FlyteDirectory")
def directory_control(declared: Any, context: ControlContext) -> StoredControl:
    """Return a text field for a path or URL, with an upload of several files."""
    return StoredControl(bare(declared), context, is_directory=True)


class StoredControl:
    """Control for a file or directory; uploads are stored in the form's directory."""

    def __init__(self, cls: Any, context: ControlContext, *, is_directory: bool) -> None:
        self._cls = cls
        self._folder = context.folder
        self._is_directory = is_directory
        kind = "directory" if is_directory else "file"
        self.path = widgets.Text(placeholder=f"path or URL of a {kind}", layout=widgets.Layout(width="auto"))
        suffix = cls.extension() if hasattr(cls, "extension") else ""
        self.upload = widgets.FileUpload(
            multiple=is_directory,
            accept=f".{suffix}" if suffix else "",
            tooltip="upload files into a new directory" if is_directory else "upload a file",
            layout=widgets.Layout(width="max-content"),
        )
        # The widget's label ends with the number of files, which the path makes redundant; see form.css.
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
        """Return the path as the declared class."""
        text = self.path.value.strip()
        if not text:
            raise ControlError(f"a {'directory' if self._is_directory else 'file'} is missing")
        if "://" not in text and not Path(text).exists():
            raise ControlError(f"no file or directory at {text!r}")
        return self._cls(text)

    def write(self, value: Any) -> None:
        """Show the path."""
        path = getattr(value, "path", value)
        if not isinstance(path, str | PurePath):
            raise ControlError(f"expected a path, got {brief(value)}")
        self.path.value = str(path)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` when the path changes."""
        self.path.observe(lambda _: changed(), names="value")

    def code(self, source: PythonSource) -> str:
        """Return Python code for the file or directory."""
        return source.write(self.read())


def _safe(name: str) -> str:
    """Return the file's name without directories, which the browser or an attacker may have added."""
    return PurePath(name.replace("\\", "/")).name or "upload"
