"""A first certificate for the proxy, by the program ``openssl``. It is self-signed, so browsers warn of it."""

import subprocess
from typing import Final

VALID_DAYS: Final = 365
_REQUEST: Final = """
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = localhost
[extensions]
subjectAltName = DNS:localhost, IP:127.0.0.1
"""
_COMMAND: Final = (
    *("openssl", "req", "-x509", "-config", "/dev/stdin", "-days", str(VALID_DAYS), "-sha256"),
    *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-"),
)


def self_signed() -> str:
    """A certificate for this host, valid for a year, and its key, as one PEM text. SystemExit without ``openssl``."""
    try:
        return subprocess.run(_COMMAND, input=_REQUEST, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        reason = str(getattr(error, "stderr", "") or error).strip()
        raise SystemExit(f"openssl, which makes the proxy's certificate, failed: {reason}") from error
