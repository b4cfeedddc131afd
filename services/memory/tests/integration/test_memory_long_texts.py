"""Texts of megabytes, many of one patient: recorded whole, read by pages, and never more in a pack than one answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from longitude.record.v1 import fact_pb2 as cf
from memory.adapters.postgres import Store, entries
from memory.domain.identity import Identifier
from memory.flows import timeline
from memory.flows.timeline import Asked
from servicekit.grpc import MAX_MESSAGE_BYTES

Build = Callable[..., Any]
NORTH = Identifier("NORTH", "1")
TEXT = "a word " * 300_000


async def tell_books(fact: Build, message: Build, tell: Build, count: int, text: str) -> None:
    for number in range(count):
        book = fact(fact_id=f"book-{number}", code=str(number))
        book.text = text
        await tell(f"m{number}", message(f"m{number}", book))


async def test_nine_texts_of_2_mb_leave_the_rest_of_the_record_in_its_pack(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    await tell_books(fact, message, tell, 9, TEXT)
    before = datetime.now(UTC)
    await tell("allergy", message("allergy", fact(fact_id="allergy", kind=cf.FACT_KIND_ALLERGY)))
    for known_at, expected in ((None, ["allergy"]), (before, [])):
        served = await store.standing(NORTH, known_at)
        assert [each.fact.fact_id for each in served.facts] == expected
        # What is not in the pack is counted.
        assert served.many == 9 + len(expected)
    assert not await store.named(await store.standing(NORTH, None), ["book-1"], [])


async def test_nine_texts_of_2_mb_are_read_whole_by_pages_that_an_answer_can_carry(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    await tell_books(fact, message, tell, 9, TEXT)
    texts, token = [], ""
    while True:
        page = await timeline.page(store, NORTH, Asked(token=token))
        assert sum(each.ByteSize() for each in page.facts) < MAX_MESSAGE_BYTES
        texts += [each.fact.text for each in page.facts]
        token = page.next
        if not token:
            break
    assert texts == [TEXT] * 9


async def test_many_long_letters_together_fill_no_more_than_a_pack_can_hold(
    store: Store, fact: Build, message: Build, tell: Build
) -> None:
    await tell_books(fact, message, tell, 40, "a word " * 30_000)
    served = await store.standing(NORTH, None)
    assert 20 < len(served.facts) < 40
    assert served.many == 40
    assert sum(each.ByteSize() for each in served.facts) <= entries.SERVED_BYTES
