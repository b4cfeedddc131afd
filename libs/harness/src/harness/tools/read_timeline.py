"""The other results of a code."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.readable import Readable
from harness.tool import Tool, purpose

TOOL = Tool(
    name="read_timeline",
    purposes={"trend": purpose((FactKind.FACT_KIND_RESULT,), "trend", "change")},
    read=Readable.of_the_same_code,
    roles=frozenset({"diagnostician"}),
)
