"""The embedded servers from outside: they keep their data, end with their supervisor, and say what is wrong."""

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from lab.trial_stack import TrialStack
from stack.errors import HomeInUse, PortsTaken, ServerFailed
from stack.ports import HOST
from stack.postgres import SUPERUSER, Postgres
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]
TOPIC = "kept"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialStack]:
    stack = TrialStack.on_free_ports(tmp_path_factory.mktemp("running") / "home")
    stack.start()
    put_something_in_each(stack)
    yield stack
    stack.remove()


@pytest.fixture
def stack(running: TrialStack) -> TrialStack:
    """Servers that hold something each, all of them up."""
    return running.start()


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[TrialStack]:
    """A stack that nobody has started."""
    stack = TrialStack.on_free_ports(tmp_path / "home")
    yield stack
    stack.remove()


def supervisor(stack: TrialStack) -> subprocess.Popen[str]:
    """``python -m stack servers`` on the folder and ports of this stack."""
    ports = stack.settings.server_ports() | stack.settings.app_ports()
    places = {"TURNSTILE_HOME": str(stack.settings.home), "TURNSTILE_JARS": str(stack.settings.jars)}
    environment = {**os.environ, **places, **{name: str(port) for name, port in ports.items()}}
    command = (sys.executable, "-m", "stack", "servers")
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def said(process: subprocess.Popen[str], word: str) -> list[str]:
    """What the supervisor printed up to a line with that word."""
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError("".join(lines))


def noted_processes(stack: TrialStack) -> dict[str, psutil.Process]:
    noted = json.loads((stack.settings.home / "processes.json").read_text())
    return {name: psutil.Process(pid) for name, (pid, _) in noted.items()}


def put_something_in_each(stack: TrialStack) -> None:
    settings = stack.settings
    servers = f"{HOST}:{settings.kafka_port}"
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers, acks="all")
    producer.send(TOPIC, b"record").get(timeout=20)
    producer.close()
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('row')")
    address = f"{stack.environment['TURNSTILE_ELASTICSEARCH_URL']}/kept/_doc/1?refresh=true"
    assert httpx.put(address, json={"word": "document"}).status_code == 201
    message = EmailMessage()
    message["Subject"] = "mail"
    message.set_content("kept")
    with smtplib.SMTP(HOST, settings.smtp_port) as sender:
        sender.send_message(message, "a@mail.example", ["b@mail.example"])


def assert_all_is_there(stack: TrialStack) -> None:
    settings = stack.settings
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=f"{HOST}:{settings.kafka_port}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=20_000,
    )
    assert next(iter(consumer)).value == b"record"
    consumer.close()
    with psycopg.connect(stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("row",)]
    address = f"{stack.environment['TURNSTILE_ELASTICSEARCH_URL']}/kept/_doc/1"
    eventually(lambda: httpx.get(address).json().get("_source") == {"word": "document"}, within=20)
    mails = httpx.get(f"http://{HOST}:{settings.mail_port}/mails.json").json()
    assert [(mail["to"], mail["subject"]) for mail in mails] == [(["b@mail.example"], "mail")]


def foreign_listeners(processes: dict[str, psutil.Process]) -> list[str]:
    """Sockets of these processes that listen on anything but loopback."""
    connections = [
        connection
        for process in processes.values()
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("inet")
    ]
    assert connections
    open_to_all = [each.laddr for each in connections if each.status == psutil.CONN_LISTEN]
    return [str(address) for address in open_to_all if address.ip not in ("127.0.0.1", "::ffff:127.0.0.1")]


def test_a_killed_supervisor_takes_its_servers_along_and_the_next_one_finds_their_data(idle: TrialStack) -> None:
    with supervisor(idle) as process:
        said(process, "all servers are ready")
        processes = noted_processes(idle)
        assert set(processes) == set(idle.servers)
        assert foreign_listeners(processes) == []
        put_something_in_each(idle)
        with pytest.raises(HomeInUse, match=f"{idle.settings.home} is in use by process {process.pid}"):
            idle.start()
        process.kill()
    eventually(lambda: not any(each.is_running() for each in processes.values()), within=10, pause=0.1)

    with supervisor(idle) as process:
        said(process, "all servers are ready")
        assert_all_is_there(idle)
        processes = noted_processes(idle)
        process.send_signal(signal.SIGTERM)
        lines = said(process, "smtp")
        assert process.wait(15) == 0
    # On a busy machine one may need longer than it is given, and is killed in its turn.
    assert [line.split()[2] for line in lines if "stopped after" in line or "killed after" in line] == [
        "connect",
        "elasticsearch",
        "kafka",
        "postgres",
        "smtp",
    ]
    assert not any(each.is_running() for each in processes.values())


def test_the_database_roles_may_do_no_more_than_they_need(stack: TrialStack) -> None:
    server = stack.members["postgres"]
    assert isinstance(server, Postgres)
    with psycopg.connect(server.url(SUPERUSER, "postgres")) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolreplication FROM pg_roles WHERE rolname LIKE 'turnstile%'"
        ).fetchall()
        owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'turnstile'")
        assert owner.fetchone() == ("turnstile",)
    assert sorted(rows) == [("turnstile", False, False, False), ("turnstile_cdc", False, False, True)]
    wrong = stack.environment["TURNSTILE_DATABASE_URL"].replace("turnstile:", "turnstile:not-")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


@pytest.mark.parametrize("name", ["elasticsearch", "postgres", "smtp", "kafka"])
def test_one_server_can_be_killed_and_started_again_while_the_others_run(stack: TrialStack, name: str) -> None:
    before = stack.pids
    stack.kill(name)
    assert stack.dead() == [name]
    stack.start(name)
    assert stack.dead() == []
    assert {other for other, pid in stack.pids.items() if before[other] != pid} == {name}
    assert_all_is_there(stack)


def test_a_paused_server_goes_on_where_it_was(stack: TrialStack) -> None:
    stack.pause("elasticsearch")
    assert not stack.members["elasticsearch"].ready()
    stack.resume("elasticsearch")
    eventually(stack.members["elasticsearch"].ready, within=10)


def test_a_taken_port_is_told_with_its_setting_and_nothing_is_started(idle: TrialStack) -> None:
    port = idle.settings.postgres_port
    with socket.create_server((HOST, port)), supervisor(idle) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.strip() == f"port {port} is taken: set TURNSTILE_POSTGRES_PORT"
    assert not (idle.settings.home / "logs").exists()


def test_a_stack_that_finds_its_port_taken_gives_the_folder_back(idle: TrialStack) -> None:
    with socket.create_server((HOST, idle.settings.smtp_port)), pytest.raises(PortsTaken):
        idle.start()
    idle.home.lock()
    idle.home.release()


def test_a_server_that_fails_is_told_with_its_log_and_nothing_is_left_running(idle: TrialStack) -> None:
    broken = TrialStack(idle.settings.model_copy(update={"kafka_heap": "none"}))
    with pytest.raises(ServerFailed) as raised:
        broken.start("smtp", "kafka")
    log = broken.settings.home / "logs" / "kafka.log"
    assert str(raised.value).startswith(f"kafka ended with exit code 1; its log is {log}\n")
    assert "Invalid maximum heap size" in str(raised.value)
    assert broken.pids == {}
    assert not any(each.is_running() for each in noted_processes(broken).values())
