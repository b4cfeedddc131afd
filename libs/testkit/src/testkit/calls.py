"""gRPC channels of tests, with the certificate that the session speaks with."""

import os

import grpc
from contracts.tls import Tls


def tls() -> Tls:
    """What this process shows itself with."""
    made = Tls.of(os.environ)
    assert made is not None, "tests speak mutual TLS"
    return made


def open_channel(endpoint: str) -> grpc.Channel:
    """A channel that blocks."""
    return grpc.secure_channel(endpoint, tls().client())
