"""The findings on all films."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.tool import Tool, purpose

TOOL = Tool(
    name="read_image_findings",
    purposes={"comparison": purpose((FactKind.FACT_KIND_IMAGING_FINDING,), "imaging")},
    read=lambda readable, _: readable.of_kind(FactKind.FACT_KIND_IMAGING_FINDING),
    roles=frozenset({"imaging_liaison"}),
)
