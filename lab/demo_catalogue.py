"""The demonstration catalogue, composed from the word lists in lab/words: the same events every time.

Ids are derived from the titles and everything else is drawn with a fixed seed, except that the
dates lie ahead of the day on which it is loaded.
"""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import iso4217

WORDS: Final = Path(__file__).with_name("words")
NAMESPACE: Final = uuid5(NAMESPACE_URL, "turnstile.example/catalogue")
PRICE_FACTORS: Final = (Decimal("1.6"), Decimal(1), Decimal("0.7"), Decimal("2.4"))
EVENINGS: Final = [[18, 30], [19, 0], [19, 30], [20, 0], [21, 0]]
CAPACITIES: Final = (80, 120, 250, 400, 900, 1_500, 4_000)

# Rough exchange rates, for plausible prices.
UNITS_PER_EURO: Final[dict[str, str]] = {
    "AED": "4", "AUD": "1.6", "BHD": "0.4", "BRL": "6", "CAD": "1.5", "CHF": "1", "CLP": "1000", "COP": "4500",
    "EGP": "50", "EUR": "1", "GBP": "0.9", "JPY": "160", "KWD": "0.35", "MAD": "11", "MXN": "20", "NZD": "1.8",
    "PLN": "4.3", "SRD": "40", "TND": "3.4", "USD": "1.1", "ZAR": "20",
}  # fmt: skip

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoCatalogue:
    """Everything to load: the bodies of the requests that make the organizers and events."""

    organizers: list[Json]
    events: list[Json]


def demo_catalogue(now: datetime) -> DemoCatalogue:
    """The whole catalogue, with all dates after ``now``."""
    languages = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(WORDS.glob("*.toml"))}
    organizers = [organizer(language) for language in languages]
    events = [event for language, words in languages.items() for event in events_in(language, words, now)]
    return DemoCatalogue(organizers, events)


def organizer(language: str) -> Json:
    """The account that organizes all events of one language."""
    return {
        "id": str(identify(language)),
        "firstName": "Turnstile",
        "lastName": f"Box Office ({language})",
        "email": f"box-office-{language}@turnstile.example",
        "locale": language,
        "roles": ["organizer"],
    }


def events_in(language: str, words: Json, now: datetime) -> Iterator[Json]:
    """The events of one language, with their ticket types."""
    for genre in words["genres"]:
        for title in genre["titles"]:
            rng = random.Random(f"{language}/{title}")
            city = rng.choice(words["cities"])
            event = _event(language, words, genre, title, city, now, rng)
            yield event | {"ticketTypes": _tickets(event, words, genre["level"], city["currency"], now, rng)}


def identify(*names: str) -> UUID:
    """The id that is derived from these names."""
    return uuid5(NAMESPACE, "/".join(names))


def price(euros: Decimal, currency: str) -> str:
    """An amount of euros in another currency, rounded like a price."""
    exponent = iso4217.Currency(currency).exponent or 0
    amount = euros * Decimal(UNITS_PER_EURO[currency])
    nearest = Decimal(10) ** (max(0, amount.adjusted() - 1)) / 2
    return f"{round(amount / nearest) * nearest:.{exponent}f}"


def _event(language: str, words: Json, genre: Json, title: str, city: Json, now: datetime, rng: random.Random) -> Json:
    venue = rng.choice(city["venues"])
    starts = _ahead(now, city["zone"], genre.get("hours", EVENINGS), rng)
    about = [*rng.sample(genre["about"], 2), rng.choice(words["place"]), rng.choice(words["practical"])]
    sentences = (sentence.format(venue=venue, city=city["name"]) for sentence in about)
    latitude, longitude = (round(degree + rng.uniform(-0.02, 0.02), 5) for degree in city["at"])
    return {
        "id": str(identify(language, title)),
        "organizerId": str(identify(language)),
        "title": title,
        "description": ("" if language == "ja" else " ").join(sentences),
        "venue": venue,
        "city": city["name"],
        "country": city["country"],
        "latitude": latitude,
        "longitude": longitude,
        "tags": [*genre["tags"]],
        "status": "ACTIVE",
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(minutes=rng.choice((90, 120, 150)))).isoformat(),
        "timeZone": city["zone"],
        "maxPerOrder": 10,
    }


def _ahead(now: datetime, zone: str, hours: list[list[int]], rng: random.Random) -> datetime:
    """A time between two weeks and eleven months ahead, at one of these hours."""
    day = now.astimezone(ZoneInfo(zone)) + timedelta(days=rng.randint(14, 330))
    hour, minute = rng.choice(hours)
    # Through UTC, so that an hour that daylight saving skips becomes one that exists.
    local = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return local.astimezone(UTC).astimezone(ZoneInfo(zone))


def _tickets(event: Json, words: Json, level: int, currency: str, now: datetime, rng: random.Random) -> list[Json]:
    base = Decimal(rng.randint(9, 16) * level)
    capacity = rng.choice(CAPACITIES)
    return [
        {
            "id": str(identify(event["id"], name)),
            "name": name,
            "price": {"amount": price(base * step, currency), "currency": currency},
            "quantity": capacity // (place + 2),
            "saleStartsAt": (now - timedelta(days=1)).isoformat(timespec="seconds"),
            "saleEndsAt": event["startsAt"],
            "maxPerOrder": 8,
            "position": place,
        }
        for place, (name, step) in enumerate(zip(rng.choice(words["tickets"]), PRICE_FACTORS, strict=False))
    ]
