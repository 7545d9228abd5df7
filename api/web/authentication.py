"""The caller of a request, read once from its Authorization header, before the route runs."""

from uuid import UUID

from flask import g, request

from api.auth.tokens import Caller, unauthorized
from api.ports.ports import Ports, ports
from api.problems import Refused
from api.roles import Role


def visitor() -> Caller | None:
    """The caller, or None without a token. Refused: unauthorized for an invalid token."""
    if "caller" not in g:
        header = request.headers.get("Authorization")
        g.caller = None if header is None else read_caller(ports(), header)
    found: Caller | None = g.caller
    return found


def caller() -> Caller:
    """The caller. Refused: unauthorized."""
    found = visitor()
    if found is None:
        raise unauthorized("sign in at /api/v3/sessions and send the token as `Authorization: Bearer …`")
    return found


def require(*roles: Role) -> Caller:
    """The caller, who has one of these roles or is an administrator. Refused: unauthorized, forbidden."""
    found = caller()
    if not found.is_administrator and found.roles.isdisjoint(roles):
        raise forbidden()
    return found


def require_to_act_for(account: UUID) -> Caller:
    """The caller, who is this account or an administrator. Refused: unauthorized, forbidden."""
    found = caller()
    if not found.may_act_for(account):
        raise forbidden()
    return found


def forbidden() -> Refused:
    """The refusal of what the caller may not do. It doesn't tell whether the thing exists."""
    return Refused("forbidden", "this belongs to somebody else, or needs a role that you do not have")


def read_caller(known: Ports, header: str) -> Caller:
    """The caller by the value of an Authorization header. Refused: unauthorized."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise unauthorized("the header Authorization must be `Bearer` and a token")
    found = known.tokens.read(text)
    if found.version < known.revocations.version(found.account):
        raise unauthorized("this session has been ended")
    return found
