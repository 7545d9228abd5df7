"""What routes and pages share: permissions, authentication, error handlers, responses, headers."""
