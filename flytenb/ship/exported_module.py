"""An exported module: its text with a display, and saving it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.bridge.execution.map_task import is_plain_map, map_workflow_text
from flytenb.display.limits import UNCUT
from flytenb.display.part import Text
from flytenb.display.rendering import Rendering, render_part
from flytenb.errors import ExportError, SaveError
from flytenb.ship.draft import draft, require_exportable
from flytenb.ship.exported_project import project_files
from flytenb.ship.module_cells import NOTEBOOKS, cells_of_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flytenb.ship.cells import Cells


@dataclass(frozen=True, repr=False)
class Export:
    """Entities and all that they reach as the text of a module. Created by `flytenb.export`.

    Attributes:
        names: the variables of the entities in the module.
        text: the text of the module; equal cells give equal text.
        modules: the names of your own modules that it imports, whose files must be beside it.
        packages: the installed top-level packages that it and these modules import.
    """

    names: tuple[str, ...]
    text: str
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @classmethod
    def of(cls, entities: Sequence[Any], cells: Cells, namespace: Mapping[str, Any]) -> Export:
        """Export entities of a notebook.

        Raises:
            ExportError: with everything that can't leave the notebook.
        """
        made = draft(entities, cells, namespace)
        require_exportable(made)
        return cls(made.names, made.text, made.modules, made.packages)

    def with_map(self, entity: Any, name: str) -> Export:
        """Return the module with a workflow of a map of its only entity.

        Raises:
            ExportError: for a map of something else than a task, or with settings of its own.
        """
        [target] = self.names
        if not is_plain_map(entity):
            raise ExportError(f"can't export the map of {target!r} by itself", hint="call it in a workflow")
        variable = f"__workflow_of_{target}"
        text = self.text + map_workflow_text(entity, target, variable, name)
        return replace(self, names=(variable,), text=text)

    def save(self, path: str | Path) -> Path:
        """Write the module, a notebook or a project, and return its path.

        Args:
            path: a `.py` file; `.md` or `.ipynb` for a notebook of the module; or a folder, with a slash at its end
                unless it exists, for a project: `pipeline.py`, your own modules, `pyproject.toml` and
                `image_spec.yaml` with the versions of what is imported.

        Raises:
            SaveError: if it can't be written.
        """
        target = Path(path)
        try:
            if str(path).endswith(("/", os.sep)) or target.is_dir():
                for name, content in project_files(self.names[0], self.text, self.modules, self.packages).items():
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    (target / name).write_bytes(content)
            else:
                target.write_bytes(self._text_for(target.suffix).encode())
        except OSError as e:
            raise SaveError(f"can't write {str(target)!r}: {e.strerror}", hint="give the path of a file") from None
        return target

    def _text_for(self, suffix: str) -> str:
        render = NOTEBOOKS.get(suffix)
        if render is None:
            return self.text
        return render(["%load_ext flytenb", *cells_of_module(self.text)])

    def __repr__(self) -> str:
        return self.text.rstrip()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown._repr_mimebundle_() | {"text/plain": repr(self)}

    @property
    def _shown(self) -> Rendering:
        return render_part(Text(self.text, "code"), UNCUT)
