"""Distances along great circles, as Elasticsearch computes them."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

EARTH_KM: Final = 6371.0088


def distance_km(near: tuple[float, float] | None, location: dict[str, float] | None) -> float | None:
    """Kilometres from ``near`` (latitude, longitude), rounded to 0.1; None if one of both is missing."""
    if near is None or location is None:
        return None
    latitude, longitude = map(radians, near)
    other, across = radians(location["lat"]), radians(location["lon"]) - longitude
    half = sin((other - latitude) / 2) ** 2 + cos(latitude) * cos(other) * sin(across / 2) ** 2
    return round(2 * EARTH_KM * asin(sqrt(min(1.0, half))), 1)
