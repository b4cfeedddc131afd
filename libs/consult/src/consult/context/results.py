"""Which results serve a question, and which values of each show its course."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import chain, zip_longest

from grounding.facts import in_time
from longitude.record.v1.fact_pb2 import FACT_KIND_IMAGING_FINDING, FACT_KIND_RESULT, ClinicalFact

from consult import concepts
from consult.context.ranking import words

KINDS = (FACT_KIND_RESULT, FACT_KIND_IMAGING_FINDING)
# Values of one analyte that show its course.
FIRST_VALUES = 5
_NORMAL = frozenset({"", "N"})


def relevant(
    facts: Sequence[ClinicalFact], question: str, related: Collection[str]
) -> tuple[list[ClinicalFact], list[ClinicalFact]]:
    """Results in order of worth for a question: the first values of every analyte, and the deeper history of all.

    An analyte counts for: words it shares with the question (4 each), being a concept of the evidence found for it (3),
    a newest value out of range (2), a course of more than one value (1). Of each analyte the newest value comes first,
    then the oldest, then the last of each encounter from new to old, then the rest.
    """
    courses: dict[str, list[ClinicalFact]] = defaultdict(list)
    for fact in facts:
        if fact.kind in KINDS:
            courses[concepts.key(fact)].append(fact)
    asked = words(question)
    ordered = [sorted(course, key=in_time) for course in courses.values()]
    ordered.sort(
        key=lambda course: (-_worth(course, asked, related), -in_time(course[-1])[0], concepts.key(course[-1]))
    )
    shown = [_by_worth(course) for course in ordered]
    deeper = chain.from_iterable(zip_longest(*(course[FIRST_VALUES:] for course in shown)))
    first = [fact for course in shown for fact in course[:FIRST_VALUES]]
    return first, [fact for fact in deeper if fact is not None]


def _worth(course: Sequence[ClinicalFact], asked: Collection[str], related: Collection[str]) -> int:
    newest = course[-1]
    shared = words(concepts.name(newest)) & set(asked)
    return (
        4 * len(shared)
        + 3 * (concepts.key(newest) in related)
        + 2 * (newest.abnormal_flag not in _NORMAL)
        + (len(course) > 1)
    )


def _by_worth(course: Sequence[ClinicalFact]) -> list[ClinicalFact]:
    """The newest, the oldest, the last of each encounter, the rest; from new to old."""
    newest, oldest = course[-1], course[0]
    last_of_encounter = {fact.encounter_id: fact for fact in course if fact.encounter_id}
    chosen = [newest, oldest, *sorted(last_of_encounter.values(), key=in_time, reverse=True), *reversed(course)]
    return list({fact.fact_id: fact for fact in chosen}.values())
