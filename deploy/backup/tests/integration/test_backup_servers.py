"""On real Kafka, PostgreSQL and S3: what was taken is put back to the byte and to the offset, whatever is killed."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from backup import postgres, taking
from backup.errors import BackupError
from backup.kafka import Broker
from backup.manifest import Manifest
from backup.restoring import restore, verify
from backup.settings import Settings
from contracts.kafka import reaching
from contracts.topics import MESSAGE_RECEIVED, RECORD_READ, RECORD_UPDATED
from minio import Minio
from native_stack import Stack
from servicekit.migrations import MigrationError, migrate
from servicekit.objects import connect

EVENTS, UPDATED = MESSAGE_RECEIVED.name, RECORD_UPDATED.name
BUCKET, LARGE = "ingestion-raw", os.urandom(3 * 1024 * 1024)
OBJECTS = {
    "a/b c/\u00e9.hl7": (b"MSH|", "application/hl7-v2"),
    "empty": (b"", "text/plain"),
    "large": (LARGE, "image/png"),
}
SAY = list[str]().append

pytestmark = pytest.mark.timeout(200)


@pytest.fixture(scope="module")
def settings(new_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    lines = new_stack(("kafka", "postgres", "objects")).endpoints()
    file = tmp_path_factory.mktemp("passphrase") / "passphrase"
    file.write_text("correct horse battery staple")
    file.chmod(0o600)
    return Settings(
        kafka=lines["LONGITUDE_KAFKA"],
        postgres=lines["LONGITUDE_POSTGRES_POSTGRES"],
        objects=lines["LONGITUDE_OBJECTS"],
        objects_access_key=lines["LONGITUDE_OBJECTS_ACCESS_KEY"],
        objects_secret_key=lines["LONGITUDE_OBJECTS_SECRET_KEY"],
        backup_passphrase_file=file,
    )


def store(settings: Settings) -> Minio:
    keys = (settings.objects_access_key.get_secret_value(), settings.objects_secret_key.get_secret_value())
    return connect(settings.objects, *keys)


async def publish(settings: Settings, topic: str, ids: list[str], partition: int = 0) -> None:
    async with AIOKafkaProducer(**reaching(settings.kafka)) as producer:
        for number, id_ in enumerate(ids):
            headers = [("ce_id", id_.encode()), ("signature", bytes([number % 256, 0, 255]))]
            await producer.send(topic, b"v" * number, b"key", partition, 1_700_000_000_000 + number, headers)
        await producer.flush()


async def fill(settings: Settings) -> None:
    """Records behind some that retention deleted, one with nothing in it, and a group on its way."""
    await publish(settings, EVENTS, [f"event-{n}" for n in range(3000)], 2)
    place = TopicPartition(EVENTS, 2)
    async with AIOKafkaProducer(**reaching(settings.kafka)) as producer:
        await producer.send_and_wait(EVENTS, None, b"key", 1, 1_700_000_000_000)
    admin = AIOKafkaAdminClient(**reaching(settings.kafka))
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(1200)})
    await admin.close()
    async with AIOKafkaConsumer(**reaching(settings.kafka), group_id="memory", enable_auto_commit=False) as consumer:
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(2500, "")})


async def in_kafka(settings: Settings) -> Any:
    """Everything a consumer sees, and how far the group is."""
    broker, records = Broker(settings.kafka), {}
    async with AIOKafkaConsumer(**reaching(settings.kafka)) as consumer:
        starts, ends = await broker.bounds(await broker.topics())
        for place, end in ends.items():
            consumer.assign([place])
            consumer.seek(place, starts[place])
            while await consumer.position(place) < end:
                for raw in (await consumer.getmany(place, timeout_ms=1000)).get(place, ()):
                    records[place, raw.offset] = (raw.timestamp, raw.key, raw.value, raw.headers)
    return starts, ends, records, await broker.groups()


def in_store(settings: Settings) -> dict[str, tuple[bytes, str | None]]:
    client, objects = store(settings), {}
    for one in client.list_objects(BUCKET, recursive=True):
        assert one.object_name is not None
        response = client.get_object(BUCKET, one.object_name)
        objects[one.object_name] = (bytes(response.data), response.headers.get("Content-Type"))
    return objects


def in_postgres(settings: Settings) -> Any:
    with psycopg.connect(str(settings.postgres)) as connection:
        rows = connection.execute("SELECT * FROM memory.fact ORDER BY number").fetchall()
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'fact'").fetchall()
    return rows, owner


@pytest.fixture(scope="module")
def before(settings: Settings) -> Any:
    """What is there when the backup is taken."""
    asyncio.run(fill(settings))
    with psycopg.connect(str(settings.postgres), autocommit=True) as connection:
        connection.execute("SET ROLE memory")
        connection.execute("CREATE TABLE memory.fact (number bigint GENERATED ALWAYS AS IDENTITY, payload bytea)")
        connection.execute("CREATE TABLE memory.outbox (event_id uuid)")
        # What a second edition of the record makes: no migration knows of it.
        connection.execute("CREATE SCHEMA memory_edition_1 CREATE TABLE fact (number bigint)")
        connection.execute(
            "INSERT INTO memory.fact (payload) SELECT decode(md5(n::text), 'hex') FROM generate_series(1, 5000) n"
        )
    client = store(settings)
    for key, (data, kind) in OBJECTS.items():
        client.put_object(BUCKET, key, io.BytesIO(data), len(data), kind)
    assert in_store(settings) == OBJECTS
    return asyncio.run(in_kafka(settings)), in_store(settings), in_postgres(settings)


@pytest.fixture(scope="module")
def taken(settings: Settings, before: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "taken"
    taking.take(settings, folder, SAY)
    return folder


def state(settings: Settings) -> Any:
    return asyncio.run(in_kafka(settings)), in_store(settings), in_postgres(settings)


def spoil(settings: Settings) -> None:
    """Time goes on after the backup."""
    asyncio.run(publish(settings, EVENTS, ["later"], 2))
    store(settings).put_object(BUCKET, "later", io.BytesIO(b"x"), 1)
    with psycopg.connect(str(settings.postgres)) as connection:
        connection.execute("DELETE FROM memory.fact WHERE number % 2 = 0")
        connection.execute("CREATE SCHEMA memory_edition_2 CREATE TABLE fact (number bigint)")


def test_it_is_whole_and_for_its_owner_only(settings: Settings, taken: Path) -> None:
    stated, _ = verify(settings, taken)
    assert stated.tables["memory.fact"] == 5000
    assert stated.tables["memory_edition_1.fact"] == 0
    assert (stated.buckets[BUCKET].objects, stated.buckets[BUCKET].size) == (3, len(LARGE) + 4)
    files = [path for path in taken.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any(b"MSH|" in path.read_bytes() for path in files)


def test_a_second_one_does_not_overwrite_it(settings: Settings, taken: Path) -> None:
    with pytest.raises(BackupError, match="is not empty"):
        taking.take(settings, taken, SAY)


def test_what_is_there_is_overwritten_only_when_told_and_then_equals_the_backup(
    settings: Settings, before: Any, taken: Path
) -> None:
    spoil(settings)
    spoilt = state(settings)
    with pytest.raises(BackupError, match=r"something is there: memory\.fact.*--replace gives it up"):
        restore(settings, taken, SAY)
    assert state(settings) == spoilt
    restore(settings, taken, SAY, replace=True)
    assert state(settings) == before
    with psycopg.connect(str(settings.postgres)) as connection:
        assert connection.execute("SELECT to_regnamespace('memory_edition_2')").fetchone() == (None,)
        # Rows that follow get new numbers.
        (number,) = connection.execute("INSERT INTO memory.fact DEFAULT VALUES RETURNING number").fetchone() or (0,)
        assert number == 5001
        connection.rollback()


def test_nothing_is_overwritten_while_somebody_is_connected(settings: Settings, taken: Path) -> None:
    with psycopg.connect(str(settings.postgres)), pytest.raises(BackupError, match="stop the services first"):
        restore(settings, taken, SAY, replace=True)


def test_a_damaged_backup_changes_nothing(settings: Settings, before: Any, taken: Path) -> None:
    file = taken / "postgres"
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    try:
        with pytest.raises(BackupError, match="postgres: is damaged"):
            restore(settings, taken, SAY, replace=True)
    finally:
        file.write_bytes(data)
    assert state(settings) == before


@pytest.fixture
def killed(settings: Settings, taken: Path) -> None:
    """A restore that was killed when it had said one thing: PostgreSQL is back, Kafka is not."""
    variables = {
        "LONGITUDE_KAFKA": settings.kafka,
        "LONGITUDE_POSTGRES": str(settings.postgres),
        "LONGITUDE_OBJECTS": settings.objects,
        "LONGITUDE_OBJECTS_ACCESS_KEY": settings.objects_access_key.get_secret_value(),
        "LONGITUDE_OBJECTS_SECRET_KEY": settings.objects_secret_key.get_secret_value(),
        "LONGITUDE_BACKUP_PASSPHRASE_FILE": str(settings.backup_passphrase_file),
    }
    command = [sys.executable, "-m", "backup", "restore", str(taken), "--replace"]
    with subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("PostgreSQL")
        process.send_signal(signal.SIGKILL)


async def test_one_that_was_killed_is_begun_again_and_no_service_starts_meanwhile(
    settings: Settings, before: Any, taken: Path, killed: None
) -> None:
    with pytest.raises(MigrationError, match="a restore of this database has not ended"):
        migrate(str(settings.postgres), "auditing", "auditing")
    await asyncio.to_thread(restore, settings, taken, SAY)
    assert await asyncio.to_thread(state, settings) == before


def test_events_of_the_time_after_the_snapshot_are_left_out(
    settings: Settings, before: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two readings of the ends: one the snapshot knows, one it does not, a look, and one from outside."""
    known, unknown, look = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(3))
    with psycopg.connect(str(settings.postgres)) as connection:
        connection.execute("INSERT INTO memory.outbox VALUES (%s)", (known,))
    real = postgres.Snapshot.__init__

    def begun(self: postgres.Snapshot, *arguments: Any) -> None:
        real(self, *arguments)
        asyncio.run(publish(settings, UPDATED, [unknown, known]))
        asyncio.run(publish(settings, RECORD_READ.name, [look]))
        asyncio.run(publish(settings, EVENTS, ["from-outside"], 3))

    monkeypatch.setattr(postgres.Snapshot, "__init__", begun)
    stated = taking.take(settings, tmp_path / "taken", SAY)
    assert left_out(stated) == {UPDATED: 1}
    restore(settings, tmp_path / "taken", SAY, replace=True)
    _, _, records, _ = asyncio.run(in_kafka(settings))
    ids = {place.topic: dict(record[3])["ce_id"] for (place, _), record in records.items() if record[3]}
    assert (ids[UPDATED], ids[RECORD_READ.name]) == (known.encode(), look.encode())
    assert (TopicPartition(UPDATED, 0), 0) in records
    assert (TopicPartition(EVENTS, 3), 0) in records


def left_out(stated: Manifest) -> dict[str, int]:
    return {one.topic: one.left_out for one in stated.partitions if one.left_out}
