"""Settings from the environment: `LONGITUDE_<FIELD>`, checked at start, frozen.

A wrong or missing variable ends the process with exit code 78 (EX_CONFIG, sysexits.h) and a line that names the
variable and the fix; values are never repeated, since some are secrets.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, TypeVar

from contracts.kafka import KafkaAccess
from contracts.servers import database, https
from contracts.tls import Tls, TlsError
from pydantic import AfterValidator, Field, PostgresDsn, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.tokens import check_url

PREFIX = "LONGITUDE_"
EX_CONFIG = 78


def _host_and_port(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not (separator and host and port.isdecimal() and 0 <= int(port) <= 65535):
        raise ValueError("must be host:port, such as 127.0.0.1:9092")
    return text


Endpoint = Annotated[str, AfterValidator(_host_and_port)]


class FromEnvironment(BaseSettings):
    """What every class of settings is."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)


class IdentitySettings(FromEnvironment):
    """Who calls, how much of one person is answered, and how a process shows itself."""

    # Mutual TLS: this process's certificate, its key and the authority, PEM files; or plain text (contracts.tls).
    tls_certificate: str = ""
    tls_key: str = ""
    tls_authority: str = ""
    plaintext: bool = False
    # The OpenID Connect provider of people, whom its tokens are for, and the claim with roles; empty: no person calls.
    issuer: Annotated[str, AfterValidator(lambda url: check_url(url) if url else "")] = ""
    audience: str = "longitude"
    roles_claim: str = "roles"
    # Whether callers may list the RPCs.
    reflection: bool = False
    # Calls of one person (servicekit.limits): a second, and after a rest; 0 a second: no limit.
    calls_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 100.0
    calls_at_once: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    # Different patients at whom one person looks, by name, within so many seconds; 0: nobody counts. A further one is
    # marked in its look, and is refused where a setting says so.
    patients_most: Annotated[int, Field(ge=0, le=10_000)] = 100
    patients_seconds: Annotated[int, Field(ge=1, le=7 * 86_400)] = 3_600
    patients_refused: bool = False


class ServiceSettings(IdentitySettings):
    """What every service is told."""

    # Kafka bootstrap server, and who this process is there (contracts.kafka).
    kafka: Endpoint
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_plaintext: bool = False
    # Where this process listens: gRPC, and HTTP for /healthz, /readyz and /metrics.
    grpc_listen: Endpoint
    http_listen: Endpoint
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    # Spans go to this file as JSON lines, to an OTLP collector, or nowhere.
    trace_file: str = ""
    otlp_endpoint: str = ""
    # Longest time for requests under way to end after SIGTERM, in seconds.
    shutdown_grace: Annotated[float, Field(gt=0, le=600)] = 20.0


def _by_tls(address: PostgresDsn) -> PostgresDsn:
    try:
        return PostgresDsn(database(str(address)))
    except TlsError as error:
        raise ValueError(str(error)) from None


class PostgresSettings(FromEnvironment):
    """Mix-in of services that own tables."""

    # postgresql://user:password@host:port/database; by TLS (contracts.servers).
    postgres: Annotated[PostgresDsn, AfterValidator(_by_tls)]
    postgres_authority: str = ""
    postgres_plaintext: bool = False


def _qdrant(text: str) -> str:
    scheme, separator, place = text.partition(":")
    if separator and scheme == "edge" and Path(place).is_absolute():
        return text
    if not (separator and place and scheme in ("http", "https")):
        raise ValueError("must be https://host:port of a Qdrant server, or edge:/folder for the engine in this process")
    if scheme == "http":
        try:
            by_tls = https("QDRANT") is not None
        except TlsError as error:
            raise ValueError(str(error)) from None
        if by_tls:
            raise ValueError("must be https://...; LONGITUDE_QDRANT_PLAINTEXT=true does without TLS")
    return text


# Where vectors are kept: a server, by TLS (contracts.servers), or a folder.
QdrantUrl = Annotated[str, AfterValidator(_qdrant)]


class ObjectStoreSettings(FromEnvironment):
    """Mix-in of services that own a bucket."""

    # host:port of the S3 endpoint; by TLS (contracts.servers).
    objects: Endpoint
    objects_access_key: SecretStr
    objects_secret_key: SecretStr
    objects_authority: str = ""
    objects_plaintext: bool = False


S = TypeVar("S", bound=FromEnvironment)


def load(settings: type[S]) -> S:
    """Read the environment or end the process with a line per wrong variable."""
    wrong = _wrong_identity() if issubclass(settings, IdentitySettings) else []
    try:
        loaded = settings()
        if not wrong:
            return loaded
    except ValidationError as error:
        wrong += [_line(item) for item in error.errors()]
    print("\n".join(wrong), file=sys.stderr)  # noqa: T201 - before logging exists
    raise SystemExit(EX_CONFIG)


def _wrong_identity() -> list[str]:
    try:
        Tls.of(os.environ)
        KafkaAccess.of(os.environ)
    except TlsError as error:
        return [str(error)]
    return []


def _line(item: ErrorDetails) -> str:
    name = PREFIX + "_".join(str(part) for part in item["loc"]).upper()
    return f"{name}: " + ("set it; it has no default" if item["type"] == "missing" else item["msg"])
