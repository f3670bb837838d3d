"""Display of errors in a notebook: short tracebacks and error cards."""
