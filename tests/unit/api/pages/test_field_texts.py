"""No text of a library, of a framework or of the API reaches a page, whatever is wrong."""

import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import default_exceptions

from api.pages import errors, link_pages
from api.pages.field_texts import BY_FIELD, INVALID, validation_texts
from api.pages.forms import field_errors
from api.problem_kinds import PROBLEMS
from api.problems import Fault, Refused
from api.schemas.account import Confirmation, NewAccount, NewPasswordReset
from api.schemas.event import EventChange, NewEvent
from api.schemas.pagination import PageQuery
from api.schemas.purchase import Cancellation, NewPurchase
from api.schemas.search import SearchQuery
from api.schemas.session import NewSession
from api.schemas.ticket import NewTicketType, TicketTypeChange
from tests.unit.api.fakes.world import World

FORMS: list[type[BaseModel]] = [
    *(NewEvent, EventChange, NewTicketType, TicketTypeChange, NewAccount, Confirmation, NewPasswordReset, NewSession),
    *(SearchQuery, PageQuery, Cancellation, NewPurchase, link_pages._ChosenPassword),
]
PRICES = [
    {"amount": "1.234", "currency": "EUR"},
    {"amount": "x", "currency": "EUR"},
    {"amount": "1", "currency": "XXX"},
]
WRONG: list[Any] = [
    *(None, "", " ", "x", "\0", "x" * 30_000, -1, 10**12, 1.5, True, [], {}, ["x"] * 21, ["x" * 51], [""], "1e5"),
    *("2030-01-17T20:00:00Z", "1000-01-01T00:00:00Z", "a@b", "a@b..c", "QQ", "Mars/Olympus", {"amount": "1"}, *PRICES),
]
# Names of the API, and words of libraries and of the API's own messages.
FOREIGN = re.compile(r"[a-z][A-Z]|[a-z]_[a-z]|\b(must|should|string|integer|null|JSON|RFC|ISO|IANA|field|Input|NUL)\b")


@pytest.mark.parametrize("model", FORMS)
def test_every_error_of_every_form_has_a_text_of_the_pages(model: type[BaseModel]) -> None:
    times = [("startsAt", "endsAt"), ("saleStartsAt", "saleEndsAt")]
    turned: list[dict[str, Any]] = [{a: "2030-01-02T00:00:00Z", b: "2030-01-01T00:00:00Z"} for a, b in times]
    whole = {"title": "x", "timeZone": "UTC", "name": "x", "price": PRICES[0] | {"amount": "1"}, "quantity": 1}
    names = [field.alias or name for name, field in model.model_fields.items()]
    given = [{name: value} for name in [*names, "surprise"] for value in WRONG]
    fitting = {name: value for name, value in whole.items() if name in names}
    given += [fitting | pair for pair in turned if set(pair) <= set(names)]
    found = [text for each in given for text in texts_of(model, each)]
    assert found
    for text in found:
        assert not FOREIGN.search(text), text


def texts_of(model: type[BaseModel], given: dict[str, Any]) -> list[str]:
    try:
        model.model_validate(given)
    except ValidationError as error:
        return list(validation_texts(error).values())
    except Refused as error:
        return list(field_errors(error).values())
    return []


def test_an_end_before_its_start_is_told_at_the_end() -> None:
    times = {"startsAt": "2030-01-02T00:00:00Z", "endsAt": "2030-01-01T00:00:00Z"}
    with pytest.raises(ValidationError) as refused:
        NewEvent.model_validate(times | {"title": "x", "timeZone": "UTC"})
    assert validation_texts(refused.value) == {"endsAt": "The end has to be later than the start."}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_refusal_has_a_text_of_the_pages(world: World, kind: str) -> None:
    detail = "maxPerOrder must be an integer"
    error = Refused(kind, detail, Fault(detail, "/maxPerOrder"))
    told = [*field_errors(error).values(), *field_errors(Refused(kind, detail)).values()]
    with world.app.test_request_context("/"):
        told.append(visible(errors._refused(error).get_data(as_text=True)))
    for text in told:
        assert text
        assert not FOREIGN.search(text), text


@pytest.mark.parametrize("code", default_exceptions)
def test_every_refusal_of_the_framework_has_a_text_of_the_pages(world: World, code: int) -> None:
    error = default_exceptions[code]()
    with world.app.test_request_context("/"):
        page = errors._http(error).get_data(as_text=True)
    assert error.name not in page
    assert str(error.description) not in page


def test_what_has_no_text_of_its_own_gets_a_general_one() -> None:
    error = Refused("invalid-input", "", Fault("latitude and longitude come together", "/latitude"))
    assert field_errors(error) == {"latitude": str(INVALID)}
    assert field_errors(Refused("email-taken", "", Fault("is in use", "/email"))).keys() == {"email"}
    assert str(BY_FIELD["email"]) not in field_errors(Refused("email-taken", "", Fault("is in use", "/email"))).values()


def visible(page: str) -> str:
    """The text of the page's main part."""
    return re.sub(r"<[^>]*>", " ", page.partition("<main")[2].partition("</main")[0].partition(">")[2])
