"""Who may use which operation, in one table; an operation without a row is not served.

Ownership of an account, event or purchase is checked by the handlers (api/web/authentication.py).
"""

from collections.abc import Callable
from typing import Final

from flask import Flask, request

from api.roles import Permission, Role
from api.web.authentication import caller, require, visitor
from api.web.responses import BASE

PERMISSIONS: Final[dict[str, Permission]] = {
    "create_session": Permission.NOBODY,
    "read_session": Permission.SIGNED_IN,
    "end_sessions": Permission.SIGNED_IN,
    "create_account": Permission.ANYONE,
    "confirm_address": Permission.NOBODY,
    "ask_for_password_reset": Permission.NOBODY,
    "reset_password": Permission.NOBODY,
    "list_accounts": Permission.ADMINISTRATOR,
    "read_account": Permission.SIGNED_IN,
    "replace_account": Permission.SIGNED_IN,
    "change_account": Permission.SIGNED_IN,
    "delete_account": Permission.SIGNED_IN,
    "read_email": Permission.SIGNED_IN,
    "change_email": Permission.SIGNED_IN,
    "change_password": Permission.SIGNED_IN,
    "change_roles": Permission.ADMINISTRATOR,
    "create_event": Permission.ORGANIZER,
    "list_events": Permission.ANYONE,
    "read_event": Permission.ANYONE,
    "read_event_name": Permission.ANYONE,
    "replace_event": Permission.ORGANIZER,
    "change_event": Permission.ORGANIZER,
    "change_status": Permission.ORGANIZER,
    "delete_event": Permission.ORGANIZER,
    "create_ticket_type": Permission.ORGANIZER,
    "list_ticket_types": Permission.ANYONE,
    "create_ticket_type_at_old_path": Permission.ORGANIZER,
    "list_ticket_types_at_old_path": Permission.ANYONE,
    "read_ticket_type": Permission.ANYONE,
    "replace_ticket_type": Permission.ORGANIZER,
    "change_ticket_type": Permission.ORGANIZER,
    "delete_ticket_type": Permission.ORGANIZER,
    "replace_seating": Permission.ORGANIZER,
    "generate_seating": Permission.ORGANIZER,
    "copy_seating": Permission.ORGANIZER,
    "draw_section": Permission.ORGANIZER,
    "read_seating": Permission.ANYONE,
    "delete_seating": Permission.ORGANIZER,
    "read_seats": Permission.ANYONE,
    "follow_seats": Permission.ANYONE,
    "search_events": Permission.NOBODY,
    "suggest": Permission.NOBODY,
    "buy": Permission.SIGNED_IN,
    "read_purchase": Permission.SIGNED_IN,
    "confirm_purchase": Permission.SIGNED_IN,
    "cancel_purchase": Permission.SIGNED_IN,
    "exchange_seats": Permission.SIGNED_IN,
    "start_payment": Permission.SIGNED_IN,
    "read_payment": Permission.SIGNED_IN,
    "refund_payment": Permission.ORGANIZER,
    "list_refunds": Permission.ORGANIZER,
    "read_payments": Permission.ADMINISTRATOR,
    "take_webhook": Permission.NOBODY,
    "list_purchases": Permission.SIGNED_IN,
    "list_sales": Permission.ORGANIZER,
    "sales_table": Permission.ORGANIZER,
    "payment_table": Permission.ORGANIZER,
    "list_notifications": Permission.SIGNED_IN,
    "send_again": Permission.SIGNED_IN,
    "live": Permission.NOBODY,
    "ready": Permission.NOBODY,
}

_CHECKS: Final[dict[Permission, Callable[[], object]]] = {
    Permission.ANYONE: visitor,
    Permission.SIGNED_IN: caller,
    Permission.ORGANIZER: lambda: require(Role.ORGANIZER),
    Permission.ADMINISTRATOR: require,
}


def register_permissions(app: Flask) -> None:
    """Check every request to the API. Raises ValueError for an operation without a row."""
    checks = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(f"{BASE}/"):
            checks[rule.endpoint] = _CHECKS.get(permission_of(rule.endpoint))

    def check() -> None:
        if request.endpoint is not None and (wanted := checks.get(request.endpoint)) is not None:
            wanted()

    # Before all else, so that only those who may send a request learn what is wrong with it.
    app.before_request_funcs.setdefault(None, []).insert(0, check)


def permission_of(endpoint: str) -> Permission:
    """The row of an endpoint: operations have the names of their functions."""
    name = endpoint.rpartition(".")[2]
    if name not in PERMISSIONS:
        raise ValueError(f"the operation {name} has no row in PERMISSIONS")
    return PERMISSIONS[name]
