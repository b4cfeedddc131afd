"""What was read from a document."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.tool import Tool, purpose

TOOL = Tool(
    name="read_document",
    purposes={"history": purpose((FactKind.FACT_KIND_DOCUMENT,), "problem", "change")},
    roles=frozenset({"historian"}),
)
