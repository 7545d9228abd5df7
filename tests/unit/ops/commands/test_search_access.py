import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ops.commands.search_access import grant, passwords, roles
from settings import Settings
from streams.search.index import FIRST_INDEX
from streams.search.mapping import ALIAS
from tests.unit.ops.forked import Ended, run_forked

USERS = ["turnstile_indexer", "turnstile_reader", "turnstile_exporter"]


class FakeSecurity:
    """Elasticsearch's security interface as two dictionaries."""

    def __init__(self) -> None:
        self.roles: dict[str, Any] = {}
        self.users: dict[str, tuple[str, list[str]]] = {}

    def put_role(self, *, name: str, cluster: list[str], indices: list[dict[str, Any]]) -> None:
        self.roles[name] = {"cluster": cluster, "indices": indices}

    def put_user(self, *, username: str, password: str, roles: list[str]) -> None:
        self.users[username] = (password, roles)


def test_indexer_reader_and_exporter_get_a_role_and_a_user_each() -> None:
    security = FakeSecurity()
    given = {name: SecretStr(f"of {name}") for name in USERS}
    assert grant(security, given) == USERS
    assert security.users == {name: (f"of {name}", [name]) for name in USERS}


def test_a_user_whose_password_is_not_given_is_left_as_it_is() -> None:
    security = FakeSecurity()
    given = {**dict.fromkeys(USERS), "turnstile_reader": SecretStr("two")}
    assert grant(security, given) == ["turnstile_reader"]
    assert list(security.roles) == USERS
    assert set(security.users) == {"turnstile_reader"}


def test_nobody_may_do_anything_to_the_cluster_and_the_exporter_may_see_how_it_is() -> None:
    assert {name: role["cluster"] for name, role in roles().items()} == {
        "turnstile_indexer": [],
        "turnstile_reader": [],
        "turnstile_exporter": ["monitor"],
    }


def test_the_reader_only_reads_and_nobody_reaches_more_than_the_index_of_events() -> None:
    for name, role in roles().items():
        reached = [] if name == "turnstile_exporter" else [[ALIAS, f"{ALIAS}-*"]]
        assert [rule["names"] for rule in role["indices"]] == reached
    assert FIRST_INDEX.startswith(f"{ALIAS}-")
    assert roles()["turnstile_reader"]["indices"][0]["privileges"] == ["read"]


def test_every_role_has_a_password_setting() -> None:
    assert set(passwords(Settings(ticket_key=SecretStr("k" * 32)))) == set(roles())


@contextmanager
def elasticsearch() -> Iterator[tuple[str, dict[str, Any]]]:
    """A server that takes whatever is put into it, as Elasticsearch would; its address, and what was put where."""
    put: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            put[self.path] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", put
        server.shutdown()
        thread.join()


def search_access(url: str, folder: Path) -> Ended:
    told = {
        "TURNSTILE_TICKET_KEY": "k" * 32,
        "TURNSTILE_ELASTICSEARCH_URL": url,
        "TURNSTILE_ELASTICSEARCH_USER": "elastic",
        "TURNSTILE_ELASTICSEARCH_PASSWORD": "zero",
        "TURNSTILE_ELASTICSEARCH_INDEXER_PASSWORD": "one",
        "TURNSTILE_ELASTICSEARCH_READER_PASSWORD": "two",
    }
    return run_forked(folder, told, "search-access")["search-access"]


def test_the_command_puts_roles_and_users_into_elasticsearch(tmp_path: Path) -> None:
    with elasticsearch() as (url, put):
        code, output, _ = search_access(url, tmp_path)
    assert (code, json.loads(output)["message"]) == (0, "given: turnstile_indexer, turnstile_reader")
    assert put["/_security/user/turnstile_reader"] == {"password": "two", "roles": ["turnstile_reader"]}
    assert put["/_security/role/turnstile_reader"]["cluster"] == []
    assert len(put) == 5


def test_the_command_says_in_one_line_that_elasticsearch_does_not_answer(tmp_path: Path) -> None:
    with elasticsearch() as (url, _):
        pass
    code, output, errors = search_access(url.replace("://", "://user:hidden@"), tmp_path)
    line = json.loads(output)
    assert (code, line["level"], errors) == (2, "critical", "")
    assert line["message"].startswith(f"{url}: ConnectionError: ")
