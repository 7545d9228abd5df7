"""What can be wrong with a seating plan."""

from enum import StrEnum
from typing import Any


class PlanFault(StrEnum):
    """A reason against a plan: the sentence about it, with the names of its figures in braces."""

    SECTION_COUNT = "a plan has 1 to {limit} sections, not {count}"
    SECTION_TWICE = "section {name} is there twice"
    HALL_TOO_LARGE = "the plan has {count} seats, which is more than {limit}"
    SECTION_TOO_LARGE = "section {name} has {count} seats, which is more than {limit}"
    SOLD_BOTH_WAYS = "ticket type {category} is sold by seat and in a general section"
    UNKNOWN_CATEGORY = "section {name} has the category {category}, which is not a ticket type of the event"
    SEVERAL_CATEGORIES = "section {name} has no rows: it must have one category"
    ROW_TWICE = "row {row} of section {name} is there twice"
    SEAT_TWICE = "seat {seat} is there twice"
    UNLISTED_CATEGORY = "seat {seat} has the category number {number}, which its section does not list"
    TWO_KINDS = "seat {seat} is for a wheelchair and for a companion"
    NO_SEATS_LEFT = "section {name} has no seats left"
    NO_PLAN = "this event has no seating plan"
    NO_SUCH_TICKET_TYPE = "this event has no ticket type {name!r}, as the plan of the other one has"


class InvalidPlan(ValueError):
    """A plan that can't be sold: its fault, and the names and numbers for the sentence about it."""

    def __init__(self, fault: PlanFault, **figures: Any) -> None:
        super().__init__(fault.format(**figures))
        self.fault = fault
        self.figures = figures
