"""Purchases in a table of somebody else's database, by a stock sink of Kafka Connect and its configuration alone."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from stack import jars
from stack.errors import JarsIncomplete
from stack.java import JAVA_ENVIRONMENT, java, log_to_console
from tests.eventually import eventually
from tests.pipeline import Pipeline
from tests.toolchains import EXAMPLES, lacks_registry_or_version

SINK: Final = EXAMPLES / "sink"
TABLE: Final = "bought"
ROW_WITHIN_S: Final = 120


@pytest.fixture
def folder(pipeline: Pipeline, tmp_path: Path) -> Path:
    """A folder with the sink among its plugins, without what the worker has, as in Debezium's own archive of it.

    Two copies of Jackson would find each other's modules.
    """
    cache, found = pipeline.stack.settings.jars, jars.locked("jdbc-sink")
    try:
        jars.fetch(cache, found)
    except JarsIncomplete as error:
        if lacks_registry_or_version(str(error)):
            pytest.skip(f"NOT TESTED: the JDBC sink: {error}")
        raise
    plugin = tmp_path / "plugins" / "jdbc"
    plugin.mkdir(parents=True)
    of_worker = {(jar.group, jar.artifact) for jar in jars.locked("kafka")}
    for jar in (each for each in found if (each.group, each.artifact) not in of_worker):
        (plugin / jar.name).symlink_to(cache / jar.name)
    return tmp_path


@contextmanager
def sinking(pipeline: Pipeline, folder: Path) -> Iterator[Path]:
    """A worker of Kafka Connect with the example's configuration; its log."""
    database = conninfo_to_dict(pipeline.stack.environment["TURNSTILE_DATABASE_URL"])
    variables = {
        "KAFKA_SERVERS": pipeline.kafka,
        "SINK_URL": f"jdbc:postgresql://{database['host']}:{database['port']}/{database['dbname']}",
        "SINK_USER": str(database["user"]),
        "SINK_PASSWORD": str(database["password"]),
        "SINK_TABLE": TABLE,
    }
    logging, log = folder / "log4j2.properties", folder / "connect.log"
    logging.write_text(log_to_console(org__apache__kafka="warn"))
    class_path = [pipeline.stack.settings.jars / jar.name for jar in jars.locked("kafka")]
    main = ("org.apache.kafka.connect.cli.ConnectStandalone", SINK / "worker.properties", SINK / "purchases.json")
    command = (*java("256m", class_path, logging, "-XX:+UseSerialGC"), *map(str, main))
    environment = os.environ | JAVA_ENVIRONMENT | variables
    with log.open("wb") as file, subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file) as it:
        try:
            yield log
        finally:
            it.kill()
            pipeline.rows("DROP TABLE IF EXISTS bought")


def row(pipeline: Pipeline, purchase: str) -> dict[str, Any]:
    """The only row of the purchase; empty before the sink has made it, or its table."""
    with psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        if connection.execute("SELECT to_regclass(%s)", (TABLE,)).fetchone() == (None,):
            return {}
        cursor = connection.execute("SELECT * FROM bought WHERE purchase_id = %s", (purchase,))
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    assert len(rows) <= 1
    return rows[0] if rows else {}


def test_a_stock_sink_writes_a_purchase_and_its_cancel_into_one_row(pipeline: Pipeline, folder: Path) -> None:
    event, [ticket_type] = pipeline.event(9)
    account = pipeline.account()
    bought = pipeline.buy(event, ticket_type, 3, account)
    assert bought.status_code == httpx.codes.CREATED, bought.text
    purchase = bought.json()["id"].partition(".")[2]

    with sinking(pipeline, folder) as log:
        try:
            first = eventually(lambda: row(pipeline, purchase), within=ROW_WITHIN_S)
            cancelled = pipeline.http.post(f"/purchases/{event}.{purchase}/cancel", headers=pipeline.bearer(account))
            assert cancelled.is_success, cancelled.text
            last = eventually(
                lambda: (found := row(pipeline, purchase))["status"] == "cancelled" and found, within=ROW_WITHIN_S
            )
        except (AssertionError, LookupError):
            pytest.fail(f"the sink said:\n{log.read_text()[-8_000:]}")

    assert (first["event_id"], first["account_id"], first["status"]) == (event, account, "confirmed")
    assert (first["tickets"], first["total"], first["currency"]) == (3, Decimal("31.50"), "EUR")
    assert first["deadline"] is None
    assert last["ledger_offset"] > first["ledger_offset"]
    assert last["updated_at"] >= first["updated_at"]
