"""Who may use which operation, in one table; an operation without a row is not served.

Ownership of an account, event or purchase is checked by the handlers (api/web/authentication.py).
"""

from collections.abc import Callable
from enum import Enum
from typing import Final

from flask import Flask, request

from api.roles import Role
from api.web.authentication import caller, require, visitor
from api.web.responses import BASE


class Access(Enum):
    """The credentials that a request needs."""

    NOBODY = "no token is read"
    ANYONE = "no token, or a valid one"
    SIGNED_IN = "a token"
    ORGANIZER = "the token of an organizer or an administrator"
    ADMINISTRATOR = "the token of an administrator"


ACCESS: Final[dict[str, Access]] = {
    "create_session": Access.NOBODY,
    "read_session": Access.SIGNED_IN,
    "end_sessions": Access.SIGNED_IN,
    "create_account": Access.ANYONE,
    "confirm_address": Access.NOBODY,
    "ask_for_password_reset": Access.NOBODY,
    "reset_password": Access.NOBODY,
    "list_accounts": Access.ADMINISTRATOR,
    "read_account": Access.SIGNED_IN,
    "replace_account": Access.SIGNED_IN,
    "change_account": Access.SIGNED_IN,
    "delete_account": Access.SIGNED_IN,
    "read_email": Access.SIGNED_IN,
    "change_email": Access.SIGNED_IN,
    "change_password": Access.SIGNED_IN,
    "change_roles": Access.ADMINISTRATOR,
    "create_event": Access.ORGANIZER,
    "list_events": Access.ANYONE,
    "read_event": Access.ANYONE,
    "read_event_name": Access.ANYONE,
    "replace_event": Access.ORGANIZER,
    "change_event": Access.ORGANIZER,
    "change_status": Access.ORGANIZER,
    "delete_event": Access.ORGANIZER,
    "create_ticket_type": Access.ORGANIZER,
    "list_ticket_types": Access.ANYONE,
    "create_ticket_type_at_old_path": Access.ORGANIZER,
    "list_ticket_types_at_old_path": Access.ANYONE,
    "read_ticket_type": Access.ANYONE,
    "replace_ticket_type": Access.ORGANIZER,
    "change_ticket_type": Access.ORGANIZER,
    "delete_ticket_type": Access.ORGANIZER,
    "search_events": Access.NOBODY,
    "suggest": Access.NOBODY,
    "buy": Access.SIGNED_IN,
    "read_purchase": Access.SIGNED_IN,
    "confirm_purchase": Access.SIGNED_IN,
    "cancel_purchase": Access.SIGNED_IN,
    "list_purchases": Access.SIGNED_IN,
    "list_sales": Access.ORGANIZER,
    "sales_table": Access.ORGANIZER,
    "list_notifications": Access.SIGNED_IN,
    "send_again": Access.SIGNED_IN,
    "live": Access.NOBODY,
    "ready": Access.NOBODY,
}

_CHECKS: Final[dict[Access, Callable[[], object]]] = {
    Access.ANYONE: visitor,
    Access.SIGNED_IN: caller,
    Access.ORGANIZER: lambda: require(Role.ORGANIZER),
    Access.ADMINISTRATOR: require,
}


def register_access(app: Flask) -> None:
    """Check every request to the API. Raises ValueError for an operation without a row."""
    checks = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(f"{BASE}/"):
            checks[rule.endpoint] = _CHECKS.get(access_of(rule.endpoint))

    def check() -> None:
        if request.endpoint is not None and (wanted := checks.get(request.endpoint)) is not None:
            wanted()

    # Before all else, so that only those who may send a request learn what is wrong with it.
    app.before_request_funcs.setdefault(None, []).insert(0, check)


def access_of(endpoint: str) -> Access:
    """The row of an endpoint: operations have the names of their functions."""
    name = endpoint.rpartition(".")[2]
    if name not in ACCESS:
        raise ValueError(f"the operation {name} has no row in ACCESS")
    return ACCESS[name]
