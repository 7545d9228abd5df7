"""The names of settings as variables of the environment."""

from pydantic_settings import BaseSettings


def variables(*classes: type[BaseSettings]) -> set[str]:
    """The names of the variables that these classes read."""
    return {f"TURNSTILE_{name.upper()}" for cls in classes for name in cls.model_fields}
