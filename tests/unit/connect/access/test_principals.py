"""Every right is used by the code of the part that has it, and every topic that the code uses is a right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import connect.topics
from connect.access.principals import (
    ADMIN,
    CONNECT_GROUP,
    CONNECT_TOPICS,
    DEAD_LETTERS,
    ROLE_GROUPS,
    Principal,
    all_inputs,
    principals,
)
from connect.connectors.configuration import Connector
from connect.topics import (
    ACCOUNT_ROWS,
    ANSWERS_PREFIX,
    CONSUMER_INPUTS,
    CONSUMERS,
    DEFAULT_PRODUCERS,
    EVENT_STATUS,
    HEARTBEAT,
    HEARTBEAT_ROWS,
    OUTCOMES,
    PURCHASE_UPSERTS,
    REQUESTS_PREFIX,
    all_topics,
    answers,
    changelog,
    group,
    requests,
)
from settings import Role, Settings
from stack.kafka_connect import KafkaConnect
from stack.settings import StackSettings
from streams.worker import make_worker

ROOT = Path(__file__).parents[4]
KNOWN = {principal.name: principal for principal in principals()}
NAMES = {name: value for name, value in vars(connect.topics).items() if name.isupper() and isinstance(value, str)}
TOPICS = {topic.name for topic in all_topics()}
CODE = {
    "ledger": ["streams/inventory"],
    "indexer": ["streams/search"],
    "notifications": ["streams/mail"],
    "sales": ["streams/projections"],
    "gate": ["streams/gate"],
    "payments": ["streams/payments"],
    "api": ["api/adapters", "api/bootstrap.py"],
    "operator": ["ops"],
}
# Read by connect/observe: heartbeats, and the age of what the ledger has not read.
OBSERVED = {"api": {HEARTBEAT_ROWS, EVENT_STATUS}}
PRODUCING = {"append", "append_keyed", "_append", "send", "send_batch"}


def modules(part: str) -> Iterator[ast.Module]:
    for place in (ROOT / each for each in CODE[part]):
        for path in [place] if place.is_file() else place.rglob("*.py"):
            yield ast.parse(path.read_text())


def imported(part: str) -> set[str]:
    """The topics that the part's code names."""
    found = [node for module in modules(part) for node in ast.walk(module) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in found if node.module == "connect.topics" for alias in node.names}
    return {NAMES[name] for name in names & NAMES.keys()} & TOPICS


def produced(part: str) -> set[str]:
    """The topics that the part's code appends to."""
    calls = [node for module in modules(part) for node in ast.walk(module) if isinstance(node, ast.Call)]
    arguments = [argument for call in calls if _name(call.func) in PRODUCING for argument in call.args]
    return {NAMES[one.id] for one in arguments if isinstance(one, ast.Name) and one.id in NAMES} & TOPICS


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def plain(topics: tuple[str, ...]) -> set[str]:
    """Topics that are no dead letters, no log of a table and not of another producer."""
    prefixes = ("dlq.", REQUESTS_PREFIX, ANSWERS_PREFIX)
    return {topic for topic in topics if not topic.startswith(prefixes) and not topic.endswith("-changelog")}


def test_another_producer_writes_requests_and_reads_their_answers_and_no_more() -> None:
    found = [principal for principal in principals(["shop"]) if principal.name.startswith("producer-")]
    answered, requested = ("ticket-answers.shop",), ("ticket-requests.shop",)
    assert found == [Principal("producer-shop", answered, requested, groups=("producer-shop",), all_names=False)]
    gate = next(principal for principal in principals(["shop"]) if principal.name == "gate")
    assert {*requested} <= set(gate.reads)
    assert {*answered} <= set(gate.writes)


def test_a_consumer_reads_outcomes_in_groups_of_its_own_and_no_more() -> None:
    assert KNOWN["reader"] == Principal("reader", (OUTCOMES, PURCHASE_UPSERTS), groups=("reader*",), all_names=False)
    others = [each for known in KNOWN.values() if known.name != "reader" for each in known.groups]
    assert not [each for each in others if each.startswith("reader")]


@pytest.mark.parametrize("role", get_args(Role))
def test_a_worker_reads_what_its_agents_and_tables_read_and_nothing_else(role: Role, tmp_path: Path) -> None:
    app = make_worker(
        Settings(role=role, ticket_key="k" * 32, link_key="fGjK2mNpQrStVwXz5678bCdEhLyA34uB", worker_data=tmp_path)
    )
    logs = {changelog(name) for name in app.tables}
    by_agents = {topic for agent in app.agents.values() for topic in agent.channel.topics}
    # The gate reads the accounts as a whole, without an agent (streams/gate/accounts.py).
    assert set(KNOWN[role].reads) == by_agents | logs | ({ACCOUNT_ROWS} if role == "gate" else set())
    assert {topic for topic in KNOWN[role].writes if topic.endswith("-changelog")} == logs
    letters = {f"dlq.{name}" for name in (agent.partition(".")[0] for agent in app.agents) if name in CONSUMERS}
    assert {topic for topic in KNOWN[role].writes if topic.startswith("dlq.")} == letters
    assert KNOWN[role].groups == (app.conf.id,) == (group(role),)


@pytest.mark.parametrize("part", [*get_args(Role), "api"])
def test_a_part_writes_what_its_code_appends_to_and_nothing_else(part: str) -> None:
    assert plain(KNOWN[part].writes) == produced(part)


@pytest.mark.parametrize("part", [*get_args(Role), "api"])
def test_a_part_has_rights_to_the_topics_that_its_code_names(part: str) -> None:
    known = KNOWN[part]
    assert plain((*known.reads, *known.writes)) - OBSERVED.get(part, set()) == imported(part)


def test_the_operator_may_do_what_the_commands_do() -> None:
    operator = KNOWN["operator"]
    assert imported("operator") <= {*operator.reads, *operator.writes}
    assert produced("operator") <= set(operator.writes)
    # `dlq replay` appends to where a dead letter came from.
    assert (
        {one for one in CONSUMER_INPUTS.values() if one != REQUESTS_PREFIX} <= set(all_inputs()) <= set(operator.writes)
    )


def test_kafka_connect_writes_what_its_connectors_capture(wanted: list[Connector], tmp_path: Path) -> None:
    tables = {table for connector in wanted for table in connector.tables} - {"public.event_outbox"}
    captured = {f"{connector.config['topic.prefix']}.{table}" for connector in wanted for table in tables}
    known = KNOWN["connect"]
    assert set(known.writes) - set(CONNECT_TOPICS) == captured | {EVENT_STATUS, HEARTBEAT}
    worker = KafkaConnect(StackSettings(home=tmp_path))._configuration()
    assert {worker[f"{name}.storage.topic"] for name in ("config", "offset", "status")} == set(CONNECT_TOPICS)
    assert known.groups == (worker["group.id"],) == (CONNECT_GROUP,)


def test_every_topic_is_written_and_read_by_somebody() -> None:
    assert {topic for known in KNOWN.values() for topic in known.writes} >= TOPICS
    assert {topic for known in KNOWN.values() for topic in known.reads} >= TOPICS - {HEARTBEAT}


def test_no_other_producer_writes_commands() -> None:
    assert [name for name, known in KNOWN.items() if "ticket-commands" in known.writes] == [
        "ledger",
        "gate",
        "payments",
        "api",
        "operator",
    ]


def test_the_brokers_administrator_is_none_of_them() -> None:
    assert ADMIN not in KNOWN
    assert len(KNOWN) == len(principals())


def test_the_table_in_the_docs_is_this_one() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", section(), re.MULTILINE)
    assert [row[0] for row in rows] == [name for name in KNOWN if not name.startswith("producer-")]
    for name, reads, writes, groups in rows:
        known: Principal = KNOWN[name]
        assert names_in(reads) == set(known.reads), name
        assert names_in(writes) == set(known.writes), name
        assert names_in(groups) == {*known.groups, *known.watches}, name


def section() -> str:
    return (ROOT / "docs" / "security.md").read_text().partition("## Rights in Kafka\n")[2].partition("\n## ")[0]


def names_in(cell: str) -> set[str]:
    short = {
        "dlq.*": DEAD_LETTERS,
        "connect-*": CONNECT_TOPICS,
        "ticket-requests.*": tuple(map(requests, DEFAULT_PRODUCERS)),
        "ticket-answers.*": tuple(map(answers, DEFAULT_PRODUCERS)),
        "inputs": all_inputs(),
        "turnstile-<role>": ROLE_GROUPS,
    }
    return {name for word in re.findall(r"`([^`]+)`", cell) for name in short.get(word, (word,))}
