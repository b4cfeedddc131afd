"""Facts that cannot all hold, found by named rules. Nothing is invalidated: both sides stay, a physician decides.

Each rule reads the standing facts of one person and yields conflicts. What nobody gave a start is known since it was
stated (`consult.times`): a denial that ended before is no conflict with it. A conflict's id names its rule and its
subject (who says what about which concept), not the fact ids, so a restatement of either side does not open it again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from consult import concepts, times
from contracts.identifiers import event_id
from grounding.facts import is_on_hold
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    ASSERTION_PRESENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_DEMOGRAPHIC,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_STATUS_ACTIVE,
    FACT_STATUS_ENDED,
    FACT_STATUS_ORDERED,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    ClinicalFact,
)
from terminology.loinc import SEX

# Kinds that a rule reads: an update of any other kind can open or close nothing.
KINDS = frozenset((FACT_KIND_ALLERGY, FACT_KIND_PROBLEM, FACT_KIND_MEDICATION, FACT_KIND_DEMOGRAPHIC))
_READ = (PROVENANCE_READ_FROM_TEXT, PROVENANCE_READ_FROM_IMAGE)
_IN_FORCE = (FACT_STATUS_ACTIVE, FACT_STATUS_ORDERED)
_UNKNOWN_SEX = frozenset({"", "u", "unk", "unknown", "a", "n", "o"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """A rule's finding. `subject` says what it is about, stable over restatements."""

    rule: str
    subject: tuple[str, ...]
    fact_ids: tuple[str, ...]

    @property
    def id(self) -> str:
        return event_id("contradiction", self.rule, *self.subject)


def find(facts: Iterable[ClinicalFact]) -> list[Conflict]:
    """Every conflict among the standing facts of one person, in a fixed order."""
    known = sorted((fact for fact in facts if fact.kind in KINDS), key=lambda f: f.fact_id)
    found = [conflict for name, rule in RULES.items() for conflict in _grouped(name, rule(known))]
    return sorted(found, key=lambda c: (c.rule, c.subject))


Finding = tuple[tuple[str, ...], ClinicalFact, ClinicalFact]
Rule = Callable[[Sequence[ClinicalFact]], Iterator[Finding]]


def no_known_allergies(facts: Sequence[ClinicalFact]) -> Iterator[Finding]:
    """`No known allergies` against a present allergy of overlapping validity, or one read from a letter."""
    allergies = [fact for fact in facts if fact.kind == FACT_KIND_ALLERGY]
    denials = [fact for fact in allergies if concepts.denied(fact)]
    present = [fact for fact in allergies if fact.assertion == ASSERTION_PRESENT and fact not in denials]
    for denial, allergy in product(denials, present):
        if concepts.denies(denial, allergy) and (allergy.provenance in _READ or times.overlap(denial, allergy)):
            yield (_who(denial), concepts.key(allergy)), denial, allergy


def present_and_absent(facts: Sequence[ClinicalFact]) -> Iterator[Finding]:
    """The same concept stated present and absent for overlapping time."""
    by_concept: dict[tuple[int, str], list[ClinicalFact]] = defaultdict(list)
    for fact in facts:
        if fact.kind != FACT_KIND_DEMOGRAPHIC and not concepts.denied(fact):
            by_concept[fact.kind, concepts.key(fact)].append(fact)
    for (kind, concept), group in by_concept.items():
        present = [fact for fact in group if fact.assertion == ASSERTION_PRESENT]
        absent = [fact for fact in group if fact.assertion == ASSERTION_ABSENT]
        for one, other in product(present, absent):
            if times.overlap(one, other):
                yield (str(kind), concept, _who(one), _who(other)), one, other


def active_and_ended(facts: Sequence[ClinicalFact]) -> Iterator[Finding]:
    """A medication active in one feed while another feed ended the same ingredient after that start.

    A feed that has a newer active order of the ingredient does not speak for the end of an older one.
    """
    taken: dict[str, list[ClinicalFact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == FACT_KIND_MEDICATION and fact.assertion != ASSERTION_ABSENT:
            taken[concepts.key(fact)].append(fact)
    for ingredient, group in taken.items():
        active = [fact for fact in group if fact.status in _IN_FORCE]
        going_on = {fact.patient.authority for fact in active}
        ended = [f for f in group if _is_ended_course(f) and f.patient.authority not in going_on]
        for one, other in product(active, ended):
            if _ended_after_start(one, other):
                yield (ingredient, _who(one), _who(other)), one, other


def demographic_mismatch(facts: Sequence[ClinicalFact]) -> Iterator[Finding]:
    """Linked identifiers with different birth dates or sexes: perhaps they are not one person."""
    by_code: dict[str, list[ClinicalFact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == FACT_KIND_DEMOGRAPHIC:
            by_code[fact.code.code].append(fact)
    for code, group in by_code.items():
        for one, other in combinations(sorted(group, key=_who), 2):
            if _who(one) != _who(other) and _differ(code, concepts.value(one), concepts.value(other)):
                yield (code, _who(one), _who(other)), one, other


RULES: Mapping[str, Rule] = {
    "no-known-allergies": no_known_allergies,
    "present-and-absent": present_and_absent,
    "active-and-ended": active_and_ended,
    "demographic-mismatch": demographic_mismatch,
}


def _grouped(rule: str, findings: Iterable[Finding]) -> list[Conflict]:
    subjects: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for subject, one, other in findings:
        subjects[subject] |= {one.fact_id, other.fact_id}
    return [Conflict(rule, subject, tuple(sorted(ids))) for subject, ids in subjects.items()]


def _who(fact: ClinicalFact) -> str:
    return f"{fact.patient.authority}\x1f{fact.patient.id}"


def _is_ended_course(fact: ClinicalFact) -> bool:
    """A dose given at one moment is over, but it ends no treatment; neither does an order that is on hold."""
    start, end = times.interval(fact)
    return fact.status == FACT_STATUS_ENDED and (start is None or start != end) and not is_on_hold(fact)


def _ended_after_start(active: ClinicalFact, ended: ClinicalFact) -> bool:
    start, end = times.known_since(active), times.moment(ended, "valid_to") or times.known_since(ended)
    return start is None or end is None or end > start


def _differ(code: str, one: str, other: str) -> bool:
    if code == SEX:
        return one != other and not {one, other} & _UNKNOWN_SEX
    digits = [value.replace("-", "") for value in (one, other)]
    shorter = min(map(len, digits))
    # 1957 agrees with 1957-03-02: a date of less precision is no other date.
    return bool(shorter) and digits[0][:shorter] != digits[1][:shorter]
