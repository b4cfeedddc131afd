"""Who calls: a process by its certificate, and the person on whose behalf it does.

A process has a SPIFFE-style name, the URI in its certificate (`spiffe://longitude/memory`); a person has an issuer
and a subject (`iss` and `sub` of OpenID Connect Core 1.0, section 2), a name and roles. A person calls through a
process: the command, a door, or a service that passes the person's token on.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from contracts.errors import UnauthenticatedError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the issuer's token says."""

    issuer: str
    subject: str
    name: str
    roles: frozenset[str]
    # What the token was given for (RFC 8693, `scope`), and the patient that a launch of SMART named; of use to doors.
    scopes: frozenset[str] = frozenset()
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `process` is the name in the certificate; `person` is None where a process calls for itself."""

    process: str
    person: Person | None = None


_CALLER: ContextVar[Principal | None] = ContextVar("caller", default=None)


def caller() -> Principal:
    """Who made the call that is being answered. UnauthenticatedError outside a call, and where nobody is known."""
    principal = _CALLER.get()
    if principal is None:
        raise UnauthenticatedError("nobody is known to call")
    return principal


def known_caller() -> Principal | None:
    """The same; None for work that answers no call."""
    return _CALLER.get()


@contextmanager
def called_by(principal: Principal) -> Iterator[None]:
    """What runs inside answers a call of `principal`."""
    with within(_CALLER, principal):
        yield


@contextmanager
def within(variable: ContextVar[T], value: T) -> Iterator[None]:
    """The variable of a call has this value inside."""
    token = variable.set(value)
    try:
        yield
    finally:
        # A stream whose caller went away is closed in another context.
        with suppress(ValueError):
            variable.reset(token)
