"""A run as text and HTML: its picture, the details of a node, the error card, progress."""
