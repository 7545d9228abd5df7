"""A season's commands, carried out by the real ledger in memory: the season must know what comes of it."""

import random
from collections import Counter

from lab.bench.orders import definition, shows
from lab.bench.season import FOLLOW_UP_AFTER, HOLD_S, Season
from tables.ids import TicketCodes
from tables.ledger.inventory import Inventory
from tables.ledger.ledger import Ledger
from tables.ledger.records import decode_event, event_key
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    Expire,
    Hold,
    decode_command,
    encode_command,
)

COUNT = FOLLOW_UP_AFTER + 1_000


def test_the_ledger_sells_what_the_season_says_it_has_to() -> None:
    on_sale = shows(8, 3, 4, random.Random(1))
    season = Season(on_sale, seed=2)
    records: dict[bytes, bytes] = {}
    ledger = Ledger(
        lambda keys: [records.get(key) for key in keys], lambda prefix, after: iter(()), TicketCodes(b"k" * 32)
    )
    offset = 0
    holds = []
    commands: list[Command] = [definition(show) for show in on_sale]
    commands += [command for _, _, command in season.commands(COUNT)]
    for command in commands:
        ledger.apply(offset, offset, decode_command(encode_command(command)))
        holds += [Expire(command.event, command.purchase)] if isinstance(command, Hold) else []
        records |= ledger.take_purchases() | ledger.take_events()
        offset += 1
    for expire in holds:
        ledger.apply(offset, offset + HOLD_S * 1000, expire)
        records |= ledger.take_purchases() | ledger.take_events()
        offset += 1
    for show in on_sale:
        stocks = Inventory.from_record(show.event, decode_event(records[event_key(show.event)])).stock.values()
        assert (sum(stock.sold for stock in stocks), sum(stock.held for stock in stocks)) == (
            season.sold[show.event],
            0,
        )


def test_a_season_has_all_kinds_and_what_follows_comes_later() -> None:
    on_sale = shows(8, 3, 4, random.Random(1))
    placed = list(Season(on_sale, seed=2).commands(COUNT))
    kinds = Counter(type(command) for _, _, command in placed)
    assert set(kinds) == {Buy, Hold, Confirm, Cancel, DefineEvent}
    assert kinds[Buy] + kinds[Hold] == COUNT
    began: dict[object, int] = {}
    for number, (_, _, command) in enumerate(placed):
        if isinstance(command, Buy | Hold):
            began[command.purchase] = number
        elif isinstance(command, Confirm | Cancel):
            assert began[command.purchase] < number
    homes = {(show.partition, show.key, show.event) for show in on_sale}
    assert {(partition, key, command.event) for partition, key, command in placed} == homes


def test_an_event_changes_under_ever_higher_versions() -> None:
    versions = [
        command.version
        for _, _, command in Season(shows(2, 1, 4, random.Random(1)), 2).commands(COUNT)
        if isinstance(command, DefineEvent)
    ]
    assert versions == sorted(set(versions))
    assert versions[0] > 1
