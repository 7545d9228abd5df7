"""Forms as bodies of the API, validated by the same models, with errors by field."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from api.pages.field_texts import AMOUNT, WHOLE_NUMBER, Unreadable, field_of, refused_field_texts, validation_texts
from api.pages.numbers import typed_number
from api.pages.refusal_texts import refusal_text
from api.problems import Refused

# The CSRF token, which is no field of the API (api/pages/csrf.py).
TOKEN_FIELD: Final = "csrf_token"  # noqa: S105 (a field's name)

Model = TypeVar("Model", bound=BaseModel)
# Makes a field of the API from the fields of a form. Raises Unreadable.
Reader = Callable[[Mapping[str, str]], Any]


class UnreadableForm(Refused):
    """A form with fields that can't be read: ``texts`` by field."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__("invalid-input")
        self.texts = dict(texts)


def form_fields() -> dict[str, str]:
    """The fields of the request's form; empty ones are left out."""
    return {name: value for name, value in request.form.items() if value and name != TOKEN_FIELD}


def read_form(
    model: type[Model], readers: Mapping[str, Reader], names: Iterable[str], sent: Mapping[str, str]
) -> Model:
    """These fields of the API as a validated body. Refused: invalid-input, with a text for each wrong field."""
    given: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for name in names:
        try:
            given[name] = readers[name](sent)
        except Unreadable as error:
            texts[name] = str(error)
    try:
        body = model.model_validate(given)
    except ValidationError as error:
        texts = validation_texts(error) | texts
        raise UnreadableForm(texts) from error
    if texts:
        raise UnreadableForm(texts)
    return body


def whole_number(name: str) -> Reader:
    """Reads a field as a whole number; None if it is empty."""

    def read(sent: Mapping[str, str]) -> int | None:
        if not sent.get(name, "").strip():
            return None
        number = typed_number(sent[name])
        if number is None or number != int(number):
            raise Unreadable(WHOLE_NUMBER)
        return int(number)

    return read


def typed_amount(text: str) -> str:
    """An amount that was typed, as the API has it. Raises Unreadable."""
    amount = typed_number(text)
    if amount is None:
        raise Unreadable(AMOUNT)
    return f"{amount:f}"


def parse_body(model: type[Model], given: Mapping[str, object]) -> Model:
    """The fields as a validated body. Refused: invalid-input, with a text for each wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UnreadableForm(validation_texts(error)) from error


def field_errors(error: Refused) -> dict[str, str]:
    """The error texts by field name; the name is empty for an error of the whole form."""
    if isinstance(error, UnreadableForm):
        return error.texts
    if error.kind == "invalid-input":
        return refused_field_texts(error)
    return {field_of(error): refusal_text(error.kind)}


def form_errors(error: Refused) -> dict[str, str]:
    """As ``field_errors``. Raises ``not-found`` again: a reader who may not see the event gets no form."""
    if error.kind == "not-found":
        raise error
    return field_errors(error)
