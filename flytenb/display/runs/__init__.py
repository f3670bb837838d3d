"""Run card, node details, error card and progress lines of a run, as text and HTML."""
