"""Puts a backup in place of a deployment whose services do not run. All of it is checked before anything goes.

From the first change to the last a mark stands in PostgreSQL (schema `longitude_restoring`), with which no service that
owns tables starts: what was begun and killed is begun again, from nothing.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
from aiokafka import TopicPartition

from backup import keys, manifest, postgres, vectors, witness
from backup.errors import BackupError
from backup.kafka import Broker
from backup.manifest import Manifest
from backup.objects import Store, open_store
from backup.records import Record, decode
from backup.sealing import Key, open_sealed, read_passphrase
from backup.settings import PassphraseSettings, Settings
from backup.taking import DATABASE, DERIVED_BUCKETS, KEYS, Say, kafka_file, objects_file


def verify(settings: PassphraseSettings, folder: Path) -> tuple[Manifest, Key]:
    """The manifest of a whole backup that this passphrase opens, and the key; BackupError otherwise.

    No server is asked.
    """
    stated = manifest.read(folder)
    key = Key(read_passphrase(settings.backup_passphrase_file), bytes.fromhex(stated.salt))
    stated.require(key)
    manifest.require_whole(folder, stated)
    return stated, key


def unpack_keys(settings: PassphraseSettings, folder: Path, into: Path) -> None:
    """Write keys, certificates and passwords below a folder."""
    _, key = verify(settings, folder)
    with open_sealed(folder / KEYS, key, KEYS) as source:
        keys.unpack(source, into)


def restore(settings: Settings, folder: Path, say: Say, *, replace: bool = False, after_loss: bool = False) -> Manifest:
    """Make the deployment what it was at the backup's moment; BackupError says what is in the way.

    `replace`: what is there goes. `after_loss`: leaves of the audit log that a witness saw are given up.
    """
    stated, key = verify(settings, folder)
    dsn, broker, store = str(settings.postgres), Broker(settings.kafka), open_store(settings)
    with postgres.connected(dsn) as connection:
        _require_rest(connection, broker)
        if not replace and not postgres.is_restoring(connection):
            _require_nothing(connection, broker, store)
        if not after_loss:
            require_told(stated, settings.witnesses.split())
        postgres.begin(connection)
    _clear(stated, broker, store, settings)
    with open_sealed(folder / DATABASE, key, DATABASE) as source:
        postgres.load(dsn, source)
    say(f"PostgreSQL: {len(stated.tables)} tables")
    asyncio.run(_load_topics(stated, key, folder, broker))
    say(f"Kafka: {len(stated.topics)} topics")
    for bucket, count in stated.buckets.items():
        name = objects_file(bucket)
        with open_sealed(folder / name, key, name) as source:
            _same(bucket, store.load(bucket, source), count)
    say(f"objects: {len(stated.buckets)} buckets")
    with postgres.connected(dsn) as connection:
        _same("PostgreSQL", postgres.count(connection), stated.tables)
        postgres.end(connection)
    return stated


def _require_rest(connection: psycopg.Connection[Any], broker: Broker) -> None:
    if users := postgres.users(connection):
        raise BackupError(f"stop the services first: connected to PostgreSQL are {', '.join(users)}")
    if members := asyncio.run(broker.members()):
        raise BackupError(f"stop the services first: Kafka has members of {', '.join(members)}")


def _require_nothing(connection: psycopg.Connection[Any], broker: Broker, store: Store) -> None:
    there = sorted(postgres.count(connection))
    there += asyncio.run(_filled_topics(broker))
    there += [bucket for bucket in store.buckets() if not store.is_empty(bucket)]
    if there:
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        raise BackupError(f"something is there: {', '.join(there[:5])}{more}; --replace gives it up")


async def _filled_topics(broker: Broker) -> list[str]:
    _, ends = await broker.bounds(await broker.topics())
    return sorted({place.topic for place, end in ends.items() if end})


def require_told(stated: Manifest, witnesses: Sequence[str]) -> None:
    """BackupError where a witness saw leaves that the backup does not have: a log that goes on from less is another."""
    for url in witnesses if stated.log else ():
        assert stated.log is not None
        if (seen := witness.seen(url, stated.log)) > stated.log.size:
            raise BackupError(
                f"the witness at {url} saw {seen} leaves of the audit log, and the backup has {stated.log.size}: what "
                "came between is lost, whoever verified it will see that the log was cut back, and the witness cosigns "
                "no more until its keeper sets it back; --after-loss goes on"
            )


def _clear(stated: Manifest, broker: Broker, store: Store, settings: Settings) -> None:
    asyncio.run(broker.make_empty(stated.topics))
    for bucket in store.buckets():
        if bucket in stated.buckets or bucket in DERIVED_BUCKETS:
            store.clear(bucket)
    if settings.qdrant.startswith("http"):
        vectors.clear(vectors.connect(settings.qdrant, settings.qdrant_api_key.get_secret_value()))


async def _load_topics(stated: Manifest, key: Key, folder: Path, broker: Broker) -> None:
    async with broker.writing() as writer:
        for one in stated.partitions:
            if one.end:
                records = _records(folder, key, kafka_file(one.topic, one.partition))
                end = await writer.load(TopicPartition(one.topic, one.partition), one.start, records)
                _same(f"{one.topic}/{one.partition}", end, one.end)
    for group, places in stated.groups.items():
        await broker.commit(group, places)


def _records(folder: Path, key: Key, name: str) -> Iterator[Record]:
    """None where all were deleted by retention."""
    if (folder / name).exists():
        with open_sealed(folder / name, key, name) as sealed:
            yield from decode(cast("BinaryIO", gzip.GzipFile(fileobj=sealed, mode="rb")))


def _same(what: str, restored: object, stated: object) -> None:
    if restored != stated:
        raise BackupError(f"{what}: what was restored is not what the manifest states")
