"""Another edition of the record, on a real PostgreSQL: what it mends, what it keeps, and what older answers say."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
import pytest
from contracts.identifiers import event_id
from contracts.topics import MESSAGE_REREAD, REREADING_FINISHED, STUDY_ANALYSED
from eventbus import Outbox, Outgoing
from longitude.imaging.v1.events_pb2 import StudyAnalysed
from longitude.ingestion.v1.events_pb2 import MessageReceived, MessageReread, RereadingFinished
from longitude.memory.v1.events_pb2 import RecordRebuilt
from longitude.record.v1 import fact_pb2 as cf
from memory.adapters.postgres import Store, entries, open_store, views
from memory.domain.identity import Identifier
from memory.flows import timeline
from memory.flows.rebuild import Rebuild
from memory.flows.timeline import Asked
from memory.handlers import on_messages_reread, on_rereadings_finished, on_studies_analysed

Build = Callable[..., Any]
NORTH, LAKE = Identifier("NORTH", "1"), Identifier("LAKE", "2")
TABLES = ("fact", "entry", "note_text")


class Rereader:
    """Reads messages again, as ingestion publishes it: all at once or one by one."""

    def __init__(self, store: Store, event: Build) -> None:
        self._store, self._event = store, event
        self.published: list[Outgoing] = []
        self.rebuild = Rebuild(store, Outbox(store.connection, self._publish))

    async def _publish(self, outgoing: Outgoing) -> None:
        self.published.append(outgoing)

    async def tell(self, rereading: str, read: Sequence[tuple[str, MessageReceived | None]]) -> None:
        """The readings of messages by the names of their events; None: refused."""
        events = [self._reread(rereading, n, name, message) for n, (name, message) in enumerate(read)]
        await on_messages_reread(events, store=self._store)

    async def finish(self, rereading: str, messages: int) -> None:
        payload = RereadingFinished(rereading_id=rereading, messages=messages)
        finished = self._event(payload, f"finished {rereading}", REREADING_FINISHED)
        await on_rereadings_finished([finished], store=self._store)

    async def announced(self) -> list[RecordRebuilt]:
        await Outbox(self._store.connection, self._publish).sweep()
        return [each.payload for each in self.published if isinstance(each.payload, RecordRebuilt)]

    def _reread(self, rereading: str, n: int, name: str, message: MessageReceived | None) -> Any:
        payload = MessageReread(rereading_id=rereading, event_id=event_id("test", name), message=message)
        return self._event(payload, f"{rereading} {n} {name}", MESSAGE_REREAD)


@pytest.fixture
def again(store: Store, event: Build) -> Rereader:
    return Rereader(store, event)


async def answer(store: Store, at: datetime | None = None, who: Identifier = NORTH) -> list[bytes]:
    """A timeline with everything that was superseded, page by page, byte for byte, and who it is of."""
    page = await timeline.page(store, who, Asked(known_at=at, superseded=True, size=2))
    told = [repr((page.person.identifiers, page.person.contradictions)).encode()]
    while True:
        told += [fact.SerializeToString(deterministic=True) for fact in page.facts]
        if not page.next:
            return told
        page = await timeline.page(store, who, Asked(known_at=at, superseded=True, size=2, token=page.next))


async def values(store: Store, at: datetime | None = None, who: Identifier = NORTH) -> dict[str, str]:
    standing = await store.standing(who, at)
    return {each.fact.fact_id: each.fact.quantity.value for each in standing.facts}


async def rows(store: Store) -> dict[str, list[Any]]:
    async with store.connection() as conn, conn.transaction():
        await views.state(conn, range(10), 0)
        return {
            t: await (await conn.execute(f"SELECT * FROM {t} ORDER BY 1, 2, 3, 4".encode())).fetchall() for t in TABLES
        }


async def test_another_reader_mends_what_an_older_one_read_wrong(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader
) -> None:
    await tell("m", message("m", fact(fact_id="wrong", value="10"), fact(fact_id="right", value="2")))
    asked_at = datetime.now(UTC)
    before = await answer(store, asked_at)
    await again.tell("r", [("m", message("m", fact(fact_id="mended", value="1.0"), fact(fact_id="right", value="2")))])
    assert await values(store) == {"wrong": "10", "right": "2"}, "nobody sees an edition that is made"
    assert not await again.rebuild.step(), "not every message is read again"
    await again.finish("r", 1)
    assert await again.rebuild.step()
    (edition,) = await store.editions()
    assert await values(store) == {"mended": "1.0", "right": "2"}
    assert await answer(store, asked_at) == before
    assert await values(store, edition.current_from) == {"mended": "1.0", "right": "2"}
    (rebuilt,) = await again.announced()
    counts = (rebuilt.edition, rebuilt.facts_before, rebuilt.facts_after)
    assert counts == (1, 2, 2)
    assert rebuilt.current_from.ToDatetime(UTC) == edition.current_from


async def test_what_did_not_come_from_a_message_and_what_came_since_is_carried_over(
    store: Store, fact: Build, message: Build, event: Build, tell: Build, again: Rereader, at: Build
) -> None:
    await tell("m", message("m", fact(fact_id="wrong", value="10"), merged="2@LAKE", sent=at(1)))
    film = StudyAnalysed(patient=cf.PatientKey(id="1", authority="NORTH"), facts=[fact(fact_id="film", value="3")])
    await on_studies_analysed([event(film, "film", STUDY_ANALYSED)], store=store)
    await again.tell("r", [("m", message("m", fact(fact_id="mended", value="1.0"), sent=at(1)))])
    later = message("l", fact(fact_id="later", value="4", patient="2@LAKE"), patient="3@SEA", merged="2@LAKE")
    await tell("later", later)
    await again.finish("r", 1)
    await again.rebuild.step()
    assert await values(store) == {"mended": "1.0", "film": "3"}, "by the newer reading nobody was merged"
    assert await values(store, who=LAKE) == {"later": "4"}
    assert (await store.person(LAKE)).identifiers == (LAKE, Identifier("SEA", "3"))


async def test_a_message_that_is_refused_now_leaves_the_record(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader
) -> None:
    await tell("m", message("m", fact(fact_id="f", value="1")))
    await again.tell("r", [("m", None)])
    await again.finish("r", 1)
    await again.rebuild.step()
    assert await values(store) == {}
    assert [(each.messages, each.refused) for each in await store.editions()] == [(1, 1)]


async def test_an_older_reading_that_comes_late_changes_nothing(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader
) -> None:
    await again.tell("r", [("m", message("m", fact(fact_id="mended", value="1.0")))])
    await again.finish("r", 1)
    await again.rebuild.step()
    assert await tell("m", message("m", fact(fact_id="wrong", value="10"))) == []
    assert await values(store) == {"mended": "1.0"}


async def test_read_again_twice_nothing_is_doubled_and_each_edition_answers_for_its_time(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader
) -> None:
    told = {}
    names = [f"m{n}" for n in range(5)]
    for name in names:
        await tell(name, message(name, fact(fact_id=f"{name} 0", value="0")))
    for number, rereading in enumerate(("r", "s"), 1):
        asked_at = datetime.now(UTC)
        told[asked_at] = await answer(store, asked_at)
        read = [(name, message(name, fact(fact_id=f"{name} {number}", value=str(number)))) for name in names]
        for _ in range(2):
            await again.tell(rereading, read)
            await again.finish(rereading, len(names))
        while await again.rebuild.step():
            pass
        await again.tell(rereading, read)
        assert await values(store) == {f"{name} {number}": str(number) for name in names}
    for asked_at, before in told.items():
        assert await answer(store, asked_at) == before
    assert [one.edition for one in await again.announced()] == [1, 2]
    assert [one.messages for one in await store.editions()] == [5, 5]


async def test_the_same_reading_gives_the_same_facts_and_entries(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader, at: Build
) -> None:
    random = Random(1)
    messages = []
    for n in range(20):
        same, status = random.choice("abc"), random.choice((cf.FACT_STATUS_FINAL, cf.FACT_STATUS_CORRECTED))
        said = fact(fact_id=f"f{n}", same=same, status=status, value=str(n), note="As told." * 9)
        messages.append((f"m{n}", message(f"m{n}", said, sent=at(random.randrange(20)))))
        await tell(*messages[-1])
    before = [each.fact for each in (await store.standing(NORTH, None)).facts]
    texts = (await rows(store))["note_text"]
    await again.tell("r", messages[::-1])
    await again.finish("r", len(messages))
    await again.rebuild.step()
    assert sorted((each.fact for each in (await store.standing(NORTH, None)).facts), key=lambda f: f.fact_id) == sorted(
        before, key=lambda f: f.fact_id
    )
    after = await rows(store)
    assert len(after["fact"]) == 20
    assert after["note_text"] == texts
    async with store.connection() as conn, conn.transaction():
        await entries.rebuild(conn)
    assert (await rows(store))["entry"] == after["entry"]


async def test_who_reads_and_writes_while_editions_are_exchanged_misses_nothing(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader
) -> None:
    names = [f"old {n}" for n in range(50)]
    for name in names:
        await tell(name, message(name, fact(fact_id=name, value="0")))
    await again.tell("r", [(name, message(name, fact(fact_id=f"{name}'", value="1"))) for name in names])
    await again.finish("r", len(names))
    written: list[str] = []
    seen: list[dict[str, str]] = []
    exchanging = True

    async def write(who: int) -> None:
        while exchanging:
            written.append(name := f"new {who} {len(written)}")
            await tell(name, message(name, fact(fact_id=name, value="2", patient=f"{who}@NEW"), patient=f"{who}@NEW"))

    async def read() -> None:
        while exchanging:
            seen.append(await values(store))

    writers = [asyncio.create_task(write(n)) for n in range(3)]
    readers = [asyncio.create_task(read()) for _ in range(2)]
    await asyncio.sleep(0.2)
    assert await again.rebuild.step()
    await asyncio.sleep(0.1)
    exchanging = False
    await asyncio.gather(*writers, *readers)
    whole = [dict.fromkeys(names, "0"), {f"{name}'": "1" for name in names}]
    assert all(each in whole for each in seen)
    assert whole[0] in seen
    assert whole[1] in seen
    found = [fact_id for who in range(3) for fact_id in await values(store, who=Identifier("NEW", str(who)))]
    assert sorted(found) == sorted(written)


async def test_a_history_of_an_edition_cannot_be_changed_either(
    store: Store, fact: Build, message: Build, tell: Build, again: Rereader, as_owner: Build
) -> None:
    await tell("m", message("m", fact(fact_id="f", value="1")))
    await again.tell("r", [("m", message("m", fact(fact_id="g", value="1")))])
    await again.finish("r", 1)
    await again.rebuild.step()
    async with store.connection() as conn:
        for table in ("fact", "memory_edition_0.fact", "contradiction"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(f"DELETE FROM {table}".encode())
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                as_owner(conn, f"DELETE FROM {table}")


async def test_an_edition_that_is_made_goes_on_after_a_start_by_other_rules(
    new_database: Callable[..., str], fact: Build, message: Build, event: Build, as_owner: Build
) -> None:
    database = new_database("memory")
    async with open_store(database) as store:
        await Rereader(store, event).tell("r", [("m", message("m", fact(fact_id="f", value="1")))])
        async with store.connection() as conn:
            older = "UPDATE memory_edition_1.entry_rules SET rules = 'older'"
            as_owner(conn, older, "UPDATE memory_edition_1.entry SET stands = false")
    async with open_store(database) as store:
        again = Rereader(store, event)
        await again.finish("r", 1)
        await again.rebuild.step()
        assert await values(store) == {"f": "1"}
