"""How a process connects to what keeps its data, PostgreSQL, S3 and Qdrant: by TLS, with its own certificate.

Plain text is spoken only where `LONGITUDE_POSTGRES_PLAINTEXT=true` (`OBJECTS`, `QDRANT`) names it for one server, or
`LONGITUDE_PLAINTEXT=true` for all whose authority is not named. `LONGITUDE_POSTGRES_AUTHORITY` and the like name the
authority of a server that has another one than the processes (PEM); with it, who has no certificate of its own shows
none. Files that change are read at the next connection.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from contracts.tls import Tls, TlsError

Server = Literal["POSTGRES", "OBJECTS", "QDRANT"]
_VERIFIED = "verify-full"


def database(address: str, variables: Mapping[str, str] = os.environ) -> str:
    """The address (postgresql://...) with what TLS asks for, where it does not say so itself.

    TlsError: a file is not there, or the address asks for less than to verify the server's certificate and name.
    """
    if (files := _files("POSTGRES", variables)) is None:
        return address
    parts = urlsplit(address)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if given.get("sslmode", _VERIFIED) != _VERIFIED:
        raise TlsError(f"sslmode must be {_VERIFIED}; LONGITUDE_POSTGRES_PLAINTEXT=true does without TLS")
    authority, own = files
    wanted = {"sslmode": _VERIFIED, "sslrootcert": str(authority), "gssencmode": "disable"}
    if own:
        wanted |= {"sslcert": str(own.certificate), "sslkey": str(own.key)}
    return parts._replace(query=urlencode(wanted | given, safe="/", quote_via=quote)).geturl()


def https(server: Server, variables: Mapping[str, str] = os.environ) -> ssl.SSLContext | None:
    """For a client of S3 or Qdrant; None in plain text. TlsError: a file is not there."""
    if (files := _files(server, variables)) is None:
        return None
    authority, own = files
    if own:
        return Tls(own.certificate, own.key, authority).of_client()
    return ssl.create_default_context(cafile=authority)


def _files(server: Server, variables: Mapping[str, str]) -> tuple[Path, Tls | None] | None:
    """Whom to trust, and what to show if anything; None in plain text."""
    if variables.get(f"LONGITUDE_{server}_PLAINTEXT", "").lower() == "true":
        return None
    named = variables.get(f"LONGITUDE_{server}_AUTHORITY", "")
    if named and not Path(named).is_file():
        raise TlsError(f"LONGITUDE_{server}_AUTHORITY: must name a file (PEM)")
    if named and not variables.get("LONGITUDE_TLS_CERTIFICATE"):
        return Path(named), None
    own = Tls.of(variables)
    if named:
        # Whoever names an authority means TLS, whatever the processes speak among each other.
        return Path(named), own
    return None if own is None else (own.authority, own)
