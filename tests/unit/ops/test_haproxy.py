"""The proxy's configuration, compared with what the API itself bounds and with docker-compose.yml."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from api.http.limits import HEAD_MAX_BYTES, HEAD_MAX_FIELDS
from api.web.body_sizes import BODY_MAX_BYTES, EVENT_FORM_PATHS, SEATING_MAX_BYTES, SEATING_PATHS
from api.web.prefer import WAIT_MAX_S
from ops.secrets import CERTIFICATE, make_secrets
from tests.debian import program

ROOT: Final = Path(__file__).parents[3]
CONFIGURATION: Final = (ROOT / "ops" / "haproxy" / "haproxy.cfg").read_text()
# What the proxy writes into a head: the client's address, at its longest, and the scheme.
ADDED: Final = ("X-Forwarded-For: ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255\r\n", "X-Forwarded-Proto: https\r\n")
# HAProxy keeps that much of a buffer for its own changes, and that much for each header beside its text.
RESERVED_BYTES: Final = 1024
PER_FIELD_BYTES: Final = 16


def number(pattern: str) -> int:
    """The one number that stands in the configuration in this place."""
    [found] = set(re.findall(pattern, CONFIGURATION))
    return int(found)


def test_haproxy_can_read_it(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    file = tmp_path / "haproxy.cfg"
    file.write_text(CONFIGURATION.replace("/run/secrets", str(tmp_path)))
    done = subprocess.run((*program("haproxy"), "-c", "-f", str(file)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_body_may_be_as_long_as_the_api_takes() -> None:
    plain = number(r"req\.body_size gt (\d+) } !is_large"), number(r"content-length\) gt (\d+) } !is_large")
    assert plain == (BODY_MAX_BYTES, BODY_MAX_BYTES)
    assert number(r"content-length\) gt (\d+) }\n") == SEATING_MAX_BYTES


def test_the_paths_of_large_bodies_are_those_of_the_api() -> None:
    patterns = re.findall(r"acl is_large path_reg \^\((.+)\)\$\n", CONFIGURATION)
    assert patterns == [SEATING_PATHS, EVENT_FORM_PATHS]


def test_whatever_head_passes_is_short_enough_for_the_api_with_what_is_added() -> None:
    head = number(r"add\(txn\.target_bytes\) gt (\d+)")
    line = len("OPTIONS  HTTP/1.1\r\n\r\n")
    assert line + head + sum(map(len, ADDED)) <= HEAD_MAX_BYTES
    assert number(r"tune\.http\.maxhdr (\d+)") + len(ADDED) <= HEAD_MAX_FIELDS


def test_a_whole_request_has_room_in_a_buffer_and_all_buffers_in_the_memory(services: dict[str, Any]) -> None:
    room = number(r"tune\.bufsize (\d+)")
    assert room > BODY_MAX_BYTES + HEAD_MAX_BYTES + RESERVED_BYTES + PER_FIELD_BYTES * HEAD_MAX_FIELDS
    connections = number(r"maxconn (\d+)")
    assert services["proxy"]["mem_limit"] == "768m"
    assert 2 * connections * room < 768 * 2**20 * 0.75
    # Two for each connection, and some for itself.
    assert services["proxy"]["ulimits"]["nofile"]["soft"] > 2 * connections + 1_000


def test_the_longest_wait_for_a_decision_is_waited_for() -> None:
    assert number(r"timeout server (\d+)s") > WAIT_MAX_S


def test_every_request_is_read_whole_and_within_a_deadline_before_an_instance_gets_it() -> None:
    rules = re.findall(
        r"^    http-request (\S+)", CONFIGURATION[CONFIGURATION.index("frontend public") :], re.MULTILINE
    )
    waits = rules.index("wait-for-body")
    assert rules[waits + 1] == "deny"
    assert number(r"timeout http-request (\d+)s") == number(r"wait-for-body time (\d+)s") == 10


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto"])
def test_what_is_told_of_the_client_is_told_by_the_proxy_alone(header: str) -> None:
    assert CONFIGURATION.index("del-header X-Forwarded- -m beg") < CONFIGURATION.index(f"set-header {header} ")
    assert "option http-restrict-req-hdr-names delete" in CONFIGURATION


def test_it_is_mounted_where_the_image_looks_for_it_with_all_that_it_names(services: dict[str, Any]) -> None:
    proxy, api = services["proxy"], services["api"]["environment"]
    assert proxy["volumes"] == ["./ops/haproxy:/usr/local/etc/haproxy:ro"]
    assert f"crt /run/secrets/{CERTIFICATE} " in CONFIGURATION
    assert proxy["secrets"] == [CERTIFICATE]
    assert set(re.findall(r"env\((\w+)\)", CONFIGURATION)) == set(proxy["environment"])
    assert f"server-template api 8 api:{api['TURNSTILE_API_PORT']} " in CONFIGURATION
    binds = set(re.findall(r"bind :(\d+)", CONFIGURATION))
    assert {port.rpartition(":")[2] for port in proxy["ports"]} == binds - {"8404"}
    assert "http://127.0.0.1:8404/live" in proxy["healthcheck"]["test"]


def test_the_api_believes_this_proxy_and_is_reached_through_it_alone(services: dict[str, Any]) -> None:
    assert services["api"]["environment"]["TURNSTILE_TRUSTED_PROXIES"] == "1"
    assert "ports" not in services["api"]


def test_it_needs_neither_root_nor_a_file_that_it_may_write(services: dict[str, Any]) -> None:
    proxy = services["proxy"]
    assert (proxy["read_only"], proxy["cap_drop"]) == (True, ["ALL"])
    assert all(int(port) > 1024 for port in re.findall(r"bind :(\d+)", CONFIGURATION))
    assert not re.search(r"^\s*(user|group|chroot|daemon)\b", CONFIGURATION, re.MULTILINE)


def test_browsers_come_back_by_tls_for_a_year_and_everybody_else_is_sent_there() -> None:
    assert "http-after-response set-header Strict-Transport-Security max-age=31536000" in CONFIGURATION
    assert "http-request redirect scheme https code 308" in CONFIGURATION
    assert "ssl-min-ver TLSv1.2" in CONFIGURATION


def test_its_log_has_nobodys_address_and_nobodys_path() -> None:
    for line in re.findall(r"log-format \"(.*)\"", CONFIGURATION):
        assert set(re.findall(r"%(\w+|\[\w+\])", line)) <= {"ST", "HM", "Ta", "tsc", "s", "[fc_err_str]"}
