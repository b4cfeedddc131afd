"""Finding over a real database gives what the rules give of everything that stands, and pages are one state of it."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest
from contracts.errors import InvalidInputError, NotFoundError
from grounding import Sources
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact
from memory import views
from memory.adapters.postgres import Store
from memory.domain.courses import chosen
from memory.domain.finding import Wanted, entries, things
from memory.domain.identity import Identifier
from memory.domain.timeline import standing
from memory.flows import finding
from memory.handlers import on_messages_received

Build = Callable[..., Any]
NORTH = Identifier("NORTH", "1")
POTASSIUM = Wanted(words="potassium")


async def record(store: Store, event: Build, message: Build, *facts: cf.ClinicalFact, name: str = "m") -> None:
    await on_messages_received([event(message(name, *facts), name)], store=store)


@pytest.fixture
async def long(store: Store, fact: Build, event: Build, message: Build) -> Store:
    random = Random(3)
    codes = (("2823-3", "Potassium"), ("2160-0", "Creatinine"), ("2951-2", "Sodium"))
    results = [
        fact(code=code, display=display, since=n, value=str(random.randrange(2, 9)), unit="mmol/L")
        for n in range(200)
        for code, display in codes
    ]
    statin = fact(kind=cf.FACT_KIND_MEDICATION, code="36567", display="simvastatin", status=cf.FACT_STATUS_ACTIVE)
    await record(store, event, message, *results, statin)
    return store


async def pages(store: Store, wanted: Wanted, size: int, known_at: datetime | None = None) -> list[RecordedFact]:
    facts: list[RecordedFact] = []
    token = ""
    while True:
        shown, token = await finding.page(store, NORTH, wanted, known_at, size, token)
        assert len(shown) <= size
        facts += shown
        if not token:
            return facts


@pytest.mark.parametrize(
    "wanted",
    [
        POTASSIUM,
        Wanted(words="statins"),
        Wanted(words="potassium", form=pb.FIND_FORM_HIGHEST),
        Wanted(concepts=[cf.CodedConcept(system="http://loinc.org", code="2951-2")], form=pb.FIND_FORM_EARLIEST),
        Wanted(kinds=[cf.FACT_KIND_MEDICATION]),
        Wanted(words="gout"),
        Wanted(),
    ],
)
async def test_every_page_together_is_what_the_rules_find_in_all_that_stands(long: Store, wanted: Wanted) -> None:
    person, everything = await long.replayed(NORTH, None)
    stands = standing(everything)
    heads = [entry.recorded() for entry in chosen(stands, None)]
    assert len(heads) == 4
    as_of = await long.last_change(NORTH)
    sources = Sources.of(as_of, heads, identifiers=views.identifiers(person))
    asked = things(wanted, [each.fact for each in heads], sources)
    expected = entries(wanted, asked, [entry.recorded() for entry in stands])
    assert await pages(long, wanted, 7) == await pages(long, wanted, 10_000) == expected


async def test_what_is_recorded_between_two_pages_moves_none_of_them(
    long: Store, fact: Build, event: Build, message: Build
) -> None:
    before = await pages(long, POTASSIUM, 10_000)
    first, token = await finding.page(long, NORTH, POTASSIUM, None, 50, "")
    known_at = await long.last_change(NORTH)
    await record(long, event, message, fact(code="2823-3", display="Potassium", since=500, value="9"), name="later")
    rest, _ = await finding.page(long, NORTH, POTASSIUM, None, 10_000, token)
    assert [*first, *rest] == before
    assert await pages(long, POTASSIUM, 10_000, known_at) == before
    assert len(await pages(long, POTASSIUM, 10_000)) == len(before) + 1


async def test_an_unknown_patient_and_a_token_of_another_are_refused(long: Store) -> None:
    with pytest.raises(NotFoundError):
        await finding.page(long, Identifier("NORTH", "unknown"), POTASSIUM, None, 10, "")
    for token in ("x", "WzFd", "bnVsbA=="):
        with pytest.raises(InvalidInputError, match="page_token"):
            await finding.page(long, NORTH, POTASSIUM, None, 10, token)
