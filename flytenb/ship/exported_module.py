"""An exported module: its text with a display, and saving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flytenb.display.part import Text
from flytenb.display.rendering import Rendering, render_part
from flytenb.display.type_lens import WHOLE
from flytenb.errors import SaveError
from flytenb.ship.draft import draft, require_exportable

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
    """

    names: tuple[str, ...]
    text: str
    modules: tuple[str, ...] = ()

    @classmethod
    def of(cls, entities: Sequence[Any], cells: Cells, namespace: Mapping[str, Any]) -> Export:
        """Export entities of a notebook.

        Raises:
            ExportError: with everything that can't leave the notebook.
        """
        made = draft(entities, cells, namespace)
        require_exportable(made)
        return cls(made.names, made.text, made.modules)

    def save(self, path: str | Path) -> Path:
        """Write the text to a file and return its path.

        Raises:
            SaveError: if the file can't be written.
        """
        file = Path(path)
        try:
            file.write_text(self.text, encoding="utf-8", newline="\n")
        except OSError as e:
            raise SaveError(f"can't write {str(file)!r}: {e.strerror}", hint="give the path of a file") from None
        return file

    def __repr__(self) -> str:
        return self.text.rstrip()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown._repr_mimebundle_() | {"text/plain": repr(self)}

    @property
    def _shown(self) -> Rendering:
        return render_part(Text(self.text, "code"), WHOLE)
