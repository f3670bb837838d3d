"""Type transformers written in a notebook: carried along when their class is redefined, and put to the test."""
