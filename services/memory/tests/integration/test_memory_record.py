"""The record on a real PostgreSQL."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
import pytest
from contracts.errors import NotFoundError, PermanentError, UnavailableError
from contracts.topics import DOCUMENT_READ, STUDY_ANALYSED
from longitude.imaging.v1.events_pb2 import DocumentRead, StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.record.v1 import fact_pb2 as cf
from memory.adapters.postgres import Person, Store, views
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, standing
from memory.handlers import on_documents_read, on_studies_analysed

Build = Callable[..., Any]
At = Callable[[float], datetime]
NORTH, LAKE = Identifier("NORTH", "1"), Identifier("LAKE", "2")
TABLES = ("fact", "identity_link", "contradiction", "note_text", "identifier", "inbox", "outbox", "text_queue", "entry")


@dataclass(frozen=True)
class Known:
    """A person, and what became of every statement."""

    person: Person
    entries: list[Entry]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.person, name)


async def known(store: Store, identifier: Identifier = NORTH, at: datetime | None = None) -> Known:
    return Known(*await store.replayed(identifier, at))


async def current(store: Store, identifier: Identifier = NORTH, at: datetime | None = None) -> set[str]:
    return {entry.fact.fact_id for entry in standing((await known(store, identifier, at)).entries)}


async def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, range(10), 0)
        return {
            table: sorted(await (await conn.execute(f"SELECT * FROM {table}".encode())).fetchall(), key=str)
            for table in TABLES
        }


async def test_a_fact_is_visible_with_the_moment_it_was_recorded(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    before = datetime.now(UTC)
    (updated,) = await tell("m", message("m", fact(fact_id="f", value="1.8")))
    (entry,) = (await known(store)).entries
    assert entry.fact.quantity.value == "1.8"
    assert before < entry.statement.recorded_at < datetime.now(UTC)
    assert list(updated.payload.fact_ids) == ["f"]
    assert updated.payload.recorded_at.ToDatetime(UTC) == entry.statement.recorded_at


async def test_a_redelivered_event_changes_nothing_and_publishes_the_same(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    said = message("m", fact(fact_id="f", note="A note."), merged="2@LAKE")
    first = await tell("m", said)
    rows = await everything(store)
    again = await tell("m", said)
    assert await everything(store) == rows
    assert [(o.id, o.value()) for o in again] == [(o.id, o.value()) for o in first]


async def test_a_fact_that_another_event_repeats_is_recorded_once(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    await tell("one", message("m", fact(fact_id="f")))
    recorded = (await known(store)).entries[0].statement.recorded_at
    assert await tell("two", message("m", fact(fact_id="f"))) == []
    (entry,) = (await known(store)).entries
    assert entry.statement.recorded_at == recorded


@pytest.mark.parametrize("table", ["identifier", "fact", "identity_link", "contradiction", "note_text"])
async def test_the_database_refuses_to_change_or_delete_what_was_recorded(
    store: Store, table: str, fact: Build, message: Build, tell: Build, as_owner: Build
) -> None:
    allergy = {"kind": cf.FACT_KIND_ALLERGY, "status": cf.FACT_STATUS_ACTIVE}
    denial = fact(code="716186003", assertion=cf.ASSERTION_ABSENT, **allergy)
    await tell("m", message("m", denial, fact(code="764146007", note="rash", **allergy), merged="2@LAKE"))
    async with store.connection() as conn:
        for statement in (f"UPDATE {table} SET recorded_at = now()", f"DELETE FROM {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(statement.encode())
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(conn, statement)


@pytest.mark.parametrize("table", ["fact", "fact_group", "entry"])
async def test_everything_belongs_to_an_identifier_that_is_known(
    store: Store, table: str, fact: Build, message: Build, tell: Build
) -> None:
    for number, patient in enumerate(("1@NORTH", "2@LAKE", "1@NORTH")):
        await tell(f"m{number}", message(f"m{number}", fact(same="order", patient=patient), patient=patient))
    query = f"SELECT count(*), count(i.identifier_no) FROM {table} LEFT JOIN identifier i USING (identifier_no)"
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, range(10), 0)
        rows, known = await (await conn.execute(query.encode())).fetchone() or (0, 0)
    assert 0 < rows == known


async def test_an_identifier_keeps_its_number_and_uses_up_no_other(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    for number, patient in enumerate(("1@NORTH", "1@NORTH", "2@LAKE", "1@NORTH", "3@LAKE")):
        await tell(f"m{number}", message(f"m{number}", fact(fact_id=f"f{number}", patient=patient), patient=patient))
    async with store.connection() as conn:
        rows = await (await conn.execute("SELECT id, identifier_no FROM identifier ORDER BY 2")).fetchall()
    first = rows[0][1]
    assert rows == [("1", first), ("2", first + 1), ("3", first + 2)]


async def test_a_merge_shows_at_once_that_birth_dates_differ(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    for patient, born in (("1@NORTH", "1957-03-02"), ("2@LAKE", "1961-05-30")):
        birth = fact(kind=cf.FACT_KIND_DEMOGRAPHIC, code="21112-8", text=born, patient=patient)
        await tell(patient, message(patient, birth, patient=patient))
    assert (await known(store)).contradictions == []
    await tell("merge", message("merge", merged="2@LAKE"))
    assert [each.rule for each in (await known(store)).contradictions] == ["demographic-mismatch"]


async def test_as_of_reads_answer_on_both_axes(store: Store, fact: Build, message: Build, tell: Build, at: At) -> None:
    medication = {"kind": cf.FACT_KIND_MEDICATION, "same": "order", "code": "6809"}
    await tell("a", message("a", fact(fact_id="on", since=0, status=cf.FACT_STATUS_ACTIVE, **medication), sent=at(0)))
    between = datetime.now(UTC)
    ended = fact(fact_id="off", since=0, until=30, status=cf.FACT_STATUS_ENDED, **medication)
    await tell("b", message("b", ended, sent=at(30)))
    assert await current(store) == {"off"}
    assert await current(store, at=between) == {"on"}
    (entry,) = (await known(store, at=between)).entries
    assert entry.holds_at(at(60)), "before the end was known it was believed to go on"
    assert not any(entry.holds_at(at(60)) for entry in (await known(store)).entries)


async def test_before_its_first_message_a_patient_is_unknown(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    before = datetime.now(UTC)
    await tell("m", message("m", fact()))
    for identifier, moment in ((NORTH, before), (Identifier("NORTH", "none"), None)):
        with pytest.raises(NotFoundError):
            await store.person(identifier, moment)


async def test_merge_later_writes_and_unmerge_lose_nothing(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    await tell("n", message("n", fact(fact_id="north")))
    await tell("l", message("l", fact(fact_id="lake", patient="2@LAKE"), patient="2@LAKE"))
    apart = datetime.now(UTC)
    await tell("a40", message("a40", merged="2@LAKE"))
    await tell("later", message("later", fact(fact_id="lake-later", patient="2@LAKE"), patient="2@LAKE"))
    together = datetime.now(UTC)
    for identifier in (NORTH, LAKE):
        assert await current(store, identifier) == {"north", "lake", "lake-later"}
    await tell("a37", message("a37", unmerged="2@LAKE"))
    assert await current(store, NORTH) == {"north"}
    assert await current(store, LAKE) == {"lake", "lake-later"}
    assert (await known(store, NORTH)).identifiers == (NORTH,)
    assert await current(store, NORTH, apart) == {"north"}
    assert await current(store, NORTH, together) == {"north", "lake", "lake-later"}


async def test_circular_self_and_chained_merges_resolve_to_one_person(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    for n, (surviving, merged) in enumerate([("1@N", "1@N"), ("1@N", "2@N"), ("2@N", "3@N"), ("3@N", "1@N")]):
        await tell(f"m{n}", message(f"m{n}", fact(patient=surviving), patient=surviving, merged=merged))
    everyone = {Identifier("N", number) for number in "123"}
    for identifier in everyone:
        person = await known(store, identifier)
        assert set(person.identifiers) == everyone
        assert person.identifiers[0] == identifier


async def test_contradictions_open_are_kept_and_are_resolved_with_their_history(
    store: Store, fact: Build, message: Build, tell: Build, at: At
) -> None:
    allergy = {"kind": cf.FACT_KIND_ALLERGY, "status": cf.FACT_STATUS_ACTIVE, "same": "al"}
    denial = fact(fact_id="nka", code="716186003", assertion=cf.ASSERTION_ABSENT, **allergy)
    penicillin = fact(fact_id="pen", code="764146007", patient="2@LAKE", **allergy)
    (apart,) = await tell("a", message("a", denial, sent=at(0)))
    await tell("b", message("b", penicillin, patient="2@LAKE", sent=at(1)))
    assert not apart.payload.contradiction_ids
    (merged,) = await tell("a40", message("a40", merged="2@LAKE", sent=at(2)))
    (opened,) = merged.payload.contradiction_ids
    open_at = datetime.now(UTC)
    (found,) = (await known(store)).contradictions
    assert (found.contradiction_id, found.open, list(found.fact_ids)) == (opened, True, ["nka", "pen"])
    assert await current(store) == {"nka", "pen"}, "nothing is invalidated"

    withdrawn = fact(fact_id="w", code="716186003", **allergy | {"status": cf.FACT_STATUS_ENTERED_IN_ERROR})
    (resolved,) = await tell("c", message("c", withdrawn, sent=at(3)))
    assert not resolved.payload.contradiction_ids
    assert [one.open for one in (await known(store)).contradictions] == [False]
    assert [one.open for one in (await known(store, at=open_at)).contradictions] == [True]


async def test_a_contradiction_between_two_persons_is_not_shown_after_the_unmerge(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    sex = {"kind": cf.FACT_KIND_DEMOGRAPHIC, "code": "46098-0", "since": None}
    await tell("a", message("a", fact(text="F", **sex)))
    await tell("b", message("b", fact(text="M", patient="2@LAKE", **sex), patient="2@LAKE"))
    (merged,) = await tell("a40", message("a40", merged="2@LAKE"))
    assert len(merged.payload.contradiction_ids) == 1
    assert [one.rule for one in (await known(store)).contradictions] == ["demographic-mismatch"]
    await tell("a37", message("a37", unmerged="2@LAKE"))
    assert (await known(store, NORTH)).contradictions == []
    assert (await known(store, LAKE)).contradictions == []


async def test_a_restatement_keeps_one_contradiction_open_with_the_facts_that_stand(
    store: Store, fact: Build, message: Build, tell: Build, at: At
) -> None:
    allergy = {"kind": cf.FACT_KIND_ALLERGY, "status": cf.FACT_STATUS_ACTIVE}
    denial = {"code": "716186003", "assertion": cf.ASSERTION_ABSENT, "same": "nka"}
    await tell("a", message("a", fact(fact_id="nka-1", **denial, **allergy), fact(fact_id="p", code="1", **allergy)))
    (restated,) = await tell("b", message("b", fact(fact_id="nka-2", since=4, **denial, **allergy)))
    assert not restated.payload.contradiction_ids
    (found,) = (await known(store)).contradictions
    assert (found.open, list(found.fact_ids)) == (True, ["nka-2", "p"])


async def test_the_order_of_arrival_does_not_change_the_final_record(
    new_database: Callable[..., str], fact: Build, message: Build, event: Build, at: At
) -> None:
    from memory.adapters.postgres import open_store  # noqa: PLC0415
    from memory.handlers import on_messages_received  # noqa: PLC0415

    slot = {"kind": cf.FACT_KIND_MEDICATION, "code": "6809", "same": "order"}
    messages: list[MessageReceived] = [
        message("a", fact(fact_id="a", status=cf.FACT_STATUS_ACTIVE, **slot), sent=at(1)),
        message("b", fact(fact_id="b", status=cf.FACT_STATUS_ENDED, until=9, **slot), sent=at(2)),
        message("c", fact(fact_id="c", patient="2@LAKE", status=cf.FACT_STATUS_ACTIVE, **slot), patient="2@LAKE"),
        message("merge", merged="2@LAKE", sent=at(3)),
        message("unmerge", unmerged="2@LAKE", sent=at(4)),
        message("again", merged="2@LAKE", sent=at(5)),
    ]
    outcomes = []
    for seed in range(4):
        arrival = messages.copy()
        Random(seed).shuffle(arrival)
        async with open_store(new_database("memory")) as fresh:
            for said in arrival:
                await on_messages_received([event(said, said.header.control_id)], store=fresh)
            person = await known(fresh)
            outcomes.append(
                (
                    {(e.fact.fact_id, e.successor.fact_id if e.successor else "") for e in person.entries},
                    set(person.identifiers),
                    {(c.contradiction_id, c.open, tuple(c.fact_ids)) for c in person.contradictions if c.open},
                )
            )
    assert outcomes.count(outcomes[0]) == len(outcomes)
    assert outcomes[0][1] == {NORTH, LAKE}
    assert len(outcomes[0][2]) == 1


async def test_writers_of_one_person_do_not_miss_each_others_facts(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    """Two feeds of one merged person write at the same moment: the contradiction between them is found."""
    await tell("merge", message("merge", merged="2@LAKE"))
    problem = {"kind": cf.FACT_KIND_PROBLEM, "status": cf.FACT_STATUS_ACTIVE}
    for n in range(10):
        present = message(f"p{n}", fact(code=f"c{n}", **problem))
        absent = fact(code=f"c{n}", assertion=cf.ASSERTION_ABSENT, patient="2@LAKE", **problem)
        await asyncio.gather(tell(f"p{n}", present), tell(f"a{n}", message(f"a{n}", absent, patient="2@LAKE")))
    assert sum(one.open for one in (await known(store)).contradictions) == 10


async def test_merges_at_the_same_moment_end_in_one_person(store: Store, message: Build, tell: Build) -> None:
    pairs = [(f"{n}@N", f"{n + 1}@N") for n in range(8)]
    tasks = [tell(f"{a}{b}", message(f"{a}{b}", patient=a, merged=b)) for a, b in pairs]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    # Two writers may wait for each other: the database ends one of them and the bus tries it again.
    assert all(isinstance(results[n], UnavailableError) for n in failed)
    for n in failed:
        await tell(f"{pairs[n][0]}{pairs[n][1]}", message("again", patient=pairs[n][0], merged=pairs[n][1]))
    assert len((await known(store, Identifier("N", "4"))).identifiers) == 9


async def test_films_and_documents_are_recorded_like_messages(store: Store, fact: Build, event: Build) -> None:
    key = cf.PatientKey(id="1", authority="NORTH")
    finding = fact(fact_id="finding", kind=cf.FACT_KIND_IMAGING_FINDING, provenance=cf.PROVENANCE_COMPUTED_FROM_IMAGE)
    await on_studies_analysed([event(StudyAnalysed(patient=key, facts=[finding]), "s", STUDY_ANALYSED)], store=store)
    allergy = fact(fact_id="letter", kind=cf.FACT_KIND_ALLERGY, provenance=cf.PROVENANCE_READ_FROM_TEXT)
    read = DocumentRead(document_id="d", patient=key, facts=[allergy], text="Rash after penicillin. Avoid.")
    ((updated,),) = await on_documents_read([event(read, "d", DOCUMENT_READ)], store=store)
    assert await current(store) == {"finding", "letter"}
    assert updated.causation_id == event(read, "d", DOCUMENT_READ).id
    assert len((await everything(store))["text_queue"]) == 1


async def test_an_event_that_cannot_be_read_goes_to_the_dead_letters_and_leaves_nothing(
    store: Store, message: Build, tell: Build
) -> None:
    with pytest.raises(PermanentError, match="unreadable-facts"):
        await tell("bad", message("bad", cf.ClinicalFact()))
    assert not any((await everything(store)).values())


async def test_an_effect_that_fails_half_way_leaves_nothing(
    store: Store, fact: Build, message: Build, tell: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memory.adapters.postgres import notes  # noqa: PLC0415

    async def lost(*_: object) -> None:
        raise psycopg.OperationalError("connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(notes, "add", lost)
        with pytest.raises(UnavailableError):
            await tell("m", message("m", fact(fact_id="f")))
    assert not any((await everything(store)).values())
    await tell("m", message("m", fact(fact_id="f")))
    assert await current(store) == {"f"}
