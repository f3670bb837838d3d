"""From notebook to module: the cells that an entity needs, as the text of a module, and what keeps it from leaving."""
