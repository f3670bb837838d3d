"""Values, types, quantities and kinds as one line of plain text. Imports nothing else of flytenb."""
