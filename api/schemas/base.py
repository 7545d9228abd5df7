"""Base classes of the models: bodies of requests, bodies of responses, query parameters."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """A request's body: names are camelCase, unknown ones are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class OptionalBody(Body):
    """A body that may be left out, which means an empty one."""

    @model_validator(mode="before")
    @classmethod
    def _no_body_is_an_empty_one(cls, value: Any) -> Any:
        return {} if value is None else value


class Resource(BaseModel):
    """A response's body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Parameters(Body):
    """Query parameters. flask_openapi3 needs their schema for every request, so it is cached."""

    @classmethod
    def model_json_schema(cls, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """The schema as pydantic makes it."""
        return _schema(cls, tuple(options.items()))


@cache
def _schema(model: type[Parameters], options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return super(Parameters, model).model_json_schema(**dict(options))
