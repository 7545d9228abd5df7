from typing import Any

from pydantic import SecretStr

from ops.search_access import grant, passwords, roles
from settings import Settings
from streams.index import FIRST
from streams.mapping import ALIAS


class FakeSecurity:
    """Elasticsearch's security interface as two dictionaries."""

    def __init__(self) -> None:
        self.roles: dict[str, Any] = {}
        self.users: dict[str, tuple[str, list[str]]] = {}

    def put_role(self, *, name: str, cluster: list[str], indices: list[dict[str, Any]]) -> None:
        self.roles[name] = {"cluster": cluster, "indices": indices}

    def put_user(self, *, username: str, password: str, roles: list[str]) -> None:
        self.users[username] = (password, roles)


def test_indexer_and_reader_get_a_role_and_a_user_each() -> None:
    security = FakeSecurity()
    given = {"turnstile_indexer": SecretStr("one"), "turnstile_reader": SecretStr("two")}
    assert grant(security, given) == ["turnstile_indexer", "turnstile_reader"]
    assert security.users == {
        "turnstile_indexer": ("one", ["turnstile_indexer"]),
        "turnstile_reader": ("two", ["turnstile_reader"]),
    }


def test_a_user_whose_password_is_not_given_is_left_as_it_is() -> None:
    security = FakeSecurity()
    assert grant(security, {"turnstile_indexer": None, "turnstile_reader": SecretStr("two")}) == ["turnstile_reader"]
    assert set(security.roles) == {"turnstile_indexer", "turnstile_reader"}
    assert set(security.users) == {"turnstile_reader"}


def test_nobody_may_do_anything_to_the_cluster() -> None:
    assert [role["cluster"] for role in roles().values()] == [[], []]


def test_the_reader_only_reads_and_both_reach_just_the_index_of_events() -> None:
    for role in roles().values():
        assert [rule["names"] for rule in role["indices"]] == [[ALIAS, f"{ALIAS}-*"]]
    assert FIRST.startswith(f"{ALIAS}-")
    assert roles()["turnstile_reader"]["indices"][0]["privileges"] == ["read"]


def test_every_role_has_a_password_setting() -> None:
    assert set(passwords(Settings(ticket_key=SecretStr("k" * 32)))) == set(roles())
