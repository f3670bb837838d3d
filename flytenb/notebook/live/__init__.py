"""A run in a notebook's page while it goes on: what is told to the page and when; freezing is left to `run_view`."""
