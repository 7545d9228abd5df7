"""The language of a page: the reader's choice, or else the browser's."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from api.pages.language import NAMES, gettext, language, lazy_gettext
from api.pages.numbers import FILTERS, money, shown_number, shown_price, typed_number
from api.pages.shown_times import clock, last_day, part, until, when
from api.schemas.fields import Money
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader
from translations.catalogues import LANGUAGES

GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}
EVENING = NOW.replace(year=2030, month=5, day=17, hour=18, minute=5)


@pytest.fixture
def visitor(world: World) -> Reader:
    return Reader(world)


@pytest.fixture
def speaking(world: World, request: pytest.FixtureRequest) -> Iterator[None]:
    """A request whose browser prefers the language."""
    with world.app.test_request_context("/", headers={"Accept-Language": request.param}):
        yield


def reads(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("speaking", languages, indirect=True)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("pl-PL,en;q=0.8", "pl"),
        ("en;q=0.5, fr-CA;q=0.7", "fr"),
        ("it, es;q=0.4", "es"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("it", "en"),
        ("*", "en"),
        ("de;q=x, §", "en"),
    ],
)
def test_without_a_choice_it_is_the_first_one_of_the_browser(visitor: Reader, accepted: str, chosen: str) -> None:
    answer = visitor.get("/sign-in", **{"Accept-Language": accepted})
    assert f'<html lang="{chosen}">' in visitor.page
    assert answer.headers["Content-Language"] == chosen
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)


def test_a_choice_is_kept_and_comes_before_the_browsers(visitor: Reader) -> None:
    visitor.get("/sign-in?next=/tickets", **GERMAN)
    answer = visitor.get("/sign-in?next=/tickets&language=pl", **GERMAN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=%2Ftickets")
    kept = visitor.client.get_cookie("turnstile-language")
    assert kept is not None
    assert (kept.value, kept.http_only, kept.max_age) == ("pl", True, 365 * 86_400)
    visitor.get("/", **GERMAN)
    assert '<html lang="pl">' in visitor.page


@pytest.mark.parametrize("path", ["/", "/?q=a+b&city=Wien&city=Graz", "/nowhere?x=1", "/forgotten-password?sent="])
def test_every_page_has_a_link_to_itself_in_each_language(visitor: Reader, path: str) -> None:
    visitor.get(path)
    for chosen, name in NAMES.items():
        address = f"{path}{'&amp;' if '?' in path else '?'}language={chosen}".replace("&city", "&amp;city")
        assert f'<a href="{address}" data-language="{chosen}" lang="{chosen}"' in visitor.page
        assert f">{name}</a>" in visitor.page
        answer = visitor.get(f"{path}{'&' if '?' in path else '?'}language={chosen}")
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        visitor.get(path)
        assert f'<html lang="{chosen}">' in visitor.page


@pytest.mark.parametrize("chosen", ["xx", "", "de-AT", "DE", "../pl"])
def test_what_is_no_language_of_the_pages_is_ignored(visitor: Reader, chosen: str) -> None:
    answer = visitor.get(f"/sign-in?language={quote(chosen)}", **GERMAN)
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, "de")
    visitor.client.set_cookie("turnstile-language", chosen)
    assert visitor.get("/sign-in", **GERMAN).headers["Content-Language"] == "de"


@pytest.mark.parametrize(
    "path", ["//evil.example/?language=de", "/%5Cevil.example?language=de", "/\\evil.example?language=de"]
)
def test_a_choice_leads_to_no_other_site(visitor: Reader, path: str) -> None:
    answer = visitor.get(path)
    location = answer.headers.get("Location", "/")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_after_a_form_the_links_lead_to_the_page_that_it_was_on(visitor: Reader) -> None:
    visitor.get("/sign-in")
    visitor.send("/sign-in", {"email": "x"}, Referer="http://localhost/sign-in?next=%2Ftickets")
    assert 'href="/sign-in?next=%2Ftickets&amp;language=de"' in visitor.page
    visitor.send("/sign-in", {"email": "x"}, Referer="https://evil.example/sign-in")
    assert 'href="/?language=de"' in visitor.page


def test_the_form_of_a_secret_address_keeps_its_link(visitor: Reader) -> None:
    visitor.get("/sign-in")
    token = visitor.hidden("/sign-in")
    page = visitor.client.post("/links/confirm", data=token | {"link": "a.b"}).get_data(as_text=True)
    assert 'href="/links/confirm?link=a.b&amp;language=de"' in page


def test_only_pages_are_told_to_be_in_a_language(visitor: Reader) -> None:
    assert "Content-Language" not in visitor.client.get("/api/v3/events", headers=GERMAN).headers
    visitor.get("/sign-in")
    asset = visitor.page.partition('href="/static/')[2].partition('"')[0]
    assert "Content-Language" not in visitor.client.get(f"/static/{asset}", headers=GERMAN).headers


def test_outside_of_a_request_it_is_english() -> None:
    assert language() == "en"
    assert str(lazy_gettext("Save")) == gettext("Save") == "Save"


@reads(*LANGUAGES)
@pytest.mark.usefixtures("speaking")
def test_a_text_of_a_module_is_read_in_the_language_of_each_request() -> None:
    assert str(lazy_gettext("Save")) == {
        "en": "Save", "de": "Speichern", "es": "Guardar", "fr": "Enregistrer", "pl": "Zapisz",
    }[language()]  # fmt: skip


@reads("pl")
@pytest.mark.usefixtures("speaking")
@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1 bilet"),
        (2, "2 bilety"),
        (4, "4 bilety"),
        (5, "5 biletów"),
        (12, "12 biletów"),
        (21, "21 biletów"),
        (22, "22 bilety"),
        (112, "112 biletów"),
        (1_002, "1\u00a0002 bilety"),
    ],
)
def test_polish_has_three_plurals(number: int, shown: str) -> None:
    assert FILTERS["tickets"](number) == shown


@reads(*LANGUAGES)
@pytest.mark.usefixtures("speaking")
def test_times_are_written_as_in_the_language() -> None:
    zone = "Europe/Vienna"
    shown = (when(EVENING, zone), clock(EVENING, zone), part(EVENING, zone, "d MMM y, HH:mm"))
    assert shown == {
        "en": ("Friday 17 May 2030, 20:05 (Vienna time)", "20:05 (Vienna time)", "17 May 2030, 20:05"),
        "de": ("Freitag, 17. Mai 2030, 20:05 Uhr (Ortszeit Wien)", "20:05 Uhr (Ortszeit Wien)", "17. Mai 2030, 20:05"),
        "es": (
            "viernes, 17 de mayo de 2030, 20:05 (hora de Viena)", "20:05 (hora de Viena)", "17 may 2030, 20:05",
        ),
        "fr": ("vendredi 17 mai 2030, 20:05 (heure de Vienne)", "20:05 (heure de Vienne)", "17 mai 2030, 20:05"),
        "pl": (
            "piątek, 17 maja 2030, 20:05 (czas lokalny: Wiedeń)", "20:05 (czas lokalny: Wiedeń)", "17 maj 2030, 20:05",
        ),
    }[language()]  # fmt: skip


@reads("es", "pl")
@pytest.mark.usefixtures("speaking")
def test_the_end_is_a_time_or_a_day() -> None:
    later = EVENING.replace(day=19, hour=7)
    assert until(EVENING, EVENING, "UTC") == "18:05"
    assert until(later, EVENING, "UTC") == {
        "es": "domingo, 19 de mayo de 2030, 7:05", "pl": "niedziela, 19 maja 2030, 07:05",
    }[language()]  # fmt: skip
    assert last_day(later, EVENING, "UTC") == {"es": "– 19 de mayo", "pl": "– 19 maja"}[language()]


@reads(*LANGUAGES)
@pytest.mark.usefixtures("speaking")
def test_numbers_and_amounts_are_written_as_in_the_language() -> None:
    shown = (shown_number(1_700), money(Money(amount="1700.50", currency="EUR")))
    assert (
        shown
        == {
            "en": ("1,700", "€1,700.50"),
            "de": ("1.700", "1.700,50\u00a0€"),
            "es": ("1.700", "1.700,50\u00a0€"),
            "fr": ("1\u202f700", "1\u202f700,50\u00a0€"),
            "pl": ("1\u00a0700", "1\u00a0700,50\u00a0€"),
        }[language()]
    )


@reads(*LANGUAGES)
@pytest.mark.usefixtures("speaking")
@pytest.mark.parametrize("amount", ["49.90", "1700", "1.700", "0.5"])
def test_a_price_is_read_as_it_was_shown(amount: str) -> None:
    shown = shown_price(Money(amount=amount, currency="KWD").exact)
    assert typed_number(shown) == Money(amount=amount, currency="KWD").exact


def test_open_pages_get_the_availability_in_their_own_language(reader: Reader, on_sale: dict[str, Any]) -> None:
    path = f"/events/{on_sale['id']}/left"
    shown = [reader.get(path, **{"Accept-Language": each}).get_data(as_text=True) for each in ("de", "pl", "de")]
    assert ["Verfügbarkeit unbekannt" in text for text in shown] == [True, False, True]
    assert "Dostępność nieznana" in shown[1]
