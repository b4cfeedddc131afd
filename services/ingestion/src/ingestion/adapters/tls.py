"""TLS for the MLLP listener; with a client authority, only senders that it has certified are served."""

import ssl
from pathlib import Path


def server_context(certificate: str, key: str, client_authority: str) -> ssl.SSLContext | None:
    """None without a certificate: plain TCP. TLS 1.2 or newer (IHE ATNA, BCP 195)."""
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(Path(certificate), Path(key))
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(Path(client_authority))
    return context
