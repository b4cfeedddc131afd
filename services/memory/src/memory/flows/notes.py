"""Reads the whole texts of a person's documents page by page, the newest first, each page bounded.

The documents of a page are a page of the timeline, and so all pages are one state of the record; the texts are those of
the same moment. What was superseded or withdrawn has no text here, and neither has what has no fact of its own.
"""

from dataclasses import dataclass, replace

from longitude.record.v1.context_pb2 import Note
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT

from memory import views
from memory.adapters.postgres import Store, notes
from memory.adapters.postgres.entries import PAGE_BYTES, place_of
from memory.domain.identity import Identifier
from memory.flows import timeline
from memory.flows.timeline import Asked


@dataclass(frozen=True, slots=True)
class Page:
    """`next`: the token of the page after this one; empty at the end."""

    notes: list[Note]
    next: str


async def page(store: Store, identifier: Identifier, asked: Asked) -> Page:
    """InvalidInputError for a token that is none, NotFoundError for an unknown patient."""
    of_documents = replace(asked, kinds=(FACT_KIND_DOCUMENT,), newest_first=True)
    read = await timeline.page(store, identifier, of_documents)
    facts = [each.fact for each in read.facts]
    async with store.as_of(read.person) as conn:
        texts, are_all = await notes.whole(
            conn, [fact.source.document_id for fact in facts], read.person.numbers, read.as_of, PAGE_BYTES
        )
    following = read.next if are_all else timeline.token(read.as_of, place_of(read.facts[texts[-1].position]))
    return Page([views.note(facts[each.position], each) for each in texts], following)
