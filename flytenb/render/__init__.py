"""Renderers of `model` data as text: DOT, SVG, HTML, Mermaid, plain characters."""
