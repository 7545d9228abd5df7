"""The source of Elasticsearch's health, on answers of an Elasticsearch."""

import base64

import httpx
import pytest
from pydantic import SecretStr

from ops.search_health import SearchSource
from settings import Settings

KEY = SecretStr("k" * 32)


def source(answer: httpx.Response, seen: list[httpx.Request], **more: object) -> SearchSource:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    return SearchSource(Settings(ticket_key=KEY, **more), httpx.MockTransport(respond))  # type: ignore[arg-type]


def test_the_cluster_has_one_status() -> None:
    seen: list[httpx.Request] = []
    [family] = source(httpx.Response(200, json={"status": "yellow"}), seen).look()
    assert {each.labels["status"]: each.value for each in family.samples} == {"green": 0, "yellow": 1, "red": 0}
    assert (seen[0].url.path, seen[0].headers.get("authorization")) == ("/_cluster/health", None)


def test_it_signs_in_where_there_are_users() -> None:
    seen: list[httpx.Request] = []
    answer = httpx.Response(200, json={"status": "green"})
    list(source(answer, seen, elasticsearch_user="exporter", elasticsearch_password=SecretStr("secret")).look())
    assert seen[0].headers["authorization"] == f"Basic {base64.b64encode(b'exporter:secret').decode()}"


@pytest.mark.parametrize("status", [401, 403, 503])
def test_a_refusal_is_no_answer(status: int) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=str(status)):
        list(source(httpx.Response(status), []).look())
