"""The page of the topics shows all that the AsyncAPI document says."""

import re
from typing import Any

import pytest

from api.pages.schema_fields import FieldRow, field_rows
from connect.contract.asyncapi import document
from connect.contract.schemas import bundle
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader


@pytest.fixture
def page(world: World) -> str:
    reader = Reader(world)
    assert reader.get("/topics").status_code == 200
    return reader.page


def test_it_shows_every_topic_message_and_type(page: str) -> None:
    for name, channel in document()["channels"].items():
        assert f'id="{name}"' in page
        assert channel["address"] in page
        for message in channel["messages"].values():
            assert all(f"Example: {example['name']}<" in page for example in message["examples"])
    for name, schema in document()["components"]["schemas"].items():
        assert f'id="type-{name}"' in page
        assert all(f">{field}</th>" in page for field in schema.get("properties", ()))
        assert all(f">{value}</li>" in page for value in schema.get("enum", ()))


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    links = set(re.findall(r'href="#([^"]+)"', page)) - {"main"}
    assert {"ticket-commands", "type-Buy", "type-TicketLine", "type-TraceHeaders", "type-Reason"} <= links
    assert links <= set(re.findall(r'id="([^"]+)"', page))


def test_it_says_who_writes_a_topic_and_how_long_it_is_kept(page: str) -> None:
    for topic, words in (
        ("ticket-commands", ("you write it", "14 days")),
        ("ticket-purchase", ("you read it", "7 days")),
        ("event_ticket_db.public.event", ("you read it", "the newest record of each key")),
    ):
        section = page.partition(f'<section class="card topic" id="{topic}"')[2].partition("</section>")[0]
        assert all(word in section for word in words)


def test_the_documents_are_served_as_they_are(world: World) -> None:
    client = world.app.test_client()
    for path, made in (("/asyncapi.json", document()), ("/schemas.json", bundle())):
        answer = client.get(path)
        assert (answer.mimetype, answer.get_json()) == ("application/json", made)


@pytest.mark.parametrize(
    ("schema", "type_", "link", "note"),
    [
        ({"type": "string", "format": "uuid"}, "UUID", "", ""),
        ({"type": "integer", "minimum": 1, "maximum": 1000, "default": 500}, "integer", "", "1 to 1,000; default 500"),
        ({"type": "string", "minLength": 3, "maxLength": 3}, "string", "", "3 characters"),
        ({"type": "integer", "minimum": 0}, "integer", "", "at least 0"),
        (
            {"type": "array", "items": {"$ref": "#/x/Line"}, "maxItems": 50},
            "list of Line",
            "Line",
            "at most 50 entries",
        ),
        ({"anyOf": [{"$ref": "#/x/Facts"}, {"type": "null"}], "default": None}, "Facts or null", "Facts", ""),
        ({"enum": ["hold"], "type": "string"}, "“hold”", "", ""),
        ({"type": "boolean", "default": False}, "boolean", "", "default false"),
        ({"type": "string", "pattern": "^x$", "description": "an x"}, "string", "", "an x; matches ^x$"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"$ref": "#/x/Row"}], "items": False},
            "list of string, Row",
            "Row",
            "",
        ),
        ({}, "anything", "", ""),
    ],
)
def test_a_field_is_told_in_words(schema: dict[str, Any], type_: str, link: str, note: str) -> None:
    rows = field_rows({"properties": {"a": schema, "b": {}}, "required": ["a"]})
    assert rows[0] == FieldRow("a", type_, link, is_required=True, note=note)
    assert not rows[1].is_required
