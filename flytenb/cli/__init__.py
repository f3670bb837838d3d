"""The command line: `flytenb VERB NOTEBOOK …`, the verbs of `%flyte` on files."""
