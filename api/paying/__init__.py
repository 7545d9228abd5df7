"""Starting payments and reading their state, for the routes and the pages."""
