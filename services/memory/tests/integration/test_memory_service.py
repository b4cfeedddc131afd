"""The memory service as a process, with real Kafka, PostgreSQL, Triton and Qdrant's engine."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import grpc
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.kafka import reaching
from contracts.topics import DOCUMENT_READ, EVIDENCE_RELEASED, MESSAGE_RECEIVED, RECORD_UPDATED, STUDY_ANALYSED, Topic
from eventbus import Outgoing
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Passage
from testkit.calls import channel
from testkit.kafka import forget_members
from testkit.signing import publishing

Build = Callable[..., Any]
T = TypeVar("T")
LETTER = (
    "Dear colleague, she was admitted with cellulitis of the left leg. "
    "Under amoxicillin she developed hives and swelling of the lips within an hour; it was stopped. "
    "She was discharged in good condition. Kind regards."
)


@asynccontextmanager
async def publisher(kafka: str) -> AsyncIterator[Callable[[Outgoing], Awaitable[None]]]:
    async with publishing(kafka) as publish:
        yield publish


@pytest.fixture(scope="module", autouse=True)
def nothing_left_over(kafka: str) -> None:
    """What other tests left on the shared broker is not read: memory's group begins at the end of its topics."""

    async def skip() -> None:
        ends: dict[TopicPartition, int] = {}
        for topic in (MESSAGE_RECEIVED, STUDY_ANALYSED, DOCUMENT_READ):
            ends |= await offsets(kafka, topic)
        consumer = AIOKafkaConsumer(**reaching(kafka), group_id="memory", enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(ends))
            await consumer.commit(ends)
        finally:
            await consumer.stop()

    asyncio.run(skip())


@pytest.fixture(scope="module")
def service(new_memory: Build, kafka: str, triton: Build, new_database: Callable[..., str]) -> Any:
    return new_memory(KAFKA=kafka, POSTGRES=new_database("memory"), TRITON=triton("embedder"))


@pytest.fixture
async def memory(service: Any) -> AsyncIterator[MemoryServiceStub]:
    service.start()
    async with channel(service.endpoint) as opened:
        yield MemoryServiceStub(opened)


@pytest.fixture
async def publish(kafka: str) -> AsyncIterator[Callable[[Outgoing], Awaitable[None]]]:
    async with publisher(kafka) as opened:
        yield opened


@pytest.fixture
def patient() -> str:
    return f"{uuid.uuid4().hex[:10]}@NORTH"


def key(patient: str) -> cf.PatientKey:
    identifier, _, authority = patient.partition("@")
    return cf.PatientKey(id=identifier, authority=authority)


async def until(ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool], timeout_s: float = 200.0) -> T:
    """Ask until the answer holds; NOT_FOUND counts as not yet."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                if holds(answer := await ask()):
                    return answer
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                    raise
            await asyncio.sleep(0.02)


async def timeline(memory: Any, patient: str, count: int) -> pb.GetTimelineResponse:
    request = pb.GetTimelineRequest(patient=key(patient))
    answer: pb.GetTimelineResponse = await until(
        lambda: memory.GetTimeline(request), lambda found: len(found.facts) >= count
    )
    return answer


async def events_since(kafka: str, topic: Topic[Any], start: dict[TopicPartition, int]) -> list[Any]:
    """Everything published to a topic after the offsets, decoded."""
    async with AsyncExitStack() as stack:
        consumer = AIOKafkaConsumer(**reaching(kafka))
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        ends = await consumer.end_offsets(list(start))
        consumer.assign(list(start))
        found: list[Any] = []
        for partition, offset in start.items():
            consumer.seek(partition, offset)
            while await consumer.position(partition) < ends[partition]:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                found += [topic.payload.FromString(r.value) for records in batch.values() for r in records]
        return found


async def offsets(kafka: str, topic: Topic[Any]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(topic.name, **reaching(kafka))
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        return ends
    finally:
        await consumer.stop()


def document(patient: str, text: str, *facts: cf.ClinicalFact) -> DocumentRead:
    read = DocumentRead(document_id=f"doc-{patient}", patient=key(patient), text=text, facts=facts)
    read.authored_at.FromDatetime(datetime(2024, 2, 1, tzinfo=UTC))
    return read


async def found_notes(memory: Any, patient: str, query: str) -> pb.SearchNotesResponse:
    """The hits when the index has caught up."""
    request = pb.SearchNotesRequest(patient=key(patient), query=query, limit=3)
    answer: pb.SearchNotesResponse = await until(
        lambda: memory.SearchNotes(request), lambda found: bool(found.hits) and not found.pending
    )
    return answer


async def found_by_words(memory: Any, patient: str, query: str) -> pb.SearchNotesResponse:
    """The hits when the words of the texts are in the index."""
    request = pb.SearchNotesRequest(patient=key(patient), query=query)
    answer: pb.SearchNotesResponse = await until(lambda: memory.SearchNotes(request), lambda found: bool(found.hits))
    return answer


async def test_an_event_becomes_a_visible_fact_and_an_event_that_says_so(
    memory: Any, kafka: str, publish: Build, patient: str, fact: Build, message: Build, outgoing: Build
) -> None:
    before = await offsets(kafka, RECORD_UPDATED)
    await publish(outgoing(message("m", fact(fact_id=f"f-{patient}", patient=patient), patient=patient), patient))
    seen = await timeline(memory, patient, 1)
    assert seen.facts[0].fact.fact_id == f"f-{patient}"
    own = [f"f-{patient}"]
    updates = await until(
        lambda: events_since(kafka, RECORD_UPDATED, before), lambda all_: any(own == list(u.fact_ids) for u in all_)
    )
    assert sum(own == list(update.fact_ids) for update in updates) == 1


async def test_events_published_again_change_nothing(
    memory: Any, publish: Build, patient: str, fact: Build, message: Build, outgoing: Build
) -> None:
    events = [
        outgoing(message(f"m{n}", fact(fact_id=f"{patient}-{n}", patient=patient), patient=patient), f"{patient}-{n}")
        for n in range(5)
    ]
    for event in events:
        await publish(event)
    first = await timeline(memory, patient, 5)
    marker = f"marker-{patient}"
    for event in [*events, outgoing(message("x", fact(fact_id=marker, patient=marker), patient=marker), marker)]:
        await publish(event)
    await timeline(memory, marker, 1)
    assert await timeline(memory, patient, 5) == first


async def test_an_unknown_patient_is_not_found_and_not_named(memory: Any) -> None:
    request = pb.GetTimelineRequest(patient=cf.PatientKey(id="SECRET-77", authority="NORTH"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await memory.GetTimeline(request)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert "SECRET" not in str(caught.value.details())


@pytest.mark.parametrize(
    ("question", "budget"), [("Why?", 0), ("Why?", 10_000_000), ("", 100), (" ", 100), ("x" * 2001, 100)]
)
async def test_a_bad_budget_or_question_is_an_invalid_argument(memory: Any, question: str, budget: int) -> None:
    request = pb.GetContextRequest(patient=key("1@N"), question=question, token_budget=budget)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await memory.GetContext(request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_letter_is_found_by_meaning_with_its_place_in_the_text(
    memory: Any, publish: Build, patient: str, outgoing: Build
) -> None:
    await publish(outgoing(document(patient, LETTER), patient, DOCUMENT_READ))
    found = await found_notes(memory, patient, "allergic reaction to an antibiotic")
    best = found.hits[0]
    assert "hives" in best.text
    assert LETTER[best.source.text_start : best.source.text_end] == best.text
    assert best.document_id == f"doc-{patient}"


async def test_a_search_never_shows_another_persons_notes(
    memory: Any, publish: Build, patient: str, outgoing: Build
) -> None:
    other = f"other-{patient}"
    await publish(outgoing(document(other, LETTER), other, DOCUMENT_READ))
    await publish(outgoing(document(patient, "The knee was examined."), patient, DOCUMENT_READ))
    await found_notes(memory, other, "hives")
    found = await found_notes(memory, patient, "hives after amoxicillin")
    assert {hit.document_id for hit in found.hits} == {f"doc-{patient}"}


async def test_a_document_read_again_answers_with_its_last_reading(
    memory: Any, publish: Build, patient: str, outgoing: Build
) -> None:
    await publish(outgoing(document(patient, "Potassium 9.5"), f"{patient}-first", DOCUMENT_READ))
    await found_notes(memory, patient, "potassium")
    await publish(outgoing(document(patient, "Potassium 4.5"), f"{patient}-second", DOCUMENT_READ))
    request = pb.SearchNotesRequest(patient=key(patient), query="potassium")
    found = await until(
        lambda: memory.SearchNotes(request), lambda f: [h.text for h in f.hits] == ["Potassium 4.5"] and not f.pending
    )
    assert len(found.hits) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Can metformin go on when eGFR is 28?", {"fda-metformin-renal", "kdigo-2024-metformin"}),
        ("ibuprofen with lisinopril and bad kidneys", {"fda-nsaid-acei-renal"}),
        ("Is the penicillin allergy real?", {"aaaai-2022-penicillin-allergy", "cdc-penicillin-facts"}),
        ("how fast is too fast a decline of eGFR", {"kdigo-2024-progression"}),
    ],
)
async def test_evidence_is_found_for_a_clinical_question(memory: Any, query: str, expected: set[str]) -> None:
    request = pb.SearchEvidenceRequest(query=query, limit=5)
    found = await until(lambda: memory.SearchEvidence(request), lambda answer: answer.pending == 0)
    assert expected <= {hit.passage.passage_id for hit in found.hits}


async def test_what_nobody_released_is_not_found_and_what_shipped_is_announced(memory: Any, kafka: str) -> None:
    """Who is known, and what becomes of what they send, is in test_memory_library.py."""
    passage = Passage(
        passage_id="zebrafish",
        title="Zebrafish scale",
        text="The scale grades zebrafish.",
        source="A test",
        source_kind="expert",
        published="2026",
        licence="own summary",
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await memory.LoadEvidence(pb.LoadEvidenceRequest(passages=[passage]))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    imported = await memory.LoadEvidence(pb.LoadEvidenceRequest(passages=[passage], unsigned_local=True))
    assert imported.loaded == 1
    search = pb.SearchEvidenceRequest(query="zebrafish", limit=3)
    found = await until(lambda: memory.SearchEvidence(search), lambda answer: answer.pending == 0)
    assert "zebrafish" not in {hit.passage.passage_id for hit in found.hits}
    start = {TopicPartition(EVIDENCE_RELEASED.name, 0): 0}
    released = await until(lambda: events_since(kafka, EVIDENCE_RELEASED, start), bool)
    assert {"longitude"} == {hit.passage.release.publisher for hit in found.hits}
    assert all(not event.approved_by for event in released)


async def test_the_coverage_is_of_the_patient_or_of_what_is_frequent(
    memory: Any, publish: Build, patient: str, fact: Build, message: Build, outgoing: Build
) -> None:
    mine = {"patient": patient, "status": cf.FACT_STATUS_ACTIVE}
    facts = [
        fact(kind=cf.FACT_KIND_MEDICATION, code="6809", display="metformin", **mine),
        fact(kind=cf.FACT_KIND_PROBLEM, code="35999006", display="Blighted ovum", **mine),
    ]
    await publish(outgoing(message("m", *facts, patient=patient), patient))
    await timeline(memory, patient, len(facts))
    found = await memory.GetEvidenceCoverage(pb.GetEvidenceCoverageRequest(patient=key(patient)))
    assert found.passages >= 300
    assert {each.concept.display for each in found.subjects} == {"metformin", "Blighted ovum"}
    assert {each.concept.display for each in found.subjects if not each.passage_ids} == {"Blighted ovum"}
    frequent = await memory.GetEvidenceCoverage(pb.GetEvidenceCoverageRequest())
    assert len(frequent.subjects) > len(found.subjects)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await memory.GetEvidenceCoverage(pb.GetEvidenceCoverageRequest(patient=key(f"nobody-{patient}")))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_a_context_pack_holds_what_serves_the_question_and_stays_in_its_budget(
    memory: Any, publish: Build, patient: str, fact: Build, message: Build, outgoing: Build
) -> None:
    mine = {"patient": patient, "status": cf.FACT_STATUS_ACTIVE}
    facts = [
        fact(kind=cf.FACT_KIND_MEDICATION, code="6809", display="metformin", **mine),
        fact(kind=cf.FACT_KIND_ALLERGY, code="716186003", assertion=cf.ASSERTION_ABSENT, **mine),
        *(fact(code="33914-3", display="eGFR", value=str(60 - n), since=n, patient=patient) for n in range(40)),
    ]
    await publish(outgoing(message("m", *facts, patient=patient), patient))
    reaction = fact(
        kind=cf.FACT_KIND_ALLERGY,
        code="764146007",
        display="penicillin",
        provenance=cf.PROVENANCE_READ_FROM_TEXT,
        source=cf.SourcePointer(document_id=f"doc-{patient}"),
        **mine,
    )
    await publish(outgoing(document(patient, LETTER, reaction), f"{patient}-letter", DOCUMENT_READ))
    await found_notes(memory, patient, "hives")
    request = pb.GetContextRequest(patient=key(patient), question="Does the eGFR allow metformin?", token_budget=900)
    pack = (await memory.GetContext(request)).context
    assert pack.tokens == sum(line.tokens for line in pack.lines) <= 900
    assert {recorded.fact.fact_id for recorded in pack.facts} == {one.fact_id for one in [*facts, reaction]}
    assert pack.omitted == len(pack.facts) - len({line.fact_id for line in pack.lines if line.fact_id})
    assert pack.omitted > 0
    assert [one.rule for one in pack.contradictions] == ["no-known-allergies"]
    assert "fda-metformin-renal" in {passage.passage_id for passage in pack.passages}
    assert {line.passage_id for line in pack.lines} & {passage.passage_id for passage in pack.passages}
    assert any("hives" in line.text for line in pack.lines)
    assert list(pack.degraded) == []
    assert (await memory.GetContext(request)).context == pack
    asked = pb.FindRequest(patient=key(patient), words="eGFR", form=pb.FIND_FORM_LOWEST)
    assert [each.fact.quantity.value for each in (await memory.Find(asked)).facts] == ["21"]


async def test_without_triton_the_record_is_served_and_nothing_is_lost(
    new_memory: Build, kafka: str, triton: Build, new_database: Callable[..., str], tmp_path: Any
) -> None:
    settings = {"KAFKA": kafka, "POSTGRES": new_database("memory"), "QDRANT": f"edge:{tmp_path}/qdrant"}
    patient = f"{uuid.uuid4().hex[:10]}@NORTH"
    blind = new_memory(TRITON="127.0.0.1:9", **settings)
    async with AsyncExitStack() as stack:
        memory: Any = MemoryServiceStub(await stack.enter_async_context(channel(blind.endpoint)))
        publish = await stack.enter_async_context(publisher(kafka))
        reaction = cf.ClinicalFact(fact_id=f"f-{patient}", kind=cf.FACT_KIND_ALLERGY, patient=key(patient))
        await publish(Outgoing(DOCUMENT_READ, str(uuid.uuid4()), b"k", document(patient, LETTER, reaction), now()))
        await until(
            lambda: memory.GetTimeline(pb.GetTimelineRequest(patient=key(patient))), lambda t: len(t.facts) == 1
        )
        blindly = await found_by_words(memory, patient, "Any hives?")
        assert "hives" in blindly.hits[0].text
        assert blindly.pending > 0
        context = pb.GetContextRequest(patient=key(patient), question="Which allergies?", token_budget=500)
        assert any("embedder" in reason for reason in (await memory.GetContext(context)).context.degraded)
        by_words = await memory.SearchEvidence(pb.SearchEvidenceRequest(query="metformin"))
        assert by_words.pending > 0
        assert any("metformin" in hit.passage.passage_id for hit in by_words.hits)
    blind.stop()
    seeing = new_memory(TRITON=triton("embedder"), **settings)
    async with channel(seeing.endpoint) as opened:
        found = await found_notes(MemoryServiceStub(opened), patient, "hives")
    assert "hives" in " ".join(hit.text for hit in found.hits)


async def test_an_index_that_was_lost_is_filled_again_from_the_record(
    new_memory: Build, kafka: str, triton: Build, new_database: Callable[..., str], tmp_path: Any
) -> None:
    settings = {"KAFKA": kafka, "POSTGRES": new_database("memory"), "TRITON": triton("embedder")}
    patient = f"{uuid.uuid4().hex[:10]}@NORTH"
    first = new_memory(QDRANT=f"edge:{tmp_path}/one", **settings)
    async with channel(first.endpoint) as opened, publisher(kafka) as publish:
        await publish(Outgoing(DOCUMENT_READ, str(uuid.uuid4()), b"k", document(patient, LETTER), now()))
        await found_notes(MemoryServiceStub(opened), patient, "hives")
    first.stop()
    second = new_memory(QDRANT=f"edge:{tmp_path}/two", **settings)
    async with channel(second.endpoint) as opened:
        assert (await found_notes(MemoryServiceStub(opened), patient, "hives")).hits


@pytest.fixture
def one_fact_message(fact: Build, message: Build, outgoing: Build) -> Callable[[str, str], Outgoing]:
    """A message with one fact, both named; every tenth has a note for the index."""

    def build(name: str, patient: str) -> Outgoing:
        note = "Seen by the nurse." if name.endswith("0") else ""
        built: Outgoing = outgoing(message(name, fact(fact_id=name, patient=patient, note=note), patient=patient), name)
        return built

    return build


async def test_killed_at_any_moment_it_ends_with_every_fact_once(
    new_memory: Build, kafka: str, triton: Build, new_database: Build, publish: Build, one_fact_message: Build
) -> None:
    patient = f"{uuid.uuid4().hex[:10]}@NORTH"
    process = new_memory(KAFKA=kafka, POSTGRES=new_database("memory"), TRITON=triton("embedder"))
    before = await offsets(kafka, RECORD_UPDATED)
    wanted = [f"{patient}-{n:03}" for n in range(150)]
    for n, name in enumerate(wanted):
        await publish(one_fact_message(name, patient))
        if n in (40, 110):
            process.kill()
            await forget_members(kafka, "memory")
            process.start()
    async with channel(process.endpoint) as opened:
        found = await timeline(MemoryServiceStub(opened), patient, len(wanted))
    assert sorted(recorded.fact.fact_id for recorded in found.facts) == wanted
    recorded_at = {recorded.fact.fact_id: recorded.recorded_at.ToDatetime(UTC) for recorded in found.facts}
    updates = await until(
        lambda: events_since(kafka, RECORD_UPDATED, before),
        lambda events: {i for e in events for i in e.fact_ids} >= set(wanted),
    )
    # A redelivery may publish an update again: it is the same update, with the same moment.
    for update in updates:
        for fact_id in set(update.fact_ids) & set(wanted):
            assert update.recorded_at.ToDatetime(UTC) == recorded_at[fact_id]


async def test_it_ends_in_order_and_logs_no_patient_data(
    new_memory: Build,
    kafka: str,
    triton: Build,
    new_database: Callable[..., str],
    publish: Build,
    outgoing: Build,
    fact: Build,
    message: Build,
) -> None:
    process = new_memory(KAFKA=kafka, POSTGRES=new_database("memory"), TRITON=triton("embedder"))
    patient = "SECRETID-4711@SECRETPLACE"
    one = fact(patient=patient, note="SECRETNOTE about a rash.", display="SECRETDISPLAY")
    await publish(outgoing(message("SECRETCONTROL", one, patient=patient), uuid.uuid4().hex))
    async with channel(process.endpoint) as opened:
        memory: Any = MemoryServiceStub(opened)
        await timeline(memory, patient, 1)
        await found_notes(memory, patient, "SECRETNOTE rash")
    assert process.stop() == 0
    assert "SECRET" not in process.log.read_text()


def now() -> datetime:
    return datetime.now(UTC)
