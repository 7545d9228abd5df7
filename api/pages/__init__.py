"""The pages: HTML forms and links on top of the handlers, rules and ports of the REST routes."""
