"""Settings of the gateway."""

from pathlib import Path
from typing import Annotated

from contracts.tls import Tls
from pydantic import AfterValidator, Field, model_validator
from servicekit.settings import Endpoint, ServiceSettings
from servicekit.tokens import check_url


class Settings(ServiceSettings):
    """What the gateway is told, beyond what every service is."""

    memory: Endpoint
    reasoning: Endpoint
    https_listen: Endpoint
    # PEM files of the server's certificate; empty: this process's own. With LONGITUDE_PLAINTEXT and none: plain HTTP.
    https_certificate: str = ""
    https_key: str = ""
    # What clients know this door by, such as https://record.example.org; empty: as each request names it.
    https_url: Annotated[str, AfterValidator(lambda url: check_url(url).rstrip("/") if url else "")] = ""
    # Connections at a time, requests that are answered at a time, and how long each may take, in seconds.
    https_connections: Annotated[int, Field(ge=1, le=10_000)] = 256
    https_requests: Annotated[int, Field(ge=1, le=10_000)] = 32
    https_request_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    # How long the line and the headers of a request may take to come, in seconds, and how big they may be, in bytes.
    https_header_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    https_header_bytes: Annotated[int, Field(ge=4096, le=1024 * 1024)] = 32 * 1024
    # Origins of web pages that may call the services of CDS Hooks, with commas between them; empty: none may.
    cds_origins: Annotated[str, Field(pattern=r"^(https?://[^/,\s]+(,https?://[^/,\s]+)*)?$")] = ""

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> "Settings":
        if bool(self.https_certificate) != bool(self.https_key):
            raise ValueError("LONGITUDE_HTTPS_CERTIFICATE and LONGITUDE_HTTPS_KEY go together")
        return self

    @property
    def certificate(self) -> Tls | None:
        """What the door shows itself with; None: plain HTTP."""
        if self.https_certificate:
            certificate = Path(self.https_certificate)
            return Tls(certificate, Path(self.https_key), certificate)
        if self.plaintext:
            return None
        return Tls(Path(self.tls_certificate), Path(self.tls_key), Path(self.tls_authority))
