"""Errors with a meaning for the caller of an RPC. Their texts leave the process: never put patient data in them."""


class NotFoundError(Exception):
    """What was asked for is not there. gRPC NOT_FOUND."""


class InvalidInputError(Exception):
    """The request can never succeed as it is. gRPC INVALID_ARGUMENT."""


class ConflictError(Exception):
    """The state does not allow it (already reviewed, ...). gRPC FAILED_PRECONDITION."""


class BusyError(Exception):
    """A bound is reached; ask again later. gRPC RESOURCE_EXHAUSTED."""


class UnavailableError(Exception):
    """Something this needs cannot be reached; ask again. gRPC UNAVAILABLE."""
