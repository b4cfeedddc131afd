"""The one family of errors: what a failure means to whoever asked, over gRPC and on the bus.

| error | gRPC | on the bus |
|---|---|---|
| `UnavailableError` | UNAVAILABLE | waited for in place, in order, for ever |
| `BusyError` | RESOURCE_EXHAUSTED | the same |
| `InvalidInputError` | INVALID_ARGUMENT | dead letter |
| `NotFoundError` | NOT_FOUND | dead letter |
| `ConflictError` | FAILED_PRECONDITION | dead letter |
| `UnauthenticatedError` | UNAUTHENTICATED | dead letter |
| `DeniedError` | PERMISSION_DENIED | dead letter |
| `PermanentError` | INTERNAL, with a number that the log has | dead letter |

A subclass means what its parent means. Anything outside the family is a bug. The one module that talks to an outside
thing translates that thing's errors into these. Their texts leave the process: never put patient data in them.
"""

from typing import ClassVar


class LongitudeError(Exception):
    """The family's root: catch it, raise one of those below."""

    # Name of the gRPC status that the caller of an RPC gets.
    status: ClassVar[str] = "INTERNAL"


class UnavailableError(LongitudeError):
    """Something this needs cannot be reached, is late or is overrun: a database, Triton, the network. Ask again."""

    status = "UNAVAILABLE"


class BusyError(UnavailableError):
    """A bound of this process is reached; ask again later."""

    status = "RESOURCE_EXHAUSTED"


class PermanentError(LongitudeError):
    """Asking again cannot help. Raised as itself, its text is a short class such as `undecodable`."""

    # The class under which the bus counts it among the dead letters; where it is empty, the text is the class.
    kind: ClassVar[str] = ""

    @property
    def reason(self) -> str:
        """A short class, never patient data."""
        return self.kind or str(self)


class InvalidInputError(PermanentError):
    """The request can never succeed as it is."""

    status = "INVALID_ARGUMENT"
    kind = "invalid-input"


class NotFoundError(PermanentError):
    """What was asked for is not there."""

    status = "NOT_FOUND"
    kind = "not-found"


class ConflictError(PermanentError):
    """The state does not allow it (already reviewed, ...)."""

    status = "FAILED_PRECONDITION"
    kind = "conflict"


class UnauthenticatedError(PermanentError):
    """Nobody is known to ask, or not who they say they are."""

    status = "UNAUTHENTICATED"
    kind = "unauthenticated"


class DeniedError(PermanentError):
    """Who asks is known, and may not."""

    status = "PERMISSION_DENIED"
    kind = "denied"
