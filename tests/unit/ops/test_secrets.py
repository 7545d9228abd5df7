import re
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connect.access.principals import ADMIN, principals
from ops.secrets import CERTIFICATE, DATABASE_URL, KAFKA_USERS, PASSWORDS, make_secrets

ROOT = Path(__file__).parents[3]
ROLES = ROOT / "ops" / "postgres" / "roles.sql"


def test_every_secret_is_made_once_and_never_again(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert make_secrets(folder) == [*PASSWORDS, DATABASE_URL, CERTIFICATE]
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert make_secrets(folder) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_a_secret_that_was_removed_is_made_anew_alone(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    (tmp_path / "secrets" / "ticket_key").unlink()
    assert make_secrets(tmp_path / "secrets") == ["ticket_key"]


def test_no_two_are_alike_and_each_is_long_enough_for_a_key(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    values = [(tmp_path / "secrets" / name).read_text() for name in PASSWORDS]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch(r"[\w-]{32,}", value) for value in values)


def test_no_file_ends_in_a_newline_which_would_be_part_of_the_password(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    for name in (*PASSWORDS, DATABASE_URL):
        text = (tmp_path / "secrets" / name).read_text()
        assert text == text.strip()


def test_the_folder_is_closed_and_the_files_can_be_read_by_the_users_of_containers(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_the_address_of_the_database_has_the_owners_password(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    password = (tmp_path / "secrets" / "database_password").read_text()
    address = (tmp_path / "secrets" / DATABASE_URL).read_text()
    assert address == f"postgresql://turnstile:{password}@postgres:5432/turnstile"


def test_the_proxy_gets_a_certificate_for_this_host_and_its_key(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "secrets" / CERTIFICATE)
    found = x509.load_pem_x509_certificate((tmp_path / "secrets" / CERTIFICATE).read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=364)


def test_the_certificate_is_signed_by_the_key_in_its_file(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    content = (tmp_path / "secrets" / CERTIFICATE).read_bytes()
    found = x509.load_pem_x509_certificate(content)
    key = load_pem_private_key(content, None)
    assert key.public_key() == found.public_key()
    found.verify_directly_issued_by(found)


def test_nothing_but_the_standard_library_is_needed(tmp_path: Path) -> None:
    # Without site-packages, as on a machine where nothing is installed.
    code = f"import sys; sys.path.append({str(ROOT)!r}); import ops.secrets; ops.secrets.main()"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("secrets: made postgres_password, "), done.stderr
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == {*PASSWORDS, DATABASE_URL, CERTIFICATE}


def test_every_user_of_kafka_gets_a_password() -> None:
    assert set(KAFKA_USERS) == {ADMIN, *(principal.name for principal in principals())}


@pytest.mark.parametrize("name", ["database_password", "cdc_password"])
def test_the_roles_get_their_passwords_from_the_files(name: str) -> None:
    assert f"`cat /run/secrets/{name}`" in ROLES.read_text()
    assert name in PASSWORDS


def test_debezium_s_role_may_replicate_and_no_more() -> None:
    line = next(line for line in ROLES.read_text().splitlines() if line.startswith("CREATE ROLE turnstile_cdc"))
    assert "LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE" in line
