"""Pure text from `model`: DOT, SVG, HTML, plain characters; touches neither flytekit nor the notebook."""
