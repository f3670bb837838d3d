"""An input form made from an entity's interface: a control for each type, all of it ipywidgets.

ipywidgets is imported when a form is first shown or filled, not before.
"""

from flytenb.notebook.forms.control_registry import control_for

__all__ = ["control_for"]
