"""The views of a record for which a form is written before it is asked for.

Guarantee: of a view, only what is open in it; who sees that many facts fewer, sees this view. Where that cannot be told
from how many facts are closed, there is none.
"""

from dataclasses import dataclass, replace

from consult import Timeline
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_STATUS_ENTERED_IN_ERROR
from terminology import sensitivity


@dataclass(frozen=True, slots=True)
class View:
    """`closed`: how many facts that stand are not in it."""

    closed: int
    timeline: Timeline


def views(timeline: Timeline) -> list[View]:
    """The view to which all is open, and the one to which nothing of a sensitive category is; of a record that is not
    whole, none.
    """
    if timeline.left_out:
        return []
    labels = {each.fact.fact_id: sensitivity.of_fact(each.fact) for each in timeline.facts}
    stands = {each.fact.fact_id for each in timeline.facts if _stands(each)}
    sensitive = {name for name, own in labels.items() if own}
    if not sensitive:
        return [View(0, timeline)]
    # A category of which nothing stands any more is closed to whom nothing seems to be.
    if frozenset().union(*labels.values()) != frozenset().union(*(labels[name] for name in stands)):
        return []
    plain = replace(
        timeline,
        facts=[each for each in timeline.facts if each.fact.fact_id not in sensitive],
        contradictions=[each for each in timeline.contradictions if sensitive.isdisjoint(each.fact_ids)],
    )
    return [View(0, timeline), View(len(sensitive & stands), plain)]


def _stands(recorded: RecordedFact) -> bool:
    """Neither superseded nor withdrawn, as memory counts."""
    return not recorded.HasField("superseded_at") and recorded.fact.status != FACT_STATUS_ENTERED_IN_ERROR
