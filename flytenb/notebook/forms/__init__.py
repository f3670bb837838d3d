"""Input forms built from an entity's interface, with an ipywidgets control for each type.

ipywidgets is imported when a form is first shown or filled.
"""
