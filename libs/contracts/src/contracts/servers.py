"""How a process connects to the servers that keep its data: by TLS, with its own certificate.

Plain text is spoken only where `LONGITUDE_PLAINTEXT=true` names it, or `LONGITUDE_POSTGRES_PLAINTEXT=true` for one server
alone. `LONGITUDE_POSTGRES_AUTHORITY` names the authority of a server that has another one than the processes (PEM); with
it, who has no certificate of its own shows none. Files that change are read at the next connection.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from contracts.tls import Tls, TlsError

_POSTGRES, _VERIFIED = "LONGITUDE_POSTGRES", "verify-full"


def database(address: str, variables: Mapping[str, str] = os.environ) -> str:
    """The address (postgresql://...) with what TLS asks for, where it does not say so itself.

    TlsError: a file is not there, or the address asks for less than that the server's certificate and name are verified.
    """
    if variables.get(f"{_POSTGRES}_PLAINTEXT", "").lower() == "true":
        return address
    files = {}
    if authority := variables.get(f"{_POSTGRES}_AUTHORITY", ""):
        if not Path(authority).is_file():
            raise TlsError(f"{_POSTGRES}_AUTHORITY: must name a file (PEM)")
        files["sslrootcert"] = authority
    if not authority or variables.get("LONGITUDE_TLS_CERTIFICATE"):
        if (tls := Tls.of(variables)) is None:
            return address
        own = {"sslrootcert": str(tls.authority), "sslcert": str(tls.certificate), "sslkey": str(tls.key)}
        files = own | files
    parts = urlsplit(address)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if given.get("sslmode", _VERIFIED) != _VERIFIED:
        raise TlsError(f"sslmode must be {_VERIFIED}; {_POSTGRES}_PLAINTEXT=true does without TLS")
    query = urlencode({"sslmode": _VERIFIED} | files | given, safe="/", quote_via=quote)
    return parts._replace(query=query).geturl()
