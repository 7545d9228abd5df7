"""The mails of a purchase over REST."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.roles import Role
from api.schemas.notification import Notification
from api.schemas.purchase import Purchase, public_id
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World

EVENT, PURCHASE, OWNER = (UUID(int=number) for number in (1, 2, 3))
PATH = f"/api/v3/purchases/{EVENT}.{PURCHASE}/notifications"


@pytest.fixture
def owner(world: World) -> FlaskClient:
    """Whoever bought, after the purchase."""
    bought(world, "confirmed")
    return world.client(OWNER)


def bought(world: World, status: str) -> None:
    world.sales.rows[EVENT, PURCHASE] = Purchase(
        id=public_id(EVENT, PURCHASE), event_id=EVENT, account_id=OWNER, status=status
    )


def test_what_was_sent_is_listed_without_anybodys_address(world: World, owner: FlaskClient) -> None:
    mail = Notification(id=uuid4(), kind="confirmed", status="sent", at=NOW)
    world.notifications.rows[EVENT, PURCHASE] = [mail]

    answer = owner.get(PATH)

    assert answer.status_code == 200
    assert answer.get_json() == {
        "items": [{"id": str(mail.id), "kind": "confirmed", "status": "sent", "at": "2030-01-02T03:04:05Z"}]
    }


@pytest.mark.parametrize("status", ["held", "confirmed"])
@pytest.mark.parametrize("body", [{}, {"json": {}}])
def test_a_mail_is_sent_again_on_request(
    world: World, owner: FlaskClient, status: str, body: dict[str, object]
) -> None:
    bought(world, status)

    answer = owner.post(PATH, **body)

    assert (answer.status_code, answer.headers["Location"]) == (202, PATH)
    [(wanted, account)] = world.notifications.asked
    assert (wanted.kind, wanted.status, account) == (status, "requested", OWNER)
    assert owner.get(PATH).get_json()["items"][0]["id"] == answer.get_json()["id"] == str(wanted.id)


@pytest.mark.parametrize("status", ["pending", "rejected", "cancelled", "expired", "refunded"])
def test_what_ended_is_not_sent_again(world: World, owner: FlaskClient, status: str) -> None:
    bought(world, status)
    answer = owner.post(PATH)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/nothing-to-send")
    assert not world.notifications.asked


def test_requests_are_limited(world: World, owner: FlaskClient) -> None:
    answers = [owner.post(PATH) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[3].headers["Retry-After"] == "60"


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_the_owner_and_administrators_see_mails_of_a_purchase(
    world: World, owner: FlaskClient, method: str
) -> None:
    def status(client: FlaskClient, path: str = PATH) -> int:
        return int(getattr(client, method)(path).status_code)

    assert status(world.app.test_client()) == 401
    assert status(world.client(uuid4())) == 404
    assert status(world.client(uuid4(), Role.ORGANIZER)) == 404
    assert status(world.client(uuid4(), Role.ADMINISTRATOR)) == (200 if method == "get" else 202)
    assert status(owner, f"/api/v3/purchases/{EVENT}.{uuid4()}/notifications") == 404
    assert status(owner, "/api/v3/purchases/nonsense/notifications") == 404
