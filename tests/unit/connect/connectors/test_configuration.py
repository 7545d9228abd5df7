import json
import re
from pathlib import Path
from typing import Any

import pytest

from connect.connectors.configuration import Connector, connectors
from connect.topics import ACCOUNT_ROWS, EVENT_ROWS, EVENT_STATUS, HEARTBEAT, HEARTBEAT_ROWS, all_topics
from tests.unit.upgrades.recording import recordings

CAPTURE = Path(__file__).parents[4] / "migrations" / "steps" / "0007_capture.sql"
ACCOUNT_COLUMNS = CAPTURE.with_name("0035_revisions.sql")
CAPTURED = {"turnstile-event": "event", "turnstile-account": "account", "turnstile-outbox": "event_outbox"}


def by_name(wanted: list[Connector]) -> dict[str, Connector]:
    return {connector.name: connector for connector in wanted}


def test_there_are_three_and_each_has_a_slot_and_a_publication_of_its_own(wanted: list[Connector]) -> None:
    assert set(by_name(wanted)) == set(CAPTURED)
    for connector in wanted:
        own = connector.name.replace("-", "_")
        assert (connector.slot, connector.publication) == (own, own)


def test_each_captures_its_table_and_the_heartbeat_and_snapshots_only_its_table(wanted: list[Connector]) -> None:
    for connector in wanted:
        own = f"public.{CAPTURED[connector.name]}"
        assert connector.tables == [own, "public.heartbeat"]
        assert connector.config["snapshot.include.collection.list"] == own


def test_connectors_that_share_a_topic_prefix_are_told_apart_in_metrics_and_heartbeats(wanted: list[Connector]) -> None:
    for connector in wanted:
        assert connector.config["topic.prefix"] == "event_ticket_db"
        assert connector.config["custom.metric.tags"] == f"connector={connector.name}"
        assert connector.config["transforms.heartbeatFrom.value.literal"] == connector.name
        assert f"'{connector.name}'" in connector.config["heartbeat.action.query"]


def test_the_password_is_a_reference_to_a_file_of_kafka_connect(make_settings: Any) -> None:
    now = make_settings(connect_secrets_dir="/somewhere", database_url="postgresql://u:hidden@h/d")
    for connector in connectors(now):
        assert connector.config["database.password"] == "${directory:/somewhere:cdc_password}"
        assert "hidden" not in str(connector.config)


def test_the_way_to_the_database_comes_from_the_settings(make_settings: Any) -> None:
    now = make_settings(connect_database_host="db", connect_database_port=5432, connect_database_user="reader")
    for connector in connectors(now):
        assert connector.config["database.hostname"] == "db"
        assert connector.config["database.port"] == "5432"
        assert connector.config["database.user"] == "reader"


def test_every_value_is_text_as_kafka_connect_stores_it(wanted: list[Connector]) -> None:
    for connector in wanted:
        assert all(isinstance(value, str) for value in connector.config.values())


def test_publications_are_never_made_by_a_connector(wanted: list[Connector]) -> None:
    assert {connector.config["publication.autocreate.mode"] for connector in wanted} == {"disabled"}


def test_migrations_publish_just_what_the_connectors_capture(wanted: list[Connector]) -> None:
    for connector in wanted:
        found = re.search(
            rf"CREATE PUBLICATION {connector.publication}\s+FOR TABLE (.*?)\s*WITH", CAPTURE.read_text(), re.DOTALL
        )
        assert found is not None
        tables = re.sub(r"\s*\([^)]*\)", "", found[1])
        assert [f"public.{name.strip()}" for name in tables.split(",")] == connector.tables


def test_of_an_account_the_connector_asks_for_the_columns_that_the_role_may_read(wanted: list[Connector]) -> None:
    found = re.search(r"account \(([^)]*)\)", ACCOUNT_COLUMNS.read_text())
    assert found is not None
    columns = by_name(wanted)["turnstile-account"].config["column.include.list"].split(",")[0]
    assert columns == rf"public\.account\.({'|'.join(found[1].split(', '))})"


def test_a_column_that_an_operator_adds_is_not_captured(wanted: list[Connector]) -> None:
    recorded = {topic: json.loads(value) for topic, value in recordings()[-1].messages()}
    ours = {name for name in recorded[EVENT_ROWS] if not name.startswith("__")}
    found = re.fullmatch(
        r"public\\.event\\.\((.*)\),public\\.heartbeat\\.\.\*",
        by_name(wanted)["turnstile-event"].config["column.include.list"],
    )
    assert found is not None
    assert set(found[1].split("|")) == ours


@pytest.mark.parametrize("name", CAPTURED)
def test_every_transform_and_predicate_named_is_configured_and_the_other_way_round(
    name: str, wanted: list[Connector]
) -> None:
    config = by_name(wanted)[name].config
    for kind in ("transforms", "predicates"):
        configured = {key.split(".")[1] for key in config if key.startswith(f"{kind}.")}
        assert set(config[kind].split(",")) == configured
    used = {value for key, value in config.items() if key.endswith(".predicate")}
    assert used == set(config["predicates"].split(","))


@pytest.mark.parametrize(
    ("name", "topic", "hits"),
    [
        ("turnstile-event", EVENT_ROWS, "isCaptured"),
        ("turnstile-event", "event_ticket_db.public.event_outbox", None),
        ("turnstile-account", ACCOUNT_ROWS, "isCaptured"),
        ("turnstile-outbox", "event_ticket_db.public.event_outbox", "isCaptured"),
        ("turnstile-outbox", HEARTBEAT_ROWS, "isHeartbeat"),
        ("turnstile-account", "__debezium-heartbeat.event_ticket_db", None),
    ],
)
def test_a_record_is_transformed_by_the_topic_it_comes_from(
    name: str, topic: str, hits: str | None, wanted: list[Connector]
) -> None:
    config = by_name(wanted)[name].config
    predicates = [it for it in config["predicates"].split(",") if it != "isRouted"]
    assert [it for it in predicates if re.fullmatch(config[f"predicates.{it}.pattern"], topic)] == (
        [hits] if hits else []
    )


def test_every_topic_that_a_connector_writes_is_in_the_catalogue(wanted: list[Connector]) -> None:
    outbox = by_name(wanted)["turnstile-outbox"].config["transforms.outbox.route.topic.replacement"]
    prefix = wanted[0].config["topic.prefix"]
    written = {EVENT_ROWS, ACCOUNT_ROWS, HEARTBEAT_ROWS, f"__debezium-heartbeat.{prefix}"}
    written.add(outbox.replace("${routedByValue}", "event_status"))
    assert EVENT_STATUS in written
    assert written <= {topic.name for topic in all_topics()}


@pytest.mark.parametrize(
    ("topic", "passes"),
    [
        (EVENT_STATUS, True),
        (HEARTBEAT_ROWS, True),
        (HEARTBEAT, True),
        ("outbox.event.other", False),
        ("outbox.event.event_status.more", False),
        ("outbox.event.a b/c", False),
    ],
)
def test_what_an_outbox_row_of_another_type_would_be_routed_to_is_left_out(
    topic: str, passes: bool, wanted: list[Connector]
) -> None:
    config = by_name(wanted)["turnstile-outbox"].config
    order = config["transforms"].split(",")
    assert order.index("others") == order.index("outbox") + 1
    assert (config["transforms.others.predicate"], config["transforms.others.negate"]) == ("isRouted", "true")
    assert (re.fullmatch(config["predicates.isRouted.pattern"], topic) is not None) is passes


def test_the_outbox_payload_is_passed_through_as_text(wanted: list[Connector]) -> None:
    config = by_name(wanted)["turnstile-outbox"].config
    assert config["transforms.outbox.table.expand.json.payload"] == "false"
    assert config["value.converter"].endswith("StringConverter")
