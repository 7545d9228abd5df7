"""An event that is paid online: its purchases are held until its organizer confirms them with a payment."""

import csv
from uuid import uuid4

from api.roles import Role
from api.web.csv_export import BOM
from tests.e2e.test_buying import path_of, shelf
from tests.eventually import eventually
from tests.pipeline import Pipeline


def test_what_must_be_paid_is_held_until_its_organizer_confirms_the_payment(pipeline: Pipeline) -> None:
    organizer, account = pipeline.account(), pipeline.account()
    event, [kind] = pipeline.event(10, organizerId=organizer, payment="online")
    bought = pipeline.buy(event, kind, 2, account)
    assert (bought.status_code, bought.json()["status"]) == (201, "held")
    due = {"amount": "21.00", "currency": "EUR"}
    payment = bought.json()["payment"]
    assert (payment["due"], payment["deadline"]) == (due, bought.json()["deadline"])
    assert shelf(pipeline, event) == (2, 0)

    with pipeline.client(account) as buyer, pipeline.client(organizer, Role.ORGANIZER) as seller:
        refused = buyer.post(f"{path_of(bought)}/confirm")
        assert (refused.status_code, refused.json()["figures"]) == (402, due)
        assert buyer.post(f"{path_of(bought)}/confirm", json={"reference": "mine"}).status_code == 403
        fixed = seller.patch(f"/events/{event}", json={"payment": "none"})
        assert (fixed.status_code, fixed.json()["type"]) == (409, "/problems/payment-mode-fixed")
        assert buyer.get(path_of(bought)).json()["payment"]["due"] == due

        confirmed = seller.post(f"{path_of(bought)}/confirm", json={"reference": "bank 1"})
        assert (confirmed.status_code, confirmed.json()["status"]) == (200, "confirmed")
        again = seller.post(f"{path_of(bought)}/confirm", json={"reference": "bank 2"})
        assert again.json()["payment"] == {"reference": "bank 1"}
        projected = "SELECT status, paid_worth::text, payment_reference FROM purchase WHERE account_id = %s"
        eventually(lambda: pipeline.rows(projected, account) == [("confirmed", "21.00", "bank 1")], within=20)
        assert buyer.get(path_of(bought)).json()["payment"] == {"reference": "bank 1"}
        none = {"amount": "0.00", "currency": "EUR"}
        totals = seller.get(f"/events/{event}/sales").json()["payments"]
        amounts = dict.fromkeys(("captured", "refunded", "goodwill", "fees", "payout"), none)
        assert totals == [{"sold": due, "disputed": 0} | amounts]
        [row] = csv.DictReader(seller.get(f"/events/{event}/payments.csv").text.removeprefix(BOM).splitlines())
        assert (row["purchase"], row["worth"], row["reference"]) == (bought.json()["id"], "21.00", "bank 1")
        assert buyer.post(f"{path_of(bought)}/cancel").json()["status"] == "cancelled"
        last = ("cancelled", "0", "bank 1")
        eventually(lambda: pipeline.rows(projected, account) == [last], within=20)
    assert shelf(pipeline, event) == (0, 0)
    assert pipeline.buy(event, kind, 1, pipeline.account(), key=uuid4().hex).json()["status"] == "held"
