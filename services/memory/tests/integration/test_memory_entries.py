"""What is kept of each statement's fate is what the facts give, and pages are one state of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from consult import times
from contracts.errors import InvalidInputError, NotFoundError
from contracts.identifiers import event_id
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact
from memory.adapters.postgres import Person, Store, entries, open_store, past, views
from memory.domain.courses import chosen, concept_of, is_named
from memory.domain.identity import Identifier
from memory.domain.timeline import Entry, standing
from memory.flows import timeline
from memory.flows.timeline import Asked
from memory.handlers import on_messages_received

Build = Callable[..., Any]
NORTH, LAKE, OTHER = Identifier("NORTH", "1"), Identifier("LAKE", "2"), Identifier("NORTH", "3")
KINDS = (
    *(cf.FACT_KIND_RESULT, cf.FACT_KIND_RESULT, cf.FACT_KIND_MEDICATION, cf.FACT_KIND_MEDICATION),
    *(cf.FACT_KIND_ALLERGY, cf.FACT_KIND_DOCUMENT),
)
STATUSES = (
    *(cf.FACT_STATUS_UNSPECIFIED, cf.FACT_STATUS_ACTIVE, cf.FACT_STATUS_ORDERED, cf.FACT_STATUS_PRELIMINARY),
    *(cf.FACT_STATUS_FINAL, cf.FACT_STATUS_FINAL, cf.FACT_STATUS_CORRECTED, cf.FACT_STATUS_ENDED),
    cf.FACT_STATUS_ENTERED_IN_ERROR,
)
# About the things of a history, by numbers that join what was apart.
LATER = (
    (cf.FACT_KIND_MEDICATION, cf.FACT_STATUS_ENDED, ("filler:F1", "placer:P1")),
    (cf.FACT_KIND_RESULT, cf.FACT_STATUS_CORRECTED, ("filler:F0",)),
    (cf.FACT_KIND_RESULT, cf.FACT_STATUS_FINAL, ()),
    (cf.FACT_KIND_RESULT, cf.FACT_STATUS_ENTERED_IN_ERROR, ("filler:F2", "visit:V3")),
    (cf.FACT_KIND_ALLERGY, cf.FACT_STATUS_ACTIVE, ("visit:V0",)),
    (cf.FACT_KIND_RESULT, cf.FACT_STATUS_FINAL, ("filler:F3",)),
)
COLUMNS = "identifier_no, starts, recorded_at, fact_id, kind, concept, since, stands, view, chain, chain_identity"


def random_fact(
    random: Random, build: Build, event: str, n: int, patient: str, kinds: Sequence[int]
) -> cf.ClinicalFact:
    """A statement about one of a few things, by one or two of their numbers, or about itself alone."""
    thing = random.randrange(4)
    groups = random.sample([f"filler:F{thing}", f"placer:P{thing // 2}", f"visit:V{thing}"], random.randrange(3))
    kind = random.choice(kinds)
    built: cf.ClinicalFact = build(
        fact_id=event_id("fact", event, str(n)),
        kind=kind,
        code=random.choice(("6809", "723", "29046")),
        patient=patient,
        since=random.choice((None, 0, 1, 2)),
        until=random.choice((None, None, 9)) if kind == cf.FACT_KIND_MEDICATION else None,
        status=random.choice(STATUSES),
        value=str(random.randrange(9)),
        note=random.choice(("", "as told")),
    )
    built.source.event_id = event
    if kind == cf.FACT_KIND_DOCUMENT or random.random() < 0.1:
        built.source.document_id = f"D{thing}"
    if groups:
        whole = kind == cf.FACT_KIND_MEDICATION and random.random() < 0.2
        names = () if whole else random.sample(("a/", "b/"), random.randrange(1, 3))
        instance = random.choice((0, 0, 0, 1))
        built.identity.CopyFrom(cf.Identity(groups=groups, names=names, instance=instance, whole_group=whole))
    return built


def random_messages(random: Random, build: Build, message: Build, at: Build, count: int) -> list[MessageReceived]:
    """A history: most messages come in their order, some late, some with others' times; persons merge and part.

    Every other history is without documents, whose withdrawal reaches back to what was closed before.
    """
    kinds = random.choice((KINDS, KINDS[:-1]))
    told = []
    for n in range(count):
        patient = random.choice(("1@NORTH", "1@NORTH", "2@LAKE", "3@NORTH"))
        event = f"{random.random()}"
        facts = [random_fact(random, build, event, i, patient, kinds) for i in range(random.randrange(1, 4))]
        other = random.choice(("2@LAKE", "3@NORTH", "3@NORTH"))
        link = {random.choice(("merged", "unmerged")): other} if random.random() < 0.2 else {}
        sent = at(n if random.random() < 0.7 else random.randrange(count))
        told.append(message(event, *facts, patient="1@NORTH" if link else patient, sent=sent, **link))
    return told


async def tell_in_batches(
    store: Store, event: Build, messages: list[MessageReceived], random: Random
) -> AsyncIterator[None]:
    while messages:
        batch = [messages.pop(0) for _ in range(min(len(messages), random.randrange(1, 6)))]
        await on_messages_received([event(each, each.header.control_id) for each in batch], store=store)
        yield


async def pages(store: Store, identifier: Identifier, asked: Asked) -> list[RecordedFact]:
    facts: list[RecordedFact] = []
    while True:
        page = await timeline.page(store, identifier, asked)
        assert len(page.facts) <= asked.size
        facts += page.facts
        if not page.next:
            return facts
        asked = Asked(**{name: getattr(asked, name) for name in asked.__slots__} | {"token": page.next})


async def replayed(store: Store, identifier: Identifier, *, superseded: bool) -> list[RecordedFact]:
    _, made = await store.replayed(identifier, None)
    return [entry.recorded() for entry in made if superseded or entry.stands]


async def is_known(store: Store, identifier: Identifier, at: datetime | None = None) -> bool:
    try:
        await store.person(identifier, at)
    except NotFoundError:
        return False
    return True


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_kept_is_what_the_facts_give(
    store: Store, fact: Build, message: Build, event: Build, at: Build, seed: int
) -> None:
    random = Random(seed)
    told = random_messages(random, fact, message, at, 30)
    async for _ in tell_in_batches(store, event, told, random):
        for superseded in (False, True):
            asked = Asked(superseded=superseded, size=random.choice((1, 3, 1000)))
            for one in (NORTH, OTHER):
                if await is_known(store, one):
                    assert await pages(store, one, asked) == await replayed(store, one, superseded=superseded)
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, range(10), 0)
        query = f"SELECT {COLUMNS} FROM entry ORDER BY 1, 2, 3, 4".encode()
        kept = await (await conn.execute(query)).fetchall()
        await entries.rebuild(conn)
        assert await (await conn.execute(query)).fetchall() == kept
        assert len(kept) > 20


def fates(facts: Sequence[RecordedFact]) -> list[str]:
    """What became of each statement, without when the record learned of it."""
    for each in facts:
        each.ClearField("recorded_at")
        each.ClearField("superseded_at")
    return sorted(map(str, facts))


@pytest.mark.parametrize("seed", range(6))
async def test_merges_and_partings_give_one_record_in_any_order(
    new_database: Callable[..., str], fact: Build, message: Build, event: Build, at: Build, seed: int
) -> None:
    told = random_messages(Random(seed), fact, message, at, 20)
    for n, each in enumerate(told):
        each.header.sent_at.CopyFrom(times.stamp(at(n)))
    outcomes = []
    for shuffle in range(2):
        arrival = told.copy()
        random = Random(shuffle)
        random.shuffle(arrival)
        async with open_store(new_database("memory")) as store:
            async for _ in tell_in_batches(store, event, arrival, random):
                pass
            outcomes.append([fates(await pages(store, one, Asked(superseded=True))) for one in (NORTH, LAKE, OTHER)])
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) > 5


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_known_before_a_merge_is_answered_as_it_was(
    store: Store, fact: Build, message: Build, event: Build, at: Build, seed: int
) -> None:
    random = Random(seed)
    told = random_messages(random, fact, message, at, 30)
    then: list[tuple[datetime, Identifier, list[RecordedFact]]] = []
    async for _ in tell_in_batches(store, event, told, random):
        for one in [each for each in (NORTH, OTHER) if await is_known(store, each)]:
            then += [(datetime.now(UTC), one, await pages(store, one, Asked(superseded=True)))]
    for moment, one, known in then:
        assert await pages(store, one, Asked(superseded=True, known_at=moment)) == known


async def test_numbers_that_part_take_their_statements_with_them(
    store: Store, fact: Build, message: Build, tell: Build, at: Build
) -> None:
    visit = {"kind": cf.FACT_KIND_ENCOUNTER, "same": "visit:V1"}
    admitted = fact(fact_id="admitted", status=cf.FACT_STATUS_ACTIVE, patient="3@NORTH", since=1, **visit)
    discharged = fact(fact_id="discharged", status=cf.FACT_STATUS_ENDED, since=None, until=3, **visit)
    await tell("a", message("a", admitted, patient="3@NORTH", sent=at(1)))
    await tell("b", message("b", merged="3@NORTH", sent=at(2)))
    await tell("c", message("c", discharged, sent=at(3)))
    (stands,) = await pages(store, OTHER, Asked())
    assert (stands.fact.fact_id, list(stands.carried_from)) == ("discharged", ["admitted"])
    assert stands.fact.patient.id == "1"
    assert [each.fact.fact_id for each in await pages(store, NORTH, Asked(valid_at=at(2)))] == ["discharged"]
    await tell("d", message("d", unmerged="3@NORTH", sent=at(4)))
    assert [each.fact.fact_id for each in await pages(store, OTHER, Asked())] == ["admitted"]
    (stands,) = await pages(store, NORTH, Asked())
    assert (stands.fact.fact_id, list(stands.carried_from)) == ("discharged", [])


async def test_entries_that_other_rules_made_are_made_again(
    store: Store, fact: Build, message: Build, tell: Build, as_owner: Build
) -> None:
    await tell("m", message("m", fact(fact_id="f")))
    async with store.connection() as conn:
        as_owner(conn, "UPDATE entry SET stands = false")
        await entries.keep_up(conn)
        assert (await store.standing(NORTH, None)).facts == []
        as_owner(conn, "UPDATE entry_rules SET rules = 'older'")
        await entries.keep_up(conn)
        assert [each.fact.fact_id for each in (await store.standing(NORTH, None)).facts] == ["f"]


async def test_pages_are_one_state_of_the_record_whatever_comes_between_them(
    store: Store, fact: Build, message: Build, tell: Build, at: Build
) -> None:
    order = {"kind": cf.FACT_KIND_MEDICATION, "same": "order", "status": cf.FACT_STATUS_ACTIVE, "code": "6809"}
    facts = [fact(fact_id=name, since=n) for n, name in enumerate("abc")]
    await tell("m", message("m", *facts, fact(fact_id="late", since=5, **order), sent=at(1)))
    first = await timeline.page(store, NORTH, Asked(size=2))
    assert [each.fact.fact_id for each in first.facts] == ["a", "b"]
    # The order moves to a place that was read already, and a person joins: neither page may tell of it.
    await tell("n", message("n", fact(fact_id="early", since=0.5, **order), sent=at(2)))
    await tell("o", message("o", fact(fact_id="other", since=7, patient="2@LAKE"), merged="2@LAKE", sent=at(3)))
    second = await timeline.page(store, NORTH, Asked(size=2, token=first.next))
    assert ([each.fact.fact_id for each in second.facts], second.next) == (["c", "late"], "")
    assert (first.first, second.first) == (True, False)
    now = await pages(store, NORTH, Asked(size=2))
    assert [each.fact.fact_id for each in now] == ["a", "early", "b", "c", "other"]


async def test_a_page_is_bounded_by_its_bytes_too(
    store: Store, fact: Build, message: Build, tell: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell("m", message("m", *(fact(fact_id=f"f{n}", since=n, note="x" * 1000) for n in range(9))))
    for module in (entries, timeline):
        monkeypatch.setattr(module, "PAGE_BYTES", 2500)
    for asked in (Asked(), Asked(superseded=True)):
        page = await timeline.page(store, NORTH, asked)
        assert 0 < len(page.facts) < 9
        assert len(await pages(store, NORTH, asked)) == 9


@pytest.mark.parametrize("merging", [False, True])
@pytest.mark.parametrize("seed", range(5))
async def test_the_past_is_what_a_replay_of_it_gives(
    store: Store, fact: Build, message: Build, event: Build, at: Build, seed: int, *, merging: bool
) -> None:
    random = Random(seed)
    told = [each for each in random_messages(random, fact, message, at, 30) if merging or not each.links]
    told.insert(0, message("first", patient="1@NORTH", merged="2@LAKE", sent=at(-1)))
    for n, (kind, status, groups) in enumerate(LATER):
        identity = cf.Identity(groups=groups, names=["a/"] if groups else [])
        later = fact(fact_id=event_id("later", str(n)), kind=kind, status=status, since=n, identity=identity)
        told.append(message(f"later{n}", later, sent=at(40 + n)))
    async for _ in tell_in_batches(store, event, told, random):
        pass
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, range(10), 0)
        rows = await (await conn.execute("SELECT DISTINCT recorded_at FROM fact ORDER BY 1")).fetchall()
    kept_in_part = 0
    for (moment,) in rows[:-1]:
        for one in (NORTH, OTHER):
            if await is_known(store, one, moment):
                person, everything = await store.replayed(one, moment)
                await assert_pages_of_the_past(store, one, moment, everything, random)
                kept_in_part += await assert_queries_of_the_past(store, person, moment, everything)
    assert merging or kept_in_part > 5


async def assert_pages_of_the_past(
    store: Store, one: Identifier, moment: datetime, everything: list[Entry], random: Random
) -> None:
    for superseded in (False, True):
        asked = Asked(known_at=moment, superseded=superseded, size=random.choice((1, 3, 1000)))
        expected = [entry.recorded() for entry in everything if superseded or entry.stands]
        assert await pages(store, one, asked) == expected
        assert await pages(store, one, replace(asked, newest_first=True)) == expected[::-1]
    assert (await store.standing(one, moment)).facts == [entry.recorded() for entry in standing(everything)]


async def assert_queries_of_the_past(store: Store, person: Person, moment: datetime, everything: list[Entry]) -> bool:
    """Whether anything but a whole replay can answer."""
    then, numbers = standing(everything), person.numbers
    async with store.as_of(person) as conn:
        known = await past.since(conn, person.identifiers, numbers, moment)
        if known is None:
            return False
        for most in range(1, len(then) + 2):
            chosen_ = [entry.recorded() for entry in chosen(then, most)]
            assert await entries.serving(conn, numbers, most, known) == (chosen_, len(then))
        await assert_courses(conn, numbers, then, known)
        wanted = {entry.fact.fact_id for entry in everything} | {"unknown"}
        ids = {entry.fact.fact_id for entry in then}
        assert await entries.standing_among(conn, numbers, wanted, known) == ids
        assert {each.fact.fact_id for each in await entries.named(conn, numbers, wanted, {"D1"}, known)} == ids
        documents = await entries.documents(conn, numbers, moment, known)
        assert {one for one, stands in documents.items() if stands} == documents_of(then)
        assert documents.keys() == documents_of(everything)
    return True


async def assert_courses(conn: Any, numbers: Sequence[int], then: list[Entry], known: past.Past | None = None) -> None:
    """Every other course is read as the rules choose of it."""
    about = set(sorted({(entry.fact.kind, concept_of(entry.fact)) for entry in then})[::2])
    wanted = [entry for entry in then if (entry.fact.kind, concept_of(entry.fact)) in about]
    for most in range(1, len(wanted) + 2):
        expected = [entry.recorded() for entry in chosen(wanted, most)]
        assert await entries.of_courses(conn, numbers, about, most, known) == expected


def documents_of(made: Sequence[Entry]) -> set[str]:
    return {
        entry.fact.source.document_id
        for entry in made
        if entry.fact.kind == cf.FACT_KIND_DOCUMENT and entry.fact.source.document_id
    }


@pytest.mark.parametrize("token", ["x", "!", "WzFd", "bnVsbA=="])
async def test_a_token_that_is_none_is_refused(store: Store, token: str) -> None:
    with pytest.raises(InvalidInputError, match="page_token"):
        await timeline.page(store, NORTH, Asked(token=token))


@pytest.mark.parametrize("seed", range(4))
async def test_the_database_chooses_what_serves_as_the_rules_do(
    store: Store, fact: Build, message: Build, event: Build, at: Build, seed: int
) -> None:
    random = Random(seed)
    async for _ in tell_in_batches(store, event, random_messages(random, fact, message, at, 30), random):
        pass
    person, everything = await store.replayed(NORTH, None)
    current = standing(everything)
    async with store.as_of(person) as conn:
        for most in range(1, len(current) + 2):
            served, many = await entries.serving(conn, person.numbers, most)
            assert served == [entry.recorded() for entry in chosen(current, most)]
            assert many == len(current)
        await assert_courses(conn, person.numbers, current)
        wanted = {entry.fact.fact_id for entry in random.sample(current, 3)} | {"unknown"}
        beside = await entries.named(conn, person.numbers, wanted, {"D1"})
        ours = [entry.recorded() for entry in current if is_named(entry.fact, wanted, {"D1"})]
        assert sorted(beside, key=lambda each: each.fact.fact_id) == sorted(ours, key=lambda each: each.fact.fact_id)
