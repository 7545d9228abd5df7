"""Whether the process lives, and whether it can do its work."""

from api.schemas.base import Resource


class Liveness(Resource):
    """The process answers."""

    status: str = "live"


class Readiness(Resource):
    """``ready``; ``degraded`` if search or fresh purchases are unavailable; ``unready`` if buying is."""

    status: str
    checks: dict[str, str]
