"""What all routes and pages share: permissions, authentication, errors, headers."""
