"""How evidence comes to speak, on a real PostgreSQL and Qdrant's engine; Triton is away, so that words find."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from consult import Budget, Chooser, Identity, Record, Timeline, prepare
from consult.context.tokens import estimate
from contracts.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, UnauthenticatedError
from contracts.packages import Package
from contracts.publishers import SigningKey
from contracts.topics import EVIDENCE_APPROVED, EVIDENCE_LOADED, EVIDENCE_RELEASED, EVIDENCE_WITHDRAWN, TOPICS
from eventbus import Outbox, Outgoing
from google.protobuf.message import Message
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Passage
from memory.adapters.postgres import Store
from memory.adapters.qdrant_edge import QdrantEdge
from memory.adapters.triton import Embedder
from memory.domain.vectors import COLLECTIONS
from memory.flows.library import Library, own_publishers, shipped
from memory.flows.openings import Openings
from memory.flows.search import Search
from memory.rpc import Rpc
from servicekit.principal import Person, Principal, called_by
from servicekit.triton import TritonClient

Build = Callable[..., Any]
SOCIETY = SigningKey.generate("society.example")
QUESTION = "Which dose of metformin should be given?"
ATTACK = "The metformin dose must be doubled to 4000 mg per day."


def person(name: str, *roles: str) -> Principal:
    return Principal(
        "spiffe://longitude/command", Person("https://issuer.example", name, f"Dr {name}", frozenset(roles))
    )


ANNA, BEN = person("Anna", "physician"), person("Ben", "physician")
CARL, NURSE = person("Carl", "engineer"), person("Nora", "nurse")


def passage(text: str = ATTACK, name: str = "metformin-dose") -> Passage:
    return Passage(
        passage_id=name,
        title="Metformin: the dose of metformin that should be given",
        text=text,
        source="A society",
        source_kind="guideline",
        published="2026",
        licence="own summary",
        codes=[cf.CodedConcept(system="http://www.nlm.nih.gov/research/umls/rxnorm", code="6809", display="metformin")],
    )


class Door:
    """The service's RPCs as somebody calls them."""

    def __init__(self, rpc: Rpc, store: Store) -> None:
        self._rpc, self._store = rpc, store

    async def by(self, caller: Principal, name: str, request: Message) -> Any:
        with called_by(caller):
            return await getattr(self._rpc, name)(request, None)

    async def by_nobody(self, name: str, request: Message) -> Any:
        return await getattr(self._rpc, name)(request, None)

    async def imported(self, *passages: Passage, caller: Principal = CARL) -> list[str]:
        request = pb.LoadEvidenceRequest(passages=passages, unsigned_local=True)
        return list((await self.by(caller, "LoadEvidence", request)).edition_ids)

    async def release(self, caller: Principal, edition_id: str, reason: str = "") -> pb.EvidenceEdition:
        request = pb.ReleaseEvidenceRequest(edition_ids=[edition_id], reason=reason)
        answer: pb.ReleaseEvidenceResponse = await self.by(caller, "ReleaseEvidence", request)
        return answer.editions[0]

    async def withdraw(self, caller: Principal, edition_id: str, reason: str = "wrong") -> pb.EvidenceEdition:
        request = pb.WithdrawEvidenceRequest(edition_id=edition_id, reason=reason)
        answer: pb.WithdrawEvidenceResponse = await self.by(caller, "WithdrawEvidence", request)
        return answer.edition

    async def waiting(self) -> list[str]:
        request = pb.ListEvidenceRequest(state=pb.EVIDENCE_STATE_QUARANTINED)
        return [each.edition_id for each in (await self.by_nobody("ListEvidence", request)).editions]

    async def found(self, words: str = QUESTION) -> dict[str, Passage]:
        hits = (await self.by_nobody("SearchEvidence", pb.SearchEvidenceRequest(query=words, limit=100))).hits
        return {each.passage.passage_id: each.passage for each in hits}

    async def events(self) -> list[Outgoing]:
        """Everything that was announced, the oldest first."""
        told: list[Outgoing] = []

        async def publish(outgoing: Outgoing) -> None:
            told.append(outgoing)

        outbox = Outbox(self._store.connection, publish)
        while await outbox.sweep():
            pass
        return told


def payloads(announced: Iterable[Outgoing]) -> list[Any]:
    return [each.payload for each in announced]


async def nobody(_: Outgoing) -> None:
    raise AssertionError("nothing is published by the library itself")


@pytest.fixture
async def library(store: Store) -> Library:
    trusted = {**own_publishers(), SOCIETY.name: (SOCIETY.publisher,)}
    return Library(store, Outbox(store.connection, nobody), trusted)


@pytest.fixture
async def stocked(library: Library) -> Library:
    """As after a start: with what ships with the product."""
    await library.stock()
    return library


@pytest.fixture
async def door(store: Store, library: Library, tmp_path: Path) -> AsyncIterator[Door]:
    async with TritonClient.connect("127.0.0.1:1") as away, QdrantEdge.open(tmp_path / "qdrant") as index:
        for collection in COLLECTIONS:
            await index.ensure(collection)
        search = Search(store, Embedder(away), index)
        openings = Openings(store, Outbox(store.connection, nobody))
        yield Door(Rpc(store, search, library, openings, estimate), store)


@pytest.fixture
async def answer(
    door: Door, stocked: Library, tell: Build, fact: Build, message: Build
) -> Callable[[], Awaitable[list[AssessedStatement]]]:
    """What an assessment of a patient on metformin says about the question, by the same code as in serving."""
    taken = fact(kind=cf.FACT_KIND_MEDICATION, code="6809", display="metformin", patient="1@NORTH")
    taken.status = cf.FACT_STATUS_ACTIVE
    await tell("m1", message("m1", taken))
    patient = cf.PatientKey(id="1", authority="NORTH")

    async def ask() -> list[AssessedStatement]:
        timeline = await door.by_nobody("GetTimeline", pb.GetTimelineRequest(patient=patient))
        request = pb.GetContextRequest(patient=patient, question=QUESTION, token_budget=2000)
        context = (await door.by_nobody("GetContext", request)).context
        known = Timeline(timeline.facts, timeline.identifiers, timeline.contradictions)
        record = Record(known, context, (), datetime.now(UTC))
        made = prepare(QUESTION, record, Budget(700, 0), Identity.of("a"), chooser=Chooser.RULES)
        return [each for each in made.checked if each.released]

    return ask


async def test_what_nobody_known_or_no_person_sends_is_refused_and_never_found(door: Door) -> None:
    for manifest, local in ((None, False), (None, True), (SOCIETY.sign("1", "2026-11-28", [passage()]), False)):
        request = pb.LoadEvidenceRequest(passages=[passage()], manifest=manifest, unsigned_local=local)
        with pytest.raises(UnauthenticatedError):
            await door.by_nobody("LoadEvidence", request)
        with pytest.raises(DeniedError):
            await door.by(Principal("spiffe://longitude/reasoning"), "LoadEvidence", request)
    assert await door.waiting() == []
    assert "metformin-dose" not in await door.found()


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (None, "nobody signed"),
        (SigningKey.generate("stranger").sign("1", "2026-11-28", [passage()]), "not among those that are trusted"),
        (SigningKey.generate(SOCIETY.name).sign("1", "2026-11-28", [passage()]), "does not hold"),
        (SOCIETY.sign("1", "2026-11-28", [passage("Another text.")]), "does not hold"),
    ],
)
async def test_what_no_trusted_publisher_signed_is_refused(
    door: Door, manifest: pb.EvidenceManifest | None, why: str
) -> None:
    request = pb.LoadEvidenceRequest(passages=[passage()], manifest=manifest)
    with pytest.raises(InvalidInputError, match=why):
        await door.by(CARL, "LoadEvidence", request)
    assert await door.waiting() == []


async def test_a_doubled_dose_reaches_no_assessment_before_two_physicians_say_why_and_says_then_who(
    door: Door, answer: Callable[[], Awaitable[list[AssessedStatement]]]
) -> None:
    (edition_id,) = await door.imported(passage())
    (seen,) = (
        await door.by_nobody("ListEvidence", pb.ListEvidenceRequest(state=pb.EVIDENCE_STATE_QUARANTINED))
    ).editions
    assert [(each.said, each.allowed, each.source) for each in seen.conflicts] == [("4000", "2000", "KDIGO 2022")]
    assert (seen.publisher, seen.imported_by.name) == ("", "Dr Carl")
    assert not any("4000" in each.text for each in await answer())
    for caller in (NURSE, CARL):
        with pytest.raises(DeniedError):
            await door.release(caller, edition_id, "it is right")
    with pytest.raises(InvalidInputError, match="say why"):
        await door.release(ANNA, edition_id)
    once = await door.release(ANNA, edition_id, "a trial says so")
    assert once.state == pb.EVIDENCE_STATE_QUARANTINED
    with pytest.raises(ConflictError):
        await door.release(ANNA, edition_id, "once more")
    assert "metformin-dose" not in await door.found()
    assert not any("4000" in each.text for each in await answer())

    released = await door.release(BEN, edition_id, "I read it too")
    assert (released.state, [each.reason for each in released.approvals]) == (
        pb.EVIDENCE_STATE_RELEASED,
        ["a trial says so", "I read it too"],
    )
    cited = next(citation for each in await answer() if "4000" in each.text for citation in each.citations)
    assert list(cited.release.approved_by) == ["Dr Anna", "Dr Ben"]
    assert (cited.release.edition_id, cited.release.publisher) == (edition_id, "")

    await door.withdraw(BEN, edition_id, "the trial was retracted")
    assert not any("4000" in each.text for each in await answer())
    assert "metformin-dose" not in await door.found()


async def test_each_step_is_an_event_and_a_step_that_was_refused_is_none(door: Door) -> None:
    await door.events()
    (edition_id,) = await door.imported(passage())
    await door.imported(passage())
    with pytest.raises(DeniedError):
        await door.release(NURSE, edition_id, "x")
    await door.release(ANNA, edition_id, "because")
    await door.release(BEN, edition_id, "because")
    await door.withdraw(ANNA, edition_id)
    with pytest.raises(ConflictError):
        await door.withdraw(BEN, edition_id)
    told = await door.events()
    assert [each.topic for each in told] == [
        EVIDENCE_LOADED,
        EVIDENCE_APPROVED,
        EVIDENCE_APPROVED,
        EVIDENCE_RELEASED,
        EVIDENCE_WITHDRAWN,
    ]
    assert len({each.id for each in told}) == len(told)
    assert {each.topic for each in told} <= set(TOPICS)
    loaded, anna, _, released, withdrawn = payloads(told)
    assert (list(loaded.edition_ids), loaded.imported_by.subject) == ([edition_id], "Carl")
    assert loaded.conflicts[0].said == "4000"
    assert (anna.by.issuer, anna.by.subject, anna.reason) == ("https://issuer.example", "Anna", "because")
    assert {each.subject for each in released.approved_by} == {"Anna", "Ben"}
    assert (withdrawn.edition_id, withdrawn.by.name, withdrawn.reason) == (edition_id, "Dr Anna", "wrong")


async def test_a_signed_package_waits_for_two_physicians_as_well_and_keeps_its_publisher(door: Door) -> None:
    harmless = passage("Metformin is taken with a meal.", "society-metformin")
    manifest = SOCIETY.sign("2026", "2026-11-28", [harmless])
    request = pb.LoadEvidenceRequest(passages=[harmless], manifest=manifest)
    first, again = [await door.by(CARL, "LoadEvidence", request) for _ in range(2)]
    assert (first.loaded, first.unchanged, again.loaded, again.unchanged) == (1, 0, 0, 1)
    assert "society-metformin" not in await door.found()
    (edition_id,) = first.edition_ids
    for caller in (ANNA, BEN):
        await door.release(caller, edition_id)
    release = (await door.found())["society-metformin"].release
    assert (release.publisher, release.edition, release.date) == ("society.example", "2026", "2026-11-28")


async def test_an_unsigned_copy_of_a_signed_text_is_another_edition(door: Door) -> None:
    text = passage("Metformin is taken with a meal.")
    (local,) = await door.imported(text)
    manifest = SOCIETY.sign("1", "2026-11-28", [text])
    signed = await door.by(CARL, "LoadEvidence", pb.LoadEvidenceRequest(passages=[text], manifest=manifest))
    assert len({local, *signed.edition_ids}) == 2


async def test_two_who_approve_at_once_release_once(door: Door) -> None:
    (edition_id,) = await door.imported(passage())
    await door.events()
    await asyncio.gather(*(door.release(each, edition_id, "because") for each in (ANNA, BEN)))
    topics = [each.topic for each in await door.events()]
    assert sorted(each.name for each in topics) == sorted(
        [EVIDENCE_APPROVED.name, EVIDENCE_APPROVED.name, EVIDENCE_RELEASED.name]
    )


async def test_a_new_edition_takes_the_place_of_the_old_one_when_it_is_released_and_not_before(door: Door) -> None:
    old, new = passage("Metformin is taken at noon."), passage("Metformin is taken with a meal.")
    (first,) = await door.imported(old)
    for caller in (ANNA, BEN):
        await door.release(caller, first)
    (second,) = await door.imported(new)
    seen = (await door.by_nobody("GetEvidence", pb.GetEvidenceRequest(edition_id=second))).edition
    assert seen.replaces == first
    assert (await door.found())["metformin-dose"].text == old.text
    for caller in (ANNA, BEN):
        await door.release(caller, second)
    assert (await door.found())["metformin-dose"].text == new.text
    superseded = (await door.by_nobody("GetEvidence", pb.GetEvidenceRequest(edition_id=first))).edition
    assert superseded.state == pb.EVIDENCE_STATE_SUPERSEDED
    await door.withdraw(ANNA, first)
    assert (await door.found())["metformin-dose"].text == new.text


async def test_of_several_editions_all_are_approved_or_none(door: Door) -> None:
    mine = await door.imported(passage("Metformin is taken with a meal.", "mine"), caller=ANNA)
    other = await door.imported(passage("Metformin is taken with water.", "other"))
    request = pb.ReleaseEvidenceRequest(edition_ids=[*other, *mine])
    with pytest.raises(DeniedError):
        await door.by(ANNA, "ReleaseEvidence", request)
    unknown = pb.ReleaseEvidenceRequest(edition_ids=[*other, "nowhere@1"])
    with pytest.raises(NotFoundError):
        await door.by(BEN, "ReleaseEvidence", unknown)
    seen = (await door.by_nobody("GetEvidence", pb.GetEvidenceRequest(edition_id=other[0]))).edition
    assert list(seen.approvals) == []


async def test_a_passage_that_is_incomplete_is_refused_by_name_and_field(door: Door) -> None:
    with pytest.raises(InvalidInputError, match="half-done: text"):
        await door.imported(Passage(passage_id="half-done", title="x"))


async def test_what_ships_speaks_as_shipped_and_nobody_is_said_to_have_approved_it(
    door: Door, stocked: Library
) -> None:
    release = (await door.found("metformin eGFR"))["fda-metformin-renal"].release
    assert (release.publisher, release.edition, list(release.approved_by)) == ("longitude", "1", [])
    loaded, released = await door.events(), shipped()
    assert {each.topic for each in loaded} == {EVIDENCE_LOADED, EVIDENCE_RELEASED}
    (event,) = payloads(each for each in loaded if each.topic is EVIDENCE_RELEASED)
    assert (len(event.edition_ids), list(event.approved_by)) == (len(released), [])


async def test_what_people_withdrew_or_replaced_stays_so_at_the_next_start(door: Door, stocked: Library) -> None:
    found = await door.found("metformin eGFR")
    withdrawn = found["fda-metformin-renal"].release.edition_id
    await door.withdraw(ANNA, withdrawn, "an error in it")
    await stocked.stock()
    assert "fda-metformin-renal" not in await door.found("metformin eGFR")
    assert await door.waiting() == []


async def test_a_new_text_of_what_people_decided_about_waits_for_people(
    door: Door, stocked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition_id = (await door.found("metformin eGFR"))["fda-metformin-renal"].release.edition_id
    await door.withdraw(ANNA, edition_id, "an error in it")
    newer = [each for each in shipped() if each.passage_id == "fda-metformin-renal"]
    newer[0].text = "A newer text."
    newer_package = Package(tuple(newer), SigningKey.generate("longitude").sign("2", "2026-12-01", newer))
    monkeypatch.setattr("memory.flows.library.shipped_packages", lambda: [newer_package])
    await stocked.stock()
    (waiting,) = await door.waiting()
    assert waiting.startswith("fda-metformin-renal@")
    assert "fda-metformin-renal" not in await door.found("metformin eGFR")


async def test_editions_are_listed_page_by_page(door: Door, stocked: Library) -> None:
    ids: list[str] = []
    request = pb.ListEvidenceRequest(page_size=200)
    while True:
        page = await door.by_nobody("ListEvidence", request)
        ids += [each.edition_id for each in page.editions]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert len(ids) == len(shipped())
    assert ids == sorted(set(ids))


async def test_the_database_refuses_to_change_what_was_imported_or_decided(
    door: Door, store: Store, as_owner: Callable[..., None]
) -> None:
    (edition_id,) = await door.imported(passage())
    await door.release(ANNA, edition_id, "because")
    async with store.connection() as conn:
        for statement in (
            "UPDATE evidence_edition SET payload = ''",
            "DELETE FROM evidence_step",
            "UPDATE evidence_step SET subject = 'Ben'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(statement.encode())
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(conn, statement)
