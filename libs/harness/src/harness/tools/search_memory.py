"""What letters and notes say about an entry."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.readable import Readable
from harness.tool import Tool, purpose

TOOL = Tool(
    name="search_memory",
    purposes={
        "history": purpose((FactKind.FACT_KIND_PROBLEM, FactKind.FACT_KIND_MEDICATION), "problem", "change"),
        "reaction": purpose((FactKind.FACT_KIND_ALLERGY,), "allergy"),
    },
    search="documents",
    at_most=Readable.from_documents,
    roles=frozenset({"historian", "pharmacist"}),
)
