"""The REST API: a blueprint for each resource, whose routes call ports and return responses."""
