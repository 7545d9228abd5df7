"""The orders of seats over REST: which there are, and that the API reads them."""

import random
from collections import Counter
from uuid import UUID

from api.schemas.purchase import NewPurchase
from lab.bench.orders import shows
from lab.bench.rest_load import Plan, SeatOrder, requests
from lab.bench.seat_sales import SEATS, areas_of, best, by_name


def plan(orders: list[SeatOrder]) -> Plan:
    halls = [(show.event, list(show.types)) for show in shows(4, 1, 4, random.Random(1))]
    count = len(orders) or 3
    return Plan(host="h", port=1, requests=count, connections=1, shows=halls, accounts=[UUID(int=7)], orders=orders)


def test_areas_stand_in_halls_in_turn_each_with_as_many_that_are_sold_by_name_as_others() -> None:
    areas = areas_of(400)
    assert len(set(areas)) == 400
    assert Counter(area.hall for area in areas[::2]) == dict.fromkeys(range(4), 50)
    assert Counter(area.hall for area in areas[1::2]) == dict.fromkeys(range(4), 50)


def test_every_seat_is_ordered_once_by_name_and_as_often_as_there_are_buyers_as_the_best() -> None:
    named = by_name(areas_of(3))
    assert len({order.seat for order in named}) == len(named) == 3 * SEATS
    assert Counter((order.show, order.section) for order in best(areas_of(2), 5)) == {
        (0, "A1"): 5 * SEATS,
        (0, "A2"): 5 * SEATS,
    }


def test_the_requests_are_orders_as_the_api_reads_them() -> None:
    asked = plan([SeatOrder(2, seat="A1-3-12"), SeatOrder(0, section="A2")])
    bodies = [NewPurchase.model_validate_json(request.partition(b"\r\n\r\n")[2]) for request in requests(asked)]
    assert [body.event_id for body in bodies] == [asked.shows[2][0], asked.shows[0][0]]
    [[named], [best_one]] = [body.lines for body in bodies]
    assert (named.seats, named.best) == (("A1-3-12",), None)
    assert best_one.best is not None
    assert (best_one.seats, best_one.best.section) == ((), "A2")


def test_without_orders_tickets_are_counted_of_each_show_in_turn() -> None:
    counted = plan([])
    bodies = [NewPurchase.model_validate_json(request.partition(b"\r\n\r\n")[2]) for request in requests(counted)]
    assert [body.event_id for body in bodies] == [event for event, _ in counted.shows[:3]]
    assert all((line.seats, line.best) == ((), None) for body in bodies for line in body.lines)
