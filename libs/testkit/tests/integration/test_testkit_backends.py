"""Each backend through a client of its own kind, and what it keeps across SIGKILL."""

import asyncio
import io
import uuid
from collections.abc import Callable

import psycopg
import pytest
import tritonclient.grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from contracts.kafka import reaching
from contracts.topics import MESSAGE_RECEIVED, TOPICS, dead_letter_topic
from minio import Minio
from minio.error import S3Error
from native_stack import Stack
from servicekit.objects import connect
from testkit import ObjectStorage
from testkit.calls import tls
from testkit.kafka import forget_members


def store(lines: dict[str, str]) -> Minio:
    keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
    return connect(lines["LONGITUDE_OBJECTS"], *keys)


async def produce(kafka: str, value: bytes) -> None:
    producer = AIOKafkaProducer(**reaching(kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(MESSAGE_RECEIVED.name, value, key=b"k")
    finally:
        await producer.stop()


async def first_record(kafka: str) -> bytes:
    consumer = AIOKafkaConsumer(MESSAGE_RECEIVED.name, **reaching(kafka), group_id="g", auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            return bytes((await consumer.getone()).value)
    finally:
        await consumer.stop()


async def test_a_member_that_is_forgotten_is_not_waited_for(kafka: str) -> None:
    options = reaching(kafka) | {"group_id": f"forgotten-{uuid.uuid4().hex}"}
    # Silent for half a minute, as one that was killed.
    silent = {"heartbeat_interval_ms": 30_000, "session_timeout_ms": 40_000}
    killed = AIOKafkaConsumer(MESSAGE_RECEIVED.name, **options, **silent)
    heir = AIOKafkaConsumer(MESSAGE_RECEIVED.name, **options)
    await killed.start()
    await forget_members(kafka, options["group_id"])
    async with asyncio.timeout(15):
        await heir.start()
        while not heir.assignment():
            await heir.getmany(timeout_ms=100)
    await heir.stop()
    await killed.stop()


async def test_kafka_has_every_topic_and_its_dead_letters(kafka: str) -> None:
    admin = AIOKafkaAdminClient(**reaching(kafka))
    await admin.start()
    names = set(await admin.list_topics())
    await admin.close()
    assert {topic.name for topic in TOPICS} <= names
    assert dead_letter_topic("memory", MESSAGE_RECEIVED) in names


def test_each_new_database_is_empty_and_apart(new_database: Callable[[], str]) -> None:
    first, second = new_database(), new_database()
    with psycopg.connect(first) as one, psycopg.connect(second) as two:
        one.execute("CREATE TABLE t (n int)")
        one.commit()
        assert two.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_the_object_store_refuses_a_wrong_key(objects: ObjectStorage) -> None:
    right = connect(objects.endpoint, objects.access_key, objects.secret_key)
    right.make_bucket("testkit-keys")
    assert right.bucket_exists("testkit-keys")
    wrong = connect(objects.endpoint, objects.access_key, "wrong")
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        wrong.list_buckets()


def test_triton_is_live_and_names_a_model_that_does_not_load(triton: Callable[..., str]) -> None:
    assert tritonclient.grpc.InferenceServerClient(triton(), creds=tls().client()).is_server_live()
    with pytest.raises(RuntimeError, match="no_such_model"):
        triton("no_such_model")


async def test_what_a_broker_and_a_store_acknowledged_survives_their_sigkill(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack(["kafka", "objects"])
    lines = stack.endpoints()
    await produce(lines["LONGITUDE_KAFKA"], b"kept")
    store(lines).make_bucket("testkit-kept")
    store(lines).put_object("testkit-kept", "key", io.BytesIO(b"kept"), 4)
    for name in ("kafka", "objects"):
        stack.kill(name)
        stack.start(name)
    assert await first_record(lines["LONGITUDE_KAFKA"]) == b"kept"
    assert store(lines).get_object("testkit-kept", "key").data == b"kept"
