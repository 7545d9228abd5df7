import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from secrets import token_urlsafe
from typing import Final

import pytest
from pydantic import SecretStr

from api.__main__ import listener_of
from api.__main__ import main as serve
from settings import WRONG_SETTINGS_EXIT_CODE, MissingKey, Settings, faults_named, settings
from stack.settings import SEPARATORS, StackSettings
from tests.unit.ops.forked import run_forked

ROOT: Final = Path(__file__).parents[3]
NUMBERS: Final = {
    name
    for name, field in (Settings.model_fields | StackSettings.model_fields).items()
    if field.annotation in (int, float, bool)
}
# By setting, what could not work; of numbers it is any text.
NONSENSE: Final = dict.fromkeys(NUMBERS, "many") | {
    "kafka_servers": "kafka:9092;other",
    "kafka_password": "without-a-user",
    "kafka_mechanism": "GSSAPI",
    "kafka_ca": "/no/such/file",
    "database_sslmode": "verify",
    "database_ca": "/no/such/file",
    "database_url": "https://db:5432/turnstile",
    "connect_url": "connect:8083",
    "connect_database_host": "no host",
    "elasticsearch_url": "http://",
    "elasticsearch_ca": "/no/such/file",
    "smtp_host": "mail:25/x",
    "mail_from": "Turnstile <tickets>",
    "api_bind": "here and there",
    "api_url": "http://api:port",
    "api_metrics_bind": "",
    "producers": "partner=many",
    "producers_with_payments": "partner,nobody",
    "role": "manager",
    "worker_bind": "*",
    "worker_tokens": "short",
    "worker_certificate": "/no/such/file",
    "worker_ca": "/no/such/file",
    "worker_host": "http://ledger",
    "worker_url": "http://ledger:6066,ledger-1:6066",
    "exporter_bind": "[",
    "token_key": "k" * 40,
    "token_key_before": "short",
    "link_key": "l" * 40,
    "link_key_before": "short",
    "paper_url": "paper",
    "paper_key": "short",
    "stripe_key": "without the others",
    "payment_provider": "bank",
    "paper": "friendly",
    "site_url": "https://tickets.example/box-office",
    "cors_origins": "shop.example",
    "sign_in_limit": "often",
    "sign_up_limit": "20 per fortnight",
    "admin_email": "Ada <ada@>",
    "ticket_key": "short",
    "zipkin_url": "zipkin",
    "log_level": "loud",
    "log_format": "xml",
    "kafka_heap": "0",
    "connect_heap": "much",
    "elasticsearch_heap": "512 MB",
    "zipkin_heap": "-1m",
}
# Names, passwords and folders, of which any text is one.
FREE: Final = {
    *(
        "connect_database_name",
        "connect_database_user",
        "connect_secrets_dir",
        "worker_id",
        "ledger_snapshots",
        "worker_data",
        "home",
        "postgres_folder",
    ),
    *("elasticsearch_user", "elasticsearch_password", "elasticsearch_indexer_password", "smtp_user", "smtp_password"),
    *("kafka_user", "kafka_passwords_dir", "connect_database_ca"),
    *("elasticsearch_reader_password", "elasticsearch_exporter_password"),
    *("admin_password", "supervisor_file", "jars", "stripe_page_key", "stripe_webhook_key"),
}
# Every process that reads the settings of the deployed parts; a worker's takes the event loop, so it is run as one.
PROCESSES: Final = ["api.__main__", "connect.__main__", "migrations.__main__", "ops.exporter"]
WORKER: Final = "streams.__main__"
# The commands that log as a process does.
JOBS: Final = ["administrator", "kafka_access", "restored", "search_access"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("DATABASE_URL", "TICKET_KEY", "SECRETS_DIR"):
        monkeypatch.delenv(f"TURNSTILE_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_setting_comes_from_a_file_named_like_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turnstile_database_url").write_text("postgresql://u:p@db/turnstile")
    (tmp_path / "turnstile_ticket_key").write_text("k" * 40 + "\n")
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    assert settings().database_url.get_secret_value().startswith("postgresql://u:p@db/turnstile?connect_timeout=5&")
    assert settings().ticket_key.get_secret_value() == "k" * 40


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "turnstile_ticket_key").write_text("f" * 40)
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "v" * 40)
    assert settings().ticket_key.get_secret_value() == "v" * 40


def said_at_the_end(capsys: pytest.CaptureFixture[str]) -> str:
    """What settings() says when it ends the process."""
    with pytest.raises(SystemExit) as ended:
        settings()
    assert ended.value.code == WRONG_SETTINGS_EXIT_CODE
    return capsys.readouterr().err


def test_a_setting_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert said_at_the_end(capsys) == "TURNSTILE_TICKET_KEY: Field required\n"


def test_of_every_setting_it_is_known_what_could_not_work() -> None:
    assert set(Settings.model_fields) | set(StackSettings.model_fields) == set(NONSENSE) | FREE
    assert not set(NONSENSE) & FREE


@pytest.mark.parametrize("name", sorted(set(NONSENSE) & set(Settings.model_fields)))
def test_a_setting_that_could_not_work_ends_the_process_with_a_line_that_names_it_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", NONSENSE[name])
    [line] = said_at_the_end(capsys).splitlines()
    assert line.startswith(f"TURNSTILE_{name.upper()}: ")
    assert "SecretStr" not in str(Settings.model_fields[name].annotation) or NONSENSE[name] not in line


LONG: Final = "/" + "a" * 5_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://u:hidden%zz@db/turnstile"),
        ("database_url", "postgresql://u:5432/hidden@db/turnstile"),
        ("database_url", "postgresql://u:pass@hidden@db/turnstile"),
        ("database_url", "postgresql://u@[hidden/turnstile"),
        ("database_url", "postgresql://u:hidden%00@db/turnstile"),
        ("database_url", "host=db password=two hidden dbname=turnstile"),
        ("database_url", "host=db password='hidden"),
        ("elasticsearch_url", "http://u:pass/hidden@search:9200"),
        ("elasticsearch_url", "http://search.example"),
        ("elasticsearch_url", "http://[hidden"),
        ("connect_url", "http://u:hidden/more@connect:8083"),
        ("site_url", "https://tickets.example:hidden"),
        ("admin_email", "Hidden <ada@tickets.example>"),
        ("sign_in_limit", "often\nhidden"),
        ("sign_up_limit", "\udcffhidden"),
        ("ticket_key", "\udcff" + "hidden" * 8),
        ("kafka_password", "\udcffhidden"),
        ("kafka_user", "\ufeffhidden"),
        ("worker_id", "\udcff"),
        ("kafka_ca", LONG),
        ("database_ca", LONG),
        ("worker_certificate", LONG),
        ("replication_factor", "99999"),
        ("bootstrap_seconds", "9" * 400),
        ("hold_tickets_overall_max", "9" * 400),
    ],
)
def test_a_setting_that_no_server_or_client_can_read_is_named_and_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_KAFKA_USER", "user")
    monkeypatch.setenv("TURNSTILE_KAFKA_PASSWORD", "word")
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", value)
    lines = said_at_the_end(capsys).splitlines()
    assert lines[0].startswith(f"TURNSTILE_{name.upper()}: ") or name == "kafka_user"
    assert not [line for line in lines if "hidden" in line.lower()]


@pytest.mark.parametrize(("content", "why"), [(b"hidden\xff", "UTF-8"), (b"\xef\xbb\xbf" + b"k" * 40, "UTF-8")])
def test_a_file_of_a_setting_that_no_program_can_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    (tmp_path / "turnstile_ticket_key").write_bytes(content)
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    [line] = said_at_the_end(capsys).splitlines()
    assert "ticket_key" in line.lower()
    assert why in line
    assert "hidden" not in line


def test_a_file_of_a_setting_that_may_not_be_read_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "turnstile_ticket_key"
    file.touch()
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    monkeypatch.setattr(Path, "read_text", refuse)
    assert said_at_the_end(capsys).endswith(f"[Errno 13] Permission denied: '{file}'\n")


def refuse(path: Path, encoding: str | None = None) -> str:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


@pytest.mark.parametrize(("name", "value"), [("home", "~nobody-here/data"), ("jars", "~nobody-here/jars")])
def test_a_folder_of_the_embedded_stack_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", value)
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)), faults_named():
        StackSettings()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"TURNSTILE_{name.upper()}: can't be found: ")


@pytest.mark.parametrize("name", ["home", "jars"])
@pytest.mark.parametrize("character", sorted(SEPARATORS))
def test_a_folder_whose_path_java_or_kafka_would_cut_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], character: str, name: str
) -> None:
    monkeypatch.setenv("TURNSTILE_POSTGRES_FOLDER", f"/data{character}/more")
    assert str(StackSettings().postgres_folder) == f"/data{character}/more"
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", f"/data{character}/more")
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)), faults_named():
        StackSettings()
    assert capsys.readouterr().err.startswith(f"TURNSTILE_{name.upper()}: must be a folder without any of ")


@pytest.mark.parametrize("name", sorted(set(NONSENSE) & set(StackSettings.model_fields)))
def test_a_setting_of_the_embedded_stack_that_could_not_work_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", NONSENSE[name])
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)), faults_named():
        StackSettings()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"TURNSTILE_{name.upper()}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_servers", "a:1, [::1]:9092,kafka_1.example:65535"),
        ("database_url", "postgresql://u:p%40@one:5432,two:5432/turnstile?target_session_attrs=read-write"),
        ("database_url", "host=db dbname=turnstile"),
        ("database_url", r"host = 'a b' password='it\'s, \\' port=5432 "),
        ("database_url", "host=db password="),
        ("database_url", "postgresql:///turnstile?host=/run/postgresql"),
        ("database_url", "postgresql://u:p?#:w@%2Frun%2Fpostgresql/turnstile"),
        ("database_url", "postgresql://u@[fe80::1%25eth0]:5432,[::1]/turnstile"),
        ("elasticsearch_url", "https://user:word@search.example:9243/path"),
        ("worker_url", "http://[::1]:6066, http://ledger-1:6066"),
        ("api_bind", "::"),
        ("mail_from", "Türnstile <tickets@straße.example>"),
        ("mail_from", "tickets@localhost"),
        ("api_metrics_port", "0"),
    ],
)
def test_a_setting_that_may_look_odd_and_works_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv(f"TURNSTILE_{name.upper()}", value)
    assert str(getattr(settings(), name))


def test_all_settings_that_do_not_fit_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURNSTILE_PARTITIONS", "many")
    named = [line.partition(":")[0] for line in said_at_the_end(capsys).splitlines()]
    assert named == ["TURNSTILE_PARTITIONS", "TURNSTILE_TICKET_KEY"]


def test_a_name_that_is_almost_that_of_a_setting_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "turnstile_ticket_key").write_text("k" * 40)
    (tmp_path / "turnstile_databse_url").touch()
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path))
    for name in [*StackSettings.model_fields, "kafka_server", "anything"]:
        monkeypatch.setenv(
            f"TURNSTILE_{name.upper()}",
            str(Settings.model_fields[name].default) if name in Settings.model_fields else "7",
        )
    settings()
    assert capsys.readouterr().err.splitlines() == [
        "TURNSTILE_DATABSE_URL is ignored: the setting is TURNSTILE_DATABASE_URL",
        "TURNSTILE_KAFKA_SERVER is ignored: the setting is TURNSTILE_KAFKA_SERVERS",
    ]


@pytest.mark.parametrize("folder", ["missing", "file", "unreadable"])
def test_a_folder_of_secrets_that_could_not_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    (tmp_path / "file").write_text("k")
    (tmp_path / "unreadable").mkdir()
    (tmp_path / "unreadable" / "turnstile_ticket_key").write_bytes(b"\xff" * 40)
    monkeypatch.setenv("TURNSTILE_SECRETS_DIR", str(tmp_path / folder))
    [line] = said_at_the_end(capsys).splitlines()
    assert line.startswith("TURNSTILE_SECRETS_DIR: ")


def test_every_process_that_reads_settings_is_known() -> None:
    rooms = ("api", "connect", "migrations", "ops", "streams")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    reading = [path for path in files if {"settings()", '__name__ == "__main__"'} <= words(path)]
    assert {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in reading} == {*PROCESSES, WORKER}


def words(path: Path) -> set[str]:
    """Which of the two a module has: a look at the settings, and being run by itself."""
    text = path.read_text()
    return {word for word in ("settings()", '__name__ == "__main__"') if word in text}


@pytest.mark.parametrize(
    "name", [*(f"{each}:main" for each in PROCESSES), *(f"ops.commands.{each}:command.callback" for each in JOBS)]
)
def test_a_process_ends_with_a_line_and_no_trace_of_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_MAIL_FROM", "nobody")
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)):
        resolve_name(name)()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("TURNSTILE_MAIL_FROM: ")


WRONG = {"TURNSTILE_TICKET_KEY": "k" * 40, "TURNSTILE_SMTP_PORT": "many"}


@pytest.mark.parametrize("command", [("streams",), ("stack", "run")])
def test_a_process_that_cannot_run_inside_of_a_test_does_so_too(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        (sys.executable, "-m", *command), cwd=ROOT, env=os.environ | WRONG, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (WRONG_SETTINGS_EXIT_CODE, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("TURNSTILE_SMTP_PORT: ")


def test_the_command_for_people_does_so_too(tmp_path: Path) -> None:
    code, output, errors = run_forked(tmp_path, WRONG, "status")["status"]
    assert (code, output) == (WRONG_SETTINGS_EXIT_CODE, "")
    [line] = errors.splitlines()
    assert line.startswith("TURNSTILE_SMTP_PORT: ")


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "visible" * 6)
    assert "visible" not in repr(settings())


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "k" * 64,
        "abcdefgh" * 8,
        "changeme-changeme-changeme-123456789",
        "a-secret-key-of-my-own-9876543210",
    ],
)
@pytest.mark.parametrize("name", ["TOKEN_KEY", "TOKEN_KEY_BEFORE", "LINK_KEY", "LINK_KEY_BEFORE", "WORKER_TOKENS"])
def test_a_key_that_is_easy_to_guess_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, key: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv(f"TURNSTILE_{name}", key)
    assert f"TURNSTILE_{name}: is too easy to guess" in said_at_the_end(capsys)


@pytest.mark.parametrize("bind", ["::", "10.0.0.7", "ledger"])
def test_views_that_others_can_reach_need_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bind: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_WORKER_BIND", bind)
    [line] = said_at_the_end(capsys).splitlines()
    assert line == "TURNSTILE_WORKER_TOKENS: is required where TURNSTILE_WORKER_BIND is not a loopback address"
    tokens = [token_urlsafe(32), token_urlsafe(32)]
    monkeypatch.setenv("TURNSTILE_WORKER_TOKENS", " , ".join(tokens))
    assert settings().worker_token_list == tokens


@pytest.mark.parametrize("name", ["API", "API_METRICS", "WORKER", "EXPORTER"])
def test_an_address_to_listen_on_has_no_brackets(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv(f"TURNSTILE_{name}_BIND", "[::1]")
    assert getattr(settings(), f"{name.lower()}_bind") == "::1"


@pytest.mark.parametrize(("program", "part"), [("api", "API_METRICS"), ("ops.exporter", "EXPORTER")])
def test_an_address_that_is_taken_is_named(program: str, part: str) -> None:
    own = dict.fromkeys(("API_PORT", "API_METRICS_PORT", "EXPORTER_PORT"), "0")
    own |= {name: token_urlsafe(32) for name in ("TICKET_KEY", "TOKEN_KEY", "LINK_KEY")}
    with socket.create_server(("127.0.0.1", 0)) as other:
        own[f"{part}_PORT"] = str(other.getsockname()[1])
        environment = os.environ | {f"TURNSTILE_{name}": value for name, value in own.items()}
        command = (sys.executable, "-m", program)
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30
        )
    assert done.returncode == WRONG_SETTINGS_EXIT_CODE
    assert done.stderr.splitlines()[-1] == f"TURNSTILE_{part}_BIND, TURNSTILE_{part}_PORT: Address already in use"


def test_the_apis_own_address_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SystemExit) as ended:
        listener_of(Settings(ticket_key=SecretStr(token_urlsafe(32)), api_port=other.getsockname()[1]))
    assert ended.value.code == WRONG_SETTINGS_EXIT_CODE
    assert capsys.readouterr().err == "TURNSTILE_API_BIND, TURNSTILE_API_PORT: Address already in use\n"


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "[::1]", "127.9.9.9", "localhost"])
def test_views_on_loopback_need_none(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_WORKER_BIND", bind)
    assert settings().worker_token_list == []


def test_the_api_has_no_key_of_its_own_to_fall_back_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.delenv("TURNSTILE_TOKEN_KEY", raising=False)
    with pytest.raises(MissingKey, match="TURNSTILE_TOKEN_KEY"):
        settings().signing_keys()
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)):
        serve()
    assert "TURNSTILE_TOKEN_KEY" in capsys.readouterr().err


def test_neither_the_api_nor_the_mailer_starts_without_the_key_of_links(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.delenv("TURNSTILE_LINK_KEY", raising=False)
    with pytest.raises(MissingKey, match="TURNSTILE_LINK_KEY"):
        settings().link_keys()
    monkeypatch.setenv("TURNSTILE_TOKEN_KEY", token_urlsafe(32))
    settings.cache_clear()
    with pytest.raises(SystemExit, match=str(WRONG_SETTINGS_EXIT_CODE)):
        serve()
    assert "TURNSTILE_LINK_KEY" in capsys.readouterr().err
    settings.cache_clear()
    monkeypatch.setenv("TURNSTILE_ROLE", "notifications")
    assert said_at_the_end(capsys).startswith("TURNSTILE_LINK_KEY: the role notifications needs it")


@pytest.mark.parametrize("address", ["https://tickets.example", "http://127.0.0.1:9000", "https://[::1]:8443"])
def test_the_address_of_the_pages_ends_without_a_slash(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    for given in (address, f"{address}/"):
        monkeypatch.setenv("TURNSTILE_SITE_URL", given)
        settings.cache_clear()
        assert settings().site_url == address


@pytest.mark.parametrize(
    "address",
    [
        "tickets.example",
        "ftp://a.example",
        "https://a.example/x",
        "https://a.example//",
        "https://u:p@a.example",
        "https://a.example?x",
        "https://a.example?",
        "https://a.example#x",
        "https://a b",
    ],
)
def test_an_address_that_pages_cannot_have_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    monkeypatch.setenv("TURNSTILE_SITE_URL", address)
    assert said_at_the_end(capsys).startswith("TURNSTILE_SITE_URL: must be an address")


def test_a_random_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNSTILE_TICKET_KEY", "k" * 40)
    keys = [token_urlsafe(32) for _ in range(4)]
    names = ("TOKEN_KEY", "TOKEN_KEY_BEFORE", "LINK_KEY", "LINK_KEY_BEFORE")
    for name, key in zip(names, keys, strict=True):
        monkeypatch.setenv(f"TURNSTILE_{name}", key)
    assert settings().signing_keys() == keys[:2]
    assert settings().link_keys() == keys[2:]
