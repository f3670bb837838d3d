"""A value that is looked at by choosing: rows, slices, what is open; how it looks is left to the displays."""
