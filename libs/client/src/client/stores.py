"""Reading the stores to hold them against the log: tables by a role that reads everything and owns nothing, objects.

`LONGITUDE_POSTGRES_VERIFIER` is the address with that role; `LONGITUDE_OBJECTS`, `.._ACCESS_KEY` and `.._SECRET_KEY`
name the object store. Both are by TLS (contracts.servers). A store that is not named is not looked at.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import urllib3
from contracts.servers import database, https
from longitude.record.v1.object_pb2 import ObjectRef
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import BaseHTTPResponse

from client.errors import UnreachableError
from client.verify import tiles
from client.verify.report import Report
from client.verify.stores import TABLES, Expected, digest

LOG_BUCKET = "auditing-log"
_GONE = {"NoSuchKey", "NoSuchBucket", "NoSuchObject"}
_TOGETHER = 8
_PIECE = 1024 * 1024


class Rows:
    """The tables, over one connection for each reading."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Rows | None:
        """None where nobody named the database."""
        dsn = variables.get("LONGITUDE_POSTGRES_VERIFIER", "")
        return cls(database(dsn, variables)) if dsn else None

    async def digests(self, table: str, ids: Sequence[str] | None = None) -> dict[str, bytes]:
        """SHA-256 of each row's bytes by its id; of these ids alone where they are given.

        None where there is no such table. UnreachableError where the database does not answer, or where it is a view,
        which could show anything.
        """
        identifier, column = TABLES[table]
        wanted = "" if ids is None else f"WHERE {identifier}::text = ANY(%s)"
        query = f"SELECT {identifier}::text, {column} FROM ONLY {table} {wanted}"  # noqa: S608 - constants
        try:
            async with await psycopg.AsyncConnection.connect(self._dsn) as connection:
                await connection.set_read_only(True)
                # Who is held by policies gets an error, not the few rows, or none, that they show.
                await connection.execute("SET row_security = off")
                if not await _is_there(connection, table):
                    return {}
                async with connection.cursor("verified") as cursor:
                    await cursor.execute(query.encode(), [] if ids is None else [list(ids)])
                    return {name: digest(bytes(data)) async for name, data in cursor}
        except psycopg.Error as error:
            raise UnreachableError(f"PostgreSQL: {table} cannot be read ({type(error).__name__})") from error


async def _is_there(connection: psycopg.AsyncConnection[Any], table: str) -> bool:
    found = await connection.execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", (table,))
    kind = await found.fetchone()
    if kind is not None and kind[0] != "r":
        raise UnreachableError(f"PostgreSQL: {table} is no table")
    return kind is not None


class Objects:
    """The object store, whichever bucket."""

    def __init__(self, client: Minio) -> None:
        self._client = client

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Objects | None:
        """None where nobody named the store."""
        where = [variables.get(f"LONGITUDE_OBJECTS{name}", "") for name in ("", "_ACCESS_KEY", "_SECRET_KEY")]
        if not all(where):
            return None
        context, timeout = https("OBJECTS", variables), urllib3.Timeout(connect=3, read=20)
        http = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=_TOGETHER, ssl_context=context)
        secure = context is not None
        return cls(Minio(where[0], access_key=where[1], secret_key=where[2], secure=secure, http_client=http))

    async def states(self, references: Iterable[ObjectRef]) -> AsyncIterator[tuple[ObjectRef, str]]:
        """Of each object: `same`, `altered` or `gone`. UnreachableError where the store does not answer."""
        waiting = list(references)
        for start in range(0, len(waiting), _TOGETHER):
            some = waiting[start : start + _TOGETHER]
            for each in await asyncio.gather(*(asyncio.to_thread(self._state, one) for one in some)):
                yield each

    async def read(self, bucket: str, keys: Sequence[str]) -> list[bytes]:
        """Objects by their keys; those that are not there are empty. UnreachableError as for `states`."""
        read: list[bytes] = []
        for start in range(0, len(keys), _TOGETHER):
            some = keys[start : start + _TOGETHER]
            read += await asyncio.gather(*(asyncio.to_thread(self._read, bucket, key) for key in some))
        return read

    def _read(self, bucket: str, key: str) -> bytes:
        with self._opened(bucket, key) as response:
            return bytes(response.data) if response is not None else b""

    def _state(self, reference: ObjectRef) -> tuple[ObjectRef, str]:
        with self._opened(reference.bucket, reference.key) as response:
            if response is None:
                return reference, "gone"
            read = hashlib.sha256()
            for piece in response.stream(_PIECE):
                read.update(piece)
        return reference, "same" if read.hexdigest() == reference.sha256 else "altered"

    @contextmanager
    def _opened(self, bucket: str, key: str) -> Iterator[BaseHTTPResponse | None]:
        """What stands at a key; None where nothing does."""
        try:
            response = self._client.get_object(bucket, key)
        except S3Error as error:
            if error.code not in _GONE:
                raise UnreachableError(f"objects cannot be read ({error.code})") from error
            yield None
            return
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(f"objects cannot be reached ({type(error).__name__})") from error
        try:
            yield response
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(f"objects cannot be reached ({type(error).__name__})") from error
        finally:
            response.close()
            response.release_conn()


@dataclass(frozen=True, slots=True)
class Stores:
    """What is held against the log; None is not looked at."""

    rows: Rows | None = None
    objects: Objects | None = None
    # Where the log's tiles are.
    log_bucket: str = LOG_BUCKET

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Stores:
        """Those that somebody named."""
        bucket = variables.get("LONGITUDE_LOG_BUCKET") or LOG_BUCKET
        return cls(Rows.of(variables), Objects.of(variables), bucket)

    @property
    def unseen(self) -> list[str]:
        """Which are not looked at."""
        return [name for name, store in (("rows", self.rows), ("objects", self.objects)) if store is None]


NOTHING = Stores()


async def compare_tiles(hashes: Sequence[bytes], stores: Stores, report: Report) -> None:
    """Hold the tiles of a tree, hashes and entries, against the hashes of its leaves."""
    if stores.objects is None:
        return
    wanted = dict(tiles.hash_tiles(hashes))
    kept = await stores.objects.read(stores.log_bucket, list(wanted))
    for (place, data), tile in zip(wanted.items(), kept, strict=True):
        _note_tile(report, f"{stores.log_bucket}/{place}", tile, same=tile == data)
    for index, width in tiles.bundles(len(hashes)):
        place = tiles.path("entries", index, width)
        (bundle,) = await stores.objects.read(stores.log_bucket, [place])
        due = list(hashes[index * tiles.WIDTH : index * tiles.WIDTH + width])
        _note_tile(report, f"{stores.log_bucket}/{place}", bundle, same=tiles.hashes_of(bundle) == due)


def _note_tile(report: Report, place: str, data: bytes, *, same: bool) -> None:
    report.tiles += same
    if not same:
        report.problem(f"{place}: the tile is {'altered' if data else 'gone'}")


async def compare(
    expected: Expected, before: Mapping[str, Mapping[str, bytes]], stores: Stores, report: Report
) -> None:
    """Hold the stores against the log. `before` are rows read before Kafka was: their events must be there.

    What those lack of what Kafka had is looked up once more, now that its events were read. Where Kafka has deleted
    records by retention, nobody can say of a row that it was never logged.
    """
    for table, known in before.items():
        assert stores.rows is not None
        late = await stores.rows.digests(table, sorted(expected.tables[table].wanted - known.keys()))
        compared = expected.compare(table, {**known, **late})
        report.rows[table] = compared.same
        _note(report, table, "was altered after it was logged", compared.altered)
        _note(report, table, "was logged and is not there", compared.deleted)
        if report.expired:
            report.untold += len(compared.never_logged)
        else:
            _note(report, table, "was never logged", compared.never_logged)
    if stores.objects is None:
        return
    async for reference, state in stores.objects.states(expected.objects.values()):
        report.objects += state == "same"
        if state != "same":
            report.bad_objects += 1
            report.problem(f"{reference.bucket}/{reference.key}: the object is {state}")


def _note(report: Report, table: str, what: str, ids: Sequence[str]) -> None:
    report.bad_rows += len(ids)
    for identifier in ids:
        report.problem(f"{table} {identifier}: the row {what}")
