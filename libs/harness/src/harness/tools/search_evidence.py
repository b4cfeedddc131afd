"""Passages of the evidence library about a drug or a problem. What it finds nobody knows before."""

from longitude.record.v1.fact_pb2 import FactKind

from harness.tool import Tool, purpose
from harness.words import Act

_ABOUT = (FactKind.FACT_KIND_MEDICATION, FactKind.FACT_KIND_PROBLEM)

TOOL = Tool(
    name="search_evidence",
    purposes={
        "dose": purpose(_ABOUT, "evidence", Act.PROPOSE),
        "interaction": purpose(_ABOUT, "evidence", Act.PROPOSE),
    },
    search="evidence",
    roles=frozenset({"pharmacist"}),
    brings=lambda *_: True,
)
