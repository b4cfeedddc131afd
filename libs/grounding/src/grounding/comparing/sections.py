"""What only a line below a section says: what was taken and is no longer."""

from grounding.comparing import drugs
from grounding.comparing.outcome import Outcome, contradicted
from grounding.comparing.problems import told
from grounding.comparing.record import Record
from grounding.reading.nodes import Node


def past_taken(node: Node, record: Record) -> list[Outcome]:
    """Taken once, and ended."""
    found = drugs.took(node, record)
    for regimen in drugs.regimens(node):
        current = [fact for fact in drugs.orders_of(regimen, record) if drugs.is_current(fact, record)]
        if current:
            found.append(contradicted("status", told(current[-1]), current[-1:]))
    return found
