"""The caller of a request, read once from its Authorization header, before the route runs."""

from uuid import UUID

from flask import g, request

from api.auth.tokens import Caller, forbidden, read_caller, unauthorized
from api.ports.ports import ports
from api.roles import Role


def visitor() -> Caller | None:
    """The caller, or None without a token. Refused: unauthorized for an invalid token."""
    if "caller" not in g:
        header = request.headers.get("Authorization")
        g.caller = None if header is None else read_caller(ports().tokens, ports().revocations.version, header)
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
