"""How a process connects to Kafka: mutual TLS, and a user by SASL (SCRAM, RFC 5802, with SHA-512 as Kafka has it).

`LONGITUDE_KAFKA_USER` and `LONGITUDE_KAFKA_PASSWORD` name the user; without them the broker takes the name from
the certificate. `LONGITUDE_PLAINTEXT=true`, or `LONGITUDE_KAFKA_PLAINTEXT=true` for Kafka alone, does without both.
Files that change are read at the next connection.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from contracts.tls import Tls, TlsError

_USER, _PASSWORD = "LONGITUDE_KAFKA_USER", "LONGITUDE_KAFKA_PASSWORD"
_PLAINTEXT = "LONGITUDE_KAFKA_PLAINTEXT"
MECHANISM = "SCRAM-SHA-512"


class KafkaAccessError(TlsError):
    """A user without a password; the text names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """What one shows a broker; nothing where plain text is spoken."""

    context: ssl.SSLContext | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """As the variables say. TlsError, KafkaAccessError: what they name is not there."""
        if variables.get(_PLAINTEXT, "").lower() == "true" or (tls := Tls.of(variables)) is None:
            return cls()
        if not (user := variables.get(_USER, "")):
            return cls(tls.of_client())
        if not (password := variables.get(_PASSWORD, "")):
            raise KafkaAccessError(f"{_PASSWORD}: set it to the password of {_USER}")
        return cls(tls.of_client(), user, password)

    def options(self) -> dict[str, Any]:
        """Of aiokafka's clients."""
        if self.context is None:
            return {}
        tls = {"security_protocol": "SASL_SSL" if self.user else "SSL", "ssl_context": self.context}
        if not self.user:
            return tls
        names = {"sasl_plain_username": self.user, "sasl_plain_password": self.password}
        return {**tls, **names, "sasl_mechanism": MECHANISM}


def reaching(bootstrap: str, variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Options of aiokafka's clients for the broker at `host:port`, as the variables say: this process's, or others."""
    return {"bootstrap_servers": bootstrap, **KafkaAccess.of(variables).options()}
