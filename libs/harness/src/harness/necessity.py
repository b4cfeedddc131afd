"""Necessity: a call or question that could change nothing is not offered, and refused if it comes all the same.

A call is needed when it brings something that has no handle yet, and when its role can say something by it, in this
state or a later one. A question is needed when neither the record nor the assessment answers or asks it already.
"""

from longitude.reasoning.v1.assessment_pb2 import StatementKind
from longitude.record.v1.fact_pb2 import Assertion, ClinicalFact, FactStatus, Provenance

from harness.actions import QuestionPurpose
from harness.roles import Role
from harness.sources import Sources
from harness.states import State
from harness.tool import Purpose
from harness.words import PUTS

_ORDER = list(State)


def changes(purpose: Purpose, role: Role, state: State) -> tuple["StatementKind.ValueType", ...]:
    """The kinds of statement that the role can make by the answer, now or in a later state."""
    later = _ORDER[_ORDER.index(state) :]
    words = {word for one in later for word in role.words.get(one, frozenset())}
    return tuple(sorted(PUTS[word] for word in purpose.changes & words))


def is_answered(purpose: QuestionPurpose, fact: ClinicalFact, sources: Sources) -> bool:
    """Whether the record answers the question about the fact, or the rules ask about it already."""
    if fact.fact_id in sources.asked:
        return True
    match purpose:
        case QuestionPurpose.REACTION:
            return bool(fact.note) or fact.assertion == Assertion.ASSERTION_ABSENT
        case QuestionPurpose.ADHERENCE:
            return fact.status in (FactStatus.FACT_STATUS_ENDED, FactStatus.FACT_STATUS_ORDERED)
        case _:
            return fact.provenance == Provenance.PROVENANCE_STRUCTURED
