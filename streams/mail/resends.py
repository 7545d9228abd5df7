"""The agent that sends a purchase's mail once more, on request."""

from connect.topics import RESENDS
from streams.mail.bookings import Bookings, Order, send_jobs
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, letter, sort_out
from streams.runtime.kafka_types import Message
from streams.runtime.tracing import headers_from
from tables.errors import MalformedRecord
from tables.messages.mail_requests import decode_resend

CONSUMER = "resends"
MOST = 500


class ResendsAgent:
    """Writes ``notification-jobs`` from ``notification-requests``."""

    def __init__(self, app: App, bookings: Bookings) -> None:
        self.app = app
        self.bookings = bookings
        add_agent(app, RESENDS, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        readable, letters = sort_out(messages, decode_resend)
        orders = []
        for message, resend in readable:
            job = self.bookings.unit_of_work(message.partition).resend(resend)
            if job is None:
                letters.append(letter(message, MalformedRecord(f"nothing to send of purchase {resend.purchase}")))
            else:
                orders.append(Order(job, headers_from(message)))
        await send_jobs(self.app, orders)
        await bury(self.app, CONSUMER, letters)
