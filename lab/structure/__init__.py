"""How the code is built: figures of modules, imports and names, from the source alone."""
