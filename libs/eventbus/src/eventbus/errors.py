"""The two ways in which handling an event can fail on purpose. Anything else that escapes a handler is a bug."""


class TransientError(Exception):
    """Something to wait for: a database, Triton, the network. The event is tried again, in order, for ever."""


class PermanentError(Exception):
    """The event can never be handled. It goes to the dead letters under this reason class.

    `reason` is a short class such as `undecodable`, never patient data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
