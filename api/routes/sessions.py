"""Sessions: sign-in by address and password."""

from datetime import UTC, datetime
from typing import Any

from flask import Response

from api.accounts.sign_in import credential_of
from api.auth.tokens import Caller
from api.ports.ports import ports
from api.schemas.session import NewSession, Session, SignedIn
from api.web.authentication import caller
from api.web.responses import WITH_BODY, answer, answers, blueprint

sessions = blueprint("sessions", "sessions")


@sessions.post(
    "/sessions",
    summary="Sign in",
    responses=answers({201: SignedIn}, *WITH_BODY, "wrong-credentials", "too-many-requests", "passwords-busy"),
)
def create_session(body: NewSession) -> Response:
    """A token for a few minutes. An unknown address and a wrong password get the same response, in the same time."""
    found = credential_of(body)
    token, signed_in = ports().tokens.issue(found.account, found.roles, found.version)
    return answer(SignedIn(token=token, **_fields(signed_in)), 201)


@sessions.get("/sessions/current", summary="Read the current session", responses=answers({200: Session}))
def read_session() -> Response:
    """The account of the token, and its roles."""
    return answer(Session(**_fields(caller())))


@sessions.delete("/sessions/current", summary="Sign out", responses=answers({204: None}))
def end_sessions() -> Response:
    """Ends all sessions of the account: all its tokens become invalid."""
    ports().revocations.end_sessions(caller().account)
    return Response(status=204)


def _fields(signed_in: Caller) -> dict[str, Any]:
    expires = datetime.fromtimestamp(signed_in.expires, UTC)
    return {"account_id": signed_in.account, "roles": sorted(signed_in.roles), "expires_at": expires}
