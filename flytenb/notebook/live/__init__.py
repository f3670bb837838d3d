"""Live view: a running run in a notebook page."""
