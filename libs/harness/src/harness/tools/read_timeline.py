"""The other results of a code."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.tool import Tool, purpose

TOOL = Tool(
    name="read_timeline",
    purposes={"trend": purpose((FactKind.FACT_KIND_RESULT,), "trend", "change")},
    roles=frozenset({"diagnostician"}),
)
