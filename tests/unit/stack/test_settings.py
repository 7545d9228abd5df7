"""Settings of the stack, its secrets, and what the deployed parts are told."""

import stat
import subprocess
from pathlib import Path

import pytest

import stack.apps
from lab.trial_stack import TrialStack
from settings import Settings
from stack import supervisor
from stack.apps import one_more
from stack.environment import app_environment, worker_environment
from stack.errors import StackError
from stack.kafka import brokers
from stack.progress import ProgressPrinter
from stack.secret_files import NAMES, secret
from stack.settings import StackSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stack_settings(tmp_path: Path) -> StackSettings:
    return StackSettings.model_validate({"home": tmp_path / "home", "postgres_port": 25432, "workers": 3})


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = {name: secret(tmp_path, name) for name in NAMES}
    assert first == {name: secret(tmp_path, name) for name in NAMES}
    assert len(set(first.values())) == len(NAMES)
    for path in (tmp_path / "secrets").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_the_folders_that_servers_read_hold_their_own_secrets(tmp_path: Path) -> None:
    for name in NAMES:
        secret(tmp_path, name)
    connect = {path.name for path in (tmp_path / "secrets" / "connect").iterdir()}
    assert connect == {"cdc_password", "kafka_connect_password"}
    assert [path.name for path in (tmp_path / "secrets" / "broker").iterdir()] == ["kafka_admin_password"]


def test_the_parts_find_every_server_where_the_stack_put_it(
    stack_settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = app_environment(stack_settings) | worker_environment(stack_settings, "ledger", 2)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert "@127.0.0.1:25432/turnstile" in settings.database_url.get_secret_value()
    assert settings.connect_database_port == 25432
    assert settings.worker_id == "ledger-2"
    assert settings.worker_port == stack_settings.worker_port + 2
    assert len(settings.ticket_key.get_secret_value()) >= 32
    assert settings.site_url == f"http://127.0.0.1:{stack_settings.api_port}"
    assert not set(settings.link_keys()) & {*settings.signing_keys(), settings.ticket_key.get_secret_value()}


def test_commands_beside_a_run_know_what_it_was_started_with_and_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNSTILE_HOME", str(tmp_path))
    assert StackSettings.remembered() == StackSettings()
    StackSettings.model_validate({"brokers": 3, "workers": 2, "zipkin": True, "api_port": 9001}).remember()
    monkeypatch.setenv("TURNSTILE_API_PORT", "9002")
    beside = StackSettings.remembered()
    assert (beside.brokers, beside.workers, beside.zipkin, beside.api_port) == (3, 2, True, 9002)
    assert beside.home == tmp_path
    assert StackSettings().brokers == 1


def test_another_number_of_brokers_on_the_same_folder_is_refused_before_anything_starts(tmp_path: Path) -> None:
    StackSettings.model_validate({"home": tmp_path, "brokers": 3}).remember()
    with pytest.raises(StackError, match="was made with BROKERS=3, not 1"):
        supervisor.run(TrialStack(StackSettings.model_validate({"home": tmp_path})), ProgressPrinter())
    assert [path.name for path in tmp_path.iterdir()] == ["chosen.json"]


def test_everything_told_is_a_setting_of_the_parts(stack_settings: StackSettings) -> None:
    told = app_environment(stack_settings) | worker_environment(stack_settings, "indexer", 0)
    assert {name.removeprefix("TURNSTILE_").lower() for name in told} <= set(Settings.model_fields)


def test_every_port_has_its_setting(stack_settings: StackSettings) -> None:
    settings = stack_settings.model_copy(update={"zipkin": True})
    ports = settings.server_ports() | settings.app_ports()
    fields = {name.split()[0].removeprefix("TURNSTILE_").lower() for name in ports}
    assert fields == {name for name in StackSettings.model_fields if name.endswith("_port")}
    assert len(set(ports.values())) == len(ports)


def test_zipkin_is_a_server_of_the_stack_only_when_asked_for(stack_settings: StackSettings) -> None:
    stack, more = TrialStack(stack_settings), TrialStack(stack_settings.model_copy(update={"zipkin": True}))
    assert set(more.servers) - set(stack.servers) == {"zipkin"}
    assert set(more.environment) - set(stack.environment) == {"TURNSTILE_ZIPKIN_URL", "TURNSTILE_TRACE_RATIO"}


def test_a_stack_on_free_ports_ignores_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_HOME", "elsewhere")
    monkeypatch.setenv("TURNSTILE_KAFKA_PORT", "1")
    whole = TrialStack.on_free_ports(tmp_path / "home", workers=2)
    ports = list((whole.settings.server_ports() | whole.settings.app_ports()).values())
    assert whole.settings.home == tmp_path / "home"
    assert len(set(ports)) == len(ports)
    assert whole.apps == [
        "ledger-0",
        "ledger-1",
        "indexer-0",
        "notifications-0",
        "sales-0",
        "gate-0",
        "payments-0",
        "api",
        "exporter",
    ]


@pytest.mark.parametrize(("count", "replicas", "in_sync"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (5, 3, 2)])
def test_records_are_kept_on_three_brokers_where_there_are_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, replicas: int, in_sync: int
) -> None:
    whole = TrialStack.on_free_ports(tmp_path / "home", brokers=count)
    for name, value in whole.environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.replication_factor, settings.min_insync_replicas) == (replicas, in_sync)
    assert len(settings.kafka_servers.split(",")) == len(whole.brokers) == count
    ports = list((whole.settings.server_ports() | whole.settings.app_ports()).values())
    assert len(set(ports)) == len(ports)


def test_every_broker_knows_all_controllers_and_has_an_id_and_a_folder_of_its_own(tmp_path: Path) -> None:
    members = brokers(TrialStack.on_free_ports(tmp_path / "home", brokers=3).settings)
    configurations = [member._configuration() for member in members]
    assert len({str(one["controller.quorum.voters"]) for one in configurations}) == 1
    assert [one["node.id"] for one in configurations] == [1, 2, 3]
    assert len({one["log.dirs"] for one in configurations}) == 3
    assert {one["offsets.topic.replication.factor"] for one in configurations} == {3}


def test_one_more_worker_takes_the_first_number_whose_port_is_free(
    stack_settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = {stack_settings.worker_port + 3, stack_settings.sales_port}
    monkeypatch.setattr(stack.apps, "taken", busy.__contains__)
    assert one_more(stack_settings, "ledger").name == "ledger-4"
    assert one_more(stack_settings, "sales").name == "sales-1"
    told = worker_environment(stack_settings, "sales", 1)
    assert told["TURNSTILE_WORKER_PORT"] == str(stack_settings.sales_port + 1)


@pytest.mark.parametrize(
    ("given", "told"), [("WORKERS=3", "TURNSTILE_WORKERS=3"), ("BROKERS=3", "TURNSTILE_BROKERS=3")]
)
def test_make_run_hands_on_how_many_there_are_to_be(given: str, told: str) -> None:
    said = subprocess.run(("make", "-n", "run", given), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told in said
