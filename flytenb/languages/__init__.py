"""Languages of container cells: programs made of a cell's code and its typed inputs and outputs."""

from flytenb.languages.language import INPUTS, OUTPUTS, Cell, CellPort, Language

__all__ = ["INPUTS", "OUTPUTS", "Cell", "CellPort", "Language"]
