"""What a form is written from, and a line of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from grounding import Sources, Statement
from grounding.statements import Part, Words
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.answering import problem_list
from consult.answering.finding import Group, find
from consult.answering.inquiry import Inquiry
from consult.answering.reconciliation import Reconciled, may_be_taken, reconcile
from consult.answering.wording import Ways
from consult.drafting import Drafted
from consult.visits.specialties import Specialty

_OF_EVERYTHING = Inquiry((), (), frozenset(), (), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Chart:
    """A record as forms read it. `active`: its problems; `rules`: what the rules say; `specialty`: of a summary."""

    sources: Sources
    groups: Sequence[Group]
    drugs: Sequence[Reconciled]
    active: Sequence[ClinicalFact]
    rules: Sequence[Drafted]
    specialty: Specialty | None = None

    @classmethod
    def of(cls, sources: Sources, rules: Sequence[Drafted], specialty: Specialty | None = None) -> "Chart":
        groups = find(_OF_EVERYTHING, sources)
        return cls(sources, groups, reconcile(sources), problem_list.active(groups, sources.today), rules, specialty)

    @property
    def taken(self) -> list[Reconciled]:
        """The drugs that may be taken still."""
        return [each for each in self.drugs if may_be_taken(each, self.sources.today)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line under a heading: the ways in which it can be said, or if none of them is supported, its pieces one by
    one. `drafted`: what is drafted already. `front`: whether it is shown unasked.
    """

    section: str
    ways: Ways = ()
    pieces: tuple[Statement, ...] = ()
    front: bool = True
    drafted: Drafted | None = None


def together(section: str, pieces: Sequence[Statement], joint: str = "; ", *, front: bool = True) -> Line:
    """Pieces as one line, or where that is not supported, one by one."""
    parts: list[Part] = []
    for piece in pieces:
        parts += [Words(joint), *piece.parts] if parts else piece.parts
    also = tuple(fact_id for piece in pieces for fact_id in piece.also)
    return Line(section, (Statement(pieces[0].kind, tuple(parts), also),), tuple(pieces), front)
