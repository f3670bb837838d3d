"""Values, types and quantities as one line of plain text."""
