"""Who may use which page, in one table. Without a row for every page the application does not start.

A reader who has to sign in first is redirected there and back. The pages themselves check ownership.
"""

from typing import Final
from urllib.parse import urlencode

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from api.pages.addresses import return_path
from api.roles import Permission, Role
from api.web.authentication import require, visitor

BLUEPRINT_PREFIX: Final = "pages."
PAGES: Final[dict[str, Permission]] = {
    "asset": Permission.NOBODY,
    "box_office.search": Permission.ANYONE,
    "events.event": Permission.ANYONE,
    "events.left": Permission.NOBODY,
    "events.choose": Permission.SIGNED_IN,
    "seats.choose_seats": Permission.ANYONE,
    "seats.change_section": Permission.ANYONE,
    "events.hold": Permission.SIGNED_IN,
    "purchases.own_tickets": Permission.SIGNED_IN,
    "purchases.purchase": Permission.SIGNED_IN,
    "purchases.confirm": Permission.SIGNED_IN,
    "purchases.cancel_form": Permission.SIGNED_IN,
    "purchases.cancel": Permission.SIGNED_IN,
    "payments.payment": Permission.SIGNED_IN,
    "payments.pay": Permission.SIGNED_IN,
    "payments.card": Permission.SIGNED_IN,
    "purchases.mails": Permission.SIGNED_IN,
    "purchases.send_again": Permission.SIGNED_IN,
    "purchases.calendar_file": Permission.SIGNED_IN,
    "links.hold": Permission.ANYONE,
    "links.finish_hold": Permission.ANYONE,
    "links.purchase": Permission.ANYONE,
    "links.send_again": Permission.ANYONE,
    "account.own_account": Permission.SIGNED_IN,
    "account.change_language": Permission.SIGNED_IN,
    "account.deletion_form": Permission.SIGNED_IN,
    "account.delete_account": Permission.SIGNED_IN,
    "signing_in.sign_in": Permission.ANYONE,
    "signing_in.sign_in_form": Permission.ANYONE,
    "signing_in.sign_out": Permission.SIGNED_IN,
    "signing_up.sign_up": Permission.ANYONE,
    "signing_up.sign_up_form": Permission.ANYONE,
    "signing_up.confirm_address": Permission.ANYONE,
    "signing_up.confirm_address_form": Permission.ANYONE,
    "confirming.confirm_link_form": Permission.ANYONE,
    "confirming.confirm_link": Permission.ANYONE,
    "resetting.forgotten_form": Permission.ANYONE,
    "resetting.forgotten": Permission.ANYONE,
    "resetting.new_password_form": Permission.ANYONE,
    "resetting.new_password": Permission.ANYONE,
    "board.show_board": Permission.ADMINISTRATOR,
    "board.board_live": Permission.ADMINISTRATOR,
    "board.show_runbook": Permission.ADMINISTRATOR,
    "board.show_payments": Permission.ADMINISTRATOR,
    "topics.show_topics": Permission.ANYONE,
    "organizing.own_events": Permission.ORGANIZER,
    "organizing.own_event": Permission.ORGANIZER,
    "organizing.confirm_status": Permission.ORGANIZER,
    "organizing.change_status": Permission.ORGANIZER,
    "organizing.attendees": Permission.ORGANIZER,
    "organizing.payment_list": Permission.ORGANIZER,
    "organized_payments.payments": Permission.ORGANIZER,
    "organized_payments.purchase": Permission.ORGANIZER,
    "organized_payments.order_refund": Permission.ORGANIZER,
    "organized_payments.confirm": Permission.ORGANIZER,
    "editing.new_event_form": Permission.ORGANIZER,
    "editing.create_event": Permission.ORGANIZER,
    "editing.event_to_edit": Permission.ORGANIZER,
    "editing.edit_event": Permission.ORGANIZER,
    "editing.new_type_form": Permission.ORGANIZER,
    "editing.create_type": Permission.ORGANIZER,
    "editing.type_to_edit": Permission.ORGANIZER,
    "editing.edit_type": Permission.ORGANIZER,
    "editing.remove_type": Permission.ORGANIZER,
    "hall_plans.show_plan": Permission.ORGANIZER,
    "hall_plans.generate": Permission.ORGANIZER,
    "hall_plans.copy": Permission.ORGANIZER,
    "hall_plans.upload": Permission.ORGANIZER,
    "hall_plans.remove": Permission.ORGANIZER,
    "hall_plans.download": Permission.ORGANIZER,
    "hall_sections.show_section": Permission.ORGANIZER,
    "hall_sections.mark_seats": Permission.ORGANIZER,
    "hall_sections.name_section": Permission.ORGANIZER,
    "hall_plans.draw": Permission.ORGANIZER,
}
_ROLES: Final[dict[Permission, tuple[Role, ...]]] = {
    Permission.ORGANIZER: (Role.ORGANIZER,),
    Permission.ADMINISTRATOR: (),
}


def check_table(app: Flask) -> None:
    """Raises ValueError for a page without a row."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(BLUEPRINT_PREFIX) and rule.endpoint.removeprefix(BLUEPRINT_PREFIX) not in PAGES:
            raise ValueError(f"the page {rule.endpoint} has no row in PAGES")


def required_access() -> Permission:
    """The access that this request's page requires."""
    return PAGES[(request.endpoint or "").removeprefix(BLUEPRINT_PREFIX)]


def check() -> Response | None:
    """A redirect to the sign-in for a reader who must sign in first. Refused: forbidden."""
    wanted = required_access()
    if wanted in (Permission.NOBODY, Permission.ANYONE):
        return None
    if visitor() is None:
        return redirect(f"/sign-in?{urlencode({'next': return_path()})}", 303)
    if wanted in _ROLES:
        require(*_ROLES[wanted])
    return None
