"""Evidence by way of memory's own store, as three people: the running service publishes what they do."""

from eventbus import Outbox, Outgoing
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import CodedConcept
from memory.adapters.postgres import open_store
from memory.domain.releases import Who
from memory.flows.library import Library, own_publishers

ENGINEER, *PHYSICIANS = (Who("https://issuer.example", name, f"Dr {name}") for name in ("Carl", "Anna", "Ben"))
QUESTION = "Should metformin be taken with meals?"
MEALS = Passage(
    passage_id="metformin-with-meals",
    title="Metformin with meals",
    text="Metformin should be taken with meals.",
    source="A society, advice on metformin",
    source_kind="guideline",
    published="2026",
    licence="own summary",
    codes=[CodedConcept(system="http://www.nlm.nih.gov/research/umls/rxnorm", code="6809", display="metformin")],
)


async def release(dsn: str) -> str:
    """Import the passage, unsigned, and release it; its edition."""
    async with open_store(dsn) as store:
        library = Library(store, Outbox(store.connection, _nowhere), own_publishers())
        imported = await library.load([MEALS], None, ENGINEER, unsigned_local=True)
        (edition_id,) = (each.edition_id for each in imported.editions)
        for each in PHYSICIANS:
            await library.approve([edition_id], each, "")
    return edition_id


async def withdraw(dsn: str, edition_id: str) -> None:
    async with open_store(dsn) as store:
        library = Library(store, Outbox(store.connection, _nowhere), own_publishers())
        await library.withdraw(edition_id, PHYSICIANS[0], "the advice was retracted")


async def _nowhere(_: Outgoing) -> None:
    raise AssertionError("the running service publishes, not this test")
