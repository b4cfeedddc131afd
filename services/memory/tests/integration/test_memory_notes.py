"""The whole texts of documents on a real PostgreSQL: which are given, and that their pages are one state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from consult import times
from contracts.errors import NotFoundError
from contracts.topics import DOCUMENT_READ
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Note
from memory.adapters.postgres import Store
from memory.domain.identity import Identifier
from memory.flows import notes
from memory.flows.timeline import Asked
from memory.handlers import on_documents_read

Build = Callable[..., Any]
NORTH, LAKE = Identifier("NORTH", "1"), Identifier("LAKE", "2")


@pytest.fixture
def letter(fact: Build) -> Build:
    """The fact that a letter exists: by its number, in a group that its order may share."""

    def build(number: str, *groups: str, **fields: Any) -> cf.ClinicalFact:
        identity = cf.Identity(groups=[f"document:{number}", *groups], part="OBX[1]")
        source = cf.SourcePointer(document_id=f"file-{number}")
        built = {"fact_id": f"letter-{number}", "kind": cf.FACT_KIND_DOCUMENT, "code": "", "display": "Letter"}
        letter_: cf.ClinicalFact = fact(**(built | {"identity": identity, "source": source} | fields))
        return letter_

    return build


@pytest.fixture
def read(store: Store, event: Build) -> Build:
    """`await read(number, text)`: the reader has read the file of a letter."""

    async def tell(number: str, text: str, *, again: str = "", patient: str = "1@NORTH", problem: str = "") -> None:
        identifier, _, authority = patient.partition("@")
        key = cf.PatientKey(id=identifier, authority=authority)
        source = cf.SourcePointer(control_id=f"m-{number}")
        said = DocumentRead(document_id=f"file-{number}", patient=key, text=text, source=source, problem=problem)
        await on_documents_read([event(said, f"read {number} {again}", DOCUMENT_READ)], store=store)

    return tell


async def texts(store: Store, identifier: Identifier = NORTH, at: datetime | None = None, **asked: Any) -> list[str]:
    """Of all pages."""
    return [note.text for note in await everything(store, identifier, Asked(known_at=at, **asked))]


async def everything(store: Store, identifier: Identifier, asked: Asked) -> list[Note]:
    page = await notes.page(store, identifier, asked)
    given = list(page.notes)
    while page.next:
        page = await notes.page(store, identifier, replace(asked, token=page.next))
        given += page.notes
    return given


async def test_a_letter_is_given_whole_with_its_fact_its_kind_and_its_day(
    store: Store, letter: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    text = "Dear colleague,\n\nher mother had breast cancer. " * 200
    await tell("m", message("m", letter("1", since=7)))
    await read("1", text)
    (note,) = (await notes.page(store, NORTH, Asked())).notes
    assert note == Note(
        fact_id="letter-1",
        title="Letter",
        authored_at=times.stamp(at(7)),
        text=text,
        source=cf.SourcePointer(control_id="m-1", document_id="file-1"),
    )


async def test_the_newest_letter_comes_first_and_one_of_no_stated_day_last(
    store: Store, letter: Build, message: Build, tell: Build, read: Build
) -> None:
    days = {"one": 3, "two": None, "three": 9, "four": 1}
    await tell("m", message("m", *(letter(name, since=day) for name, day in days.items())))
    for name in days:
        await read(name, name)
    for size in (1, 2, 1000):
        assert await texts(store, size=size) == ["three", "one", "four", "two"]


async def test_a_document_without_a_text_is_passed_over_whatever_page_it_is_on(
    store: Store, letter: Build, message: Build, tell: Build, read: Build
) -> None:
    await tell("m", message("m", *(letter(str(n), since=n) for n in range(6))))
    for number in (0, 3):
        await read(str(number), f"text {number}")
    await read("5", "  ")
    for size in (1, 2, 4):
        assert await texts(store, size=size) == ["text 3", "text 0"]


async def test_a_letter_that_was_withdrawn_or_replaced_has_no_text_and_had_one_before(
    store: Store, letter: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    await tell("m", message("m", letter("gone", since=1), letter("old", since=2), letter("kept", since=3), sent=at(1)))
    for name in ("gone", "old", "kept"):
        await read(name, name)
    before = datetime.now(UTC)
    withdrawn = letter("gone", fact_id="w", since=1, status=cf.FACT_STATUS_ENTERED_IN_ERROR)
    corrected = letter("old", fact_id="c", since=2, status=cf.FACT_STATUS_CORRECTED)
    corrected.source.document_id = "file-new"
    await tell("n", message("n", withdrawn, corrected, sent=at(2)))
    await read("new", "new")
    assert await texts(store) == ["kept", "new"]
    assert await texts(store, at=before) == ["kept", "old", "gone"]


async def test_a_letter_falls_with_its_order_now_and_as_of_a_past_moment(
    store: Store, letter: Build, fact: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    await tell("m", message("m", letter("1", "filler:F1"), sent=at(1)))
    await read("1", "text")
    before = datetime.now(UTC)
    order = cf.Identity(groups=["filler:F1"], whole_group=True)
    cancelled = fact(kind=cf.FACT_KIND_PROCEDURE, identity=order, status=cf.FACT_STATUS_ENTERED_IN_ERROR)
    await tell("c", message("c", cancelled, sent=at(2)))
    after = datetime.now(UTC)
    await tell("later", message("later", fact(), sent=at(3)))
    assert await texts(store) == []
    assert await texts(store, at=after) == []
    assert await texts(store, at=before) == ["text"]


async def test_a_status_that_is_said_of_a_letter_keeps_its_text_under_the_fact_that_stands(
    store: Store, letter: Build, fact: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    await tell("m", message("m", letter("1", status=cf.FACT_STATUS_PRELIMINARY), sent=at(1)))
    await read("1", "text")
    whole = cf.Identity(groups=["document:1"], whole_group=True)
    await tell("s", message("s", fact(kind=cf.FACT_KIND_DOCUMENT, identity=whole), sent=at(2)))
    (note,) = (await notes.page(store, NORTH, Asked())).notes
    (standing,) = (await store.standing(NORTH, None)).facts
    assert (note.text, note.fact_id) == ("text", standing.fact.fact_id)
    assert standing.fact.status == cf.FACT_STATUS_FINAL


async def test_a_letter_read_again_has_its_last_reading_and_as_of_before_the_first(
    store: Store, letter: Build, message: Build, tell: Build, read: Build
) -> None:
    await tell("m", message("m", letter("1")))
    unread = datetime.now(UTC)
    await read("1", "Potassium 9.5")
    between = datetime.now(UTC)
    await read("1", "Potassium 4.5", again="again")
    assert await texts(store) == ["Potassium 4.5"]
    assert await texts(store, at=between) == ["Potassium 9.5"]
    assert await texts(store, at=unread) == []


async def test_a_page_that_shows_another_patients_identifier_is_no_text_of_this_one(
    store: Store, letter: Build, message: Build, tell: Build, read: Build
) -> None:
    await tell("m", message("m", letter("1")))
    await read("1", "MRN 77. Penicillin: rash.", problem="the document shows another patient identifier")
    assert await texts(store) == []


async def test_a_text_whose_document_the_record_does_not_know_is_not_given(store: Store, read: Build) -> None:
    await read("1", "text")
    assert await texts(store) == []
    with pytest.raises(NotFoundError):
        await notes.page(store, LAKE, Asked())


async def test_letters_of_a_merged_person_are_theirs_until_the_unmerge(
    store: Store, letter: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    await tell("m", message("m", letter("1", since=1), sent=at(1)))
    await tell("n", message("n", letter("2", since=2, patient="2@LAKE"), patient="2@LAKE", sent=at(1)))
    await read("1", "north")
    await read("2", "lake", patient="2@LAKE")
    assert await texts(store) == ["north"]
    await tell("a40", message("a40", merged="2@LAKE", sent=at(2)))
    assert await texts(store, size=1) == await texts(store, LAKE) == ["lake", "north"]
    await tell("a37", message("a37", unmerged="2@LAKE", sent=at(3)))
    assert await texts(store) == ["north"]


async def test_pages_are_one_state_of_the_record_whatever_comes_between_them(
    store: Store, letter: Build, message: Build, tell: Build, read: Build, at: Build
) -> None:
    await tell("m", message("m", *(letter(str(n), since=n) for n in range(4)), sent=at(1)))
    for number in range(4):
        await read(str(number), f"first {number}")
    page = await notes.page(store, NORTH, Asked(size=2))
    await read("0", "again", again="again")
    await tell("w", message("w", letter("1", fact_id="w", since=1, status=cf.FACT_STATUS_ENTERED_IN_ERROR), sent=at(2)))
    await tell("o", message("o", letter("5", since=0.5, patient="2@LAKE"), merged="2@LAKE", sent=at(3)))
    await read("5", "other", patient="2@LAKE")
    second = await notes.page(store, NORTH, Asked(size=2, token=page.next))
    assert [each.text for each in (*page.notes, *second.notes)] == ["first 3", "first 2", "first 1", "first 0"]
    assert second.next == ""
    assert await texts(store, size=2) == ["first 3", "first 2", "other", "again"]


async def test_a_page_is_bounded_by_the_bytes_of_its_texts(
    store: Store, letter: Build, message: Build, tell: Build, read: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell("m", message("m", *(letter(str(n), since=n) for n in range(9))))
    for number in range(9):
        await read(str(number), f"{number}" * (100 if number != 5 else 9_000))
    monkeypatch.setattr(notes, "PAGE_BYTES", 250)
    for asked in (Asked(), Asked(known_at=datetime.now(UTC)), Asked(size=2)):
        page = await notes.page(store, NORTH, asked)
        assert len(page.notes) == min(asked.size, 3)
        assert [note.text[0] for note in await everything(store, NORTH, asked)] == list("876543210")
