"""What is new in one code since the last time."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind

from grounding import facts, phrases
from grounding.kind import Choice, Concept, Kind, NotSayableError, Shown, newest_of_its_code
from grounding.kinds import trend
from grounding.sources import Sources
from grounding.statements import Name, Part, Statement, Value, Words

_TOLD_ALONE = frozenset({FactKind.FACT_KIND_MEDICATION, FactKind.FACT_KIND_ALLERGY, FactKind.FACT_KIND_PROBLEM})


def statement(sources: Sources, fact_ids: Sequence[str]) -> Statement:
    """What moved: the last two values of one concept, one that is new, or one that was recorded again."""
    ordered = sorted((sources.fact(fact_id) for fact_id in fact_ids), key=facts.in_time)
    newest = ordered[-1]
    last = ordered[-2:]
    if len(last) > 1 and trend.is_course(last):
        return Statement(wire.STATEMENT_KIND_CHANGE, trend.course(sources, [fact.fact_id for fact in last]))
    value: tuple[Part, ...] = (Words(" "), Value(newest.fact_id)) if newest.HasField("quantity") else ()
    lead = Words("Recorded again: " if len(ordered) > 1 or _was_known(sources, newest) else "New: ")
    denial: tuple[Part, ...] = (Words("no "),) if _is_denied(newest) else ()
    told = (lead, *denial, Name(newest.fact_id), *value, *phrases.on(newest), *phrases.comment(newest))
    return Statement(wire.STATEMENT_KIND_CHANGE, told)


def _is_denied(fact: ClinicalFact) -> bool:
    """Whether the entry says that something is absent, and its name (`No known allergies`) does not."""
    return facts.is_absent(fact) and not facts.name_of(fact).lower().startswith("no ")


def _was_known(sources: Sources, fact: ClinicalFact) -> bool:
    """Whether an earlier entry has the same drug, problem or allergy: a drug that is ordered again is not new."""
    same = (each for each in sources.of_kind(fact.kind) if facts.name_of(each) == facts.name_of(fact))
    return fact.kind in _TOLD_ALONE and any(facts.in_time(each)[0] < facts.in_time(fact)[0] for each in same)


def choose(fact: ClinicalFact, shown: Shown) -> Choice:
    """A new entry, or the newest result of its code behind the last one that is not new."""
    if not shown.is_new(fact):
        raise NotSayableError("not new")
    concept = Concept.of(fact.code)
    if fact.kind in _TOLD_ALONE:
        return Choice("change", (fact.fact_id,), concept=concept)
    before = [result for result in newest_of_its_code(fact, shown) if not shown.is_new(result)]
    if not before:
        raise NotSayableError("nothing to compare with")
    return Choice("change", (before[-1].fact_id, fact.fact_id), concept=concept)


KIND = Kind(
    word="change",
    proto=wire.STATEMENT_KIND_CHANGE,
    handle="F",
    roles={"historian": ("gather",), "diagnostician": ("hypothesise",)},
    choose=choose,
    say=lambda sources, choice: statement(sources, choice.fact_ids),
)
