"""Input forms built from an entity's interface, with an ipywidgets control for each type.

ipywidgets is imported when a form is first shown or filled.
"""

from flytenb.notebook.forms.control_registry import control_for

__all__ = ["control_for"]
