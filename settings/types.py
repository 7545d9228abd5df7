"""Types of settings besides numbers and texts. Their error messages follow the setting's name."""

import re
import ssl
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

from limits import parse_many
from pydantic import AfterValidator, Field, SecretStr

# Bytes that are no UTF-8 are read as surrogates.
_UNREADABLE: Final = re.compile("\\A\ufeff|[\0\ud800-\udfff]")
_PRODUCER: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,49})=([1-9][0-9]{0,5})")
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+|\[?[0-9A-Fa-f:.]+\]?")
# One mailbox without quoting, as tables/text/email_addresses.py requires it.
_MAILBOX: Final = re.compile(
    r"{0}{{1,64}}@({1}{{1,63}}\.)*{1}{{1,63}}".format(r"[^\s@<>(),;:\"\\\[\]]", r"[^\s@<>(),;:\"\\\[\].]")
)
# What examples and templates use for keys.
_TEMPLATE_WORDS: Final = ("secret", "change", "password", "default", "example", "turnstile")
# What libpq reads, in either form: of what it can't read its messages repeat parts, which may be of a password.
_ESCAPED: Final = "%(?!00)[0-9A-Fa-f]{2}"
_SERVER: Final = rf"(\[([^\s\]@%]|{_ESCAPED})+\]|([^\s%/?,:@\[\]]|{_ESCAPED})*)(:[0-9]*)?"
_DATABASE: Final = re.compile(
    rf"postgres(ql)?://(?=\S)(([^\s%/@]|{_ESCAPED})*@|(?![^/]*@)){_SERVER}(,{_SERVER})*"
    rf"(/([^\s%?@]|{_ESCAPED})*)?(\?([^\s%]|{_ESCAPED})*)?"
    r"|(\s*\w+\s*=\s*('([^'\\]|\\.)*'|([^\s'\\]|\\.)([^\s\\]|\\.)*)(\s+|$))+(\w+\s*=\s*)?"
)


def readable(value: Any) -> Any:
    """Any value but a text that other programs read otherwise, or not at all. Raises ValueError."""
    if isinstance(value, str) and _UNREADABLE.search(value):
        raise ValueError("must be UTF-8, without a byte order mark or NUL")
    return value


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("must be the name or the address of a host")
    return text


def _bind(text: str) -> str:
    return _host(text).strip("[]")


def _servers(text: str) -> str:
    for each in text.split(","):
        host, _, port = each.strip().rpartition(":")
        if not (_HOST.fullmatch(host) and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError("must be host:port, or several of them with commas between")
    return text


def _url(text: str) -> str:
    if not _is_url(text):
        raise ValueError("must be an address such as http://host:8080")
    return text


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:  # it repeats the text, which may have a password
        return False


def without_user(url: str) -> str:
    """An address as it may be told, without a user and a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _url_with_port(text: str) -> str:
    if urlsplit(_url(text)).port is None:
        raise ValueError("must be an address with its port, such as http://host:9200")
    return text


def _origin(text: str) -> str:
    parts = urlsplit(_url(text))
    origin = f"{parts.scheme}://{parts.netloc}"
    if text not in (origin, f"{origin}/") or "@" in parts.netloc:
        raise ValueError("must be an address without a path, such as https://tickets.example")
    return origin


def _urls(text: str) -> str:
    for each in text.split(","):
        _url(each.strip())
    return text


def _sender(text: str) -> str:
    if not (text.isprintable() and _MAILBOX.fullmatch(parseaddr(text)[1])):
        raise ValueError("must be an e-mail address, perhaps with a name: Turnstile <tickets@turnstile.example>")
    return text


def _address(text: str) -> str:
    if not (text.isprintable() and _MAILBOX.fullmatch(text)):
        raise ValueError("must be an e-mail address alone, such as admin@turnstile.example")
    return text


def _database(url: SecretStr) -> SecretStr:
    if not _DATABASE.fullmatch(url.get_secret_value()):
        raise ValueError(
            "must be an address such as postgresql://user:password@host:5432/database, "
            "in which a password's @, / and % are %40, %2F and %25"
        )
    return url


def split(text: str) -> list[str]:
    """The parts of a text with commas between."""
    return [each.strip() for each in text.split(",")]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on an address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_key(key: str) -> None:
    """Raises ValueError for a key that is short, repetitive, or contains words that examples and templates use."""
    if len(key) < 32 or len(set(key)) < 12 or any(word in key.lower() for word in _TEMPLATE_WORDS):
        raise ValueError("is too easy to guess; `python -c 'import secrets; print(secrets.token_urlsafe(32))'`")


def _key(key: SecretStr) -> SecretStr:
    check_key(key.get_secret_value())
    return key


def tls_parameters(mode: str | None, ca: Path | None) -> dict[str, str]:
    """libpq's parameters of TLS. A CA without a mode means that the server's certificate and name are checked."""
    if ca is not None:
        return {"sslmode": mode or "verify-full", "sslrootcert": str(ca)}
    return {"sslmode": mode} if mode else {}


def with_options(url: SecretStr, options: Mapping[str, str]) -> SecretStr:
    """A database's address, in either of its forms, with further parameters of the connection."""
    text = url.get_secret_value()
    if not options:
        return url
    if not text.startswith("postgres"):
        quoted = (value.replace("\\", "\\\\").replace("'", "\\'") for value in options.values())
        return SecretStr(" ".join([text, *(f"{name}='{value}'" for name, value in zip(options, quoted, strict=True))]))
    return SecretStr(f"{text}{'&' if '?' in text else '?'}{urlencode(options, quote_via=quote)}")


def _producers(text: str) -> str:
    producer_quotas(text)
    return text


def producer_quotas(text: str) -> dict[str, int]:
    """The requests a second of each producer. Raises ValueError for a text that is no list of them."""
    quotas: dict[str, int] = {}
    for each in filter(None, text.split(",")):
        found = _PRODUCER.fullmatch(each.strip())
        if found is None or found[1] in quotas:
            raise ValueError("must be name=requests per second, such as partner=100, with commas between")
        quotas[found[1]] = int(found[2])
    return quotas


def _limit(text: str) -> str:
    try:
        parse_many(text)
    except ValueError:
        raise ValueError("must be rates such as 300 per minute; 3000 per hour") from None
    return text


def _file(path: Path) -> Path:
    try:
        there = path.is_file()
        if there:
            path.open("rb").close()
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    if not there:
        raise ValueError("there is no such file")
    return path


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise ValueError("must be a PEM file with certificates") from None
    return path


def _certificate_and_key(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
    except (ssl.SSLError, OSError) as error:
        raise ValueError("must be a PEM file with a certificate, its chain and its key") from error
    return path


Port = Annotated[int, Field(ge=1, le=65_535)]
# 0 for any free port.
OwnPort = Annotated[int, Field(ge=0, le=65_535)]
Host = Annotated[str, AfterValidator(_host)]
# An address to listen on, without brackets.
Bind = Annotated[str, AfterValidator(_bind)]
Servers = Annotated[str, AfterValidator(_servers)]
Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
Urls = Annotated[str, AfterValidator(_urls)]
UrlWithPort = Annotated[str, AfterValidator(_url_with_port)]
Limit = Annotated[str, AfterValidator(_limit)]
Sender = Annotated[str, AfterValidator(_sender)]
Address = Annotated[str, AfterValidator(_address)]
Producers = Annotated[str, AfterValidator(_producers)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Key = Annotated[SecretStr, AfterValidator(_key)]
SslMode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]
ExistingFile = Annotated[Path, AfterValidator(_file)]
CaFile = Annotated[ExistingFile, AfterValidator(_certificates)]
CertificateFile = Annotated[ExistingFile, AfterValidator(_certificate_and_key)]
