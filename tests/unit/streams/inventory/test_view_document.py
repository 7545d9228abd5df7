"""The OpenAPI document of the views: it is whole, its examples hold, and docs/ has it."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from ops.reference.documents import FOLDER
from streams.gate.views.operations import OPERATIONS as GATE_OPERATIONS
from streams.inventory.views.operations import OPERATIONS
from streams.mail.views.operations import OPERATIONS as MAIL_OPERATIONS
from streams.payments.views.operations import OPERATIONS as PAYMENT_OPERATIONS
from streams.runtime.web_document import document
from streams.runtime.web_operations import JSON, WebOperation
from streams.runtime.web_problems import VIEW_PROBLEMS
from tables.messages.commands import Buy, TicketLine
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, serving
from tests.unit.tables.halls import hall_pieces
from tests.unit.tables.ledger_driver import ADA, EVENT, STAND, LedgerDriver, purchase_id, ticket_type

ALL = (*OPERATIONS, *MAIL_OPERATIONS, *PAYMENT_OPERATIONS, *GATE_OPERATIONS)
DOCUMENT = document(ALL)
IN_JSON = [operation for operation in ALL if operation.media_type == JSON]
OTHER_PAGES = {"/", "/openapi.json"}


def schema_of(operation: WebOperation) -> dict[str, Any]:
    content = DOCUMENT["paths"][operation.path]["get"]["responses"]["200"]["content"]
    return {**content[JSON]["schema"], "components": DOCUMENT["components"]}


@pytest.mark.parametrize("operation", IN_JSON, ids=lambda operation: operation.name)
def test_an_example_is_what_the_schema_and_the_type_say(operation: WebOperation) -> None:
    jsonschema_rs.validate(schema_of(operation), operation.example)
    assert msgspec.to_builtins(msgspec.convert(operation.example, operation.answer, strict=False)) == operation.example


def test_every_view_is_described_and_answers_as_described(tmp_path: Path) -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    driver.buy(1)
    driver.hold(2)
    for piece in hall_pieces(1, {"A": ["ss"]}, EVENT):
        driver.send(piece)
    driver.define(ticket_type(), ticket_type(STAND), version=2, plan=1)
    driver.send(Buy(EVENT, purchase_id(3), ADA, [TicketLine(STAND, 1, ("A-1-1",))]))
    worker = ViewWorker(tmp_path, set(range(PARTITIONS)), {})
    worker.store(driver.table)
    web: Any = worker.app.web
    assert set(web.views) - OTHER_PAGES == {operation.path for operation in OPERATIONS}
    parts = {
        "event": EVENT,
        "account": ADA,
        "purchase": purchase_id(1),
        "purchases": purchase_id(1).hex,
        "events": EVENT.hex,
        "section": "A",
    }
    with serving(worker):
        assert worker.get_json("/openapi.json") == document(OPERATIONS)
        for operation in (each for each in IN_JSON if each in OPERATIONS):
            answer = worker.get(operation.path.format(partition=0, **parts))
            jsonschema_rs.validate(schema_of(operation), answer.json())
            assert ("ETag" in answer.headers) == operation.has_revision


def test_docs_list_every_view_and_every_problem() -> None:
    text = (FOLDER / "views.md").read_text()
    for operation in ALL:
        assert f"`{operation.path.replace('{', '<').replace('}', '>')}`" in text
    for kind, row in VIEW_PROBLEMS.items():
        assert f"| `/problems/{kind}` | {row.status} |" in text
