from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from connect.errors import ServerMissing, TopicMismatch, TopicRefused
from connect.provisioning import open_admin, provision
from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DAY_MS,
    DEAD_LETTER_MAX_BYTES,
    EVENT_ROWS,
    HEARTBEAT,
    HEARTBEAT_ROWS,
    RECORD_MAX_BYTES,
    all_topics,
    changelog,
    dead_letters,
    requests,
)
from settings import Settings
from tests.unit.connect.fakes import FakeAdmin

NAMES = [topic.name for topic in all_topics()]


def test_a_fresh_broker_gets_every_topic_of_the_catalogue(make_settings: Any) -> None:
    admin = FakeAdmin()
    now = make_settings(partitions=6, replication_factor=3, min_insync_replicas=2)
    assert provision(admin, all_topics(), now) == NAMES
    assert list(admin.topics) == NAMES
    commands = admin.topics[COMMANDS]
    assert (commands["num_partitions"], commands["replication_factor"]) == (6, 3)
    assert commands["configs"]["message.timestamp.type"] == "LogAppendTime"
    assert {topic["configs"]["min.insync.replicas"] for topic in admin.topics.values()} == {"2"}
    assert admin.topics[HEARTBEAT]["num_partitions"] == 1


def test_a_changelog_loses_no_record_to_a_compaction_within_a_day(settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    configs = admin.topics[changelog("ledger")]["configs"]
    assert (configs["cleanup.policy"], configs["min.compaction.lag.ms"]) == ("compact", str(DAY_MS))


def test_a_broker_that_does_not_know_the_partitions_yet_is_asked_again(settings: Settings) -> None:
    admin = FakeAdmin()
    admin.vague = 1
    assert provision(admin, all_topics(), settings) == NAMES


def test_a_broker_that_never_tells_the_partitions_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connect.provisioning.METADATA_TIMEOUT_S", 0.0)
    admin = FakeAdmin()
    admin.vague = 1_000
    with pytest.raises(ServerMissing, match="no partitions of"):
        provision(admin, all_topics(), settings)


def test_a_second_run_makes_nothing(settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    assert provision(admin, all_topics(), settings) == []


def test_a_topic_that_another_run_made_meanwhile_is_no_error(settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.unlisted = {COMMANDS}
    assert provision(admin, all_topics(), settings) == []


def test_a_wrong_partition_count_names_topic_and_figure(make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings(partitions=4))
    with pytest.raises(TopicMismatch, match=f"topic {COMMANDS}: the number of partitions is 4, should be 8"):
        provision(admin, all_topics(), make_settings(partitions=8))


@pytest.mark.parametrize("wrong", [ACCOUNT_ROWS, HEARTBEAT_ROWS, requests("kiosk")])
def test_more_partitions_are_refused_where_others_choose_among_them(wrong: str, make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings(partitions=4))
    for topic in (COMMANDS, EVENT_ROWS, changelog("gate"), dead_letters("sales"), wrong):
        admin.topics[topic]["num_partitions"] = 8
    with pytest.raises(TopicMismatch) as error:
        provision(admin, all_topics(), make_settings(partitions=4))
    [line] = str(error.value).splitlines()
    assert line.startswith(f"topic {wrong}: the number of partitions is 8, should be ")


def test_fewer_partitions_in_the_setting_than_in_the_log_are_refused(make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings(partitions=8))
    with pytest.raises(TopicMismatch, match=f"topic {COMMANDS}: the number of partitions is 8, should be 4"):
        provision(admin, all_topics(), make_settings(partitions=4))


def test_a_wrong_replication_factor_names_topic_and_figure(make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings())
    with pytest.raises(TopicMismatch, match=f"topic {COMMANDS}: the replication factor is 1, should be 3"):
        provision(admin, all_topics(), make_settings(replication_factor=3))


@pytest.mark.parametrize(
    ("topic", "name", "wrong", "right"),
    [
        (EVENT_ROWS, "cleanup.policy", "delete", "compact"),
        (COMMANDS, "cleanup.policy", "compact", "delete"),
        (COMMANDS, "message.timestamp.type", "CreateTime", "LogAppendTime"),
    ],
)
def test_a_setting_that_decisions_rest_on_is_checked(
    topic: str, name: str, wrong: str, right: str, settings: Settings
) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.topics[topic]["configs"][name] = wrong
    with pytest.raises(TopicMismatch) as error:
        provision(admin, all_topics(), settings)
    assert str(error.value) == f"topic {topic}: {name} is {wrong}, should be {right}"


def test_all_differences_are_told_at_once(make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings())
    admin.topics[EVENT_ROWS]["configs"]["cleanup.policy"] = "delete"
    admin.topics[COMMANDS]["num_partitions"] = 1
    with pytest.raises(TopicMismatch) as error:
        provision(admin, all_topics(), make_settings())
    assert len(str(error.value).splitlines()) == 2


def test_the_replicas_that_must_acknowledge_follow_the_setting(make_settings: Any) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), make_settings(replication_factor=3))
    provision(admin, all_topics(), make_settings(replication_factor=3, min_insync_replicas=2))
    assert {topic["configs"]["min.insync.replicas"] for topic in admin.topics.values()} == {"2"}


def test_a_longer_retention_is_left_to_whoever_chose_it(settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.topics[COMMANDS]["configs"]["retention.ms"] = "999999999999"
    provision(admin, all_topics(), settings)
    assert admin.topics[COMMANDS]["configs"]["retention.ms"] == "999999999999"


def test_no_replica_that_lacks_records_may_lead_any_topic(settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.topics[COMMANDS]["configs"]["unclean.leader.election.enable"] = "true"
    provision(admin, all_topics(), settings)
    assert {topic["configs"]["unclean.leader.election.enable"] for topic in admin.topics.values()} == {"false"}


@pytest.mark.parametrize(("was", "becomes"), [(7 * DAY_MS, 14 * DAY_MS), (30 * DAY_MS, 30 * DAY_MS), (-1, -1)])
def test_commands_are_kept_longer_than_the_offsets_of_their_group(was: int, becomes: int, settings: Settings) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.topics[COMMANDS]["configs"]["retention.ms"] = str(was)
    provision(admin, all_topics(), settings)
    assert admin.topics[COMMANDS]["configs"]["retention.ms"] == str(becomes)


@pytest.mark.parametrize(
    ("topic", "was", "becomes"),
    [
        (COMMANDS, 500_000, RECORD_MAX_BYTES),
        (COMMANDS, 5_000_000, 5_000_000),
        (dead_letters("ledger"), RECORD_MAX_BYTES, DEAD_LETTER_MAX_BYTES),
    ],
)
def test_every_topic_takes_the_largest_record_that_may_be_written_to_it(
    topic: str, was: int, becomes: int, settings: Settings
) -> None:
    admin = FakeAdmin()
    provision(admin, all_topics(), settings)
    admin.topics[topic]["configs"]["max.message.bytes"] = str(was)
    provision(admin, all_topics(), settings)
    assert admin.topics[topic]["configs"]["max.message.bytes"] == str(becomes)


def test_a_topic_that_kafka_refuses_is_named_with_the_reason(settings: Settings) -> None:
    admin = FakeAdmin()
    admin.refusals[COMMANDS] = (38, "only 1 broker is there for 3 replicas")
    with pytest.raises(TopicRefused, match=f"topic {COMMANDS} can't be created: only 1 broker"):
        provision(admin, all_topics(), settings)


def test_a_broker_that_does_not_answer_is_named_with_its_setting(make_settings: Any) -> None:
    def absent(**options: Any) -> FakeAdmin:
        assert options == {"bootstrap_servers": ["a:1", "b:1"], "bootstrap_timeout_ms": 7_000}
        raise KafkaTimeoutError("unable to bootstrap")

    now = make_settings(kafka_servers="a:1,b:1", bootstrap_seconds=7)
    with pytest.raises(
        ServerMissing, match=r"within 7 s at a:1,b:1 \(TURNSTILE_KAFKA_SERVERS\): .*unable to bootstrap"
    ):
        open_admin(now, absent)
