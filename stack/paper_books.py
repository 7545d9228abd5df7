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
    purchase TEXT PRIMARY KEY, reference TEXT UNIQUE NOT NULL, event TEXT NOT NULL, currency TEXT NOT NULL,
    state TEXT NOT NULL, amount INTEGER NOT NULL, captured INTEGER NOT NULL DEFAULT 0,
    refunded INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', return_url TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS answer (request TEXT PRIMARY KEY, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, due_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0
);
"""
SHOWN_MAX: Final = 200
PAYABLE: Final = ("open", "declined")

Row = dict[str, Any]
Answer = tuple[int, Row]


class PaperBooks:
    """The books. ``page_url`` is where buyers pay. Every method is one transaction."""

    def __init__(self, file: Path, page_url: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._page_url = page_url
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def payment(self, purchase: str) -> Row | None:
        """The payment of a purchase."""
        return self._one("purchase", purchase)

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
        known = self.payment(asked["purchase"])
        if known is not None and known["state"] == "voided" and not known["captured"]:
            if not known["amount"]:
                return 422, {"error": "it was voided before it was made"}
            self._database.execute("DELETE FROM payment WHERE purchase = ?", (asked["purchase"],))
        elif known is not None:
            return 200, known
        self._insert(asked, "open")
        return self._answer(asked["purchase"])

    def capture(self, purchase: str, asked: Row) -> Answer:
        """Take the money, at most what is authorized, within ``carry_out``."""
        known = self.payment(purchase)
        if known is None or known["state"] != "authorized" or not 0 < asked["amount"] <= known["amount"]:
            return 422, {"error": "it is not authorized for that"}
        return self._set(purchase, state="captured", captured=asked["amount"])

    def void(self, purchase: str, asked: Row) -> Answer:
        """Release the authorization, also of a payment that is not there yet; within ``carry_out``."""
        known = self.payment(purchase)
        if known is None:
            self._insert(asked | {"purchase": purchase, "amount": 0}, "voided")
            return self._answer(purchase)
        if known["captured"]:
            return 422, {"error": "it is captured"}
        return self._set(purchase, state="voided")

    def refund(self, purchase: str, asked: Row) -> Answer:
        """Give money back, at most what was captured, within ``carry_out``."""
        known = self.payment(purchase)
        if known is None or not 0 < asked["amount"] <= known["captured"] - known["refunded"]:
            return 422, {"error": "so much was not captured"}
        return self._set(purchase, refunded=known["refunded"] + asked["amount"])

    def pay(self, reference: str, *, approve: bool) -> Row | None:
        """The buyer pays or is declined. The payment afterwards; None if it can't be paid."""
        known = self.by_reference(reference)
        if known is None or known["state"] not in PAYABLE:
            return None
        with self._transaction():
            state, reason = ("authorized", "") if approve else ("declined", "the card was declined")
            return self._set(known["purchase"], state=state, reason=reason)[1]

    def dispute(self, reference: str) -> Row | None:
        """The payment that the buyer's bank disputes, if it is captured."""
        known = self.by_reference(reference)
        return known if known is not None and known["captured"] else None

    def add_notice(self, body: str, due_at: float) -> None:
        """A notice to send at ``due_at`` (seconds since 1970)."""
        self._database.execute("INSERT INTO notice (body, due_at) VALUES (?, ?)", (body, due_at))

    def due_notices(self, now: float, most: int) -> list[Row]:
        """The notices to send now, the earliest first."""
        query = "SELECT * FROM notice WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
        return [dict(row) for row in self._database.execute(query, (now, most))]

    def sent(self, notice: int) -> None:
        """A notice was taken."""
        self._database.execute("DELETE FROM notice WHERE id = ?", (notice,))

    def postpone(self, notice: int, due_at: float) -> None:
        """A notice was not taken: it is sent again."""
        self._database.execute("UPDATE notice SET due_at = ?, tries = tries + 1 WHERE id = ?", (due_at, notice))

    def _insert(self, asked: Row, state: str) -> None:
        row = {"return_url": "", **asked, "state": state, "reference": f"paper_{secrets.token_hex(8)}"}
        self._database.execute(
            "INSERT INTO payment (purchase, reference, event, currency, state, amount, return_url)"
            " VALUES (:purchase, :reference, :event, :currency, :state, :amount, :return_url)",
            row,
        )

    def _set(self, purchase: str, **changes: Any) -> Answer:
        places = ", ".join(f"{name} = :{name}" for name in changes)
        self._database.execute(f"UPDATE payment SET {places} WHERE purchase = :of", changes | {"of": purchase})  # noqa: S608
        return self._answer(purchase)

    def _answer(self, purchase: str) -> Answer:
        found = self.payment(purchase)
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
