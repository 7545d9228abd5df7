"""Paper's books: payments, the answers to requests, and the notices (webhooks) to send, in one SQLite file.

Amounts are whole minor units. A request is carried out once by its id: a repeat gets the first answer.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS payment (
    shop_id TEXT PRIMARY KEY, reference TEXT UNIQUE NOT NULL, event TEXT NOT NULL, purchase TEXT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL, amount INTEGER NOT NULL, captured INTEGER NOT NULL DEFAULT 0,
    refunded INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', return_url TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS answer (request TEXT PRIMARY KEY, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, due_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0
);
"""
SHOWN_MAX: Final = 200
SEND_MAX: Final = 200
PAYABLE: Final = ("open", "declined")

Row = dict[str, Any]
Answer = tuple[int, Row]


def shop_id_of(asked: Row) -> str:
    """The shop's id of a payment: event and purchase, as only both together identify a purchase."""
    return f"{asked['event']}.{asked['purchase']}"


class PaperBooks:
    """The books. ``page_url`` is where buyers pay. Every method is one transaction."""

    def __init__(self, file: Path, page_url: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._page_url = page_url
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")

    def close(self) -> None:
        self._database.close()

    def payment(self, shop_id: str) -> Row | None:
        """The payment that the shop knows by this id."""
        return self._one("shop_id", shop_id)

    def by_reference(self, reference: str) -> Row | None:
        """The payment of a reference."""
        return self._one("reference", reference)

    def payments(self, most: int | None = None) -> list[Row]:
        """All payments, or the newest ``most``, newest first."""
        rows = self._database.execute("SELECT * FROM payment ORDER BY rowid DESC LIMIT ?", (most or -1,))
        return [self._shown(row) for row in rows]

    def carry_out(self, request: str, do: Callable[[], Answer]) -> Answer:
        """The answer to a request; ``do`` makes it the first time."""
        with self._transaction():
            known = self._database.execute("SELECT status, body FROM answer WHERE request = ?", (request,)).fetchone()
            if known is not None:
                return known["status"], json.loads(known["body"])
            status, body = do()
            self._database.execute("INSERT INTO answer VALUES (?, ?, ?)", (request, status, json.dumps(body)))
            return status, body

    def authorize(self, asked: Row) -> Answer:
        """Open a payment, within ``carry_out``."""
        shop_id = shop_id_of(asked)
        known = self.payment(shop_id)
        if known is not None and known["state"] == "voided" and not known["captured"]:
            if not known["amount"]:
                return 422, {"error": "it was voided before it was made"}
            self._database.execute("DELETE FROM payment WHERE shop_id = ?", (shop_id,))
        elif known is not None:
            return 200, known
        self._insert(asked, "open")
        return self._answer(shop_id)

    def capture(self, shop_id: str, asked: Row) -> Answer:
        """Take the money, at most what is authorized, within ``carry_out``."""
        known = self.payment(shop_id)
        if known is None or known["state"] != "authorized" or not 0 < asked["amount"] <= known["amount"]:
            return 422, {"error": "it is not authorized for that"}
        return self._set(shop_id, state="captured", captured=asked["amount"])

    def void(self, shop_id: str, asked: Row) -> Answer:
        """Release the authorization, also of a payment that is not there yet; within ``carry_out``."""
        known = self.payment(shop_id)
        if known is None:
            self._insert(asked | {"amount": 0}, "voided")
            return self._answer(shop_id)
        if known["captured"]:
            return 422, {"error": "it is captured"}
        return self._set(shop_id, state="voided")

    def refund(self, shop_id: str, asked: Row) -> Answer:
        """Give money back, at most what was captured, within ``carry_out``."""
        known = self.payment(shop_id)
        if known is None or not 0 < asked["amount"] <= known["captured"] - known["refunded"]:
            return 422, {"error": "so much was not captured"}
        return self._set(shop_id, refunded=known["refunded"] + asked["amount"])

    def pay(self, reference: str, *, approve: bool) -> Row | None:
        """The buyer pays or is declined. The payment afterwards; None if it can't be paid."""
        known = self.by_reference(reference)
        if known is None or known["state"] not in PAYABLE:
            return None
        with self._transaction():
            state, reason = ("authorized", "") if approve else ("declined", "the card was declined")
            return self._set(known["shop_id"], state=state, reason=reason)[1]

    def add_notice(self, body: str, due_at: float) -> None:
        """A notice to send at ``due_at`` (seconds since 1970)."""
        self._database.execute("INSERT INTO notice (body, due_at) VALUES (?, ?)", (body, due_at))

    def due_notices(self, now: float) -> list[Row]:
        """The notices to send now, the earliest first."""
        query = "SELECT * FROM notice WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
        return [dict(row) for row in self._database.execute(query, (now, SEND_MAX))]

    def sent(self, notice: int) -> None:
        """A notice was taken."""
        self._database.execute("DELETE FROM notice WHERE id = ?", (notice,))

    def postpone(self, notice: int, due_at: float) -> None:
        """A notice was not taken: it is sent again."""
        self._database.execute("UPDATE notice SET due_at = ?, tries = tries + 1 WHERE id = ?", (due_at, notice))

    def _insert(self, asked: Row, state: str) -> None:
        row = {
            "return_url": "",
            **asked,
            "shop_id": shop_id_of(asked),
            "state": state,
            "reference": f"paper_{secrets.token_hex(8)}",
        }
        self._database.execute(
            "INSERT INTO payment (shop_id, reference, event, purchase, currency, state, amount, return_url)"
            " VALUES (:shop_id, :reference, :event, :purchase, :currency, :state, :amount, :return_url)",
            row,
        )

    def _set(self, shop_id: str, **changes: Any) -> Answer:
        places = ", ".join(f"{name} = :{name}" for name in changes)
        self._database.execute(f"UPDATE payment SET {places} WHERE shop_id = :of", changes | {"of": shop_id})  # noqa: S608
        return self._answer(shop_id)

    def _answer(self, shop_id: str) -> Answer:
        found = self.payment(shop_id)
        assert found is not None
        return 200, found

    def _one(self, column: str, value: str) -> Row | None:
        row = self._database.execute(f"SELECT * FROM payment WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        return None if row is None else self._shown(row)

    def _shown(self, row: sqlite3.Row) -> Row:
        return {**dict(row), "url": f"{self._page_url}/pay/{row['reference']}"}

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database
