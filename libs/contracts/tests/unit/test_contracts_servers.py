"""Whom a process trusts of those that keep its data, and where plain text is spoken."""

from pathlib import Path

import pytest
from contracts.servers import database, https
from contracts.tls import TlsError

ADDRESS = "postgresql://memory_service@database:5432/longitude"


def test_plain_text_among_processes_is_plain_text_to_a_server_without_an_authority() -> None:
    assert https("OBJECTS", {"LONGITUDE_PLAINTEXT": "true"}) is None
    assert database(ADDRESS, {"LONGITUDE_PLAINTEXT": "true"}) == ADDRESS


@pytest.mark.parametrize("certificate", ["", "/etc/longitude/tls/tls.crt"])
def test_a_named_authority_wins_over_plain_text_among_processes(tmp_path: Path, certificate: str) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("")
    variables = {
        "LONGITUDE_PLAINTEXT": "true",
        "LONGITUDE_POSTGRES_AUTHORITY": str(authority),
        "LONGITUDE_TLS_CERTIFICATE": certificate,
    }
    by_tls = database(ADDRESS, variables)
    assert "sslmode=verify-full" in by_tls
    assert f"sslrootcert={authority}" in by_tls
    # Encryption by Kerberos would be tried first, and TLS then not at all.
    assert "gssencmode=disable" in by_tls
    assert database(ADDRESS, variables | {"LONGITUDE_POSTGRES_PLAINTEXT": "true"}) == ADDRESS


def test_an_authority_that_is_not_there_is_refused_and_named(tmp_path: Path) -> None:
    variables = {"LONGITUDE_PLAINTEXT": "true", "LONGITUDE_OBJECTS_AUTHORITY": str(tmp_path / "none")}
    with pytest.raises(TlsError, match="LONGITUDE_OBJECTS_AUTHORITY"):
        https("OBJECTS", variables)
