"""Who comes into the stack's PostgreSQL, asked of the server itself."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
import pytest
from contracts.servers import database
from native_stack import Stack, authority

MEMORY, AUDITING = "LONGITUDE_POSTGRES_MEMORY_SERVICE", "LONGITUDE_POSTGRES_AUDITING_SERVICE"
OWNER, SUPERUSER = "LONGITUDE_POSTGRES_MEMORY", "LONGITUDE_POSTGRES_POSTGRES"
ROLES = {MEMORY: "memory_service", AUDITING: "auditing_service", OWNER: "memory", SUPERUSER: "postgres"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """With certificates of its own."""
    made = Stack(tmp_path / "stack")
    made.up(parts=["postgres"], free_ports=True, owned=True)
    yield made
    made.down()


@pytest.fixture(scope="module")
def lines(new_stack: Callable[..., Stack]) -> dict[str, str]:
    return new_stack(("postgres",)).endpoints()


def instead(dsn: str, **parameters: str) -> str:
    parts = urlsplit(dsn)
    return parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | parameters, safe="/")).geturl()


def is_refused(dsn: str, why: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=why):
        psycopg.connect(dsn).close()


def test_everybody_comes_in_as_who_they_are_and_by_tls(lines: dict[str, str]) -> None:
    for line, role in ROLES.items():
        with psycopg.connect(lines[line]) as connection:
            shown = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.execute(shown).fetchone() == (role, True)


@pytest.mark.parametrize("line", [MEMORY, OWNER, SUPERUSER])
def test_nobody_comes_in_by_plain_text_or_without_a_certificate(lines: dict[str, str], line: str) -> None:
    is_refused(instead(lines[line], sslmode="disable"), "no encryption")
    is_refused(instead(lines[line], sslcert="", sslkey=""), "certificate")


def test_a_service_is_nobody_else_whatever_it_knows(lines: dict[str, str]) -> None:
    """Its certificate is good for its own role, and for no other with or without that one's password."""
    own = dict(parse_qsl(urlsplit(lines[AUDITING]).query))
    is_refused(instead(lines[MEMORY], **own), "certificate authentication failed")
    for line in (OWNER, SUPERUSER):
        login = urlsplit(lines[line])
        role = f"{login.username}@{login.hostname}:{login.port}"
        is_refused(instead(login._replace(netloc=role).geturl(), **own), "password")


def test_a_certificate_of_another_authority_is_nobody(lines: dict[str, str], tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory", "command"])
    for line, name in ((MEMORY, "memory"), (SUPERUSER, "command")):
        files = authority.settings(tmp_path, name)
        shown = {"sslcert": files["LONGITUDE_TLS_CERTIFICATE"], "sslkey": files["LONGITUDE_TLS_KEY"]}
        is_refused(instead(lines[line], **shown), "unknown ca|unknown_ca|certificate")


def test_a_server_of_another_authority_or_name_is_not_spoken_to(lines: dict[str, str], tmp_path: Path) -> None:
    authority.issue(tmp_path, ["postgres"])
    is_refused(instead(lines[SUPERUSER], sslrootcert=str(tmp_path / "authority.pem")), "verify failed")
    elsewhere = lines[SUPERUSER].replace("@127.0.0.1:", "@postgres.example.org:")
    is_refused(instead(elsewhere, hostaddr="127.0.0.1"), "does not match host name")


def test_less_than_verified_is_refused_before_it_is_tried(lines: dict[str, str]) -> None:
    assert database(lines[MEMORY]) == lines[MEMORY]
    with pytest.raises(Exception, match="sslmode must be verify-full"):
        database(instead(lines[MEMORY], sslmode="require"))


def test_a_renewed_certificate_of_the_server_is_shown_without_a_restart(stack: Stack) -> None:
    dsn, certificates = stack.endpoints()[SUPERUSER], stack.layout.certificates
    before = _shown(dsn)
    with psycopg.connect(dsn) as open_before:
        (certificates / "postgres.pem").unlink()
        authority.issue(certificates, ["postgres"])
        with psycopg.connect(dsn) as connection:
            connection.execute("SELECT pg_reload_conf()")
        for _try in range(50):
            if (after := _shown(dsn)) != before:
                break
        renewed = ssl.PEM_cert_to_DER_cert((certificates / "postgres.pem").read_text())
        assert after == renewed
        assert open_before.execute("SELECT 1").fetchone() == (1,)


def _shown(dsn: str) -> bytes:
    """The server's certificate, by TLS at once (ALPN `postgresql`)."""
    files = dict(parse_qsl(urlsplit(dsn).query))
    context = ssl.create_default_context(cafile=files["sslrootcert"])
    context.set_alpn_protocols(["postgresql"])
    context.load_cert_chain(files["sslcert"], files["sslkey"])
    place = urlsplit(dsn)
    with (
        socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as opened,
        context.wrap_socket(opened, server_hostname="127.0.0.1") as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""
