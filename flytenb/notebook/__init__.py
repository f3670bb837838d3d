"""Everything that knows IPython or ipywidgets: extension, magics, live view, forms, failures."""
