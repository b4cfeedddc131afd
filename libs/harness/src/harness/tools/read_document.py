"""What was read from a document."""

from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FactKind

from harness.readable import Readable
from harness.tool import Tool, purpose


def _read(readable: Readable, fact_id: str) -> list[RecordedFact]:
    document = readable.facts[fact_id].fact.source.document_id
    read = readable.read_from(frozenset({document}) - {""})
    return [recorded for recorded in read if recorded.fact.kind != FactKind.FACT_KIND_DOCUMENT]


TOOL = Tool(
    name="read_document",
    purposes={"history": purpose((FactKind.FACT_KIND_DOCUMENT,), "problem", "change")},
    read=_read,
    roles=frozenset({"historian"}),
)
