"""The reading tools: what each may be asked about and what for. None of them changes anything."""

from dataclasses import dataclass

from longitude.ingestion.v1.clinical_fact_pb2 import FactKind


@dataclass(frozen=True)
class Tool:
    """`purposes` are the reasons a call may give: what its answer could change."""

    name: str
    kinds: frozenset["FactKind.ValueType"]
    purposes: tuple[str, ...]


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("read_timeline", frozenset({FactKind.FACT_KIND_RESULT}), ("trend",)),
        Tool(
            "search_memory",
            frozenset({FactKind.FACT_KIND_PROBLEM, FactKind.FACT_KIND_ALLERGY, FactKind.FACT_KIND_MEDICATION}),
            ("history", "reaction"),
        ),
        Tool(
            "search_evidence",
            frozenset({FactKind.FACT_KIND_MEDICATION, FactKind.FACT_KIND_PROBLEM}),
            ("dose", "interaction"),
        ),
        Tool("read_document", frozenset({FactKind.FACT_KIND_DOCUMENT}), ("history",)),
        Tool("read_image_findings", frozenset({FactKind.FACT_KIND_IMAGING_FINDING}), ("comparison",)),
    )
}
