"""Base classes of the models: bodies of requests, bodies of responses, query parameters."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

# A body of 8 MiB may have a million unknown fields; an error has a kilobyte here.
ERRORS_MAX: Final = 1_000


def errors_of(error: ValidationError) -> list[Any]:
    """What is wrong with each field, as pydantic has it; if there are more than ERRORS_MAX, only how many."""
    count = error.error_count()
    if count > ERRORS_MAX:
        return [{"type": "too_many_errors", "loc": (), "msg": f"{count} fields are wrong, too many to name them"}]
    return list(error.errors(include_url=False, include_input=False))


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
