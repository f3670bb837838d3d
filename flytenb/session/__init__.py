"""One notebook's session: definitions, runs, settings; imports neither IPython nor flytekit."""

from flytenb.session.session import Definition, Session

__all__ = ["Definition", "Session"]
