"""Interactive display of a value: paging, sorting, searching, slicing, opening."""
