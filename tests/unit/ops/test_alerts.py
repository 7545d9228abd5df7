"""Each alert fires when it has to and only then, by Prometheus's own tool; each leads to a section of the runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import turnstile
from stack.java import RULES
from tests.debian import program
from tests.yaml_files import read_yaml

ROOT = Path(__file__).parents[3]
ALERTS = RULES / "alerts.yml"
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
FOUND = {rule["alert"]: rule for group in read_yaml(ALERTS.read_text())["groups"] for rule in group["rules"]}
AT = "45m"

# Series with a value a minute, an hour long.
Series = dict[str, str]
EVENT = 'event="e1", title="Night"'
FAILSTOPS = "turnstile_worker_failstops_total"
BUCKET = "turnstile_agent_delay_seconds_bucket"
PURCHASE = 'turnstile_http_request_seconds_bucket{method="POST", route="/api/v3/purchases", le='
PURCHASES = 'turnstile_http_request_seconds_count{method="POST", route="/api/v3/purchases"}'
DISK = 'device="d", fstype="ext4", mountpoint="/", instance="h"}'
END_OF_LOG = 'turnstile_topic_end_offset{topic="turnstile-ledger-changelog", partition="0", job="exporter"}'
COPY = 'turnstile_table_offset{table="ledger", topic="turnstile-ledger-changelog", partition="0", instance='
CASES: dict[str, tuple[list[Series], list[Series]]] = {
    "InvariantBroken": (
        [
            {'turnstile_invariant_breaches_total{invariant="oversold"}': "0x40 1x20"},
            {FAILSTOPS + '{doing="agent ledger", error="InvariantBroken"}': "1x40 2x20"},
            {FAILSTOPS + '{doing="agent ledger", error="InvariantBroken"}': "_x41 1x20"},
        ],
        [
            {'turnstile_invariant_breaches_total{invariant="oversold"}': "1x60"},
            {FAILSTOPS + '{doing="agent ledger", error="InvariantBroken"}': "1x60"},
            {FAILSTOPS + '{doing="agent ledger", error="KafkaError"}': "_x41 1x20"},
        ],
    ),
    "InputLost": (
        [
            {FAILSTOPS + '{doing="recovery", error="LogLost"}': "1x40 2x20"},
            {FAILSTOPS + '{doing="recovery", error="LogLost"}': "_x41 1x20"},
            {'turnstile_input_lost_records_total{topic="t"}': "_x41 7x20"},
            {'turnstile_input_lost_records_total{topic="t"}': "7x40 9x20"},
        ],
        [
            {FAILSTOPS + '{doing="recovery", error="LogLost"}': "1x60"},
            {FAILSTOPS + '{doing="recovery", error="KafkaError"}': "_x41 1x20"},
            {'turnstile_input_lost_records_total{topic="t"}': "7x60"},
        ],
    ),
    "SoldOutYetHeld": (
        [
            {
                f'turnstile_event_tickets{{{EVENT}, state="available"}}': "5x10 0x50",
                f'turnstile_event_tickets{{{EVENT}, state="held"}}': "3x60",
            }
        ],
        [
            {
                f'turnstile_event_tickets{{{EVENT}, state="available"}}': "5x20 0x40",
                f'turnstile_event_tickets{{{EVENT}, state="held"}}': "3x60",
            },
            {
                f'turnstile_event_tickets{{{EVENT}, state="available"}}': "0x60",
                f'turnstile_event_tickets{{{EVENT}, state="held"}}': "0x60",
            },
            {
                'turnstile_event_tickets{event="other", title="", state="available"}': "0x60",
                'turnstile_event_tickets{event="other", title="", state="held"}': "3x60",
            },
        ],
    ),
    "HoldOverdue": ([{"turnstile_hold_overdue_seconds": "31x60"}], [{"turnstile_hold_overdue_seconds": "1x60"}]),
    "Overcommitted": ([{"turnstile_overcommitted_tickets": "2x60"}], [{"turnstile_overcommitted_tickets": "0x60"}]),
    "SaleDiffers": (
        [
            {'turnstile_definition_differences{event="e1"}': "_x40 2x20"},
            {'turnstile_definition_differences{event="other"}': "1x60"},
        ],
        [{'turnstile_definition_differences{event="e1"}': "2x30 _x30"}],
    ),
    "PartDown": (
        [
            {'up{job="api"}': "1x40 0x20", 'up{job="exporter"}': "1x60"},
            {'up{job="api"}': "1x30 _x30", 'up{job="exporter"}': "1x60"},
            {'up{job="api"}': "1x60", 'up{job="exporter"}': "1x30 _x30"},
        ],
        [{'up{job="api"}': "1x60", 'up{job="exporter"}': "1x60"}],
    ),
    "WorkerRestarting": (
        [{'process_start_time_seconds{job="worker"}': "100x35 200x2 300x2 400x20"}],
        [
            {'process_start_time_seconds{job="worker"}': "100x35 200x20"},
            {'process_start_time_seconds{job="api"}': "100x35 200x2 300x2 400x20"},
        ],
    ),
    "WorkerStalled": ([{"turnstile_worker_stalled": "0x44 1x10"}], [{"turnstile_worker_stalled": "0x60"}]),
    "RecoveryLong": (
        [{'turnstile_worker_state{state="recovering"}': "0x30 1x30"}],
        [
            {'turnstile_worker_state{state="recovering"}': "0x43 1x20"},
            {'turnstile_worker_state{state="ready"}': "1x60"},
        ],
    ),
    "ConsumerStopped": (
        [{'turnstile_consumer_members{group="turnstile-ledger"}': "1x40 0x20"}],
        [{'turnstile_consumer_members{group="turnstile-ledger"}': "1x60"}],
    ),
    "LagGrowing": (
        [
            {'turnstile_consumer_lag_seconds{group="g", topic="t", partition="0"}': "0x30 61+60x30"},
            {'turnstile_consumer_lag_records{group="g", topic="t", partition="0"}': "0+1000x60"},
        ],
        [
            {'turnstile_consumer_lag_seconds{group="g", topic="t", partition="0"}': "59x60"},
            # Mails wait there for their next try.
            {'turnstile_consumer_lag_seconds{group="g", topic="notification-retries", partition="0"}': "61x60"},
            {'turnstile_consumer_lag_records{group="g", topic="t", partition="0"}': "90000-1000x60"},
        ],
    ),
    "RetentionNear": (
        [
            {
                'turnstile_consumer_lag_seconds{group="g", topic="t", partition="0"}': "0x60",
                'turnstile_consumer_lag_seconds{group="g", topic="t", partition="1"}': "301x60",
                'turnstile_topic_retention_seconds{topic="t"}': "600x60",
            }
        ],
        [
            {
                'turnstile_consumer_lag_seconds{group="g", topic="t", partition="0"}': "299x60",
                'turnstile_topic_retention_seconds{topic="t"}': "600x60",
            },
            {
                'turnstile_consumer_lag_seconds{group="g", topic="compacted", partition="0"}': "301x60",
                'turnstile_topic_retention_seconds{topic="t"}': "600x60",
            },
        ],
    ),
    "DecisionsSlow": (
        [
            {
                BUCKET + '{agent="ledger", le="1"}': "0+98x60",
                BUCKET + '{agent="ledger", le="2.5"}': "0+100x60",
                BUCKET + '{agent="ledger", le="+Inf"}': "0+100x60",
                'turnstile_agent_delay_seconds_count{agent="ledger"}': "0+100x60",
            }
        ],
        [
            # One slow decision among few.
            {
                BUCKET + '{agent="ledger", le="1"}': "0+9x60",
                BUCKET + '{agent="ledger", le="2.5"}': "0+10x60",
                BUCKET + '{agent="ledger", le="+Inf"}': "0+10x60",
                'turnstile_agent_delay_seconds_count{agent="ledger"}': "0+10x60",
            },
            {BUCKET + '{agent="ledger", le="1"}': "0+100x60", BUCKET + '{agent="ledger", le="+Inf"}': "0+100x60"},
            {BUCKET + '{agent="mailer", le="1"}': "0+90x60", BUCKET + '{agent="mailer", le="+Inf"}': "0+100x60"},
        ],
    ),
    "TransactionOpen": (
        [
            {
                "turnstile_topic_end_offset{topic='t', partition='0'}": "100+10x60",
                "turnstile_partition_stable_lag_records{topic='t', partition='0'}": "0x35 10+10x25",
            }
        ],
        [
            # Short ones, one after the other.
            {
                "turnstile_topic_end_offset{topic='t', partition='0'}": "100+10x60",
                "turnstile_partition_stable_lag_records{topic='t', partition='0'}": "5x60",
            },
            {
                "turnstile_topic_end_offset{topic='t', partition='0'}": "100x60",
                "turnstile_partition_stable_lag_records{topic='t', partition='0'}": "0x60",
            },
        ],
    ),
    "IndexLag": ([{"turnstile_index_lag_seconds": "0x40 61x20"}], [{"turnstile_index_lag_seconds": "5x60"}]),
    "ServerAway": (
        [{'turnstile_waiting_seconds{role="indexer", doing="indexing"}': "0x40 0+60x20"}],
        [
            {'turnstile_waiting_seconds{role="indexer", doing="indexing"}': "20x60"},
            {'turnstile_waiting_seconds{role="notifications", doing="sending mail"}': "90x60"},
        ],
    ),
    "DeadLetters": (
        [{'turnstile_dead_letters{consumer="mailer"}': "1x60"}],
        [{'turnstile_dead_letters{consumer="mailer"}': "0x60"}],
    ),
    "SlotGrowing": (
        [{'turnstile_slot_retained_bytes{slot="turnstile_event"}': "0+10000000x60"}],
        [{'turnstile_slot_retained_bytes{slot="turnstile_event"}': "100000000x60"}],
    ),
    "SlotLost": ([{'turnstile_slot_lost{slot="s"}': "0x40 1x20"}], [{'turnstile_slot_lost{slot="s"}': "0x60"}]),
    "SlotUnread": (
        [{'turnstile_slot_active{slot="s"}': "1x40 0x20"}],
        [{'turnstile_slot_active{slot="s"}': "1x60"}, {'turnstile_slot_active{slot="s"}': "1x43 0x1 1x20"}],
    ),
    "ConnectorFailed": (
        [
            {'turnstile_connector_state{connector="c", state="FAILED"}': "0x40 1x20"},
            {'turnstile_connector_task_state{connector="c", task="0", state="FAILED"}': "0x40 1x20"},
        ],
        [
            {'turnstile_connector_state{connector="c", state="RUNNING"}': "1x60"},
            {'turnstile_connector_task_state{connector="c", task="0", state="FAILED"}': "0x60"},
        ],
    ),
    "CaptureStale": (
        [{'turnstile_capture_age_seconds{connector="c"}': "0x40 61x20"}],
        [{'turnstile_capture_age_seconds{connector="c"}': "10x60"}],
    ),
    "OutboxStuck": ([{"turnstile_outbox_age_seconds": "61x60"}], [{"turnstile_outbox_age_seconds": "11x60"}]),
    "LongTransaction": (
        [{"turnstile_database_oldest_transaction_seconds": "0+60x60"}],
        [{"turnstile_database_oldest_transaction_seconds": "800x60"}],
    ),
    "SourceDown": (
        [{'turnstile_source_up{source="kafka"}': "1x40 0x20"}],
        [{'turnstile_source_up{source="kafka"}': "1x44 0x1 1x20"}],
    ),
    "BrokerUnhealthy": (
        [
            {"kafka_controller_offline_partitions": "0x40 1x20"},
            {"kafka_broker_under_min_isr_partitions": "0x40 1x20"},
            {"kafka_broker_under_replicated_partitions": "0x40 1x20"},
        ],
        [{"kafka_controller_offline_partitions": "0x60", "kafka_broker_under_replicated_partitions": "0x60"}],
    ),
    "LedgerWorkersMissing": (
        [
            {
                'turnstile_consumer_members{group="turnstile-ledger", job="exporter"}': "3x35 2x25",
                'turnstile_ledger_workers_wanted{job="exporter"}': "3x60",
            }
        ],
        [
            # One after the other is upgraded.
            {
                'turnstile_consumer_members{group="turnstile-ledger", job="exporter"}': "3x39 2x2 3x20",
                'turnstile_ledger_workers_wanted{job="exporter"}': "3x60",
            },
            {
                'turnstile_consumer_members{group="turnstile-sales", job="exporter"}': "1x60",
                'turnstile_ledger_workers_wanted{job="exporter"}': "3x60",
            },
        ],
    ),
    "LedgerCopiesMissing": (
        [
            {END_OF_LOG: "90000x60", COPY + '"a"}': "90000x60", "turnstile_ledger_copies_wanted": "2x60"},
            # The second copy is cold.
            {
                END_OF_LOG: "90000x60",
                COPY + '"a"}': "90000x60",
                COPY + '"b"}': "70000x60",
                "turnstile_ledger_copies_wanted": "2x60",
            },
        ],
        [
            {
                END_OF_LOG: "90000x60",
                COPY + '"a"}': "90000x60",
                COPY + '"b"}': "89000x60",
                "turnstile_ledger_copies_wanted": "2x60",
            },
            {END_OF_LOG: "90000x60", COPY + '"a"}': "90000x60", "turnstile_ledger_copies_wanted": "1x60"},
        ],
    ),
    "SearchRed": (
        [{'turnstile_search_status{status="red"}': "0x40 1x20"}],
        [{'turnstile_search_status{status="red"}': "0x60"}, {'turnstile_search_status{status="yellow"}': "1x60"}],
    ),
    "SearchYellow": (
        [{'turnstile_search_status{status="yellow"}': "0x10 1x50"}],
        [{'turnstile_search_status{status="yellow"}': "0x30 1x30"}],
    ),
    "DiskFilling": (
        [
            {"node_filesystem_avail_bytes{" + DISK: "14x60", "node_filesystem_size_bytes{" + DISK: "100x60"},
            # Full in less than four hours.
            {"node_filesystem_avail_bytes{" + DISK: "75-1x60", "node_filesystem_size_bytes{" + DISK: "100x60"},
        ],
        [
            {"node_filesystem_avail_bytes{" + DISK: "16x60", "node_filesystem_size_bytes{" + DISK: "100x60"},
            {"node_filesystem_avail_bytes{" + DISK: "100-1x60", "node_filesystem_size_bytes{" + DISK: "100x60"},
            {
                'node_filesystem_avail_bytes{fstype="tmpfs", mountpoint="/run"}': "1x60",
                'node_filesystem_size_bytes{fstype="tmpfs", mountpoint="/run"}': "100x60",
            },
        ],
    ),
    "MemoryNear": (
        [
            {
                'process_resident_memory_bytes{job="worker", instance="a"}': "91x60",
                'turnstile_memory_limit_bytes{job="worker", instance="a"}': "100x60",
            },
            {'jvm_memory_used_bytes{area="heap"}': "91x60", 'jvm_memory_max_bytes{area="heap"}': "100x60"},
            {"node_memory_MemAvailable_bytes": "4x60", "node_memory_MemTotal_bytes": "100x60"},
        ],
        [
            {
                'process_resident_memory_bytes{job="worker", instance="a"}': "89x60",
                'turnstile_memory_limit_bytes{job="worker", instance="a"}': "100x60",
            },
            # The heap fills until it is collected.
            {
                'jvm_memory_used_bytes{area="heap"}': "95 95 95 95 95 95 95 95 95 50 " * 6,
                'jvm_memory_max_bytes{area="heap"}': "100x60",
            },
            {"node_memory_MemAvailable_bytes": "40x60", "node_memory_MemTotal_bytes": "100x60"},
        ],
    ),
    "Watchdog": ([{"up": "0x60"}, {}], []),
    "AlertsUndelivered": (
        [{'alertmanager_notifications_failed_total{integration="email"}': "0x30 0+1x30"}],
        [{'alertmanager_notifications_failed_total{integration="email"}': "5x60"}],
    ),
    "ApiErrors": (
        [
            {
                'turnstile_http_requests_total{status="503"}': "0+2x60",
                'turnstile_http_requests_total{status="200"}': "0+98x60",
            }
        ],
        [
            {
                'turnstile_http_requests_total{status="503"}': "0+1x60",
                'turnstile_http_requests_total{status="200"}': "0+200x60",
            },
            {'turnstile_http_requests_total{status="409"}': "0+100x60"},
            # One of the two answers in five minutes.
            {
                'turnstile_http_requests_total{status="503"}': "0x42 1x20",
                'turnstile_http_requests_total{status="200"}': "0x42 1x20",
            },
        ],
    ),
    "PurchasesSlow": (
        [
            {
                PURCHASE + '"1"}': "0+50x60",
                PURCHASE + '"2.5"}': "0+100x60",
                PURCHASE + '"+Inf"}': "0+100x60",
                PURCHASES: "0+100x60",
            }
        ],
        [
            {
                PURCHASE + '"1"}': "0+100x60",
                PURCHASE + '"2.5"}': "0+100x60",
                PURCHASE + '"+Inf"}': "0+100x60",
                PURCHASES: "0+100x60",
            },
            # Ten purchases in five minutes, half of them slow.
            {
                PURCHASE + '"1"}': "0+1x60",
                PURCHASE + '"2.5"}': "0+2x60",
                PURCHASE + '"+Inf"}': "0+2x60",
                PURCHASES: "0+2x60",
            },
        ],
    ),
    "MailFailing": (
        [
            {'turnstile_waiting_seconds{role="notifications", doing="sending mail"}': "0x40 61x20"},
            {
                'turnstile_mails_total{role="notifications", kind="held", result="failed"}': "0+2x60",
                'turnstile_mails_total{role="notifications", kind="held", result="sent"}': "0+5x60",
            },
        ],
        [
            {'turnstile_waiting_seconds{role="notifications", doing="sending mail"}': "0x60"},
            {
                'turnstile_mails_total{role="notifications", kind="held", result="failed"}': "0+1x60",
                'turnstile_mails_total{role="notifications", kind="held", result="sent"}': "0+200x60",
            },
        ],
    ),
    "PaymentsStuck": (
        [{'turnstile_payments_unfinished_seconds{state="capturing"}': "0+60x60"}],
        [
            {'turnstile_payments_unfinished_seconds{state="capturing"}': "600x60"},
            {'turnstile_payments_unfinished_seconds{state="refunding"}': "0+60x20 0x40"},
        ],
    ),
}


def test_every_alert_has_a_case() -> None:
    assert CASES.keys() == FOUND.keys()


def test_the_rules_are_valid() -> None:
    argv = (*program("promtool"), "check", "rules", str(ALERTS))
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What promtool says of each alert's cases, in one run."""
    folder = tmp_path_factory.mktemp("alerts")
    for name, (fires, calm) in CASES.items():
        tests = [_test(name, series, fires=True) for series in fires]
        tests += [_test(name, series, fires=False) for series in calm]
        # Its rule alone: evaluating all of them in every case takes seconds.
        rules = folder / f"{name}.rules"
        rules.write_text(json.dumps({"groups": [{"name": name, "rules": [FOUND[name]]}]}))
        content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}
        (folder / f"{name}.yml").write_text(json.dumps(content))
    argv = (*program("promtool"), "test", "rules", *map(str, folder.glob("*.yml")))
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    parts = done.stdout.split("Unit Testing: ")[1:]
    return {Path(part.split()[0]).stem: part for part in parts}


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_when_it_has_to_and_only_then(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[name].split()[1:] == ["SUCCESS"], verdicts[name]


def _test(name: str, series: Series, *, fires: bool) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) > bool 0',
                "eval_time": AT,
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


@pytest.mark.parametrize("name", FOUND)
def test_an_alert_says_what_is_wrong_and_where_to_read_on(name: str) -> None:
    rule = FOUND[name]
    assert rule["labels"]["severity"] in ({"watchdog"} if name == "Watchdog" else {"page", "ticket"})
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert re.search(rf"^### {name}$", RUNBOOK, re.MULTILINE), f"docs/operations.md has no section {name}"


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    sections = set(re.findall(r"^### ([A-Z]\w+)$", RUNBOOK, re.MULTILINE))
    assert sections == FOUND.keys()


def test_the_runbook_names_commands_that_there_are() -> None:
    named = set(re.findall(r"\./turnstile (\w+)(?: ([a-z]+))?", RUNBOOK))
    assert len(named) > 5
    for command, verb in named:
        assert command in turnstile.commands, command
        group = turnstile.commands[command]
        assert not verb or verb in getattr(group, "commands", {}), f"{command} {verb}"
