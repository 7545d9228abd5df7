"""Forms as bodies of the API, validated by the same models, with errors by field."""

from collections.abc import Mapping
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from api.pages.copy import refusal_text
from api.pages.csrf import TOKEN_FIELD
from api.problems import Refused
from api.web.error_handlers import faults_of

Model = TypeVar("Model", bound=BaseModel)


def form_fields() -> dict[str, str]:
    """The fields of the request's form; empty ones are left out."""
    return {name: value for name, value in request.form.items() if value and name != TOKEN_FIELD}


def parse_body(model: type[Model], given: Mapping[str, object]) -> Model:
    """The fields as a validated body. Refused: invalid-input, with the fields."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Refused("invalid-input", "", *faults_of(error)) from error


def field_errors(error: Refused) -> dict[str, str]:
    """The error texts by field name; the name is empty for an error of the whole form."""
    found = {fault.pointer.strip("/?").partition("/")[0]: fault.detail for fault in error.faults}
    return found or {"": refusal_text(error.kind)}
