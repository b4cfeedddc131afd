"""The servers of one test session: started when a test first asks, stopped at the end whatever happened.

Each runs in a stack of its own, so that a test that needs Kafka pays for Kafka only. Triton takes longest to start and
keeps nothing: stacks that do not kill it share one. The stacks are owned by the test
process: if that is killed, they end too.
"""

import shutil
import uuid
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psycopg
import tritonclient.grpc as triton
from contracts.triton import control
from manifests import read_services
from manifests.grants import COMMAND
from native_stack import Stack
from psycopg import sql
from servicekit import migrate
from tritonclient.utils import InferenceServerException

from testkit.calls import tls

_MODEL_LOADS_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class ObjectStorage:
    """An S3 endpoint (`host:port`, by TLS) and the keys of who may do everything there."""

    endpoint: str
    access_key: str
    secret_key: str


class Backends:
    """A context manager; every method starts what it needs at its first call."""

    def __init__(self, directory: Path, certificates: Path) -> None:
        """`directory` receives a folder for each server; logs stay there, data goes at the end."""
        self._directory, self._certificates = directory, certificates
        self._servers: dict[str, dict[str, str]] = {}
        self._models: set[str] = set()
        self._stacks: list[Stack] = []

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what was started, all at once: each waits for servers of its own."""
        self.discard(*self._stacks)

    @property
    def issuer(self) -> dict[str, str]:
        """The variables of the issuer that every stack of the session trusts, with who the tests are."""
        return self._server("issuer")

    def kafka(self) -> str:
        """The bootstrap address of a broker that has every topic of the system."""
        return self._server("kafka")["LONGITUDE_KAFKA"]

    def new_database(self, service: str = "") -> str:
        """The DSN of a fresh, empty database, as who owns the server; or of one with the tables of a service, as it."""
        lines = self._server("postgres")
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(lines["LONGITUDE_POSTGRES_POSTGRES"], autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            if not service:
                return _in(name, lines["LONGITUDE_POSTGRES_POSTGRES"])
            role = read_services()[service].role
            # As in the stack's own database.
            for rights in (
                "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
                "GRANT CONNECT, CREATE ON DATABASE {database} TO {owner}",
                "GRANT CONNECT ON DATABASE {database} TO {role}",
            ):
                names = {"database": name, "owner": service, "role": role}
                made = {key: sql.Identifier(value) for key, value in names.items()}
                connection.execute(sql.SQL(rights).format(**made))
        migrate(_in(name, lines[f"LONGITUDE_POSTGRES_{service.upper()}"]), service, service, role)
        return _in(name, lines[f"LONGITUDE_POSTGRES_{role.upper()}"])

    def owner_of(self, database: str) -> str:
        """The DSN of a database as who owns the server, and so may do everything."""
        return _in(database, self._server("postgres")["LONGITUDE_POSTGRES_POSTGRES"])

    def objects(self) -> ObjectStorage:
        """An S3 store."""
        lines = self._server("objects")
        keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
        return ObjectStorage(lines["LONGITUDE_OBJECTS"], *keys)

    def triton(self, *models: str) -> str:
        """The gRPC address of a Triton that has `models` loaded, and those that others asked for."""
        lines = self._server("triton", models=())
        for model in set(models) - self._models:
            _load(lines["LONGITUDE_TRITON"], model)
            self._models.add(model)
        return lines["LONGITUDE_TRITON"]

    def new_stack(
        self,
        parts: Collection[str] | None = None,
        models: Collection[str] | None = None,
        elsewhere: Mapping[str, str] | None = None,
    ) -> Stack:
        """A stack of its own, up and on free ports, stopped at the end; `elsewhere` is what it shares (Stack.up)."""
        stack = Stack(self._directory / f"stack-{uuid.uuid4().hex[:8]}", self._certificates)
        self._stacks.append(stack)
        shared = {"issuer": urlsplit(self.issuer["LONGITUDE_ISSUER"]).netloc} if parts != ("issuer",) else {}
        # Tests act as any service on Kafka, and forget members of its groups.
        stack.up(
            parts=parts,
            models=models,
            free_ports=True,
            owned=True,
            elsewhere=shared | dict(elsewhere or {}),
            trusted=(COMMAND,),
        )
        return stack

    def discard(self, *stacks: Stack) -> None:
        """Stop these, all at once, and drop their data."""
        with ThreadPoolExecutor(max(len(stacks), 1)) as pool:
            list(pool.map(_discard, stacks))
        self._stacks = [each for each in self._stacks if each not in stacks]

    def _server(self, part: str, models: Collection[str] | None = None) -> dict[str, str]:
        if part not in self._servers:
            self._servers[part] = self.new_stack((part,), models).endpoints()
        return self._servers[part]


def _in(database: str, dsn: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


def _discard(stack: Stack) -> None:
    stack.down()
    shutil.rmtree(stack.layout.directory / "data", ignore_errors=True)


def _load(endpoint: str, model: str) -> None:
    with triton.InferenceServerClient(endpoint, creds=tls().client()) as client:
        try:
            client.load_model(model, headers=control(), client_timeout=_MODEL_LOADS_WITHIN_S)
        except InferenceServerException as error:
            raise RuntimeError(f"Triton does not load {model}: {error.message()}") from None
