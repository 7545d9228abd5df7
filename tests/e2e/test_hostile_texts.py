"""What people type goes through every server and is read back as typed, by a parser of each syntax on its way."""

import csv
import html
import re
from io import StringIO
from typing import Any, Final
from uuid import uuid4

from api.roles import Role
from api.web.csv_export import BOM
from tables.text.sanitize import sanitize
from tests.documents import Document
from tests.eventually import eventually
from tests.pipeline import Pipeline
from tests.unit.api.web.test_csv_export import GUARD

TITLE: Final = (
    "=?utf-8?q?a=0D=0ABcc:_x?=\r\n</script>{{ 7*7 }}\u202e＝1;=1 '\"\\ &lt; \ue000x\ue001 \x1b[2J\x9b\u2028 🚀e\u0301"
)
VENUE: Final = "'; DROP TABLE event; --\r\nATTENDEE:mailto:x@y.example"
CITY: Final = 'a:* OR [a TO z] ~2^9 "><img src=x>'
TAGS: Final = ["Rock, Pop", "</script>", "a&b=c#d;+%00"]
KIND: Final = "=HYPERLINK(1);=1+1;\r\n@x"
NAMES: Final = {"firstName": "=?utf-8?q?x=0D=0ABcc:_y?=", "lastName": '@SUM(1)\t"O\'Neill" <b>'}


def rows(text: str) -> list[dict[str, str]]:
    """A table, without the apostrophes that guard its cells."""
    read = csv.DictReader(StringIO(text.removeprefix(BOM), newline=""))
    return [{name: GUARD.sub("", value) for name, value in row.items()} for row in read]


def test_what_people_type_is_read_back_from_every_server(pipeline: Pipeline) -> None:
    word = f"zq{uuid4().hex[:10]}"
    title = f"{TITLE} {word}"
    organizer, account = pipeline.account(**NAMES), pipeline.account(**NAMES)
    about = f"{TITLE}\n" * 80
    texts: dict[str, Any] = {"title": title, "venue": VENUE, "city": CITY, "tags": TAGS, "description": about}
    event = pipeline.new_event(organizerId=organizer, **texts)
    kind = pipeline.ticket_type(event, 5, name=KIND)
    pipeline.settled(event, 1)
    bought = pipeline.buy(event, kind, 2, account)
    assert bought.json()["lines"][0]["name"] == KIND

    read = pipeline.http.get(f"/events/{event}").json()
    assert {name: read[name] for name in texts} == texts | {"description": about.strip()}
    assert [each["name"] for each in pipeline.http.get(f"/events/{event}/tickets").json()["items"]] == [KIND]
    person = pipeline.http.get(f"/accounts/{account}").json()
    assert {name: person[name] for name in NAMES} == NAMES

    check_search(pipeline, word, event, texts)
    check_tables(pipeline, event, organizer)
    page = pipeline.http.get(f"{pipeline.api}/events/{event}").text
    shown = [place.value for place in Document(page).places if place[:2] == ("bdi", "")]
    assert {title, VENUE, CITY, KIND, *TAGS} <= set(shown)
    [mail] = eventually(lambda: pipeline.mails(word), within=60)
    assert mail["subject"] == f"Your tickets for {sanitize(title)}"


def check_search(pipeline: Pipeline, word: str, event: str, texts: dict[str, Any]) -> None:
    eventually(lambda: pipeline.found(word) == [event], within=30)
    answer = pipeline.http.get("/events/search", params={"q": word, "tag": TAGS, "city": CITY}).json()
    [found] = answer["items"]
    assert {name: found[name] for name in ("title", "venue", "city", "tags")} == {
        name: texts[name] for name in ("title", "venue", "city", "tags")
    }
    assert found["organizer"] == " ".join(NAMES.values())
    marked = found["highlights"]["title"]
    assert re.findall("<em>(.*?)</em>", marked) == [word]
    assert html.unescape(marked.replace("<em>", "").replace("</em>", "")) == texts["title"]
    assert {each["value"] for each in answer["facets"]["tag"]} == set(TAGS)
    assert pipeline.http.get("/events/suggest", params={"q": word}).json()["items"][0]["text"] == texts["title"]


def check_tables(pipeline: Pipeline, event: str, organizer: str) -> None:
    client = pipeline.client(organizer, Role.ORGANIZER)
    sold = eventually(lambda: rows(client.get(f"/events/{event}/sales.csv").text), within=30)
    assert [(row["name"], row["quantity"]) for row in sold] == [(KIND, "2")]
    token = client.headers["Authorization"].removeprefix("Bearer ")
    path = f"{pipeline.api}/organize/events/{event}/attendees.csv"
    [came] = rows(pipeline.http.get(path, headers={"Cookie": f"turnstile={token}"}).text)
    assert {name: came[name] for name in NAMES} == NAMES
    assert came["ticketType"] == KIND
    client.close()
