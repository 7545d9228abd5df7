"""What each kind of mail says, translated. ``{title}``, ``{deadline}`` and the like stay for the composer's values."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from streams.mail.i18n import Translator
from tables.mail.links import LinkLabel
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.messages.statuses import EventStatus
from translations.holder_texts import moved_text, postponed_text, returned_text


class MailText(NamedTuple):
    """The texts that differ from kind to kind."""

    subject: str
    headline: str
    message: str


def mail_text(kind: MailKind, into: Translator, count: int) -> MailText:
    """The texts of a mail about ``count`` tickets."""
    return _TEXTS[kind](into, count)


def partly_cancelled(into: Translator, gone: int, returned: int, left: int) -> MailText:
    """The texts of a mail about ``gone`` tickets, the newest of ``returned`` ones, while ``left`` are kept."""
    whole = mail_text(MailKind.CANCELLED, into, gone)
    others = into.ngettext("Your other ticket is not affected.", "Your other tickets are not affected.", left)
    said = returned_text(into.language, returned, left)
    return MailText(f"{said}: {{title}}", said, f"{whole.message} {others}")


def link_text(label: LinkLabel, into: Translator) -> str:
    """The text of a mail's button."""
    return _LINKS[label](into)


def why_text(kind: MailKind, into: Translator, count: int) -> str:
    """Why somebody gets a mail about ``count`` tickets."""
    if kind is MailKind.DISPUTED:
        return into.gettext("You receive this e-mail because you organize this event.")
    return into.ngettext(
        "You receive this e-mail because you chose this ticket with your Turnstile account.",
        "You receive this e-mail because you chose these tickets with your Turnstile account.",
        count,
    )


def event_note(job: Job, into: Translator) -> str:
    """That the event is postponed, or has another date than the one that was known; empty if neither."""
    facts, before = job.facts, job.before
    if before is not None and before.starts_at != facts.starts_at:
        return moved_text(into.language, into.time(before.starts_at, before.time_zone))
    if facts.status != EventStatus.POSTPONED:
        return ""
    former = before or (facts if job.kind is MailKind.EVENT_POSTPONED else None)
    return postponed_text(into.language, into.time(former.starts_at, former.time_zone) if former else "")


_LINKS: Final[Mapping[LinkLabel, Callable[[Translator], str]]] = {
    LinkLabel.CONFIRM: lambda into: into.gettext("Complete your purchase"),
    LinkLabel.PAY: lambda into: into.gettext("Pay now"),
    LinkLabel.TICKETS: lambda into: into.gettext("View tickets"),
    LinkLabel.PURCHASE: lambda into: into.gettext("View order"),
    LinkLabel.EVENT: lambda into: into.gettext("View event"),
    LinkLabel.PAYMENT: lambda into: into.gettext("View payment"),
}

_TEXTS: Final[Mapping[MailKind, Callable[[Translator, int], MailText]]] = {
    MailKind.CONFIRMED: lambda into, count: MailText(
        into.ngettext("Your ticket for {title}", "Your tickets for {title}", count),
        into.ngettext("Your ticket", "Your tickets", count),
        into.ngettext(
            "Your purchase is confirmed. Here is your ticket.",
            "Your purchase is confirmed. Here are your tickets.",
            count,
        ),
    ),
    MailKind.HELD: lambda into, count: MailText(
        into.ngettext("Held for you: {title}", "Held for you: {title}", count),
        into.ngettext("Held for you", "Held for you", count),
        into.ngettext(
            "Your ticket is held for you until {deadline}. Please complete your purchase before then.",
            "Your tickets are held for you until {deadline}. Please complete your purchase before then.",
            count,
        ),
    ),
    MailKind.HOLD_ENDING: lambda into, count: MailText(
        into.gettext("Your hold ends soon: {title}"),
        into.gettext("Your hold ends soon"),
        into.ngettext(
            "Your ticket is held for you only until {deadline}. If you do not complete your purchase by then, it goes "
            "back on sale.",
            "Your tickets are held for you only until {deadline}. If you do not complete your purchase by then, they "
            "go back on sale.",
            count,
        ),
    ),
    MailKind.EXPIRED: lambda into, count: MailText(
        into.gettext("Your hold has expired: {title}"),
        into.gettext("Your hold has expired"),
        into.ngettext(
            "The time to buy this ticket has passed. It is on sale again, and you owe nothing.",
            "The time to buy these tickets has passed. They are on sale again, and you owe nothing.",
            count,
        ),
    ),
    MailKind.HOLD_ENDED: lambda into, count: MailText(
        into.gettext("Your hold has ended: {title}"),
        into.gettext("Your hold has ended"),
        into.ngettext(
            "The box office has ended your hold. The ticket is on sale again, and you owe nothing.",
            "The box office has ended your hold. The tickets are on sale again, and you owe nothing.",
            count,
        ),
    ),
    MailKind.CANCELLED: lambda into, count: MailText(
        into.ngettext("Ticket returned: {title}", "Tickets returned: {title}", count),
        into.ngettext("Ticket returned", "Tickets returned", count),
        into.ngettext(
            "This ticket has been returned as requested. It is no longer valid.",
            "These tickets have been returned as requested. They are no longer valid.",
            count,
        ),
    ),
    MailKind.REFUNDED: lambda into, count: MailText(
        into.gettext("Refund: {title}"),
        into.gettext("Refund"),
        into.ngettext(
            "This ticket is being refunded. It is no longer valid.",
            "These tickets are being refunded. They are no longer valid.",
            count,
        ),
    ),
    MailKind.EVENT_CHANGED: lambda into, _: MailText(
        into.gettext("Changed: {title}"),
        into.gettext("New time or place"),
        into.gettext(
            "The time or place of this event has changed. See below for the new details. Your tickets and holds are "
            "not affected."
        ),
    ),
    MailKind.EVENT_POSTPONED: lambda into, _: MailText(
        into.gettext("Postponed: {title}"), into.gettext("Postponed"), postponed_text(into.language, "{starts}")
    ),
    MailKind.EVENT_CANCELED: lambda into, _: MailText(
        into.gettext("Event cancelled: {title}"),
        into.gettext("The event is cancelled"),
        into.gettext(
            "We are sorry: this event will not take place. What you paid will be refunded, and your holds have ended."
        ),
    ),
    MailKind.PAID: lambda into, _: MailText(
        into.gettext("Receipt: {title}"),
        into.gettext("Receipt"),
        into.gettext("Thank you, your payment has arrived. This is your receipt."),
    ),
    MailKind.PAID_BACK: lambda into, _: MailText(
        into.gettext("Your refund: {title}"),
        into.gettext("Your refund"),
        into.gettext("We have refunded {amount}. It can take up to ten days to reach your account."),
    ),
    MailKind.PAYMENT_DECLINED: lambda into, count: MailText(
        into.gettext("Payment declined: {title}"),
        into.gettext("Payment declined"),
        into.ngettext(
            "Your payment of {amount} was declined, and nothing was charged. Your ticket is held until {deadline}: you "
            "can try again until then, also with another card.",
            "Your payment of {amount} was declined, and nothing was charged. Your tickets are held until {deadline}: "
            "you can try again until then, also with another card.",
            count,
        ),
    ),
    MailKind.PAYMENT_FAILED: lambda into, count: MailText(
        into.gettext("Payment not completed: {title}"),
        into.gettext("Payment not completed"),
        into.ngettext(
            "Your payment of {amount} could not be completed in time, so the ticket is not yours. You pay nothing: an "
            "amount that was reserved or charged goes back to you, which can take up to ten days.",
            "Your payment of {amount} could not be completed in time, so the tickets are not yours. You pay nothing: "
            "an amount that was reserved or charged goes back to you, which can take up to ten days.",
            count,
        ),
    ),
    MailKind.DISPUTED: lambda into, _: MailText(
        into.gettext("Payment disputed: {title}"),
        into.gettext("Payment disputed"),
        into.gettext(
            "A buyer disputes a payment of {amount}, and the bank may take it back. The tickets are still valid. "
            "Please answer at the payment provider, which sets a deadline."
        ),
    ),
}
