"""When to ask again, as clients of gRPC read it: google.rpc.RetryInfo in the trailer `grpc-status-details-bin`."""

from collections.abc import Iterable

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

_TRAILER = "grpc-status-details-bin"


def retry_after(code: grpc.StatusCode, text: str, seconds: float) -> tuple[tuple[str, bytes], ...]:
    """The trailer of an answer that will be another one in so many seconds."""
    status = Status(code=code.value[0], message=text)
    retry = RetryInfo()
    # Never sooner: rounded up to a millisecond.
    retry.retry_delay.FromMilliseconds(int(seconds * 1000) + 1)
    status.details.add().Pack(retry)
    return ((_TRAILER, bytes(status.SerializeToString())),)


def seconds_until_retry(trailer: Iterable[tuple[str, str | bytes]] | None) -> float | None:
    """How many seconds to wait; None where the answer does not say."""
    retry = RetryInfo()
    for key, value in trailer or ():
        if key == _TRAILER and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                if detail.Unpack(retry):
                    return float(retry.retry_delay.ToMilliseconds() / 1000)
    return None
