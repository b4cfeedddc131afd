"""What began or ended since the last visit."""

from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FactKind

from harness.readable import Readable, newest_first
from harness.tool import Tool, purpose

_COMPARED = frozenset(
    {
        FactKind.FACT_KIND_ALLERGY,
        FactKind.FACT_KIND_MEDICATION,
        FactKind.FACT_KIND_PROBLEM,
        FactKind.FACT_KIND_RESULT,
    }
)


def _changed(readable: Readable, _: str) -> list[RecordedFact]:
    """Of results the newest of each code."""
    compared = (one for one in readable.facts.values() if one.fact.kind in _COMPARED and readable.moved(one.fact))
    moved = newest_first(compared)
    newest = {one.fact.code.SerializeToString(): one.fact.fact_id for one in reversed(moved)}
    return [one for one in moved if one.fact.kind != FactKind.FACT_KIND_RESULT or one.fact.fact_id in newest.values()]


TOOL = Tool(
    name="compare_with_last_visit",
    purposes={"change": purpose((), "change")},
    read=_changed,
    roles=frozenset({"historian", "diagnostician"}),
)
