"""No patient data in logs, headers, metrics or traces of the whole story."""

import asyncio
import urllib.request
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from contracts.kafka import reaching
from contracts.topics import TOPICS
from manifests import read_services

from tests.system.after_story import System

# Names, numbers, dates and words of the story that identify the patient or say something clinical about her.
PRIVATE = (
    "Testperson", "Renée", "Ren\\u00e9e", "204417", "88-1306", "19570418", "1957-04-18", "Example Street", "555-0100",
    "metformin", "naproxen", "anaphylaxis", "penicillin", "breast cancer",
)  # fmt: skip
SERVICES = tuple(read_services())


def found(text: str) -> list[str]:
    lowered = text.lower()
    return [word for word in PRIVATE if word.lower() in lowered]


@pytest.mark.parametrize("part", [*SERVICES, "kafka", "triton"])
def test_no_log_carries_patient_data(system: System, assessment: Any, part: str) -> None:
    assert found(system.stack.logs(part)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_trace_and_no_metric_carries_patient_data(system: System, assessment: Any, service: str) -> None:
    traces = [p.read_text(encoding="utf-8") for p in (system.stack.directory / "traces").glob(f"{service}*")]
    assert traces
    with urllib.request.urlopen(
        f"http://{system.stack.endpoints[f'LONGITUDE_{service.upper()}_HTTP']}/metrics"
    ) as page:
        assert found(page.read().decode()) == []
    assert found("".join(traces)) == []


def test_no_kafka_key_or_header_carries_patient_data(system: System, assessment: Any) -> None:
    assert found(asyncio.run(keys_and_headers(system.stack.endpoints["LONGITUDE_KAFKA"]))) == []


async def keys_and_headers(bootstrap: str) -> str:
    consumer = AIOKafkaConsumer(*(topic.name for topic in TOPICS), **reaching(bootstrap), auto_offset_reset="earliest")
    await consumer.start()
    texts: list[str] = []
    try:
        while batches := await consumer.getmany(timeout_ms=2000):
            texts += [f"{r.key} {r.headers}" for batch in batches.values() for r in batch]
    finally:
        await consumer.stop()
    assert texts
    return "\n".join(texts)
