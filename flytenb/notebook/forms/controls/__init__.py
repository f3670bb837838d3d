"""Built-in controls; importing this package registers them and imports ipywidgets."""

from flytenb.notebook.forms.controls import (
    choices,
    containers,
    json_text,
    records,
    scalars,
    stored,
    times,
    unions,
    variables,
)

__all__ = ["choices", "containers", "json_text", "records", "scalars", "stored", "times", "unions", "variables"]
