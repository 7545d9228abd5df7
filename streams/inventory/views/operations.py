"""The operations of the ledger's views, with an example of each answer, for the OpenAPI document."""

from typing import Final

from msgspec import Struct

from streams.inventory.views.examples import (
    ACCOUNT,
    DEFINITION_EXAMPLE,
    EVENT,
    EVENT_EXAMPLE,
    PURCHASE,
    PURCHASE_EXAMPLE,
    SECTION_EXAMPLE,
    TICKET_TYPE,
    WORKER,
)
from streams.inventory.views.holds import HoldsAnswer
from streams.inventory.views.moments import AS_OF
from streams.inventory.views.partitions import PartitionOwnerView, PartitionView, WorkerPartitionsView, WorkerView
from streams.runtime.web_operations import LIST_QUERY, WebOperation, listed, page_of, query_parameter
from tables.ledger.seat_views import SectionView
from tables.ledger.views import AccountView, EventView, PurchaseView
from tables.messages.availability import Availability
from tables.messages.commands import DefineEvent


class PartitionsAnswer(Struct, frozen=True):
    """All partitions."""

    items: list[PartitionOwnerView]
    next: None


class WorkersAnswer(Struct, frozen=True):
    """All workers."""

    items: list[WorkerPartitionsView]
    next: None


AS_OF_QUERY: Final = query_parameter(
    AS_OF,
    "the answer as it was after the command at this offset of the event's partition, or after the last one up to this "
    "time (ISO 8601 with its offset from UTC)",
    type="string",
)
OPERATIONS: Final = (
    WebOperation(
        "/api/event/{event}/",
        "event",
        "An event's stock, now or at an earlier moment",
        EventView,
        EVENT_EXAMPLE,
        (AS_OF_QUERY,),
        has_revision=True,
    ),
    WebOperation(
        "/api/event/{event}/stream/",
        "event_stream",
        "An event's stock as server-sent events, again after each change",
        str,
        'id: 1041-1c291ca3\nevent: change\ndata: {"event": …}\n\n',
        media_type="text/event-stream",
    ),
    WebOperation(
        "/api/events/",
        "events",
        "All events with their stock",
        page_of("events", EventView),
        listed(EVENT_EXAMPLE, "kgHEEA"),
        (
            query_parameter(
                "state",
                "only events with a ticket type in this state",
                type="string",
                enum=[str(it) for it in Availability],
            ),
            *LIST_QUERY,
        ),
    ),
    WebOperation(
        "/api/account/{event}/{account}/",
        "account",
        "What an account has of an event",
        AccountView,
        {
            "event": EVENT,
            "account": ACCOUNT,
            "offset": 1041,
            "total": 2,
            "held": 2,
            "ticketTypes": [{"ticketType": TICKET_TYPE, "count": 2}],
        },
        has_revision=True,
    ),
    WebOperation(
        "/api/accounts/{account}/purchases/",
        "account_purchases",
        "The purchases of an account",
        page_of("purchases", PurchaseView),
        listed(PURCHASE_EXAMPLE),
        (
            query_parameter("event", "only those of this event, refused ones included", type="string", format="uuid"),
            *LIST_QUERY,
        ),
    ),
    WebOperation(
        "/api/purchase/{event}/{purchase}/",
        "purchase",
        "A purchase with its history, now or at an earlier moment",
        PurchaseView,
        PURCHASE_EXAMPLE,
        (AS_OF_QUERY,),
        has_revision=True,
    ),
    WebOperation(
        "/api/purchases/{event}/{purchases}/",
        "purchases",
        "Which of some purchases are on record: ids as hex digits, separated by commas",
        list[str],
        [PURCHASE.replace("-", "")],
    ),
    WebOperation(
        "/api/section/{event}/{section}/",
        "section",
        "The seats of a section that are held and sold",
        SectionView,
        SECTION_EXAMPLE,
        has_revision=True,
    ),
    WebOperation(
        "/api/sections/{event}/",
        "sections",
        "The sections of an event of which seats are out, or ever were",
        page_of("sections", SectionView),
        listed(SECTION_EXAMPLE),
        LIST_QUERY,
    ),
    WebOperation(
        "/api/holds/",
        "holds",
        "The open holds, those that end first at the front",
        HoldsAnswer,
        {
            "items": [{"deadline": 1796000000000, "event": EVENT, "purchase": PURCHASE}],
            "next": None,
            "partitions": [0, 1, 2, 3],
        },
        LIST_QUERY,
    ),
    WebOperation(
        "/api/partition/{partition}/",
        "partition",
        "How far a partition is",
        PartitionView,
        {
            "topic": "ticket-commands",
            "partition": 0,
            "decided": 1042,
            "committed": 1042,
            "end": 1042,
            "lag": 0,
            "changelog": 2107,
            "holdLimits": {"kind": "limit-holds", "maxSeconds": 3600, "maxTickets": 20, "cooldownSeconds": 60},
        },
    ),
    WebOperation(
        "/api/definitions/{partition}/{events}/",
        "definitions",
        "Version and definition by which events of a partition sell: at most 50 ids as hex digits, separated by commas",
        list[DefineEvent],
        [DEFINITION_EXAMPLE],
    ),
    WebOperation(
        "/api/partitions/",
        "partitions",
        "All partitions with their owners",
        PartitionsAnswer,
        listed({"partition": 0, "owner": WORKER}),
    ),
    WebOperation(
        "/api/worker/",
        "worker",
        "The asked worker's own partitions and copies",
        WorkerView,
        {"worker": "worker-0", "decides": {"0": 2107}, "standsBy": {"1": 1988}, "workers": [WORKER]},
    ),
    WebOperation(
        "/api/workers/",
        "workers",
        "All workers with the partitions that they own",
        WorkersAnswer,
        listed({"worker": WORKER, "partitions": [0, 1, 2, 3]}),
    ),
)
