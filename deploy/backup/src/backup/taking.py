"""Takes a backup of what runs. The order is what makes it consistent (README.md says why):

keys; then how far consumers are; the ends of the topics; the snapshot of PostgreSQL, which is the backup's moment; the
ends of the topics again; then, at leisure, what the snapshot has, the topics up to those ends, and the objects.
"""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from aiokafka import TopicPartition
from contracts.topics import TOPICS, owner_of

from backup import keys, manifest, postgres
from backup.errors import BackupError
from backup.kafka import Broker, Offsets
from backup.manifest import File, Manifest, Partition, Place, Topic
from backup.objects import open_store
from backup.records import Record, encode
from backup.sealing import SALT_BYTES, Key, SealedWriter, read_passphrase
from backup.settings import Settings

Say = Callable[[str], None]
# The log's tiles follow from auditing's tables; auditing writes them again where they are missing.
DERIVED_BUCKETS = frozenset({"auditing-log"})
# Published from rows that are deleted then: an outbox never knew them.
_LOOKS = frozenset(topic.name for topic in TOPICS if "look" in topic.payload.DESCRIPTOR.fields_by_name)
KEYS, DATABASE = "keys", "postgres"


def objects_file(bucket: str) -> str:
    """Where the objects of a bucket lie."""
    return f"objects/{bucket}"


def kafka_file(topic: str, partition: int) -> str:
    """Where the records of a partition lie."""
    return f"kafka/{topic}.{partition}"


@dataclass(slots=True)
class _Target:
    """The folder that is filled."""

    folder: Path
    key: Key
    files: list[File] = field(default_factory=list)

    @contextmanager
    def new(self, name: str) -> Iterator[BinaryIO]:
        with SealedWriter(self.folder / name, self.key, name) as sealed:
            yield cast("BinaryIO", sealed)
        self.files.append(File(name=name, size=sealed.size, sha256=sealed.sha256))


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where each partition begins and ends, and which offsets before that are of the time after the snapshot."""

    topics: Mapping[str, Topic]
    starts: Offsets
    ends: Offsets
    left_out: Mapping[TopicPartition, frozenset[int]]


def take(settings: Settings, folder: Path, say: Say) -> Manifest:
    """Fill a folder that is new or empty; BackupError leaves it without a manifest, which is no backup."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder}: is not empty; name a new folder")
    postgres.check(str(settings.postgres))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    salt = secrets.token_bytes(SALT_BYTES)
    target = _Target(folder, Key(read_passphrase(settings.backup_passphrase_file), salt))
    dsn, broker, store = str(settings.postgres), Broker(settings.kafka), open_store(settings)

    with target.new(KEYS) as sink:
        if settings.backup_keys is not None:
            number = keys.capture(settings.backup_keys, settings.backup_key_files.split(), sink)
            say(f"{number} files of keys")
    groups, before = asyncio.run(_before(broker))
    with postgres.snapshot(dsn) as snapshot:
        cut = asyncio.run(_cut(broker, before, snapshot))
        say(f"the moment is {snapshot.moment.isoformat()}")
        with target.new(DATABASE) as sink:
            snapshot.dump(sink)
        tables, head = snapshot.tables(), snapshot.head()
        moment, version = snapshot.moment.isoformat(), snapshot.version
    say(f"PostgreSQL: {len(tables)} tables, {sum(tables.values())} rows")
    partitions = asyncio.run(_topics(broker, cut, target))
    say(f"Kafka: {len(cut.topics)} topics, {sum(p.end - p.start for p in partitions)} records")
    buckets = {}
    for bucket in store.buckets():
        if bucket not in DERIVED_BUCKETS:
            with target.new(objects_file(bucket)) as sink:
                buckets[bucket] = store.capture(bucket, sink)
    say(f"objects: {len(buckets)} buckets, {sum(b.objects for b in buckets.values())} objects")

    whole = Manifest(
        format=manifest.FORMAT,
        platform=manifest.platform(),
        moment=moment,
        postgres=version,
        salt=salt.hex(),
        files=target.files,
        tables=tables,
        topics=dict(cut.topics),
        partitions=partitions,
        groups=groups,
        buckets=buckets,
        log=head,
    ).sealed(target.key)
    manifest.write(folder, whole)
    return whole


async def _before(broker: Broker) -> tuple[dict[str, list[Place]], Offsets]:
    """Positions first: what lies before them has its effect in the snapshot that follows."""
    return await broker.groups(), (await broker.bounds(await broker.topics()))[1]


async def _cut(broker: Broker, before: Offsets, snapshot: postgres.Snapshot) -> _Cut:
    """Everything that the snapshot rests on lies before these ends.

    An event that came between, of a service that keeps its events in an outbox, and that the snapshot does not know,
    follows from what happened after the snapshot: it is left out, since what it tells of is not there.
    """
    topics = await broker.topics()
    starts, ends = await broker.bounds(topics)
    unsure: dict[str, list[tuple[TopicPartition, int, str]]] = {}
    async with broker.reading() as reader:
        for place, end in ends.items():
            offset = before.get(place, 0)
            if place.topic in _LOOKS or offset == end:
                continue
            async for record in reader.records(place, offset, end):
                unsure.setdefault(owner_of(place.topic), []).append((place, offset, _event_id(record)))
                offset += 1
    left_out: dict[TopicPartition, set[int]] = {}
    for owner, events in unsure.items():
        known = snapshot.published(owner, {event_id for _, _, event_id in events})
        for place, offset, event_id in events:
            if known is not None and event_id and event_id not in known:
                left_out.setdefault(place, set()).add(offset)
    return _Cut(topics, starts, ends, {place: frozenset(offsets) for place, offsets in left_out.items()})


def _event_id(record: Record) -> str:
    return next((value.decode(errors="replace") for name, value in record.headers if name == "ce_id"), "")


async def _topics(broker: Broker, cut: _Cut, target: _Target) -> list[Partition]:
    taken = []
    async with broker.reading() as reader:
        for place, end in cut.ends.items():
            start, left_out = cut.starts[place], cut.left_out.get(place, frozenset())
            if start < end:
                with (
                    target.new(kafka_file(place.topic, place.partition)) as sealed,
                    gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=1, mtime=0) as sink,
                ):
                    await _write(reader.records(place, start, end), start, left_out, sink)
            span = {"start": start, "end": end - len(left_out), "left_out": len(left_out)}
            taken.append(Partition(topic=place.topic, partition=place.partition, **span))
    return taken


async def _write(records: AsyncIterator[Record], first: int, left_out: frozenset[int], sink: gzip.GzipFile) -> None:
    offset = first
    async for record in records:
        if offset not in left_out:
            sink.write(encode(record))
        offset += 1
