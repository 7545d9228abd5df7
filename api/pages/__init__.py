"""The pages: HTML forms and links over the same handlers, rules and ports as the REST routes."""
