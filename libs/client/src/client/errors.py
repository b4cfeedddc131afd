"""What can go wrong for a user, each in one line that says what to do."""


class ClientError(Exception):
    """A request that did not succeed. Its text is for the person who asked."""


class UnreachableError(ClientError):
    """Nothing answers at an endpoint."""


class NotThereError(ClientError):
    """What was asked for is not known."""


class RefusedError(ClientError):
    """The service understood and said no."""


class VerificationError(ClientError):
    """A proof does not hold: what was shown is not what was logged."""
