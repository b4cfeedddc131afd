"""What is sensitive is closed to every read, counted and not described, and opens with a reason (real PostgreSQL)."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from consult.context.tokens import estimate
from contracts.errors import ConflictError, DeniedError, NotFoundError
from contracts.topics import OPENING_ENDED, OPENING_REVIEWED, RECORD_OPENED
from eventbus import Outbox, Outgoing
from google.protobuf.message import Message
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1 import fact_pb2 as cf
from memory.adapters.postgres import Store, entries, views
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.triton import Embedder
from memory.domain.vectors import COLLECTIONS
from memory.flows.library import Library
from memory.flows.openings import Openings
from memory.flows.search import Search
from memory.handlers import on_messages_received
from memory.rpc import Rpc
from servicekit.principal import Person, Principal, called_by
from servicekit.triton import TritonClient
from terminology.concepts import ICD10CM

Build = Callable[..., Any]
REASON = "she asked me about her therapy"
PATIENT = cf.PatientKey(id="1", authority="NORTH")


def person(name: str, *roles: str) -> Principal:
    return Principal("command", Person("https://issuer.example", name, f"Dr {name}", frozenset(roles)))


ANNA, BEN = person("anna", "physician"), person("ben", "physician")
NORA, RUTH = person("nora", "nurse"), person("ruth", "auditor")


class Door:
    """The service's RPCs as somebody calls them."""

    def __init__(self, rpc: Rpc, store: Store) -> None:
        self._rpc, self.store = rpc, store

    async def by(self, caller: Principal, name: str, request: Message) -> Any:
        with called_by(caller):
            return await getattr(self._rpc, name)(request, None)

    async def open(self, caller: Principal, *categories: str, **wanted: Any) -> pb.Opening:
        request = pb.OpenRecordRequest(patient=PATIENT, categories=categories, **{"reason": REASON} | wanted)
        answer: pb.OpenRecordResponse = await self.by(caller, "OpenRecord", request)
        return answer.opening

    async def seen(self, caller: Principal) -> tuple[set[str], int]:
        """The codes on the timeline, and how many facts were left out."""
        answer = await self.by(caller, "GetTimeline", pb.GetTimelineRequest(patient=PATIENT))
        return {each.fact.code.code for each in answer.facts}, answer.view.left_out

    async def announced(self) -> list[Outgoing]:
        told: list[Outgoing] = []

        async def publish(outgoing: Outgoing) -> None:
            told.append(outgoing)

        outbox = Outbox(self.store.connection, publish)
        while await outbox.sweep():
            pass
        return told


async def nobody(_: Outgoing) -> None: ...


def problem(build: Build, code: str, display: str = "") -> cf.ClinicalFact:
    built: cf.ClinicalFact = build(fact_id=f"f-{code}", kind=cf.FACT_KIND_PROBLEM, code=code, patient="1@NORTH")
    built.code.CopyFrom(cf.CodedConcept(system=ICD10CM, code=code, display=display))
    return built


@pytest.fixture
async def door(store: Store, fact: Build, message: Build, event: Build, tmp_path: Path) -> AsyncIterator[Door]:
    """Diabetes, depression and HIV of one person."""
    facts = [
        problem(fact, "E11.9", "Type 2 diabetes mellitus"),
        problem(fact, "F32.9", "Depression"),
        problem(fact, "B20", "HIV"),
    ]
    await on_messages_received([event(message("m", *facts, patient="1@NORTH"), "m")], store=store)
    outbox = Outbox(store.connection, nobody)
    async with TritonClient.connect("127.0.0.1:1") as away, QdrantEdge.open(tmp_path / "qdrant") as index:
        for collection in COLLECTIONS:
            await index.ensure(collection)
        search = Search(store, Embedder(away), index)
        yield Door(Rpc(store, search, Library(store, outbox, {}), Openings(store, outbox), estimate), store)


EVERY_READ: dict[str, Any] = {
    "GetTimeline": pb.GetTimelineRequest(patient=PATIENT),
    "Find": pb.FindRequest(patient=PATIENT),
    "GetContext": pb.GetContextRequest(patient=PATIENT, question="depression, HIV, diabetes?", token_budget=2_000),
    "GetEvidenceCoverage": pb.GetEvidenceCoverageRequest(patient=PATIENT),
    "GetNotes": pb.GetNotesRequest(patient=PATIENT),
    "SearchNotes": pb.SearchNotesRequest(patient=PATIENT, query="depression"),
}
PAST_READS: dict[str, Any] = {
    "GetTimeline": pb.GetTimelineRequest(patient=PATIENT, include_superseded=True),
    "Find": pb.FindRequest(patient=PATIENT),
    "GetContext": pb.GetContextRequest(patient=PATIENT, question="depression, HIV, diabetes?", token_budget=2_000),
}


@pytest.mark.parametrize("rpc", EVERY_READ)
async def test_what_is_sensitive_is_in_no_answer_and_counted(door: Door, rpc: str) -> None:
    for caller in (ANNA, NORA, Principal("imaging"), Principal("reasoning", ANNA.person)):
        answer = await door.by(caller, rpc, EVERY_READ[rpc])
        told = str(answer)
        assert "F32.9" not in told
        assert "B20" not in told
        assert "Depression" not in told.replace("depression", "")
        assert answer.view.left_out == 2


async def test_reasoning_sees_all_when_it_looks_for_dangers_by_itself(door: Door) -> None:
    """No person is behind the call; what comes of it is shown to whom it is open (its own service sees to that)."""
    assert await door.seen(Principal("reasoning")) == ({"E11.9", "F32.9", "B20"}, 0)
    assert await door.seen(Principal("reasoning", ANNA.person)) == ({"E11.9"}, 2)


@pytest.mark.parametrize("rpc", PAST_READS)
async def test_nor_in_one_as_of_a_past_moment_however_it_is_read(
    door: Door, rpc: str, fact: Build, message: Build, event: Build
) -> None:
    request = PAST_READS[rpc]
    before = datetime.now(UTC)
    for number, patient in ((1, "1@NORTH"), (2, "9@LAKE")):
        later = fact(fact_id=f"later-{number}", patient=patient)
        link = {"merged": "9@LAKE"} if number == 2 else {}
        told = message(f"later-{number}", later, patient="1@NORTH" if link else patient, **link)
        await on_messages_received([event(told, f"later-{number}")], store=door.store)
        request.known_at.FromDatetime(before)
        answer = str(await door.by(ANNA, rpc, request))
        assert "F32.9" not in answer
        assert "B20" not in answer
        # The same read shows what is open.
        assert "E11.9" in answer


async def test_a_fact_is_read_by_its_id_while_it_stands_and_is_open(
    door: Door, fact: Build, message: Build, event: Build
) -> None:
    opened = await door.by(ANNA, "GetFact", pb.GetFactRequest(fact_id="f-E11.9"))
    assert (opened.fact.fact.code.code, opened.view.left_out) == ("E11.9", 2)
    for closed in ("f-F32.9", "nobody's", ""):
        with pytest.raises(NotFoundError):
            await door.by(ANNA, "GetFact", pb.GetFactRequest(fact_id=closed))
    await door.open(ANNA, "MH")
    assert (await door.by(ANNA, "GetFact", pb.GetFactRequest(fact_id="f-F32.9"))).fact.fact.code.code == "F32.9"
    withdrawn = problem(fact, "E11.9")
    withdrawn.fact_id, withdrawn.status = "later", cf.FACT_STATUS_ENTERED_IN_ERROR
    for each, sent in ((problem(fact, "I10"), 1), (withdrawn, 2)):
        each.identity.CopyFrom(cf.Identity(groups=["problem:1"], names=["one"]))
        told = message(each.fact_id, each, patient="1@NORTH", sent=datetime(2025, 1, sent, tzinfo=UTC))
        await on_messages_received([event(told, each.fact_id)], store=door.store)
    with pytest.raises(NotFoundError):
        await door.by(ANNA, "GetFact", pb.GetFactRequest(fact_id="f-I10"))


async def test_an_opening_opens_what_it_names_to_who_asked_until_its_end(door: Door) -> None:
    opened = await door.open(ANNA, "MH")
    assert opened.ends_at.ToDatetime(tzinfo=UTC) - datetime.now(UTC) > timedelta(minutes=59)
    assert await door.seen(ANNA) == ({"E11.9", "F32.9"}, 1)
    assert await door.seen(BEN) == ({"E11.9"}, 2)
    await door.by(ANNA, "EndOpening", pb.EndOpeningRequest(opening_id=opened.opening_id))
    assert await door.seen(ANNA) == ({"E11.9"}, 2)
    with pytest.raises(ConflictError):
        await door.by(ANNA, "EndOpening", pb.EndOpeningRequest(opening_id=opened.opening_id))


async def test_nobody_ends_or_sees_another_ones_opening(door: Door) -> None:
    opened = await door.open(ANNA, "MH")
    with pytest.raises(NotFoundError):
        await door.by(BEN, "EndOpening", pb.EndOpeningRequest(opening_id=opened.opening_id))
    listed = {caller: await door.by(caller, "ListOpenings", pb.ListOpeningsRequest()) for caller in (ANNA, BEN, RUTH)}
    assert [len(answer.openings) for answer in listed.values()] == [1, 0, 1]


async def test_the_model_sees_what_the_person_does_for_whom_it_is_asked(door: Door) -> None:
    """Reasoning calls with the person's token."""
    through = Principal("reasoning", ANNA.person)
    assert "F32.9" not in str(await door.by(through, "GetContext", EVERY_READ["GetContext"]))
    await door.open(ANNA, "MH")
    assert "F32.9" in str(await door.by(through, "GetContext", EVERY_READ["GetContext"]))


async def test_break_glass_opens_all_with_a_banner_and_is_reviewed_by_somebody_else(door: Door) -> None:
    opened = await door.open(ANNA, purpose="BTG", reason="unconscious in the emergency room")
    answer = await door.by(ANNA, "GetTimeline", pb.GetTimelineRequest(patient=PATIENT))
    assert {each.fact.code.code for each in answer.facts} == {"E11.9", "F32.9", "B20"}
    assert answer.view.banner.startswith("BREAK-GLASS until")
    review = pb.ReviewOpeningRequest(opening_id=opened.opening_id, justified=True, comment="seen in the protocol")
    with pytest.raises(ConflictError, match="goes on"):
        await door.by(RUTH, "ReviewOpening", review)
    await door.by(ANNA, "EndOpening", pb.EndOpeningRequest(opening_id=opened.opening_id))
    both = Principal("command", Person("https://issuer.example", "anna", "", frozenset({"auditor"})))
    with pytest.raises(DeniedError, match="themselves"):
        await door.by(both, "ReviewOpening", review)
    due = pb.ListOpeningsRequest(unreviewed=True)
    assert len((await door.by(RUTH, "ListOpenings", due)).openings) == 1
    await door.by(RUTH, "ReviewOpening", review)
    assert not (await door.by(RUTH, "ListOpenings", due)).openings
    with pytest.raises(ConflictError, match="due"):
        await door.by(RUTH, "ReviewOpening", review)


async def test_each_step_of_an_opening_is_an_event(door: Door) -> None:
    opened = await door.open(ANNA, purpose="BTG", reason="unconscious in the emergency room")
    await door.by(ANNA, "EndOpening", pb.EndOpeningRequest(opening_id=opened.opening_id))
    review = pb.ReviewOpeningRequest(opening_id=opened.opening_id, justified=False, comment="no emergency at all")
    await door.by(RUTH, "ReviewOpening", review)
    announced = {one.topic: one.payload for one in await door.announced()}
    assert announced.keys() == {RECORD_OPENED, OPENING_ENDED, OPENING_REVIEWED}
    told: Any = announced[RECORD_OPENED]
    assert (told.patient, told.by.subject, told.purpose, told.review) == (PATIENT, "anna", "BTG", True)
    assert told.reason == "unconscious in the emergency room"
    reviewed: Any = announced[OPENING_REVIEWED]
    assert (reviewed.by.subject, reviewed.justified) == ("ruth", False)
    # The log has their hashes: without a salt its reader could try every patient.
    salts: set[bytes] = {one.salt for one in announced.values()}  # type: ignore[attr-defined] # each of these has one
    assert [len(salt) for salt in salts] == [16, 16, 16]


async def test_an_opening_that_has_ended_by_time_opens_nothing(door: Door, store: Store) -> None:
    async with store.connection() as conn:
        await conn.execute(
            """INSERT INTO opening SELECT gen_random_uuid(), identifier_no, 'https://issuer.example', 'anna', '',
            'TREAT', 31, 'because it was so', now() - interval '2 h', now() - interval '1 h', false FROM identifier"""
        )
    assert await door.seen(ANNA) == ({"E11.9"}, 2)


async def test_a_contradiction_over_a_closed_fact_is_closed(
    door: Door, fact: Build, message: Build, event: Build
) -> None:
    """`present-and-absent` of HIV names it."""
    absent = problem(fact, "B20", "HIV")
    absent.fact_id, absent.assertion = "f-absent", cf.ASSERTION_ABSENT
    await on_messages_received([event(message("a", absent, patient="1@NORTH"), "a")], store=door.store)
    await door.open(BEN, "HIV")
    read = pb.GetTimelineRequest(patient=PATIENT)
    assert len((await door.by(BEN, "GetTimeline", read)).contradictions) == 1
    assert not (await door.by(ANNA, "GetTimeline", read)).contradictions


async def test_openings_and_reviews_are_not_rewritten(door: Door, store: Store, as_owner: Callable[..., None]) -> None:
    await door.open(ANNA, "MH")
    for change in ("UPDATE opening SET reason = 'another'", "DELETE FROM opening"):
        async with store.connection() as conn:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(change.encode())
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(conn, change)


async def test_what_was_recorded_before_there_were_labels_is_closed_and_then_labelled(
    door: Door, store: Store, new_database: Callable[..., str]
) -> None:
    async with store.connection() as conn:
        async with conn.transaction():
            await views.state(conn, range(10), 0)
            await conn.execute("UPDATE entry SET labels = NULL")
        assert await door.seen(ANNA) == (set(), 3)
        async with conn.transaction():
            await entries.label(conn)
    assert await door.seen(ANNA) == ({"E11.9"}, 2)
