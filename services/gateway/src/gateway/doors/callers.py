"""Who comes in by HTTP, and what a refusal says to them beside its text: the same at every door."""

from contracts.errors import UnauthenticatedError, UnavailableError
from servicekit.principal import Person
from servicekit.tokens import Verifier
from starlette.requests import Request

# When what was away may be asked for again, in seconds.
_RETRY_S = "5"


async def person_of(request: Request, verifier: Verifier | None) -> tuple[Person, str]:
    """The person of the token that came, and the token (RFC 6750). UnauthenticatedError."""
    sent = request.headers.getlist("authorization")
    scheme, _, token = (sent[0] if sent else "").partition(" ")
    if len(sent) != 1 or scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("`Authorization` has one token: Bearer ...")
    if verifier is None:
        raise UnauthenticatedError("no identity provider is set here (LONGITUDE_ISSUER): tokens prove nothing")
    return await verifier.person(token), token


def headers_of(request: Request, error: Exception) -> dict[str, str]:
    """Where to come from (RFC 6750, section 3), or when to come again."""
    if isinstance(error, UnauthenticatedError):
        sent = "authorization" in request.headers
        return {"WWW-Authenticate": 'Bearer realm="longitude"' + (', error="invalid_token"' if sent else "")}
    return {"Retry-After": _RETRY_S} if isinstance(error, UnavailableError) else {}
